"""How long one turn of the event loop takes, in CPU time of its thread.

Wall-clock time would count what other processes of the machine do.
"""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

MOST_S = 0.05
"""How long no request may hold the loop."""

TRIES = 3


class Turns:
    """Measures the iterations of the event loop; `longest_s` is the longest one of `count`."""

    def __init__(self) -> None:
        self.longest_s = 0.0
        self.count = 0
        # Each iteration ends when the loop waits for its sockets. A callback in each iteration
        # would keep the loop from waiting, and take the CPU time of other tests.
        self._selector: Any = asyncio.get_running_loop()._selector  # type: ignore[attr-defined]
        self._select = self._selector.select
        self._selector.select = self._measured
        self._began = time.thread_time()

    def _measured(self, timeout: float | None = None) -> object:
        self._count()
        ready = self._select(timeout)
        self._began = time.thread_time()
        return ready

    def _count(self) -> None:
        self.count += 1
        self.longest_s = max(self.longest_s, time.thread_time() - self._began)

    def end(self) -> None:
        """Stop measuring."""
        self._count()
        del self._selector.select


@contextmanager
def turns() -> Iterator[Turns]:
    """Measure the iterations of the event loop within the block."""
    measured = Turns()
    try:
        yield measured
    finally:
        measured.end()


@contextmanager
def no_collection() -> Iterator[None]:
    """Disable garbage collection within the block: its time depends on the tests before it."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
