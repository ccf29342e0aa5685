"""The gap monitor: finds feeds whose events are lost, and invalidates their sessions.

The monitor finds a gap in one of two ways:

- An event arrives before its predecessor. The feed buffers the event, and the predecessor has
  `_GAP_TIMEOUT_S` to arrive.
- The newest events of a stream are lost, and no event follows. The monitor compares the positions
  of all feeds with the numbers in Postgres.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice

from chatd.bus.subscription import Subscription
from chatd.core.errors import ServiceUnavailable
from chatd.core.ids import StreamId
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
"""Seconds between two looks for gaps: a timeout is noticed at most this much late."""

_RECONCILE_INTERVAL_S = 5.0
"""How often in seconds the positions of all feeds are compared with Postgres."""

_READ_AT_ONCE = 500
"""Positions that are read at once: a statement with them takes 2 ms. An instance with 5,000 people
has 6,500 feeds."""


@dataclass(slots=True)
class _SuspectedGap:
    """At time `since`, Postgres had numbered events up to `seq` that had not all arrived."""

    seq: int
    since: float


class GapMonitor:
    """Looks for gaps in the feeds of the hub."""

    def __init__(self, hub: Hub, database: Database) -> None:
        self._hub = hub
        self._database = database
        self._suspected_gaps: dict[Feed, _SuspectedGap] = {}
        self._reconcile_at = 0.0

    def reconcile_soon(self) -> None:
        """Compare positions with Postgres in the next interval: events may have been lost."""
        self._reconcile_at = 0.0

    async def run(self, subscription: Subscription) -> None:
        """Look for gaps until cancelled.

        An event in the queue of a busy instance is late, not lost. So before a feed is invalidated,
        the subscription is drained.
        """
        clock = asyncio.get_running_loop().time
        while True:
            await asyncio.sleep(_MONITOR_INTERVAL_S)
            if overdue := self._overdue(clock()):
                await subscription.drained()
                for feed, since in overdue.items():
                    if feed.gap_since == since:
                        self._invalidate_feed(feed)
            if self._expired(clock()):
                await subscription.drained()
                for feed in self._expired(clock()):
                    del self._suspected_gaps[feed]
                    self._invalidate_feed(feed)
            if clock() >= self._reconcile_at:
                await self._reconcile_positions(subscription)
                self._reconcile_at = clock() + _RECONCILE_INTERVAL_S

    def _overdue(self, now: float) -> dict[Feed, float]:
        """Return the feeds whose gap has lasted too long, and since when they have it."""
        return {
            feed: since for feed, since in self._hub.gaps().items() if now - since > _GAP_TIMEOUT_S
        }

    async def _reconcile_positions(self, subscription: Subscription) -> None:
        """Compare the position of every feed with Postgres, and note suspected gaps.

        Events that are not numbered, as presences are, leave no gap.
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
        now = asyncio.get_running_loop().time()
        for stream, feed in feeds.items():
            seq = positions.get(stream, 0)
            if seq > (feed.position or 0) and feed not in self._suspected_gaps:
                self._suspected_gaps[feed] = _SuspectedGap(seq, now)

    def _drop_resolved(self) -> None:
        """Drop the suspected gaps whose events have arrived, or whose feed is gone."""
        for feed, gap in list(self._suspected_gaps.items()):
            has_arrived = (feed.position or 0) >= gap.seq
            if has_arrived or self._hub.feed(feed.stream) is not feed:
                del self._suspected_gaps[feed]

    def _expired(self, now: float) -> list[Feed]:
        """Return the feeds whose suspected gap has lasted too long."""
        self._drop_resolved()
        return [
            feed for feed, gap in self._suspected_gaps.items() if now - gap.since > _GAP_TIMEOUT_S
        ]

    def _invalidate_feed(self, feed: Feed) -> None:
        log.warning("stream %d has a gap; invalidating its sessions", feed.stream)
        self._hub.invalidate_feed(feed)
