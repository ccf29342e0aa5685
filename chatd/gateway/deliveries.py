"""Deliveries: which dispatches go to which sessions, in the order in which that was decided.

A write to a socket costs more than all else that is done for a delivery. So dispatches that go to
the same sessions one after the other are put together into a batch. And when all that is there to
be delivered goes to the same sessions, each of them is written to at once, while the processor
still has at hand what was made for it; that takes a quarter less time than to go over all of them
twice. Else the sessions only collect in their outboxes, and each is written to once in the end.

When there is much to do, others get their turn in between. A session is then behind its feeds
until its turn comes; who needs to know where both are calls `finish()` first.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from itertools import islice

from chatd.gateway.batch import Batch
from chatd.gateway.frames import Dispatch
from chatd.gateway.outboxes import Outboxes
from chatd.gateway.session import Session
from chatd.metrics import Tally

log = logging.getLogger(__name__)

_BUDGET_S = 0.003  # of delivering in one go
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
        self._done: asyncio.Event | None = None

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
        if not self._gathering:
            self._schedule()

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
        """Wait until nothing is left to be delivered."""
        while self._is_left:
            if self._done is None:
                self._done = asyncio.Event()
            self._done.clear()
            await self._done.wait()

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
        """Deliver for a while."""
        clock = asyncio.get_running_loop().time
        end = clock() + _BUDGET_S
        self._deliver(lambda: clock() >= end)
        self._schedule()

    def _deliver(self, is_late: Callable[[], bool]) -> None:
        with self._outboxes.at_once():
            while self._is_left:
                self._deliver_some()
                if is_late():
                    break
        if not self._is_left:
            self._outboxes.release()
            if self._done is not None:
                self._done.set()

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

    def _next_batch(self) -> Batch:
        dispatches, sessions = self._waiting.popleft()
        if self._waiting:
            self._outboxes.hold()
        self._sessions = iter(sessions)
        return Batch(dispatches)
