"""Several transfers at once: a disk takes milliseconds to flush a file, a bucket to answer."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Coroutine
from types import TracebackType
from typing import Any

LIMIT = 8
"""Transfers at once. Each may hold a chunk in memory."""


class InFlight:
    """Runs coroutines, at most LIMIT at once, for the time of a context.

    Leaving the context waits for all of them; leaving it by an error cancels them.
    """

    def __init__(self) -> None:
        self._tasks: deque[asyncio.Task[None]] = deque()

    async def __aenter__(self) -> InFlight:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            while error is None and self._tasks:
                await self._tasks.popleft()
        finally:
            for task in self._tasks:
                task.cancel()
            if self._tasks:
                await asyncio.wait(self._tasks)

    async def add(self, work: Coroutine[Any, Any, None]) -> None:
        """Start a coroutine, once fewer than LIMIT run. Raises what an earlier one raised."""
        self._tasks.append(asyncio.create_task(work, name="transfer"))
        if len(self._tasks) >= LIMIT:
            await self._tasks.popleft()
