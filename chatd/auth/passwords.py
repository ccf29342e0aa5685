"""Password hashing in a thread pool, with a bounded queue.

Rule: OWASP Password Storage Cheat Sheet: argon2id with 19 MiB, two passes, one lane.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from passlib.context import CryptContext

from chatd.core.errors import ServiceUnavailable

T = TypeVar("T")

_THREADS = 2
"""A hash takes tens of milliseconds of a core. More threads would slow the event loop."""

_MAX_QUEUED = 64
"""Calls that may run or wait. Further ones fail at once instead of waiting for seconds."""

_context = CryptContext(
    schemes=["argon2"],
    argon2__type="ID",
    argon2__memory_cost=19 * 1024,  # KiB
    argon2__time_cost=2,
    argon2__parallelism=1,
)


class PasswordHasher:
    """Hashes and verifies passwords. A cancelled call still occupies its thread until it ends."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="passwords")
        self._waiting = 0
        # Verified in place of the hash of a nonexistent account, so that both take the same time.
        # Computed here, since passlib's lazy loading breaks when first used in threads.
        self._dummy = str(_context.hash("a password of no account"))

    async def hash(self, password: str) -> str:
        """Return the hash of a password, for storage.

        Raises ServiceUnavailable when the queue is full.
        """
        return await self._run(_hash, password)

    async def verify(self, password: str, hashed: str | None) -> bool:
        """Return whether a password matches a hash. None is the hash of a nonexistent account.

        Raises ServiceUnavailable when the queue is full.
        """
        matches = await self._run(_verify, password, hashed or self._dummy)
        return matches and hashed is not None

    def close(self) -> None:
        """Stop the threads. Queued calls are cancelled."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _run(self, function: Callable[..., T], *arguments: str) -> T:
        if self._waiting >= _MAX_QUEUED:
            raise ServiceUnavailable
        self._waiting += 1
        try:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._threads, function, *arguments)
        finally:
            self._waiting -= 1


def _hash(password: str) -> str:
    return str(_context.hash(password))


def _verify(password: str, hashed: str) -> bool:
    return bool(_context.verify(password, hashed))
