"""Search slots: the limit on message searches that run at the same time on this instance."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from chatd.context.lock_queue import KeyedLocks
from chatd.core.errors import ApiError, ServiceUnavailable
from chatd.core.ids import UserId
from chatd.core.rate_limit_errors import SearchRunning

_MAX_RUNNING = 2  # each occupies a core of Postgres, and a database connection for seconds


class SearchSlots:
    """Limits searches to one per account and few per instance.

    Further searches of an account wait for its running one. They occupy no slot that another
    account could use.
    """

    def __init__(self, pool_size: int) -> None:
        self.max_running = min(_MAX_RUNNING, max(1, pool_size // 4))
        self._slots = asyncio.Semaphore(self.max_running)
        self._accounts: KeyedLocks[UserId] = KeyedLocks()
        self.waiting = 0
        """Accounts that wait for a slot."""

    @asynccontextmanager
    async def slot(self, user_id: UserId, *, timeout_s: float) -> AsyncIterator[None]:
        """Wait for a slot, and hold it until the context ends.

        After `timeout_s`, raises SearchRunning if the account has a running search, else
        ServiceUnavailable.
        """
        with self._accounts.use(user_id) as own_search:
            async with AsyncExitStack() as stack:
                await self._acquire(stack, own_search, timeout_s)
                yield

    async def _acquire(
        self, stack: AsyncExitStack, own_search: asyncio.Lock, timeout_s: float
    ) -> None:
        """Wait for the running search of the account to end, and then for a slot."""
        error: ApiError = SearchRunning()
        try:
            async with asyncio.timeout(timeout_s):
                await stack.enter_async_context(own_search)
                error = ServiceUnavailable()
                self.waiting += 1
                try:
                    await stack.enter_async_context(self._slots)
                finally:
                    self.waiting -= 1
        except TimeoutError:
            raise error from None
