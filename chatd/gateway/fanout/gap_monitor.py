"""The gap monitor: finds feeds whose events are lost, and invalidates their sessions.

The monitor finds a gap in one of two ways:

- An event arrives before its predecessor. The feed buffers the event, and the predecessor has
  `_GAP_TIMEOUT_S` to arrive.
- The newest events of a stream are lost, and no event follows. The monitor compares the positions
  of all feeds with the numbers in Postgres.

While the event loop is blocked, events may wait unread in the socket to Redis. So the monitor
measures timeouts by a clock of its own, which does not count that time.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import islice

from chatd.bus.subscription import Subscription
from chatd.core.errors import ServiceUnavailable
from chatd.core.ids import StreamId
from chatd.core.time_slices import TimeSlices
from chatd.db.pool import Database
from chatd.gateway.fanout.feed import Feed
from chatd.gateway.fanout.hub import Hub
from chatd.services import stream_positions

log = logging.getLogger(__name__)

_GAP_TIMEOUT_S = 2.0
"""Seconds that a missing event may take to arrive. Events of one stream come from several
instances, whose Redis streams are read separately. The stream of an instance that was idle is read
only every 0.25 s (`bus.stream_reader`). Until the event arrives, the feed keeps back all later
events of the stream. After the timeout, all sessions of the feed have to identify again, which
costs clients and Postgres much more than the wait. So the timeout is eight such intervals."""

_MONITOR_INTERVAL_S = 0.25
"""Seconds between two looks for gaps: a timeout is noticed at most twice this much late."""

_MAX_INTERVALS = 2
"""The longest time between two looks that the monitor's clock counts, in intervals. If more time
has passed, the event loop was blocked, or the process did not run."""

_RECONCILE_INTERVAL_S = 5.0
"""How often in seconds the positions of all feeds are compared with Postgres."""

_READ_AT_ONCE = 500
"""Positions that are read at once: a statement with them takes 2 ms. An instance with 5,000 people
has 6,500 feeds."""


@dataclass(frozen=True, slots=True)
class _Gap:
    """A gap that began at `begun_at` by the event loop's clock. The monitor first saw it at `since`
    by its own clock."""

    begun_at: float
    since: float


@dataclass(slots=True)
class _SuspectedGap:
    """At `since` by the monitor's clock, Postgres had numbered events up to `seq`, and not all had
    arrived."""

    seq: int
    since: float


class GapMonitor:
    """Looks for gaps in the feeds of the hub."""

    def __init__(self, hub: Hub, database: Database) -> None:
        self._hub = hub
        self._database = database
        self._gaps: dict[Feed, _Gap] = {}
        self._suspected_gaps: dict[Feed, _SuspectedGap] = {}
        self._reconcile_at = 0.0
        self._now = 0.0
        """Seconds for which the monitor has run, without those in which the loop was blocked."""

    def reconcile_soon(self) -> None:
        """Compare positions with Postgres in the next interval: events may have been lost."""
        self._reconcile_at = 0.0

    async def run(self, subscription: Subscription) -> None:
        """Look for gaps until cancelled.

        An event in the queue of a busy instance is late, not lost. So before a feed is invalidated,
        the subscription is drained.
        """
        clock = asyncio.get_running_loop().time
        looked_at = clock()
        while True:
            await asyncio.sleep(_MONITOR_INTERVAL_S)
            before, looked_at = looked_at, clock()
            self._now += min(looked_at - before, _MAX_INTERVALS * _MONITOR_INTERVAL_S)
            if overdue := self._overdue():
                await subscription.drained()
                await self._invalidate(overdue, lambda feed: feed.gap_since == overdue[feed])
            if any(map(self._is_expired, self._suspected_gaps)):
                await subscription.drained()
                await self._invalidate(list(self._suspected_gaps), self._is_expired)
            if clock() >= self._reconcile_at:
                await self._reconcile_positions(subscription)
                self._reconcile_at = clock() + _RECONCILE_INTERVAL_S

    def _overdue(self) -> dict[Feed, float]:
        """Return the feeds whose gap has lasted too long, and since when they have it."""
        seen = self._gaps
        self._gaps = {
            feed: gap
            if (gap := seen.get(feed)) is not None and gap.begun_at == begun_at
            else _Gap(begun_at, self._now)
            for feed, begun_at in self._hub.gaps().items()
        }
        return {
            feed: gap.begun_at
            for feed, gap in self._gaps.items()
            if self._now - gap.since > _GAP_TIMEOUT_S
        }

    async def _reconcile_positions(self, subscription: Subscription) -> None:
        """Compare the position of every feed with Postgres, and note suspected gaps.

        Lost events without a number, such as presences, leave no gap.
        """
        left = iter([feed for feed in self._hub.feeds if feed.is_started])
        with contextlib.suppress(ServiceUnavailable):
            while some := {feed.stream: feed for feed in islice(left, _READ_AT_ONCE)}:
                await self._compare_positions(some, subscription)

    async def _compare_positions(
        self, feeds: Mapping[StreamId, Feed], subscription: Subscription
    ) -> None:
        """Compare the positions of some feeds. Raises ServiceUnavailable, DatabaseUnavailable."""
        positions = await stream_positions.read(self._database, feeds.keys())
        await subscription.drained()
        for stream, feed in feeds.items():
            seq = positions.get(stream, 0)
            self._drop_if_resolved(feed)
            if seq > (feed.position or 0) and feed not in self._suspected_gaps:
                self._suspected_gaps[feed] = _SuspectedGap(seq, self._now)

    def _drop_if_resolved(self, feed: Feed) -> None:
        """Drop a suspected gap whose events have arrived, or whose feed is gone."""
        gap = self._suspected_gaps.get(feed)
        if gap is None:
            return
        has_arrived = (feed.position or 0) >= gap.seq
        if has_arrived or self._hub.feed(feed.stream) is not feed:
            del self._suspected_gaps[feed]

    def _is_expired(self, feed: Feed) -> bool:
        """Return whether the suspected gap of a feed has lasted too long."""
        gap = self._suspected_gaps.get(feed)
        return gap is not None and self._now - gap.since > _GAP_TIMEOUT_S

    async def _invalidate(self, feeds: Iterable[Feed], is_lost: Callable[[Feed], bool]) -> None:
        """Invalidate feeds in time slices: an outage of Redis can affect thousands.

        A feed whose missing events arrive in between is not invalidated.
        """
        slices = TimeSlices()
        streams = []
        for feed in feeds:
            self._drop_if_resolved(feed)
            if self._hub.feed(feed.stream) is feed and is_lost(feed):
                self._suspected_gaps.pop(feed, None)
                self._hub.invalidate_feed(feed)
                streams.append(feed.stream)
            await slices.step()
        if streams:
            log.warning(
                "streams with a gap: %d, the first is %d; invalidating their sessions",
                len(streams),
                streams[0],
            )
