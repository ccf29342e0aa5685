"""How long one turn of the event loop takes, in CPU time of its thread.

Wall-clock time would count what other processes of the machine do.
"""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Iterator
from contextlib import contextmanager

MOST_S = 0.05
"""How long no request may hold the loop."""

TRIES = 3


class Turns:
    """Measures the iterations of the event loop; `longest_s` is the longest one."""

    def __init__(self) -> None:
        self.longest_s = 0.0
        self._loop = asyncio.get_running_loop()
        self._last = time.thread_time()
        self._next = self._loop.call_soon(self._turn)

    def _turn(self) -> None:
        now = time.thread_time()
        self.longest_s = max(self.longest_s, now - self._last)
        self._last = time.thread_time()
        self._next = self._loop.call_soon(self._turn)

    def end(self) -> None:
        """Stop measuring."""
        self._next.cancel()


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
