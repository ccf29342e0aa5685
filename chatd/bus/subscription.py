"""The queue between the bus and the dispatcher, which takes deliveries in order."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from chatd.bus.interest import FollowedStreams
from chatd.core.records import record
from chatd.events.event import Event


@record(frozen=True, slots=True)
class EventBatch:
    """Events, in the order in which their instance published them."""

    events: Sequence[Event]
    processed: asyncio.Future[None] | None = None

    def ack(self) -> None:
        """Mark the events as processed."""
        if self.processed is not None and not self.processed.done():
            self.processed.set_result(None)


@dataclass(frozen=True, slots=True)
class LinkRestored:
    """This instance has connected to Redis: it may have missed events before."""


@dataclass(frozen=True, slots=True)
class Backfill:
    """Events that were published before this instance connected for the first time."""

    events: Sequence[Event]


_SLICE_S = 0.001
"""The time in seconds after which `get` lets other tasks run, also if there is a delivery. The
delivery before it may have taken a time slice of its own, of 5 ms."""

Delivery = EventBatch | Backfill | LinkRestored

KeepEntry = Callable[[bytes, bytes], None]
"""Receives an entry: its events, as `codec` packs them, and its labels, as `interest` does."""

DispatchAtOnce = Callable[[Sequence[Event]], Sequence[Event] | None]
"""Dispatches events without waiting, and returns those that are left. None means that all sessions
have all of the events."""


def _ack(delivery: Delivery) -> None:
    if isinstance(delivery, EventBatch):
        delivery.ack()


class Subscription:
    """A queue of deliveries for one consumer.

    A consumer that waits for a delivery need not be woken for each batch: `dispatch_at_once` is
    called instead, which saves two turns of the event loop.
    """

    def __init__(self) -> None:
        self.dispatch_at_once: DispatchAtOnce | None = None
        self.followed: FollowedStreams | None = None
        """The streams whose events the consumer needs; None when it needs all events."""
        self.keep: KeepEntry | None = None
        """Receives each entry with events that the consumer does not get, and its labels.
        It is called before the consumer gets the other events of the entry."""
        self.on_new_bit: Callable[[], None] | None = None
        """Called when the consumer follows a stream that other instances must know."""
        self._is_idle = False
        self._caused: list[Delivery] | None = None
        """What handlers append while `dispatch_at_once` runs; None at other times."""
        self._slice_end = 0.0  # by the event loop's clock
        self._queue: asyncio.Queue[Delivery] = asyncio.Queue()
        self._is_open = True

    def select(self, followed: FollowedStreams, keep: KeepEntry) -> None:
        """Deliver only events of these streams, and those for everyone; keep the other entries."""
        self.followed, self.keep = followed, keep
        followed.on_new_bit = self.on_new_bit

    def put(self, delivery: Delivery) -> None:
        """Append a delivery. After `close` it is acknowledged at once, without being processed."""
        if not self._is_open:
            _ack(delivery)
            return
        if self._caused is not None:
            self._caused.append(delivery)
        elif isinstance(delivery, EventBatch) and self._is_idle and self._queue.empty():
            self._put_at_once(delivery)
        else:
            self._queue.put_nowait(delivery)

    def _put_at_once(self, batch: EventBatch) -> None:
        """Dispatch a batch; queue what is left of it, and then what handlers have appended."""
        if self.dispatch_at_once is None:
            self._queue.put_nowait(batch)
            return
        caused: list[Delivery] = []
        self._caused = caused
        try:
            left = self.dispatch_at_once(batch.events)
        finally:
            self._caused = None
        if left is None:
            batch.ack()
        else:
            self._queue.put_nowait(EventBatch(left, batch.processed))
        for delivery in caused:
            self._queue.put_nowait(delivery)

    def close(self) -> None:
        """Stop accepting deliveries, and release all tasks that wait for one to be processed."""
        self._is_open = False
        while not self._queue.empty():
            _ack(self._queue.get_nowait())

    async def get(self) -> Delivery:
        """Wait for the next delivery, and return it.

        Other tasks run at least after each time slice, also if the queue never becomes empty.
        """
        clock = asyncio.get_running_loop().time
        if not self._queue.empty() and clock() >= self._slice_end:
            await asyncio.sleep(0)
            self._slice_end = clock() + _SLICE_S
        self._is_idle = True
        try:
            return await self._queue.get()
        finally:
            self._is_idle = False

    @property
    def waiting(self) -> int:
        """The number of deliveries in the queue."""
        return self._queue.qsize()

    async def drained(self) -> None:
        """Wait until all deliveries that are queued now have been processed."""
        processed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.put(EventBatch((), processed))
        await processed
