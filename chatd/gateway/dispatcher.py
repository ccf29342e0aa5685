"""The dispatcher: takes events from the bus to the feeds, and finds out when some are missing."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass

from chatd.bus.subscription import Arrived, History, Interrupted, Subscription
from chatd.core.errors import Busy, DatabaseAway
from chatd.core.ids import GuildId, LoginId, UserId
from chatd.db import Database
from chatd.events.event import AudienceKind, Event
from chatd.events.users import revoked_login
from chatd.gateway.feed import Feed, GuildFeed
from chatd.gateway.presence import Presences
from chatd.gateway.recent import Recent
from chatd.gateway.registry import Registry
from chatd.queries import streams
from chatd.services import snapshots
from chatd.services.callers import Callers

log = logging.getLogger(__name__)

_MEMBERSHIP = frozenset({"GUILD_CREATE", "GUILD_DELETE"})
"""Events to one user by which it is a member from now on, or no longer."""

_PATIENCE_S = 2.0  # for an event whose successor is here already
_OPENING_S = 10.0  # for what a guild that somebody joins is to begin with
_WATCH_S = 0.25
_COMPARE_S = 5.0


@dataclass(slots=True)
class _Suspicion:
    """Postgres has given out numbers up to `seq`, and they had not arrived at `since`."""

    seq: int
    since: float


class Dispatcher:
    """Delivers what the bus brings to the sessions in the registry."""

    def __init__(
        self,
        registry: Registry,
        database: Database,
        callers: Callers,
        *,
        presences: Presences,
        recent: Recent,
    ) -> None:
        self._presences = presences
        self._recent = recent
        self._registry = registry
        self._database = database
        self._callers = callers
        self._suspicions: dict[Feed, _Suspicion] = {}
        self._compare_at = 0.0

    async def run(self, subscription: Subscription) -> None:
        """Deliver for ever."""
        async with asyncio.TaskGroup() as tasks:
            self._tasks = tasks
            tasks.create_task(self._watch(subscription), name="gap watch")
            while True:
                match await subscription.get():
                    case Arrived(events) as arrived:
                        try:
                            await self._registry.deliveries.in_turns(events, self._take)
                        finally:
                            arrived.done()
                    case History(events):
                        for event in events:
                            self._recent.add(event)
                    case Interrupted():
                        self._recent.complete.set()
                        self._compare_at = 0.0
                        self._presences.interrupted()

    def _take(self, event: Event) -> None:
        self._recent.add(event)
        self._callers.heed(event)
        self._presences.heed(event)
        if event.audience.kind is AudienceKind.USER and event.name in _MEMBERSHIP:
            for watcher in self._registry.starting(UserId(event.audience.id)):
                watcher.restart()
            if event.name == "GUILD_CREATE":
                self._welcome(event)
        feed = self._registry.feed(event.stream)
        if feed is None:
            return
        feed.offer(event, asyncio.get_running_loop().time())
        if (login_id := revoked_login(event)) is not None:
            self._end_login(UserId(event.audience.id), login_id)
        self._registry.drop_if_deserted(feed)

    def _welcome(self, event: Event) -> None:
        """A user who may be here has joined a guild, which nobody here may have followed yet."""
        user_id, guild_id = UserId(event.audience.id), GuildId(event.stream)
        if not any(session.takes(guild_id) for session in self._registry.of_user(user_id)):
            return
        feed = self._registry.guild_feed(guild_id)
        if feed.is_live:
            return
        feed.open_with(event)
        opening = _Opening()
        feed.watch(opening)  # keeps the feed while nobody follows it
        self._tasks.create_task(self._open(feed, opening, user_id), name="opening a feed")

    async def _open(self, feed: GuildFeed, opening: _Opening, user_id: UserId) -> None:
        """Begin a feed, unless it has been begun for another who has joined."""
        try:
            transaction = await self._database.begin(snapshot=True)
            try:
                outline = await snapshots.outline(transaction.cur, GuildId(feed.stream))
            finally:
                await transaction.rollback()
            if outline is not None:
                async with asyncio.timeout(_OPENING_S):
                    await feed.collected(outline.seq)
                if not feed.is_live:
                    feed.begin(outline, asyncio.get_running_loop().time())
        except (Busy, DatabaseAway, TimeoutError):
            log.warning("cannot open guild %d in time: who joined it identifies anew", feed.stream)
            for session in self._registry.of_user(user_id):
                self._registry.invalidate(session)
        finally:
            feed.opened()
            feed.unwatch(opening)
            self._registry.drop_if_deserted(feed)

    def _end_login(self, user_id: UserId, login_id: LoginId) -> None:
        for session in self._registry.of_user(user_id):
            if session.login_id == login_id:
                self._registry.revoke(session)

    async def _watch(self, subscription: Subscription) -> None:
        """Look for events that do not come, and for sessions that nobody resumed.

        An event that waits in the queue of a busy instance is late, not missing: before anything
        is given up, the queue is worked through.
        """
        clock = asyncio.get_running_loop().time
        while True:
            await asyncio.sleep(_WATCH_S)
            self._registry.expire()
            if overdue := self._overdue(clock()):
                await subscription.caught_up()
                for feed, since in overdue.items():
                    if feed.order.waiting_since == since:
                        self._lose(feed)
            if self._expired(clock()):
                await subscription.caught_up()
                for feed in self._expired(clock()):
                    del self._suspicions[feed]
                    self._lose(feed)
            if clock() >= self._compare_at:
                await self._compare(subscription)
                self._compare_at = clock() + _COMPARE_S

    def _overdue(self, now: float) -> dict[Feed, float]:
        """The feeds that have a gap for too long, and since when."""
        gaps, overdue = self._registry.gaps, {}
        for feed in list(gaps):
            since = feed.order.waiting_since
            if since is None or self._registry.feed(feed.stream) is not feed:
                gaps.discard(feed)
            elif now - since > _PATIENCE_S:
                overdue[feed] = since
        return overdue

    async def _compare(self, subscription: Subscription) -> None:
        """Ask Postgres how far every feed should be. What this cannot find is not missing."""
        feeds = {feed.stream: feed for feed in self._registry.feeds if feed.is_live}
        if not feeds:
            return
        try:
            async with self._database.cursor() as cur:
                positions = await streams.positions(cur, feeds)
        except (Busy, DatabaseAway):
            return
        await subscription.caught_up()
        now = asyncio.get_running_loop().time()
        for stream, feed in feeds.items():
            seq = positions.get(stream, 0)
            if seq > (feed.order.position or 0) and feed not in self._suspicions:
                self._suspicions[feed] = _Suspicion(seq, now)

    def _forget_cleared(self) -> None:
        """Drop the suspicions whose events have arrived."""
        for feed, suspicion in list(self._suspicions.items()):
            arrived = (feed.order.position or 0) >= suspicion.seq
            if arrived or self._registry.feed(feed.stream) is not feed:
                del self._suspicions[feed]

    def _expired(self, now: float) -> list[Feed]:
        """The feeds whose events have not arrived for too long."""
        self._forget_cleared()
        return [
            feed
            for feed, suspicion in self._suspicions.items()
            if now - suspicion.since > _PATIENCE_S
        ]

    def _lose(self, feed: Feed) -> None:
        log.warning("events of stream %d are missing: its sessions identify anew", feed.stream)
        self._registry.lose(feed)


class _Opening:
    """Keeps a feed open until its first session follows it."""

    user_id = UserId(0)  # nobody's: no session is being started

    def hold(self, feed: Feed, event: Event) -> None:
        """Nothing to keep: the feed itself holds back what arrives before it begins."""

    def complete_from(self, feed: Feed, seq: int) -> None:
        """Nothing to know."""

    def restart(self) -> None:
        """Nothing to do: whoever follows later starts from a snapshot."""
