"""The member lists of one guild, and the windows that sessions have of them.

A task holds the lock of a guild while it changes the lists and sends the changes to clients. It
works in time slices. The other tasks that run in between never use lists that differ from what
clients have received.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

import orjson

from chatd.core.ids import ChannelId, UserId
from chatd.core.json import JsonObject
from chatd.core.member_list import Item, MemberList, Op, OpKind, Window
from chatd.core.permissions import Permissions
from chatd.core.presence_table import PresenceTable
from chatd.core.time_slices import TimeSlices, run_in_slices
from chatd.db.pool import Database
from chatd.gateway.fanout.guild_feed import GuildFeed
from chatd.gateway.fanout.listed_members import ListedMembers
from chatd.gateway.session.session import Session

_MAX_OPS = 25
"""The maximum of operations in one update. Instead of more operations, the whole windows are sent,
which take fewer bytes."""

_MAX_CHANGES = 2000
"""The maximum of changed members in one update. After more, the lists are built again, in time
slices."""

_MAX_ITEMS = 1_000_000
"""The maximum of members in all lists of a guild together, each about 250 bytes. Further lists are
not built, so clients show none. A session can have lists of five channels. So 100 sessions can
request the lists of 500 channels, which all differ if the overwrites of the channels differ."""

_BUILD_PAUSE_FACTOR = 10
"""The pause after a build of the lists, in durations of that build."""

Send: TypeAlias = Callable[[JsonObject, Collection[Session]], None]
"""Delivers an update to sessions."""


@dataclass(slots=True)
class _LiveList:
    """A list and the windows that sessions have of it."""

    channel_id: ChannelId
    items: MemberList
    windows: dict[Session, tuple[Window, ...]] = field(default_factory=dict)
    _groups: dict[tuple[Window, ...], dict[Session, None]] = field(default_factory=dict)
    """The sessions by their windows."""

    def place(self, session: Session, windows: tuple[Window, ...]) -> None:
        """Set the windows of a session."""
        self.remove(session)
        self.windows[session] = windows
        self._groups.setdefault(windows, {})[session] = None

    def remove(self, session: Session) -> None:
        """Remove the windows of a session, if it has some."""
        windows = self.windows.pop(session, None)
        if windows is not None:
            group = self._groups[windows]
            del group[session]
            if not group:
                del self._groups[windows]

    def groups(self) -> list[tuple[tuple[Window, ...], list[Session]]]:
        """Return the sessions by their windows. Later changes do not affect the result."""
        return [(windows, list(sessions)) for windows, sessions in self._groups.items()]


class GuildLists:
    """The lists of one guild, by the ids that clients know."""

    def __init__(self, feed: GuildFeed, presence_table: PresenceTable, *, send: Send) -> None:
        self.lock = asyncio.Lock()
        self.used_at = asyncio.get_running_loop().time()
        """When a session last had a list, by the event loop's clock."""
        self.feed = feed
        self.members = ListedMembers(feed, presence_table)
        self._deliver = send
        self._next_build_at = 0.0
        """When the lists may be built again, by the event loop's clock."""
        self._checked_revision = -1
        """The revision of the feed's audiences at which each session could see the channels of its
        lists."""
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
            each.remove(session)

    def members_to_build(
        self, session: Session, channels: Mapping[ChannelId, Sequence[Window]]
    ) -> int:
        """Return how many members have to be sorted for lists of these channels."""
        wanted = {self.members.list_id(each) for each in self._visible(session, channels)}
        return len(wanted - self._lists.keys()) * self.members.known_count

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
        await self._settle()
        await run_in_slices(self._sending_windows(session, before))
        self._drop_empty_lists()

    def _sending_windows(
        self, session: Session, before: Mapping[str, Sequence[Window]]
    ) -> Iterator[None]:
        """Send the windows of a session; `before` has its former windows, by list."""
        for key, live in self._lists.items():
            wanted = live.windows.get(session, ())
            dropped = [each for each in before.get(key, ()) if each not in wanted]
            ops = [_invalidate(window) for window in dropped]
            ops += [self._sync(live, window) for window in wanted]
            if ops:
                self._send(key, live, ops, [session])
            yield

    async def update(self, database: Database) -> None:
        """Send what changed since the last update."""
        if (revision := self.feed.audiences.revision) != self._checked_revision:
            self._checked_revision = revision
            await run_in_slices(self._dropping_invisible())
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
            await run_in_slices(self._updating(dirty))

    def _dropping_invisible(self) -> Iterator[None]:
        """End lists whose sessions have left the guild, or cannot see the channel any more."""
        for session in list(self._requested):
            channels = self._requested.get(session, {})  # the session may have ended its lists
            if self.feed not in session.feeds:
                self.remove(session)
            elif len(left := self._visible(session, channels)) < len(channels):
                self.members.is_stale = True
                self._requested[session] = left
                self._checked_revision = -1  # the list keeps its windows until it is built again
            yield

    async def _prepare(self, database: Database) -> None:
        if not self.members.is_loaded:
            await self.members.load(database)

    async def _rebuild(self, database: Database) -> None:
        """Build all lists again, and send all windows in full."""
        await self._prepare(database)
        self.members.is_stale = False
        before, self._lists = self._lists, {}
        slices = TimeSlices()
        for session in list(self._requested):
            await self._place(session)
            await slices.step()
        await self._settle()
        await run_in_slices(self._sending_all(before))

    def _sending_all(self, before: Mapping[str, _LiveList]) -> Iterator[None]:
        """Send all windows in full; the lists in `before` have been replaced by new ones."""
        for key, live in before.items():
            for session, windows in list(live.windows.items()):
                now = self._lists[key].windows.get(session, ()) if key in self._lists else ()
                if dropped := [each for each in windows if each not in now]:
                    ops = [_invalidate(window) for window in dropped]
                    self._send(key, live, ops, [session])
                yield
        for key, live in self._lists.items():
            old = before.get(key)
            for windows, sessions in live.groups():
                self._send_whole(key, live, windows, sessions, 0 if old is None else len(old.items))
                yield

    async def _place(self, session: Session) -> None:
        """Add the windows of a session to the lists of its channels."""
        requested = self._requested.get(session, {})
        for channel_id, windows in requested.items():
            key = self.members.list_id(channel_id)
            live = self._lists.get(key)
            if live is None and not self._has_room():
                continue
            if live is None:
                items = await self.members.build(channel_id)
                live = self._lists[key] = _LiveList(channel_id, items)
                if self._requested.get(session) is not requested:
                    return  # during the await, `MemberLists` may have ended its lists
            known = live.windows.get(session, ())
            live.place(session, tuple(sorted({*known, *windows})))

    def _has_room(self) -> bool:
        """Return whether a list of all known members can be built."""
        placed = sum(len(each.items) for each in self._lists.values())
        return not placed or placed + self.members.known_count <= _MAX_ITEMS

    async def _settle(self) -> None:
        """Apply what changed while lists were built. Later changes are for the next update."""
        dirty = self.members.dirty
        if len(dirty) <= _MAX_CHANGES:
            await run_in_slices(self._updating(dirty))

    def _updating(self, dirty: Collection[UserId]) -> Iterator[None]:
        """Apply changes of these users to all lists, and send them. Yields after each step."""
        for key, live in self._lists.items():
            size_before, counts_before = len(live.items), live.items.counts()
            ops: list[Op] = []
            for user_id in dirty:
                ops += live.items.put(user_id, *self.members.group_of(user_id, live.channel_id))
                yield
            for windows, sessions in live.groups():
                seen = live.items.seen_through(
                    ops, windows, size_before=size_before, at_most=_MAX_OPS
                )
                if seen is None:
                    self._send_whole(key, live, windows, sessions, size_before)
                elif seen or counts_before != live.items.counts():
                    shown = seen or _first_item(live, windows)
                    self._send(key, live, [self._op(live, each) for each in shown], sessions)
                yield

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
        is_checked = self.feed.audiences.revision == self._checked_revision
        if not is_checked and any(each["op"] != "INVALIDATE" for each in ops):
            # `update` has checked this first, but roles may have changed while members were read.
            may, view = self.feed.visibility.has_permission, Permissions.VIEW_CHANNEL
            sessions = [each for each in sessions if may(each.user_id, live.channel_id, view)]
        members = self.members
        body = {
            "guild_id": str(members.guild_id),
            "id": key,
            "member_count": members.member_count,
            "online_count": members.online_count,
            "groups": [{"id": group, "count": count} for group, count in live.items.counts()],
            "ops": ops,
        }
        self._deliver(body, sessions)

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
"""The items of operations other than SYNC. The web client Fermi reads the items of the first
operation of any kind, and ignores an update without them. Other clients read none of these."""


def _invalidate(window: Window) -> JsonObject:
    return {"op": "INVALIDATE", "range": window, **_NO_ITEMS}


def _first_item(live: _LiveList, windows: Sequence[Window]) -> list[Op]:
    """Return an UPDATE of the first item of these windows, for an update of the counts alone."""
    index = windows[0][0]
    return [Op(OpKind.UPDATE, index, each) for each in live.items.items((index, index))]
