"""Hashing passwords, in threads of their own, a bounded number at a time.

Rule: OWASP Password Storage Cheat Sheet: argon2id with 19 MiB, two passes, one lane.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from passlib.context import CryptContext

from chatd.core.errors import Busy

T = TypeVar("T")

_THREADS = 2
_QUEUE = 64  # beyond this many waiting, a login is answered with "busy" at once

_context = CryptContext(
    schemes=["argon2"],
    argon2__type="ID",
    argon2__memory_cost=19 * 1024,  # KiB
    argon2__time_cost=2,
    argon2__parallelism=1,
)


class Passwords:
    """Makes and checks hashes. Cancelling a call leaves its thread to finish for nobody."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="passwords")
        self._waiting = 0
        # Checked in place of the hash of an account that does not exist, so that the answer takes
        # the same time. Made here, since passlib's lazy loading breaks when first used in threads.
        self._dummy = str(_context.hash("a password that nobody has"))

    async def hash(self, password: str) -> str:
        """The hash to keep. Raises Busy when too many wait already."""
        return await self._run(_hash, password)

    async def verify(self, password: str, hashed: str | None) -> bool:
        """Whether this is the password; None stands for an account that does not exist.

        Raises Busy when too many wait already.
        """
        matches = await self._run(_verify, password, hashed or self._dummy)
        return matches and hashed is not None

    def close(self) -> None:
        """Take on no more work."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _run(self, function: Callable[..., T], *arguments: str) -> T:
        if self._waiting >= _QUEUE:
            raise Busy
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
