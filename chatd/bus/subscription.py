"""The queue between the bus and the dispatcher, which takes deliveries in order."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from chatd.events.event import Event


@dataclass(frozen=True, slots=True)
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


Delivery = EventBatch | Backfill | LinkRestored


def _ack(delivery: Delivery) -> None:
    if isinstance(delivery, EventBatch):
        delivery.ack()


class Subscription:
    """A queue of deliveries for one consumer."""

    def __init__(self) -> None:
        self._queue: asyncio.Queue[Delivery] = asyncio.Queue()
        self._is_open = True

    def put(self, delivery: Delivery) -> None:
        """Append a delivery. After `close` it is acknowledged at once, without being processed."""
        if self._is_open:
            self._queue.put_nowait(delivery)
        else:
            _ack(delivery)

    def close(self) -> None:
        """Stop accepting deliveries, and release all tasks that wait for one to be processed."""
        self._is_open = False
        while not self._queue.empty():
            _ack(self._queue.get_nowait())

    async def get(self) -> Delivery:
        """Wait for the next delivery, and return it."""
        return await self._queue.get()

    @property
    def waiting(self) -> int:
        """The number of deliveries in the queue."""
        return self._queue.qsize()

    async def drained(self) -> None:
        """Wait until all deliveries that are queued now have been processed."""
        processed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.put(EventBatch((), processed))
        await processed
