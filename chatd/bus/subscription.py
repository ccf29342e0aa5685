"""What the bus delivers, and to whom: one who takes it in order."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from chatd.events.event import Event


@dataclass(frozen=True, slots=True)
class Arrived:
    """Events, in the order in which their instance published them."""

    events: Sequence[Event]
    dealt_with: asyncio.Future[None] | None = None

    def done(self) -> None:
        """Say that they have been dealt with."""
        if self.dealt_with is not None and not self.dealt_with.done():
            self.dealt_with.set_result(None)


@dataclass(frozen=True, slots=True)
class Interrupted:
    """The link to the other instances was cut and is back: something may have been missed."""


@dataclass(frozen=True, slots=True)
class History:
    """Events of before this instance was there."""

    events: Sequence[Event]


Delivery = Arrived | History | Interrupted


def _release(delivery: Delivery) -> None:
    if isinstance(delivery, Arrived):
        delivery.done()


class Subscription:
    """What arrives, in order, for the one who delivers it."""

    def __init__(self) -> None:
        self._queue: asyncio.Queue[Delivery] = asyncio.Queue()
        self._is_open = True

    def put(self, delivery: Delivery) -> None:
        """Let a delivery be dealt with after those before it; when closed, by nobody."""
        if self._is_open:
            self._queue.put_nowait(delivery)
        else:
            _release(delivery)

    def close(self) -> None:
        """Nobody deals with deliveries any more: let go of all who wait for that."""
        self._is_open = False
        while not self._queue.empty():
            _release(self._queue.get_nowait())

    async def get(self) -> Delivery:
        """The next delivery."""
        return await self._queue.get()

    @property
    def waiting(self) -> int:
        """How many deliveries nobody has dealt with yet."""
        return self._queue.qsize()

    async def caught_up(self) -> None:
        """Wait until all that has arrived by now has been dealt with."""
        dealt_with: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.put(Arrived((), dealt_with))
        await dealt_with
