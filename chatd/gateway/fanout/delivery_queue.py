"""The delivery queue: dispatches and the sessions that receive them, in FIFO order.

A write to a socket costs more than all other steps of a delivery. So consecutive dispatches for the
same sessions form a batch, which a connection writes in one call. There are two cases:

- The queue has one batch. Each connection writes it immediately, while its data is in the
  processor's caches. That takes a quarter less time than a second pass over the connections. A
  batch that can wait (`Dispatch.can_wait`) only fills the send queues.
- The queue has more batches. The queue corks the flush scheduler: connections only fill their send
  queues, and each writes once after the last batch. The queue uncorks it after `_MAX_CORK_S` at the
  latest, because otherwise deliveries are late and the send queues grow without bound.

The queue delivers in time slices, so that other tasks can run. Between slices, a session may lack
events that its feeds have already added. A caller for which this matters calls `flush` first.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import TypeVar

from chatd.events.event import Event
from chatd.gateway.fanout.flush_scheduler import FlushScheduler
from chatd.gateway.protocol.batch import Batch
from chatd.gateway.protocol.frames import Dispatch
from chatd.gateway.protocol.replay_budget import ReplayBudget
from chatd.gateway.session.session import Session, dispatch_to_all
from chatd.observability.metrics import Counters

T = TypeVar("T")

_DELIVERY_SLICE_S = 0.003
"""The length of a time slice of delivering, in seconds: other tasks wait for no longer."""

_STEP_SLICE_S = 0.002
"""The length of a time slice in `process_in_slices`, in seconds. What its items have added is
delivered after each slice."""

_MAX_CORK_S = 0.03
"""The longest time in seconds for which the flush scheduler stays corked: ten slices of delivering.
A dispatch waits for its write at most this long."""

_SESSIONS_PER_CLOCK_CHECK = 32
"""Sessions that are served between two looks at the clock."""


class DeliveryQueue:
    """A queue of dispatches and their sessions, which the event loop drains in time slices."""

    def __init__(
        self, flush_scheduler: FlushScheduler, counters: Counters, replay_budget: ReplayBudget
    ) -> None:
        self._flush_scheduler = flush_scheduler
        self._counters = counters
        self._replay_budget = replay_budget
        self._waiting: deque[tuple[list[Dispatch], Collection[Session]]] = deque()
        self._batch: Batch | None = None
        """The batch that is being delivered."""
        self._sessions: Iterator[Session] = iter(())
        """The sessions that have not received `_batch` yet."""
        self._batching = False
        self._scheduled = False
        self._corked_since: float | None = None
        self._queued = 0  # batches that were ever queued
        self._delivered = 0  # how many of them are delivered
        self._progress: asyncio.Event | None = None  # created when a caller first waits

    def add(self, event: Event, sessions: Collection[Session]) -> None:
        """Deliver an event after all that was added before.

        The caller must not change `sessions` afterwards. Events that are added one after the other
        with the same collection form a batch.
        """
        self._counters.dispatches += 1
        self._counters.deliveries += len(sessions)
        if not sessions:
            return
        dispatch = Dispatch(event, self._replay_budget)
        if self._waiting and self._waiting[-1][1] is sessions:
            self._waiting[-1][0].append(dispatch)
        else:
            self._waiting.append(([dispatch], sessions))
            self._queued += 1
        if not self._batching:
            self._schedule()

    async def process_in_slices(self, items: Iterable[T], handle: Callable[[T], None]) -> None:
        """Call `handle` with each item, in time slices, and deliver what each slice has added.

        Other tasks run between slices. Returns when all is delivered.
        """
        left = iter(items)
        while not self._process_slice(left, handle):
            await self.drained()
            await asyncio.sleep(0)
        await self.drained()

    def process_at_once(
        self, items: Iterable[T], handle: Callable[[T], None]
    ) -> Sequence[T] | None:
        """Handle items for one time slice, and deliver what they have added for one more.

        Returns the items that are left. Returns None if all items are handled and delivered.
        """
        if self._is_pending:
            return tuple(items)
        left = iter(items)
        if self._process_slice(left, handle) and not self._is_pending:
            return None
        return tuple(left)

    def _process_slice(self, left: Iterator[T], handle: Callable[[T], None]) -> bool:
        """Call `handle` with items for one time slice. Return whether none is left."""
        clock = asyncio.get_running_loop().time
        with self.batching():
            end = clock() + _STEP_SLICE_S
            for item in left:
                handle(item)
                if clock() >= end:
                    return False
        return True

    @contextmanager
    def batching(self) -> Iterator[None]:
        """Deliver nothing in this context; delivery begins at its end. It must not be nested.

        The context and the delivery run in one tick of the event loop, so they share a time slice.
        """
        self._batching = True
        began = asyncio.get_running_loop().time()
        try:
            yield
        finally:
            self._batching = False
            self._run_slice(began)

    async def drained(self) -> None:
        """Wait until everything that is queued now is delivered."""
        wanted = self._queued
        while self._delivered < wanted:
            if self._progress is None:
                self._progress = asyncio.Event()
            self._progress.clear()
            await self._progress.wait()

    def flush(self) -> None:
        """Deliver everything that is queued, without time slices."""
        self._deliver(lambda: False)

    @property
    def _is_pending(self) -> bool:
        return self._batch is not None or bool(self._waiting)

    def _schedule(self) -> None:
        if not self._scheduled and self._is_pending:
            self._scheduled = True
            asyncio.get_running_loop().call_soon(self._resume)

    def _resume(self) -> None:
        self._scheduled = False
        if not self._batching:
            self._run_slice(asyncio.get_running_loop().time())

    def _run_slice(self, began: float) -> None:
        """Deliver for the rest of a time slice that began at `began`, to some sessions at least.

        Delivers nothing while connections still write what an earlier slice has queued.
        """
        clock = asyncio.get_running_loop().time
        end = began + _DELIVERY_SLICE_S
        if not self._flush_scheduler.is_draining:
            self._deliver(lambda: clock() >= end)
        self._schedule()

    def _deliver(self, is_late: Callable[[], bool]) -> None:
        if self._batch is not None:
            self._cork()
        with self._flush_scheduler.write_through():
            while self._is_pending:
                self._deliver_part()
                if is_late():
                    break
        if not self._is_pending or self._cork_expired():
            self._corked_since = None
            self._flush_scheduler.uncork()
        if self._progress is not None:
            self._progress.set()

    def _cork(self) -> None:
        """Cork the flush scheduler if more batches follow."""
        if self._waiting and self._corked_since is None:
            self._corked_since = asyncio.get_running_loop().time()
            self._flush_scheduler.cork()

    def _cork_expired(self) -> bool:
        now = asyncio.get_running_loop().time()
        return self._corked_since is not None and now - self._corked_since >= _MAX_CORK_S

    def _deliver_part(self) -> None:
        """Deliver the current or the next batch to up to `_SESSIONS_PER_CLOCK_CHECK` sessions."""
        if self._batch is None:
            self._batch = self._next_batch()
        some = tuple(islice(self._sessions, _SESSIONS_PER_CLOCK_CHECK))
        dispatch_to_all(self._batch, some, at_once=self._flush_scheduler.is_write_through)
        if len(some) < _SESSIONS_PER_CLOCK_CHECK:
            self._batch.release_frames()
            self._batch = None
            self._delivered += 1

    def _next_batch(self) -> Batch:
        dispatches, sessions = self._waiting.popleft()
        self._cork()
        self._sessions = iter(sessions)
        return Batch(dispatches)
