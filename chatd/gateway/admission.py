"""Admission gate: a limit on connections that are opened or resumed per tick of the event loop.

A tick is one iteration of the event loop. Without the limit, one tick would serve all clients that
reconnect after a restart, and other requests would wait until it ends.
"""

from __future__ import annotations

import asyncio
from collections import deque


class AdmissionGate:
    """Admits `per_tick` callers per tick of the event loop; the others wait in FIFO order."""

    def __init__(self, per_tick: int) -> None:
        self._per_tick = per_tick
        self._remaining = per_tick
        self._waiters: deque[asyncio.Future[None]] = deque()
        self._scheduled = False

    async def admit(self) -> None:
        """Wait until this caller is admitted. Cancelling is safe."""
        loop = asyncio.get_running_loop()
        if not self._scheduled:
            self._scheduled = True
            loop.call_soon(self._on_tick)
        if self._remaining:
            self._remaining -= 1
            return
        waiter: asyncio.Future[None] = loop.create_future()
        self._waiters.append(waiter)
        await waiter

    def _on_tick(self) -> None:
        self._remaining = self._per_tick
        while self._waiters and self._remaining:
            waiter = self._waiters.popleft()
            if not waiter.done():
                waiter.set_result(None)
                self._remaining -= 1
        self._scheduled = self._remaining < self._per_tick
        if self._scheduled:
            asyncio.get_running_loop().call_soon(self._on_tick)
