"""What a client asks for and gets in parts, beside the reading of what else it sends.

Listing the members of a large guild costs 10 ms for each thousand; and a client may ask 120 times
in a minute. So all lists of an instance together are given at a pace that leaves it to the others,
of each account one at a time.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from weakref import WeakValueDictionary

from chatd.core.ids import UserId
from chatd.gateway.commands import CloseCode, CloseWith

log = logging.getLogger(__name__)

MOST_WAITING = 240  # of one client; what it may send in two minutes

_MEMBERS_PER_S = 20_000.0


class Pace:
    """How fast members are listed, all clients together."""

    def __init__(self) -> None:
        self._free_at = 0.0
        self._of_user: WeakValueDictionary[UserId, asyncio.Lock] = WeakValueDictionary()

    @asynccontextmanager
    async def turn(self, user_id: UserId) -> AsyncIterator[None]:
        """Be the one list of this account."""
        lock = self._of_user.setdefault(user_id, asyncio.Lock())
        async with lock:
            yield

    async def keep(self, count: int) -> None:
        """Wait as long as so many members take."""
        now = asyncio.get_running_loop().time()
        self._free_at = max(now, self._free_at) + count / _MEMBERS_PER_S
        await asyncio.sleep(self._free_at - now)


class Aside:
    """Does what takes long for one client, one after the other."""

    def __init__(self) -> None:
        self._waiting: deque[Callable[[], Awaitable[None]]] = deque()
        self._working: asyncio.Task[None] | None = None

    def add(self, work: Callable[[], Awaitable[None]]) -> None:
        """Do this after what has been added before. Raises CloseWith when too much waits."""
        if len(self._waiting) >= MOST_WAITING:
            raise CloseWith(CloseCode.RATE_LIMITED, "You are being rate limited.")
        self._waiting.append(work)
        if self._working is None:
            self._working = asyncio.create_task(self._work(), name="gateway aside")

    def stop(self) -> None:
        """Do no more of it."""
        self._waiting.clear()
        if self._working is not None:
            self._working.cancel()

    async def _work(self) -> None:
        try:
            while self._waiting:
                await self._waiting.popleft()()
        except Exception:
            log.exception("a client does not get what it has asked for")
        finally:
            self._working = None
