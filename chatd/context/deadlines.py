"""Deadlines: when a background task has to look at the database, because something is overdue."""

from __future__ import annotations

import asyncio
import heapq

_MAX_DEADLINES = 100_000
"""Deadlines that are kept. Beyond it, the task still looks at intervals."""


class Deadlines:
    """Times of the event loop's clock. A task waits for the earliest."""

    def __init__(self) -> None:
        self._times: list[float] = []
        self._added = asyncio.Event()

    def add(self, after_s: float) -> None:
        """Add a deadline that ends in `after_s` seconds."""
        if len(self._times) < _MAX_DEADLINES:
            heapq.heappush(self._times, asyncio.get_running_loop().time() + after_s)
            self._added.set()

    async def wait(self, *, at_most_s: float) -> None:
        """Wait until the earliest deadline has passed, but at most `at_most_s`.

        Removes the deadlines that have passed.
        """
        clock = asyncio.get_running_loop().time
        end = clock() + at_most_s
        while (until := min(end, self._times[0] if self._times else end)) > clock():
            self._added.clear()
            try:
                async with asyncio.timeout_at(until):
                    await self._added.wait()
            except TimeoutError:
                break
        while self._times and self._times[0] <= clock():
            heapq.heappop(self._times)
