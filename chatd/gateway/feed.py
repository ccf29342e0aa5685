"""A feed: the events of one guild or user in their order, and the sessions here that follow it."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable
from dataclasses import replace
from typing import Protocol

import orjson

from chatd.bus.order import Order
from chatd.core.ids import ChannelId, GuildId, RoleId, StreamId, UserId
from chatd.core.intents import NO_INTENT, Intents
from chatd.core.permissions import Permissions
from chatd.events.event import AudienceKind, Event, to_user
from chatd.events.users import INTERNAL
from chatd.gateway.deliveries import Deliveries
from chatd.gateway.frames import Dispatch
from chatd.gateway.session import Session
from chatd.gateway.visibility import Visibility
from chatd.services.snapshots import GuildOutline
from chatd.wire import payloads

_SEEN_BEFORE_APPLIED = frozenset({"CHANNEL_DELETE", "GUILD_DELETE"})
"""Events for those who could see until now; all others are for those who can from now on."""

_APPLIED = frozenset(
    {
        "CHANNEL_CREATE",
        "CHANNEL_DELETE",
        "CHANNEL_UPDATE",
        "GUILD_CREATE",
        "GUILD_DELETE",
        "GUILD_MEMBER_UPDATE",
        "GUILD_ROLE_CREATE",
        "GUILD_ROLE_DELETE",
        "GUILD_ROLE_UPDATE",
        "GUILD_UPDATE",
    }
)
"""Events that may change who is here, or what they may see."""

_OPENS_AND_CLOSES = frozenset(
    {
        "CHANNEL_UPDATE",
        "GUILD_MEMBER_UPDATE",
        "GUILD_ROLE_DELETE",
        "GUILD_ROLE_UPDATE",
        "GUILD_UPDATE",
    }
)
"""Events by which a channel may open or close for somebody who is here."""


IN_PRIVATE = frozenset(
    {Intents.DIRECT_MESSAGES, Intents.DIRECT_MESSAGE_REACTIONS, Intents.DIRECT_MESSAGE_TYPING}
)
"""The intents of what happens in private channels."""


class Watcher(Protocol):
    """A session that is being started: it gets every event, to pick from once it knows more."""

    @property
    def user_id(self) -> UserId: ...

    def hold(self, feed: Feed, event: Event) -> None: ...

    def complete_from(self, feed: Feed, seq: int) -> None:
        """It will be given everything after `seq`."""

    def restart(self) -> None:
        """What it has been given has a hole."""


class Feed:
    """Events in order, to the sessions that follow them. Base of the two kinds."""

    __slots__ = (  # each user who is here has one
        "_deliveries",
        "_gaps",
        "_moved",
        "_sessions",
        "_watchers",
        "changed_at",
        "order",
        "stream",
    )

    def __init__(self, stream: StreamId, deliveries: Deliveries, gaps: set[Feed]) -> None:
        self.stream = stream
        self._deliveries = deliveries
        self._gaps = gaps
        self.order = Order()
        self.changed_at = 0
        """The number of the last event that changed who may see what."""
        self._sessions: dict[UserId, set[Session]] = {}
        self._watchers: tuple[Watcher, ...] = ()  # mostly none
        self._moved: asyncio.Event | None = None  # only few are ever waited for

    @property
    def is_live(self) -> bool:
        """Whether it knows where it stands."""
        return self.order.position is not None

    @property
    def is_opening(self) -> bool:
        """Whether it is about to know."""
        return False

    @property
    def is_deserted(self) -> bool:
        """Whether nobody follows it."""
        return not self._sessions and not self._watchers

    @property
    def sessions(self) -> list[Session]:
        """All sessions that follow it."""
        return [session for sessions in self._sessions.values() for session in sessions]

    def watch(self, watcher: Watcher) -> None:
        """Give every event from now on to a session that is being started."""
        self.unwatch(watcher)
        self._watchers = (*self._watchers, watcher)
        if self.order.position is not None:
            watcher.complete_from(self, self.order.position)

    def unwatch(self, watcher: Watcher) -> None:
        """It has been started, or given up."""
        self._watchers = tuple(each for each in self._watchers if each is not watcher)

    def restart_watchers(self) -> None:
        """Tell sessions that are being started that there is a hole."""
        for watcher in self._watchers:
            watcher.restart()

    def start(self, position: int, now: float) -> None:
        """Go on after the event number `position`, with what has arrived of that already."""
        for watcher in self._watchers:
            watcher.complete_from(self, position)
        self._deliver_all(self.order.start(position, now))

    def offer(self, event: Event, now: float) -> None:
        """Take an event as it arrives, and hand over what its arrival completes."""
        if event.seq == 0 and not self.is_live:
            return  # it belongs to no order, and nobody follows yet
        self._deliver_all(self.order.offer(event, now))

    async def reached(self, position: int) -> None:
        """Wait until the events up to `position` are handed over to be delivered."""
        while (self.order.position or 0) < position:
            await self._moves()

    async def _moves(self) -> None:
        """Wait until something has been handed over, or has arrived."""
        if self._moved is None:
            self._moved = asyncio.Event()
        self._moved.clear()
        await self._moved.wait()

    def attach(self, session: Session) -> None:
        """Let a session follow."""
        self._sessions.setdefault(session.user_id, set()).add(session)
        session.feeds.add(self)

    def detach(self, session: Session) -> None:
        """Let a session follow no longer."""
        session.feeds.discard(self)
        of_user = self._sessions.get(session.user_id, set())
        of_user.discard(session)
        if not of_user:
            self._sessions.pop(session.user_id, None)

    def may_see(self, user_id: UserId, event: Event) -> bool:
        """Whether an event is for this user, as things stand."""
        return event.audience.kind is AudienceKind.USER and event.audience.id == user_id

    def _deliver_all(self, events: Iterable[Event]) -> None:
        for event in events:
            for watcher in self._watchers:
                watcher.hold(self, event)
            self._deliver(event)
        if self.order.waiting_since is not None:
            self._gaps.add(self)
        if self._moved is not None:
            self._moved.set()

    def _deliver(self, event: Event) -> None:
        self._dispatch(event, self._audience(event))

    def _dispatch(self, event: Event, sessions: Collection[Session]) -> None:
        self._deliveries.add(Dispatch(event), sessions)

    def _audience(self, event: Event) -> Collection[Session]:
        if event.audience.kind is AudienceKind.USER:
            return list(self._sessions.get(UserId(event.audience.id), ()))
        return ()


class UserFeed(Feed):
    """What concerns one user alone."""

    __slots__ = ()

    def _deliver(self, event: Event) -> None:
        if event.name not in INTERNAL:
            super()._deliver(event)

    def _audience(self, event: Event) -> Collection[Session]:
        if event.intent in IN_PRIVATE:
            return [session for session in self.sessions if session.takes_private]
        return super()._audience(event)


class GuildFeed(Feed):
    """What happens in a guild, to the members who may see it."""

    def __init__(
        self, stream: StreamId, residents: Residents, deliveries: Deliveries, gaps: set[Feed]
    ) -> None:
        super().__init__(stream, deliveries, gaps)
        self._residents = residents
        self._visibility: Visibility | None = None
        self._opens_with: Event | None = None
        self._openings = 0
        self._viewers: dict[tuple[int, Permissions], list[Session]] = {}

    def open_with(self, event: Event) -> None:
        """Begin with this GUILD_CREATE at the latest: by it, somebody who is here has joined."""
        if self._opens_with is None or event.seq < self._opens_with.seq:
            self._opens_with = event
        self._openings += 1

    def opened(self) -> None:
        """It has been opened for one who has joined, or that has been given up."""
        self._openings -= 1
        if not self._openings:
            self._opens_with = None

    @property
    def is_opening(self) -> bool:
        """Whether it is to begin with somebody's joining, and nobody else may begin it."""
        return self._openings > 0 and not self.is_live

    async def collected(self, position: int) -> None:
        """Wait until it can begin, with the guild as it was at `position`."""
        while not self.is_live and self._since_opening(position) is None:
            await self._moves()

    def begin(self, outline: GuildOutline, now: float) -> None:
        """Go on after where the guild was so, or before that with the event it is to open with."""
        self._visibility = Visibility(outline)
        position = outline.seq
        if self._opens_with is not None and (since := self._since_opening(position)):
            position = self._opens_with.seq - 1
            self._visibility.rewind(orjson.loads(self._opens_with.body), since)
        self.start(position, now)

    def _since_opening(self, position: int) -> list[Event] | None:
        """The event to open with and those after it; None when not all have arrived."""
        if self._opens_with is None:
            return []
        return self.order.held_back(self._opens_with.seq - 1, position)

    def restore(self, visibility: Visibility, position: int, now: float) -> None:
        """Go on after `position`, where this was who could see what."""
        self._visibility = visibility
        self.start(position, now)

    @property
    def visibility(self) -> Visibility:
        """Who may see what, of a feed that has begun."""
        assert self._visibility is not None
        return self._visibility

    def admit(self, session: Session, roles: tuple[RoleId, ...]) -> None:
        """Let a session of a member with these roles follow."""
        self.visibility.admit(session.user_id, roles)
        self.attach(session)

    def attach(self, session: Session) -> None:
        """Let a session follow."""
        super().attach(session)
        self._viewers.clear()
        self._residents.restless.add(session.user_id)

    def detach(self, session: Session) -> None:
        """Let a session follow no longer."""
        super().detach(session)
        self._viewers.clear()
        self._residents.restless.add(session.user_id)
        if session.user_id not in self._sessions and self._visibility is not None:
            self._visibility.dismiss(session.user_id)

    def may_see(self, user_id: UserId, event: Event) -> bool:
        """Whether an event is for this user, as things stand."""
        audience = event.audience
        assert self._visibility is not None
        if audience.kind is AudienceKind.CHANNEL:
            return self._visibility.may(user_id, ChannelId(audience.id), audience.needed)
        if audience.kind is AudienceKind.GUILD:
            return self._visibility.may_in_guild(user_id, audience.needed)
        return super().may_see(user_id, event)

    def _deliver(self, event: Event) -> None:
        if event.name in _SEEN_BEFORE_APPLIED:
            super()._deliver(event)
            self._apply(event)
            return
        before = self._seen() if event.name in _OPENS_AND_CLOSES else {}
        self._apply(event)
        if event.name == "GUILD_CREATE":
            self._introduce(event)
            return
        if event.name == "CHANNEL_UPDATE":
            # Who sees the channel only from now on, or no longer, is told so instead.
            self._dispatch(event, self._still_seeing(ChannelId(event.audience.id), before))
        else:
            super()._deliver(event)
        if event.name == "GUILD_MEMBER_UPDATE":
            self._tell_itself(event)
        self._open_and_close(before)

    def _tell_itself(self, event: Event) -> None:
        """Tell a member of its own change though it has not asked for those of members.

        Rule: Discord docs, Gateway, "List of Intents": it needs no intent.
        """
        uncurious = [
            session
            for session in self._sessions.get(_member_in(event), ())
            if not session.wants(Intents.GUILD_MEMBERS)
        ]
        if uncurious:
            self._dispatch(replace(event, intent=NO_INTENT), uncurious)

    def _introduce(self, event: Event) -> None:
        """Show a guild to one who has just joined, with who is online there if it wants to know."""
        curious: list[Session] = []
        others: list[Session] = []
        for session in self._audience(event):
            (curious if session.wants(Intents.GUILD_PRESENCES) else others).append(session)
        self._dispatch(event, others)
        if curious:
            state = orjson.loads(event.body)
            state["presences"] = self._residents.presences_of(state["members"])
            self._dispatch(replace(event, body=payloads.encode(state)), curious)

    def _seen(self) -> dict[UserId, frozenset[ChannelId]]:
        """What the members who are here may see."""
        assert self._visibility is not None
        return {user_id: self._visibility.seen_by(user_id) for user_id in self._sessions}

    def _still_seeing(
        self, channel_id: ChannelId, before: dict[UserId, frozenset[ChannelId]]
    ) -> list[Session]:
        after = self._seen()
        return [
            session
            for user_id, sessions in self._sessions.items()
            if channel_id in before.get(user_id, ()) and channel_id in after[user_id]
            for session in sessions
        ]

    def _open_and_close(self, before: dict[UserId, frozenset[ChannelId]]) -> None:
        """Tell each member of the channels that have opened or closed for it."""
        assert self._visibility is not None
        for user_id, seen_before in before.items():
            seen = self._visibility.seen_by(user_id)
            if seen == seen_before:
                continue
            for name, channels in (
                ("CHANNEL_DELETE", seen_before - seen),
                ("CHANNEL_CREATE", seen - seen_before),
            ):
                for channel_id in sorted(channels):
                    body = payloads.encode(self._visibility.channel(channel_id))
                    event = Event(name, self.stream, to_user(user_id), body, Intents.GUILDS)
                    self._dispatch(event, tuple(self._sessions[user_id]))

    def _apply(self, event: Event) -> None:
        assert self._visibility is not None
        if event.name == "MESSAGE_CREATE":
            self._visibility.has_message(event)
        if event.name not in _APPLIED:
            return
        if self._visibility.apply(event):
            self.changed_at = event.seq
        self._viewers.clear()
        if event.name == "GUILD_MEMBER_UPDATE":
            self._restart_starting(event)
        elif event.name == "GUILD_CREATE":
            for session in self._residents.of_user(UserId(event.audience.id)):
                if session.takes(GuildId(self.stream)):
                    self.attach(session)
        elif event.name == "GUILD_DELETE":
            self._expel(event)

    def _restart_starting(self, event: Event) -> None:
        """A member whose session is being started is not known yet: let that look anew."""
        if self._watchers:
            user_id = _member_in(event)
            for watcher in self._watchers:
                if watcher.user_id == user_id:
                    watcher.restart()

    def _expel(self, event: Event) -> None:
        everyone = event.audience.kind is AudienceKind.GUILD
        for session in self.sessions:
            if everyone or session.user_id == event.audience.id:
                self.detach(session)

    def _audience(self, event: Event) -> Collection[Session]:
        audience = event.audience
        if audience.kind is AudienceKind.USER:
            return super()._audience(event)
        key = (audience.id, audience.needed)
        viewers = self._viewers.get(key)
        if viewers is None:
            viewers = self._viewers[key] = [
                session
                for user_id, sessions in self._sessions.items()
                if self.may_see(user_id, event)
                for session in sessions
            ]
        return viewers


def _member_in(event: Event) -> UserId:
    """Whom a GUILD_MEMBER_UPDATE is about."""
    return UserId(int(orjson.loads(event.body)["user"]["id"]))


class Residents(Protocol):
    """The sessions of this instance, by user."""

    restless: set[UserId]

    def of_user(self, user_id: UserId) -> Iterable[Session]: ...

    def presences_of(self, members: Iterable[payloads.Json]) -> list[payloads.Json]:
        """What those of these members show who are online."""
