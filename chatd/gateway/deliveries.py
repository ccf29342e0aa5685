"""Deliveries: which dispatches go to which sessions, in the order in which that was decided.

A write to a socket costs more than all else that is done for a delivery. So dispatches that go to
the same sessions one after the other are put together into a batch. And when all that is there to
be delivered goes to the same sessions, each of them is written to at once, while the processor
still has at hand what was made for it; that takes a quarter less time than to go over all of them
twice. Else the sessions only collect in their outboxes, and each is written to once in the end;
but when that is far off, now and then before it, or the outboxes would take all memory there is.

When there is much to do, others get their turn in between. A session is then behind its feeds
until its turn comes; who needs to know where both are calls `finish()` first.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from typing import TypeVar

from chatd.gateway.batch import Batch
from chatd.gateway.frames import Dispatch
from chatd.gateway.outboxes import Outboxes
from chatd.gateway.session import Session
from chatd.metrics import Tally

log = logging.getLogger(__name__)

T = TypeVar("T")

_BUDGET_S = 0.003  # of delivering in one go
_TAKING_S = 0.002  # of steps in one go, before what they have added is delivered
_TOGETHER_S = 0.03  # for so long a delivery may wait for others that it leaves with
_AT_ONCE = 32  # sessions between two looks at the clock


class Deliveries:
    """What is to be delivered. It is worked off by itself."""

    def __init__(self, outboxes: Outboxes, tally: Tally) -> None:
        self._outboxes = outboxes
        self._tally = tally
        self._waiting: deque[tuple[list[Dispatch], Collection[Session]]] = deque()
        self._batch: Batch | None = None
        self._sessions: Iterator[Session] = iter(())
        self._gathering = False
        self._scheduled = False
        self._held_since: float | None = None
        self._queued = 0  # entries that have ever waited
        self._delivered = 0  # of them
        self._moved: asyncio.Event | None = None

    def add(self, dispatch: Dispatch, sessions: Collection[Session]) -> None:
        """Deliver this after all that was added before. The sessions must not be changed."""
        self._tally.dispatches += 1
        self._tally.deliveries += len(sessions)
        if not sessions:
            return
        if self._waiting and self._waiting[-1][1] is sessions:
            self._waiting[-1][0].append(dispatch)
        else:
            self._waiting.append(([dispatch], sessions))
            self._queued += 1
        if not self._gathering:
            self._schedule()

    async def in_turns(self, steps: Iterable[T], take: Callable[[T], None]) -> None:
        """Take steps that add to what is to be delivered, and deliver what a few of them have
        added together, while others get their turn in between. Returns when all is delivered."""
        clock = asyncio.get_running_loop().time
        left = iter(steps)
        is_over = False
        while not is_over:
            with self.gathering():
                end = clock() + _TAKING_S
                for step in left:
                    take(step)
                    if clock() >= end:
                        break
                else:
                    is_over = True
            await self.all_done()
            if not is_over:
                await asyncio.sleep(0)

    @contextmanager
    def gathering(self) -> Iterator[None]:
        """Nothing is delivered until the end of the context; then it begins. It does not nest."""
        self._gathering = True
        try:
            yield
        finally:
            self._gathering = False
            self._work()

    async def all_done(self) -> None:
        """Wait until all that was added by now is delivered, whatever others add meanwhile."""
        wanted = self._queued
        while self._delivered < wanted:
            if self._moved is None:
                self._moved = asyncio.Event()
            self._moved.clear()
            await self._moved.wait()

    def finish(self) -> None:
        """Deliver all that is left, now."""
        self._deliver(lambda: False)

    @property
    def _is_left(self) -> bool:
        return self._batch is not None or bool(self._waiting)

    def _schedule(self) -> None:
        if not self._scheduled and self._is_left:
            self._scheduled = True
            asyncio.get_running_loop().call_soon(self._go_on)

    def _go_on(self) -> None:
        self._scheduled = False
        if not self._gathering:
            self._work()

    def _work(self) -> None:
        """Deliver for a while, unless what has been delivered is still being written."""
        clock = asyncio.get_running_loop().time
        end = clock() + _BUDGET_S
        if not self._outboxes.is_behind:
            self._deliver(lambda: clock() >= end)
        self._schedule()

    def _deliver(self, is_late: Callable[[], bool]) -> None:
        if self._batch is not None:
            self._hold()
        with self._outboxes.at_once():
            while self._is_left:
                self._deliver_some()
                if is_late():
                    break
        if not self._is_left or self._is_held_for_long():
            self._held_since = None
            self._outboxes.release()
        if self._moved is not None:
            self._moved.set()

    def _hold(self) -> None:
        """Collect if more will follow."""
        if self._waiting and self._held_since is None:
            self._held_since = asyncio.get_running_loop().time()
            self._outboxes.hold()

    def _is_held_for_long(self) -> bool:
        now = asyncio.get_running_loop().time()
        return self._held_since is not None and now - self._held_since >= _TOGETHER_S

    def _deliver_some(self) -> None:
        if self._batch is None:
            self._batch = self._next_batch()
        some = tuple(islice(self._sessions, _AT_ONCE))
        for session in some:
            try:
                session.dispatch(self._batch)
            except Exception:
                named = session.id[:8]  # all of it is half of what is needed to resume
                log.exception("session %s has missed something: it identifies anew", named)
                session.break_off()
        if len(some) < _AT_ONCE:
            self._batch.forget()
            self._batch = None
            self._delivered += 1

    def _next_batch(self) -> Batch:
        dispatches, sessions = self._waiting.popleft()
        self._hold()
        self._sessions = iter(sessions)
        return Batch(dispatches)
