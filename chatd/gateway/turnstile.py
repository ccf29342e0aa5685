"""A turnstile: when thousands come at once, it lets a few in with each turn of the event loop.

Without it all of them are served in one turn, and whoever asks for something else meanwhile waits
for the end of it.
"""

from __future__ import annotations

import asyncio
from collections import deque


class Turnstile:
    """Lets `at_once` through in a turn of the loop; the others wait in line."""

    def __init__(self, at_once: int) -> None:
        self._at_once = at_once
        self._left = at_once
        self._line: deque[asyncio.Future[None]] = deque()
        self._turning = False

    async def enter(self) -> None:
        """Wait for one's turn."""
        loop = asyncio.get_running_loop()
        if not self._turning:
            self._turning = True
            loop.call_soon(self._turn)
        if self._left:
            self._left -= 1
            return
        ticket: asyncio.Future[None] = loop.create_future()
        self._line.append(ticket)
        await ticket

    def _turn(self) -> None:
        self._left = self._at_once
        while self._line and self._left:
            ticket = self._line.popleft()
            if not ticket.done():
                ticket.set_result(None)
                self._left -= 1
        self._turning = self._left < self._at_once
        if self._turning:
            asyncio.get_running_loop().call_soon(self._turn)
