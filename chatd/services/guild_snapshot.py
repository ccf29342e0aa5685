"""Guild snapshots: a whole guild at one sequence number, for READY and GUILD_CREATE."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from chatd.core import permissions
from chatd.core.ids import ChannelId, GuildId, MessageId, RoleId, UserId
from chatd.core.json import JsonObject
from chatd.core.models import Channel, Guild, Member, Role, User
from chatd.core.overwrites import Overwrite
from chatd.core.permissions import Permissions
from chatd.core.records import record
from chatd.db.cursor import Cursor
from chatd.queries import channels, guilds, members, roles, streams, users
from chatd.queries.channels import MemberOverwrites
from chatd.wire import payloads

MAX_PART_SIZE = 3000
"""Channels, roles, members and tenths of overwrites of the guilds that are read at once.

Measured: 3,000 channels take 28 ms to filter and encode, with a tick of the event loop after each
guild."""


@dataclass(frozen=True, slots=True)
class GuildOutline:
    """The part of a guild that permissions depend on, after its event number `seq`."""

    guild: Guild
    seq: int
    roles: Sequence[Role]
    channels: Sequence[Channel]


@dataclass(frozen=True, slots=True)
class GuildSnapshot(GuildOutline):
    """A guild as its member `own` sees it."""

    own: Member
    own_overwrites: Mapping[ChannelId, Sequence[Overwrite]]
    """The overwrites of each channel that apply to `own`."""
    members: Sequence[Member]
    member_count: int

    def joined(self) -> JsonObject:
        """Return what other instances need to send GUILD_CREATE to `own`."""
        state = payloads.guild_state(
            self.guild,
            (),
            (),
            self.members,
            member_count=self.member_count,
            own=self.own,
            large=self.member_count > len(self.members),
        )
        return payloads.guild_joined(state, self.roles, (each.id for each in self.visible))

    def state(self) -> JsonObject:
        """Return the body of GUILD_CREATE, with the channels that `own` may see.

        The caller adds `presences`.
        """
        return self.state_with(self.visible)

    def state_with(self, visible: Iterable[Channel]) -> JsonObject:
        """Return the same as `state`; `visible` are the channels that `own` may see."""
        return payloads.guild_state(
            self.guild,
            self.roles,
            visible,
            self.members,
            member_count=self.member_count,
            own=self.own,
            large=self.member_count > len(self.members),
        )

    @property
    def visible(self) -> list[Channel]:
        """The channels that `own` may see."""
        granted = self._granted
        return [each for each in self.channels if self._may_see(each, granted)]

    @property
    def _granted(self) -> Permissions:
        own_roles = {*self.own.roles, RoleId(self.guild.id)}
        return permissions.in_guild(
            is_owner=self.guild.owner_id == self.own.user.id,
            roles=[Permissions(role.permissions) for role in self.roles if role.id in own_roles],
        )

    def _may_see(self, channel: Channel, granted: Permissions) -> bool:
        in_channel = permissions.in_channel(
            granted,
            self.own_overwrites[channel.id],
            guild_id=self.guild.id,
            user_id=self.own.user.id,
            roles=self.own.roles,
        )
        return Permissions.VIEW_CHANNEL in in_channel


@record(frozen=True, slots=True)
class OwnMembership:
    """A user's membership in a guild, after the guild's event number `seq`."""

    guild_id: GuildId
    seq: int
    own: Member


@dataclass(frozen=True, slots=True)
class KnownGuilds:
    """Guilds that an instance has in memory, and keeps current by their events."""

    ids: Collection[GuildId] = frozenset()
    stale: Collection[ChannelId] = ()
    """Channels in them whose last message it does not know."""


@dataclass(frozen=True, slots=True)
class UserGuilds:
    """The guilds of a user, read from one snapshot of the database."""

    memberships: Sequence[OwnMembership]
    """In the order of their ids."""
    loaded: Mapping[GuildId, GuildSnapshot]
    """Those of these guilds that the instance does not know, in the same order."""
    last_messages: Mapping[ChannelId, MessageId | None] = field(default_factory=dict)
    """The last messages of the stale channels."""


async def read_for_user(
    cur: Cursor,
    user: User,
    *,
    large_threshold: int,
    known: KnownGuilds,
    is_wanted: Callable[[GuildId], bool],
) -> UserGuilds:
    """Return the guilds of a user that are wanted.

    `cur` must read from one database snapshot. A guild of more than `large_threshold` members is
    loaded with only the user's own member.
    """
    memberships = [
        OwnMembership(own.guild_id, seq, own)
        for own, seq in await members.list_with_positions(cur, user)
        if is_wanted(own.guild_id)
    ]
    unknown = [each for each in memberships if each.guild_id not in known.ids]
    loaded = await _load(cur, unknown, large_threshold)
    return UserGuilds(
        memberships,
        {each.guild.id: each for each in loaded},
        await channels.last_messages(cur, known.stale) if known.stale else {},
    )


async def read_for_user_id(
    cur: Cursor,
    user_id: UserId,
    *,
    large_threshold: int,
    known: KnownGuilds,
    is_wanted: Callable[[GuildId], bool],
) -> UserGuilds:
    """Return the same as `read_for_user`; it also reads the user."""
    [user] = await users.by_ids(cur, [user_id])
    return await read_for_user(
        cur, user, large_threshold=large_threshold, known=known, is_wanted=is_wanted
    )


async def get(
    cur: Cursor, guild_id: GuildId, user_id: UserId, *, large_threshold: int
) -> GuildSnapshot | None:
    """Return the snapshot of one guild, or None if the user is not a member."""
    own = await members.get(cur, guild_id, user_id)
    if own is None:
        return None
    positions = await streams.positions(cur, [guild_id])
    membership = OwnMembership(guild_id, positions[guild_id], own)
    found = await _load(cur, [membership], large_threshold)
    return found[0] if found else None


async def outline(cur: Cursor, guild_id: GuildId) -> GuildOutline | None:
    """Return the outline of a guild, or None. `cur` must read from one database snapshot."""
    found = await guilds.by_ids(cur, [guild_id])
    if not found:
        return None
    positions = await streams.positions(cur, [guild_id])
    return GuildOutline(
        found[0],
        positions[guild_id],
        await roles.list_for_guilds(cur, [guild_id]),
        await channels.list_for_guilds(cur, [guild_id]),
    )


async def _load(
    cur: Cursor, memberships: Collection[OwnMembership], large_threshold: int
) -> list[GuildSnapshot]:
    own = {each.guild_id: each.own for each in memberships}
    if not own:
        return []
    positions = {each.guild_id: each.seq for each in memberships}
    counts = await members.counts(cur, own)
    small = [guild_id for guild_id in own if counts.get(guild_id, 0) <= large_threshold]
    listed = _by_guild(await members.list_for_guilds(cur, small, limit=large_threshold))
    guild_roles = _by_guild(await roles.list_for_guilds(cur, own))
    found = await channels.list_for_member(cur, own, _targets(own))
    own_overwrites = {channel.id: overwrites for channel, overwrites in found}
    guild_channels = _by_guild(channel for channel, _ in found)
    return [
        GuildSnapshot(
            guild=guild,
            seq=positions[guild.id],
            own=own[guild.id],
            roles=guild_roles[guild.id],
            channels=guild_channels[guild.id],
            own_overwrites=own_overwrites,
            members=listed.get(guild.id) or [own[guild.id]],
            member_count=counts[guild.id],
        )
        for guild in await guilds.by_ids(cur, own)
    ]


def parts(sizes: Mapping[GuildId, int], *, first_size: int | None = None) -> list[list[GuildId]]:
    """Divide guilds into parts. Each part is read, encoded and sent at once.

    The first part has up to `first_size`, if that is given, the others up to `MAX_PART_SIZE`.
    """
    divided: list[list[GuildId]] = [[]]
    left = MAX_PART_SIZE if first_size is None else first_size
    for guild_id in sorted(sizes):
        size = sizes[guild_id]
        if size > left and divided[-1]:
            divided.append([])
            left = MAX_PART_SIZE
        divided[-1].append(guild_id)
        left -= size
    return divided


async def visible(
    cur: Cursor,
    own: Mapping[GuildId, Member],
    *,
    needed: Permissions = Permissions.VIEW_CHANNEL,
) -> list[MemberOverwrites]:
    """Return the channels that a user may see in the guilds of its memberships `own`.

    Or those in which it has all permissions of `needed`.
    """
    if not own:
        return []
    guild_roles = _by_guild(await roles.list_for_guilds(cur, own))
    granted = {
        guild.id: permissions.in_guild(
            is_owner=guild.owner_id == own[guild.id].user.id,
            roles=[
                Permissions(role.permissions)
                for role in guild_roles[guild.id]
                if role.is_everyone or role.id in own[guild.id].roles
            ],
        )
        for guild in await guilds.by_ids(cur, own)
    }
    return [
        channel
        for channel in await channels.overwrites_for_member(cur, granted, _targets(own))
        if needed
        in permissions.in_channel(
            granted[channel.guild_id],
            channel.overwrites,
            guild_id=channel.guild_id,
            user_id=own[channel.guild_id].user.id,
            roles=own[channel.guild_id].roles,
        )
    ]


def _targets(own: Mapping[GuildId, Member]) -> list[int]:
    """Return the targets of the overwrites that apply to a user in its guilds."""
    targets: set[int] = set(own)
    for member in own.values():
        targets |= {member.user.id, *member.roles}
    return list(targets)


class _InGuild(Protocol):
    @property
    def guild_id(self) -> GuildId: ...


T = TypeVar("T", bound=_InGuild)


def _by_guild(rows: Iterable[T]) -> defaultdict[GuildId, list[T]]:
    grouped: defaultdict[GuildId, list[T]] = defaultdict(list)
    for row in rows:
        grouped[row.guild_id].append(row)
    return grouped
