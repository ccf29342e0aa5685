"""The members of one guild for its lists: read once, then kept current by the guild's events."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import orjson

from chatd.core.ids import ChannelId, GuildId, RoleId, UserId
from chatd.core.json import JsonObject
from chatd.core.member_list import OFFLINE, ONLINE, MemberList
from chatd.core.models import Member, Role
from chatd.core.murmur import murmur3
from chatd.core.permissions import Permissions
from chatd.core.presence_table import PresenceTable
from chatd.core.time_slices import run_in_slices
from chatd.db.pool import Database
from chatd.events.event import Event
from chatd.gateway.fanout.guild_feed import GuildFeed
from chatd.services.guilds import member_lists as reading
from chatd.wire import payloads

_VIEW = int(Permissions.VIEW_CHANNEL)
_CHUNK = 4000
"""Names that are sorted without a pause, in about 2 ms."""

_MAX_PATCHED = 1000
"""Members that are changed without a pause, in 10 ms. If more change, all members are read again,
which takes longer, but in time slices."""

_MEMBER_EVENTS = frozenset({"GUILD_MEMBER_ADD", "GUILD_MEMBER_UPDATE", "GUILD_MEMBER_REMOVE"})
_ROLE_EVENTS = frozenset({"GUILD_ROLE_CREATE", "GUILD_ROLE_UPDATE", "GUILD_ROLE_DELETE"})


@dataclass(frozen=True, slots=True)
class _ListedMember:
    name: str
    """The key by which lists are sorted."""
    roles: tuple[RoleId, ...]
    body: bytes


class ListedMembers:
    """The members that the lists of a guild contain. A listener of the guild's feed."""

    user_id = UserId(0)  # no user has this id, because no session is being started
    receives_own_presence = True  # user 0 has no presence

    def __init__(self, feed: GuildFeed, presence_table: PresenceTable) -> None:
        self.feed = feed
        self.member_count = 0
        self.is_stale = True
        """Whether the lists must be built again, because their groups or members have changed."""
        self.is_loaded = False
        self._presence_table = presence_table
        self._known: dict[UserId, _ListedMember] = {}
        self._roles: dict[RoleId, tuple[int, bool, str]] = {}
        """The position of each role, whether it is a group, and its permissions."""
        self._hides_offline = False
        self._dirty: set[UserId] = set()
        self._buffered: list[Event] | None = None
        """The events that arrive while the database is read; None at other times."""

    @property
    def guild_id(self) -> GuildId:
        """The guild."""
        return GuildId(self.feed.stream)

    @property
    def known_count(self) -> int:
        """The number of members that were read."""
        return len(self._known)

    @property
    def online_count(self) -> int:
        """The number of members that are online."""
        return self._presence_table.count_in(self.guild_id)

    def buffer(self, feed: object, event: Event) -> None:
        """Apply an event of the feed."""
        if self._buffered is not None:
            self._buffered.append(event)
        if self.is_loaded:
            self._apply(event)

    def mark_buffered_after(self, feed: object, seq: int) -> None:
        """Do nothing: `load` reads a snapshot and applies what is newer."""

    def invalidate_snapshot(self) -> None:
        """Note that events were lost."""
        self.is_loaded = False

    def mark(self, user_id: UserId) -> None:
        """Note that the presence of a user changed."""
        self._dirty.add(user_id)

    def take_dirty(self) -> set[UserId]:
        """Return the users that changed since the last call."""
        dirty, self._dirty = self._dirty, set()
        return dirty

    async def load(self, database: Database) -> None:
        """Read the guild. Raises ServiceUnavailable."""
        self._buffered, self.is_loaded = [], False
        self._known.clear()
        try:
            snapshot = await reading.read(
                database, self.guild_id, self._online_users, self._add_member
            )
            self._roles = {each.id: _role_of(each) for each in snapshot.roles}
            self.member_count = snapshot.member_count
            self._hides_offline = snapshot.hides_offline
            self.is_loaded = self.is_stale = True
            for event in self._buffered:
                if event.seq > snapshot.seq:
                    self._apply(event)
        finally:
            self._buffered = None

    async def load_missing(self, database: Database, user_ids: Iterable[UserId]) -> None:
        """Read members that came online, unless `load` read all. Raises ServiceUnavailable."""
        missing = [each for each in user_ids if each not in self._known and self._is_online(each)]
        if not missing or not self._hides_offline:
            return
        self._buffered = []
        try:
            seq = await reading.read_some(database, self.guild_id, missing, self._add_member)
            for event in self._buffered:
                if event.seq > seq and event.name in _MEMBER_EVENTS:
                    self._apply_member(event, counts=False)
        finally:
            self._buffered = None

    def must_be_built(self) -> bool:
        """Return whether the lists must be built again."""
        return self.is_stale or not self.is_loaded

    @property
    def dirty(self) -> frozenset[UserId]:
        """The users that changed since the last `take_dirty`."""
        return frozenset(self._dirty)

    @property
    def must_reload(self) -> bool:
        """Whether the lists contain offline members although the guild has too many for that."""
        return not self._hides_offline and self.member_count > 2 * reading.MAX_WITH_OFFLINE

    def group_of(self, user_id: UserId, channel_id: ChannelId) -> tuple[str, str | None]:
        """Return the name and the group of a user in the list of a channel."""
        known = self._known.get(user_id)
        if known is None:
            return "", None
        is_online = self._is_online(user_id)
        if not is_online and self._hides_offline:
            del self._known[user_id]
            return "", None
        visibility = self.feed.visibility
        if not visibility.visible_with(user_id, known.roles) & visibility.bit(channel_id):
            return "", None
        if not is_online:
            return known.name, OFFLINE
        hoisted = [each for each in known.roles if self._roles.get(each, _NO_ROLE)[1]]
        return known.name, str(min(hoisted, key=self._rank)) if hoisted else ONLINE

    async def build(self, channel_id: ChannelId) -> MemberList:
        """Build the list of a channel, in time slices."""
        hoisted = sorted(
            (each for each, (_, is_hoisted, _) in self._roles.items() if is_hoisted),
            key=self._rank,
        )
        built = MemberList([*map(str, hoisted), ONLINE, OFFLINE])
        chunks: list[list[tuple[str, UserId]]] = []
        await run_in_slices(self._sorted_chunks(chunks))

        def filling() -> Iterator[None]:
            for name, user_id in heapq.merge(*chunks):
                now, group = self.group_of(user_id, channel_id)
                if group is None or now != name or not built.has_group(group):
                    self._dirty.add(user_id)  # it changed since; the next update places it
                else:
                    built.append(user_id, name, group)
                yield

        await run_in_slices(filling())
        return built

    def list_id(self, channel_id: ChannelId) -> str:
        """Return the id by which clients know the list of a channel.

        Channels that the same members see have one list. Rule: what Discord's clients compute.
        """
        overwrites = self.feed.visibility.overwrites_of(channel_id)
        is_open = self.feed.visibility.is_open and not any(each.deny & _VIEW for each in overwrites)
        if is_open:
            return "everyone"
        named = [
            f"{'allow' if each.allow & _VIEW else 'deny'}:{each.target_id}"
            for each in overwrites
            if (each.allow | each.deny) & _VIEW
        ]
        return str(murmur3(",".join(sorted(named)).encode()))

    def item(self, user_id: UserId) -> bytes:
        """Return a member with its presence, encoded."""
        known = self._known.get(user_id)
        if known is None:  # it has left since; the next update removes it
            return b'{"member":null}'
        presence = payloads.presence(user_id, self._presence_table.get(user_id))
        return b'{"member":%b}' % payloads.add_keys(known.body, {"presence": presence})

    def _sorted_chunks(self, chunks: list[list[tuple[str, UserId]]]) -> Iterator[None]:
        names = [(known.name, user_id) for user_id, known in self._known.items()]
        for start in range(0, len(names), _CHUNK):
            chunks.append(sorted(names[start : start + _CHUNK]))
            yield

    def _rank(self, role_id: RoleId) -> tuple[int, int]:
        return (-self._roles[role_id][0], role_id)

    def _online_users(self) -> list[UserId]:
        return self._presence_table.users_in(self.guild_id)

    def _is_online(self, user_id: UserId) -> bool:
        return self._presence_table.is_online_in(self.guild_id, user_id)

    def _add_member(self, member: Member) -> None:
        name = member.nick or member.user.global_name or member.user.username
        body = payloads.encode(payloads.member(member))
        self._known[member.user.id] = _ListedMember(name.casefold(), member.roles, body)

    def _apply(self, event: Event) -> None:
        if event.name in _MEMBER_EVENTS:
            self._apply_member(event, counts=True)
        elif event.name in _ROLE_EVENTS:
            self._apply_role(event)
        elif event.name in ("CHANNEL_UPDATE", "CHANNEL_DELETE", "GUILD_UPDATE"):
            self.is_stale = True  # a shared list may have been built for the channel that changed

    def _apply_member(self, event: Event, *, counts: bool) -> None:
        data = orjson.loads(event.body)
        user_id = UserId(int(data["user"]["id"]))
        self._dirty.add(user_id)
        if event.name == "GUILD_MEMBER_REMOVE":
            self._known.pop(user_id, None)
            self.member_count -= counts
            return
        if event.name == "GUILD_MEMBER_ADD":
            self.member_count += counts
        elif user_id not in self._known and self._hides_offline:
            return
        self._set_member(user_id, data)

    def _set_member(self, user_id: UserId, data: JsonObject) -> None:
        data.pop("guild_id", None)
        user = data["user"]
        name = data["nick"] or user["global_name"] or user["username"]
        roles = tuple(RoleId(int(each)) for each in data["roles"])
        self._known[user_id] = _ListedMember(name.casefold(), roles, payloads.encode(data))

    def _apply_role(self, event: Event) -> None:
        data = orjson.loads(event.body)
        if event.name == "GUILD_ROLE_DELETE":
            role_id = RoleId(int(data["role_id"]))
            self._roles.pop(role_id, None)
            self._remove_role(role_id)
            self.is_stale = True
            return
        role = data["role"]
        role_id = RoleId(int(role["id"]))
        now = role["position"], role["hoist"], role["permissions"]
        self.is_stale |= self._roles.get(role_id) != now
        self._roles[role_id] = now

    def _remove_role(self, role_id: RoleId) -> None:
        """Remove a role from its members; if it has many, have all members read again."""
        having = [user_id for user_id, known in self._known.items() if role_id in known.roles]
        if len(having) > _MAX_PATCHED:
            self.is_loaded = False
            return
        for user_id in having:
            data = orjson.loads(self._known[user_id].body)
            data["roles"].remove(str(role_id))
            self._set_member(user_id, data)


_NO_ROLE = (0, False, "")


def _role_of(role: Role) -> tuple[int, bool, str]:
    return role.position, role.hoist, str(role.permissions)
