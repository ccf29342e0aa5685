"""Tasks that run in the background of requests, a limited number of them for each account."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Coroutine
from typing import Any, Final

log = logging.getLogger(__name__)

_MAX_FOR_KEY: Final = 20  # requests to one endpoint that are running, each for 3 seconds at most
_MAX: Final = 400  # tasks hold no connection to Postgres while their endpoints work


class BoundedTasks:
    """Runs tasks for keys. A key cannot use more than its part, so it cannot stop the others."""

    def __init__(self, *, max_for_key: int = _MAX_FOR_KEY, max_in_all: int = _MAX) -> None:
        self._max_for_key = max_for_key
        self._max_in_all = max_in_all
        self._tasks: set[asyncio.Task[Any]] = set()
        self._running: Counter[int] = Counter()

    def start(self, key: int, function: Callable[[], Coroutine[Any, Any, None]]) -> bool:
        """Run a function in a task. False, without a task, if there are too many already."""
        if len(self._tasks) >= self._max_in_all or self._running[key] >= self._max_for_key:
            return False
        self._running[key] += 1
        task = asyncio.create_task(function(), name="bounded")
        self._tasks.add(task)
        task.add_done_callback(lambda ended: self._end(key, ended))
        return True

    def _end(self, key: int, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        self._running[key] -= 1
        if not self._running[key]:
            del self._running[key]
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("a background task has failed", exc_info=error)

    async def drain(self) -> None:
        """Wait until all tasks have ended."""
        while self._tasks:
            await asyncio.wait(self._tasks)
