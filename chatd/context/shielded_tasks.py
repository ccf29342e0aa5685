"""Shielded tasks: coroutines that finish even if the caller that awaits them is cancelled.

When a client closes its connection, the server cancels the request. That must not interrupt a
commit whose events are not yet published.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class ShieldedTasks:
    """Runs coroutines to their end, even if their callers are cancelled."""

    def __init__(self) -> None:
        # The event loop keeps weak references only: a task that nothing refers to may vanish.
        self._running: set[asyncio.Task[Any]] = set()

    async def run_shielded(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine to its end, even if the caller is cancelled. Return its result."""
        task = asyncio.create_task(coroutine)
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return await asyncio.shield(task)

    async def drain(self) -> None:
        """Wait until all tasks have ended. Their exceptions were raised in their callers."""
        while self._running:
            await asyncio.wait(self._running)
