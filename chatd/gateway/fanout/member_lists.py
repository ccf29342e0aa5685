"""Member lists: the members of a guild that clients of people show beside a channel.

A client requests windows of a channel's list: those parts that it shows. The list changes when a
member joins, leaves, or gets another presence, name or role. Then the client receives operations
that change its windows in the same way (`core.member_list`), in a GUILD_MEMBER_LIST_UPDATE.

Cost: the members of a guild are read when the first client requests a list, and dropped a minute
after the last. With 100,000 members online, that takes 1.8 s of a core in time slices, and 95 MB.
Changes are collected for `_INTERVAL_S`: one costs 0.2 ms, and 1,000 cost 8 to 50 ms. Sessions with
the same windows share an encoded update. After many changes at once, an update contains the whole
windows instead of operations. When roles or channels change, the lists are built again. For 100,000
members this takes 0.3 s of a core in time slices, and it takes at most a tenth of all time.
"""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import orjson

from chatd.core.errors import ServiceUnavailable
from chatd.core.ids import ChannelId, GuildId, StreamId, UserId
from chatd.core.json import JsonObject
from chatd.core.member_list import Item, MemberList, Op, OpKind, Window
from chatd.core.permissions import Permissions
from chatd.core.presence_table import PresenceTable
from chatd.db.pool import Database
from chatd.events import members as events
from chatd.gateway.fanout.delivery_queue import DeliveryQueue
from chatd.gateway.fanout.guild_feed import GuildFeed
from chatd.gateway.fanout.hub import Hub
from chatd.gateway.fanout.listed_members import ListedMembers
from chatd.gateway.session.session import Session
from chatd.wire import payloads

log = logging.getLogger(__name__)

_INTERVAL_S = 0.5
"""How often in seconds lists are updated."""

_MAX_OPS = 25
"""Operations in one update. Above this, the whole windows are smaller."""

_KEPT_S = 60.0
"""How long in seconds the members of a guild are kept without a session that has a list. So a
client that ends its lists and requests them again does not have all members read again."""

_MAX_CHANGES = 2000
"""Changed members in one update. Above this, the lists are built again, in time slices."""

_BUILD_PAUSE_FACTOR = 10
"""The pause after a build of the lists, in durations of that build."""

MAX_GUILDS = 10
"""The maximum of guilds whose lists one session has. For one more, the session loses those of the
guild that it requested first."""


@dataclass(slots=True)
class _LiveList:
    """A list and the windows that sessions have of it."""

    channel_id: ChannelId
    items: MemberList
    windows: dict[Session, tuple[Window, ...]] = field(default_factory=dict)


class MemberLists:
    """All member lists of this instance."""

    def __init__(
        self,
        hub: Hub,
        database: Database,
        *,
        presence_table: PresenceTable,
        delivery_queue: DeliveryQueue,
    ) -> None:
        self._hub = hub
        self._database = database
        self._presence_table = presence_table
        self._delivery_queue = delivery_queue
        self._guilds: dict[GuildId, _GuildLists] = {}

    def mark(self, guild_ids: Iterable[GuildId], user_id: UserId) -> None:
        """Note that the presence of a user changed in these guilds."""
        if self._guilds:
            for guild_id in guild_ids:
                if (lists := self._guilds.get(guild_id)) is not None:
                    lists.members.mark(user_id)

    async def subscribe(
        self,
        session: Session,
        guild_id: GuildId,
        channels: Mapping[ChannelId, Sequence[Window]],
    ) -> None:
        """Replace the windows that a session has of the lists of a guild, and send them.

        Channels that the session cannot see are left out. Bots get no lists: these have members and
        presences, for which bots need privileged intents. Raises ServiceUnavailable.
        """
        feed = self._hub.feed(StreamId(guild_id))
        if session.is_bot or not isinstance(feed, GuildFeed) or feed not in session.feeds:
            return
        session.member_lists.pop(guild_id, None)
        if channels:
            session.member_lists[guild_id] = channels
        lists = self._guilds.get(guild_id)
        if lists is None or lists.feed is not feed:
            if not channels:
                return
            lists = self._guilds[guild_id] = _GuildLists(self, feed)
        self._bound_guilds(session, guild_id)
        async with lists.lock:
            if self._guilds.get(guild_id) is not lists:  # dropped during the await
                self._guilds[guild_id] = lists
                lists.reuse()
            await lists.subscribe(self._database, session, channels)

    async def run(self) -> None:
        """Update the lists until cancelled."""
        while True:
            await asyncio.sleep(_INTERVAL_S)
            await self.update()

    async def update(self) -> None:
        """Send what changed since the last update."""
        for lists in list(self._guilds.values()):
            if lists.lock.locked():
                continue  # its members are being read, which may take seconds
            async with lists.lock:
                try:
                    await lists.update(self._database)
                except ServiceUnavailable as error:
                    log.info("member lists are late: %s", error)
            self._drop_if_unused(lists)

    def send(self, guild_id: GuildId, body: JsonObject, sessions: Collection[Session]) -> None:
        """Deliver an update to these sessions."""
        event = events.member_list_updated(guild_id, payloads.encode(body))
        self._delivery_queue.add(event, sessions)

    def presences(self) -> PresenceTable:
        """Return the presences of all users."""
        return self._presence_table

    def _bound_guilds(self, session: Session, guild_id: GuildId) -> None:
        """End the lists of the guild that the session requested first, if it has too many."""
        listed = [each for each in self._guilds.values() if each.has(session)]
        if len(listed) >= MAX_GUILDS and guild_id not in [each.members.guild_id for each in listed]:
            listed[0].remove(session)
            session.member_lists.pop(listed[0].members.guild_id, None)

    def _drop_if_unused(self, lists: _GuildLists) -> None:
        now = asyncio.get_running_loop().time()
        if not lists.is_unused:
            lists.used_at = now
        elif now - lists.used_at > _KEPT_S and self._guilds.get(lists.members.guild_id) is lists:
            del self._guilds[lists.members.guild_id]
            lists.feed.remove_listener(lists.members)
            self._hub.drop_if_unused(lists.feed)


class _GuildLists:
    """The lists of one guild, by the ids that clients know."""

    def __init__(self, owner: MemberLists, feed: GuildFeed) -> None:
        self.lock = asyncio.Lock()
        self.used_at = asyncio.get_running_loop().time()
        """When a session last had a list, by the event loop's clock."""
        self.feed = feed
        self.members = ListedMembers(feed, owner.presences())
        self._owner = owner
        self._next_build_at = 0.0
        """When the lists may be built again, by the event loop's clock."""
        self._lists: dict[str, _LiveList] = {}
        self._requested: dict[Session, Mapping[ChannelId, Sequence[Window]]] = {}
        feed.add_listener(self.members)

    def reuse(self) -> None:
        """Begin to use the lists again after they were dropped."""
        self.members.is_loaded = False
        self.feed.add_listener(self.members)

    @property
    def is_unused(self) -> bool:
        """Whether no session has a list."""
        return not any(self._requested.values()) and not self.lock.locked()

    def has(self, session: Session) -> bool:
        """Return whether a session has lists of the guild."""
        return session in self._requested

    def remove(self, session: Session) -> None:
        """End the lists of a session."""
        self._requested.pop(session, None)
        for each in self._lists.values():
            each.windows.pop(session, None)

    async def subscribe(
        self,
        database: Database,
        session: Session,
        channels: Mapping[ChannelId, Sequence[Window]],
    ) -> None:
        """Replace the windows of a session, and send them."""
        before = {key: each.windows.get(session, ()) for key, each in self._lists.items()}
        self.remove(session)
        if visible := self._visible(session, channels):
            self._requested[session] = visible
            await self._prepare(database)
            if not self._lists:
                self.members.is_stale = False  # all lists are built from here on
            await self._place(session)
        self._settle()
        for key, live in self._lists.items():
            wanted = live.windows.get(session, ())
            dropped = [each for each in before.get(key, ()) if each not in wanted]
            ops = [_invalidate(window) for window in dropped]
            ops += [self._sync(live, window) for window in wanted]
            if ops:
                self._send(key, live, ops, [session])
        self._drop_empty_lists()

    async def update(self, database: Database) -> None:
        """Send what changed since the last update."""
        self._drop_invisible()
        if not self._requested:
            return
        if self.members.must_reload:
            self.members.is_loaded = False
        if self.members.must_be_built():
            clock = asyncio.get_running_loop().time
            if (began := clock()) >= self._next_build_at:
                await self._rebuild(database)
                self._next_build_at = clock() + _BUILD_PAUSE_FACTOR * (clock() - began)
            return
        dirty = self.members.take_dirty()
        if dirty:
            await self.members.load_missing(database, dirty)
            self.members.is_stale |= len(dirty) > _MAX_CHANGES
            if self.members.must_be_built():
                return  # the next update builds all lists again
            for key, live in self._lists.items():
                self._update_list(key, live, dirty)

    def _drop_invisible(self) -> None:
        """End lists whose sessions have left the guild, or cannot see the channel any more."""
        for session, channels in list(self._requested.items()):
            if self.feed not in session.feeds:
                self.remove(session)
            elif len(left := self._visible(session, channels)) < len(channels):
                self.members.is_stale = True
                self._requested[session] = left

    async def _prepare(self, database: Database) -> None:
        if not self.members.is_loaded:
            await self.members.load(database)

    async def _rebuild(self, database: Database) -> None:
        """Build all lists again, and send all windows in full."""
        await self._prepare(database)
        self.members.is_stale = False
        before, self._lists = self._lists, {}
        for session in list(self._requested):
            await self._place(session)
        self._settle()
        self._invalidate_dropped(before)
        for key, live in self._lists.items():
            old = before.get(key)
            for windows, sessions in _by_windows(live).items():
                self._send_whole(key, live, windows, sessions, 0 if old is None else len(old.items))

    def _invalidate_dropped(self, before: Mapping[str, _LiveList]) -> None:
        """Invalidate the windows that sessions had before a rebuild, and have no longer."""
        for key, live in before.items():
            for session, windows in live.windows.items():
                now = self._lists[key].windows.get(session, ()) if key in self._lists else ()
                if dropped := [each for each in windows if each not in now]:
                    ops = [_invalidate(window) for window in dropped]
                    self._send(key, live, ops, [session])

    async def _place(self, session: Session) -> None:
        """Add the windows of a session to the lists of its channels."""
        for channel_id, windows in self._requested[session].items():
            key = self.members.list_id(channel_id)
            live = self._lists.get(key)
            if live is None:
                items = await self.members.build(channel_id)
                live = self._lists[key] = _LiveList(channel_id, items)
            known = live.windows.get(session, ())
            live.windows[session] = tuple(sorted({*known, *windows}))

    def _settle(self) -> None:
        """Apply what changed while lists were built. Until the next await, they are current."""
        dirty = self.members.dirty
        if len(dirty) <= _MAX_CHANGES:
            for key, live in self._lists.items():
                self._update_list(key, live, dirty)

    def _update_list(self, key: str, live: _LiveList, dirty: Collection[UserId]) -> None:
        size_before, counts_before = len(live.items), live.items.counts()
        ops: list[Op] = []
        for user_id in dirty:
            ops += live.items.put(user_id, *self.members.group_of(user_id, live.channel_id))
        for windows, sessions in _by_windows(live).items():
            seen = live.items.seen_through(ops, windows, size_before=size_before)
            if len(seen) > _MAX_OPS:
                self._send_whole(key, live, windows, sessions, size_before)
            elif seen or counts_before != live.items.counts():
                shown = seen or _first_item(live, windows)
                self._send(key, live, [self._op(live, each) for each in shown], sessions)

    def _send_whole(
        self,
        key: str,
        live: _LiveList,
        windows: Sequence[Window],
        sessions: Collection[Session],
        size_before: int,
    ) -> None:
        ops: list[JsonObject] = []
        if len(live.items) < size_before:  # clients keep what SYNC does not replace
            ops += [_invalidate(window) for window in windows]
        ops += [self._sync(live, window) for window in windows]
        self._send(key, live, ops, sessions)

    def _send(
        self, key: str, live: _LiveList, ops: Sequence[JsonObject], sessions: Collection[Session]
    ) -> None:
        members = self.members
        body = {
            "guild_id": str(members.guild_id),
            "id": key,
            "member_count": members.member_count,
            "online_count": members.online_count,
            "groups": [{"id": group, "count": count} for group, count in live.items.counts()],
            "ops": ops,
        }
        self._owner.send(members.guild_id, body, sessions)

    def _sync(self, live: _LiveList, window: Window) -> JsonObject:
        items = [self._item(live, each) for each in live.items.items(window)]
        return {"op": "SYNC", "range": window, "items": items}

    def _op(self, live: _LiveList, op: Op) -> JsonObject:
        shown: JsonObject = {"op": op.kind, "index": op.index, **_NO_ITEMS}
        if op.item is not None:
            shown["item"] = self._item(live, op.item)
        return shown

    def _item(self, live: _LiveList, item: Item) -> JsonObject | orjson.Fragment:
        if isinstance(item, str):
            return {"group": {"id": item, "count": live.items.count(item)}}
        return orjson.Fragment(self.members.item(item))

    def _visible(
        self, session: Session, channels: Mapping[ChannelId, Sequence[Window]]
    ) -> Mapping[ChannelId, Sequence[Window]]:
        """Return those of these channels that the session may see."""
        may, view = self.feed.visibility.has_permission, Permissions.VIEW_CHANNEL
        return {key: each for key, each in channels.items() if may(session.user_id, key, view)}

    def _drop_empty_lists(self) -> None:
        self._lists = {key: live for key, live in self._lists.items() if live.windows}


_NO_ITEMS: Final[Mapping[str, Any]] = {"items": []}
"""Of operations other than SYNC. Fermi reads the items of the first operation, whichever it is, and
ignores an update without them. Other clients read no items of these operations."""


def _invalidate(window: Window) -> JsonObject:
    return {"op": "INVALIDATE", "range": window, **_NO_ITEMS}


def _first_item(live: _LiveList, windows: Sequence[Window]) -> list[Op]:
    """Return an UPDATE of the first item of these windows, for an update of the counts alone."""
    index = windows[0][0]
    return [Op(OpKind.UPDATE, index, each) for each in live.items.items((index, index))]


def _by_windows(live: _LiveList) -> dict[tuple[Window, ...], list[Session]]:
    """Return the sessions of a list by their windows."""
    found: defaultdict[tuple[Window, ...], list[Session]] = defaultdict(list)
    for session, windows in live.windows.items():
        found[windows].append(session)
    return found
