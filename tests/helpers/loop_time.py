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

_TICK_S = 0.001
"""Between two measurements: a fiftieth of MOST_S, and long enough for the loop to wait."""


class Turns:
    """Measures the iterations of the event loop; `longest_s` is the longest one.

    A timer fires in each iteration that begins a millisecond after the last one or later. So what
    it measures contains one whole iteration, and less than a millisecond of others.
    """

    def __init__(self) -> None:
        self.longest_s = 0.0
        self._loop = asyncio.get_running_loop()
        self._began = time.thread_time()
        self._timer = self._loop.call_later(_TICK_S, self._tick)

    def _tick(self) -> None:
        self._note()
        self._timer = self._loop.call_later(_TICK_S, self._tick)

    def _note(self) -> None:
        now = time.thread_time()
        self.longest_s = max(self.longest_s, now - self._began)
        self._began = now

    def end(self) -> None:
        """Stop measuring."""
        self._note()
        self._timer.cancel()


class Iterations:
    """Counts the iterations of the event loop, which does not wait for I/O in the block."""

    def __init__(self) -> None:
        self.count = 1  # the present one
        self._loop = asyncio.get_running_loop()
        self._callback = self._loop.call_soon(self._next)

    def _next(self) -> None:
        self.count += 1
        self._callback = self._loop.call_soon(self._next)

    def end(self) -> None:
        """Stop counting."""
        self._callback.cancel()


@contextmanager
def iterations() -> Iterator[Iterations]:
    """Count the iterations of the event loop within the block."""
    counted = Iterations()
    try:
        yield counted
    finally:
        counted.end()


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
