"""Taking up a parked session: bringing it from where it was parked to where this instance is."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from chatd.core.ids import GuildId, StreamId, UserId
from chatd.events.event import Event
from chatd.events.users import MEMBERSHIP_CHANGED, revoked_login
from chatd.gateway.deliveries import Deliveries
from chatd.gateway.feed import Feed, GuildFeed, UserFeed
from chatd.gateway.outboxes import Outboxes
from chatd.gateway.parking import ParkedSession
from chatd.gateway.recent import Recent
from chatd.gateway.registry import Registry
from chatd.gateway.session import Session
from chatd.gateway.visibility import Visibility
from chatd.metrics import Tally
from chatd.wire import payloads

_CATCH_UP_S = 10.0  # to wait so long is better than to identify anew


class CannotTakeUp(Exception):
    """Something of what the session has missed is not known here."""


async def take_up(parked: ParkedSession, registry: Registry, recent: Recent) -> Session:
    """Let a parked session go on here; what it has missed is in its replay.

    Raises CannotTakeUp: then its client has to identify anew.
    """
    positions = {StreamId(guild_id): seq for guild_id, (seq, _) in parked.guilds.items()}
    positions[StreamId(parked.state.user_id)] = parked.user_position
    await _let_catch_up(registry, recent, positions)
    # From here to the end nothing waits, so nothing changes.
    session = Session.restored(parked.state, parked.replay)
    session.detached_at = _now()
    way = _Way(session, registry, recent)
    try:
        way.follow_user(parked.user_position)
        for guild_id, (seq, visibility) in parked.guilds.items():
            way.follow_guild(guild_id, seq, visibility)
        way.arrive()
    except CannotTakeUp:
        registry.remove(session)
        raise
    registry.add(session)
    return session


async def _let_catch_up(registry: Registry, recent: Recent, positions: dict[StreamId, int]) -> None:
    """Wait until this instance knows of the past, and its feeds are as far as the session was."""
    try:
        async with asyncio.timeout(_CATCH_UP_S):
            await recent.complete.wait()
            for stream, seq in positions.items():
                feed = registry.feed(stream)
                if feed is not None and (feed.is_live or feed.is_opening):
                    await feed.reached(seq)
            await registry.deliveries.all_done()  # in turns: what is left in the end is little
    except TimeoutError:
        raise CannotTakeUp from None


class _Way:
    """The way of one session, feed by feed."""

    def __init__(self, session: Session, registry: Registry, recent: Recent) -> None:
        self._session = session
        self._registry = registry
        self._recent = recent
        self._aside = Deliveries(Outboxes(max_bytes=0), Tally())

    def follow_user(self, seq: int) -> None:
        """Go on with the user's own events after this one."""
        session = self._session
        missed = self._recent.after(StreamId(session.user_id), seq)
        for event in missed:
            if event.name == MEMBERSHIP_CHANGED or revoked_login(event) == session.login_id:
                raise CannotTakeUp
        feed = self._registry.user_feed(session.user_id)
        if feed.is_live:
            shadow = UserFeed(feed.stream, self._aside, set())
            shadow.start(seq, _now())
            self._pass_through(shadow, feed, missed)
            shadow.detach(session)
            feed.attach(session)
        else:
            feed.attach(session)
            feed.start(seq, _now())
            _offer(feed, missed)

    def follow_guild(self, guild_id: GuildId, seq: int, visibility: Visibility) -> None:
        """Go on with the events of a guild after this one, up to which this could be seen."""
        session = self._session
        missed = self._recent.after(StreamId(guild_id), seq)
        visibility.keep_only(session.user_id)
        feed = self._registry.guild_feed(guild_id)
        if feed.is_live:
            alone = _Alone(session, self._registry)
            shadow = GuildFeed(feed.stream, alone, self._aside, set())
            shadow.restore(visibility, seq, _now())
            self._pass_through(shadow, feed, missed)
            roles = shadow.visibility.roles_of(session.user_id)
            shadow.detach(session)
            if roles is not None:
                feed.admit(session, roles)
        elif feed.is_opening:
            raise CannotTakeUp
        else:
            feed.attach(session)
            feed.restore(visibility, seq, _now())
            _offer(feed, missed)

    def arrive(self) -> None:
        """Have all that it has missed."""
        self._aside.finish()
        self._registry.deliveries.finish()

    def _pass_through(self, shadow: Feed, feed: Feed, missed: Iterable[Event]) -> None:
        """Let the session have, through a feed of its own, what others here have had already."""
        here = feed.order.position or 0
        shadow.attach(self._session)
        _offer(shadow, (event for event in missed if event.seq <= here))
        if (shadow.order.position or 0) < here:
            raise CannotTakeUp


def _offer(feed: Feed, events: Iterable[Event]) -> None:
    now = _now()
    for event in events:
        feed.offer(event, now)


def _now() -> float:
    return asyncio.get_running_loop().time()


class _Alone:
    """The one who is here, as far as a shadow is concerned."""

    def __init__(self, session: Session, registry: Registry) -> None:
        self._session = session
        self._registry = registry
        self.restless: set[UserId] = set()

    def of_user(self, user_id: UserId) -> Iterable[Session]:
        """The session, for its user."""
        return (self._session,) if user_id == self._session.user_id else ()

    def presences_of(self, members: Iterable[payloads.Json]) -> list[payloads.Json]:
        """What those of these members show who are online."""
        return self._registry.presences_of(members)
