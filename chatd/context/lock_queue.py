"""Lock queues: first-in-first-out queues of requests that wait for a locked stream.

A request that waits for a lock inside Postgres occupies a database connection. A few dozen requests
for one locked guild would exhaust the pool, and requests for other guilds would wait with them.
So only the head of each queue asks Postgres for the lock, and at most a quarter of the pool does.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Hashable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from chatd.core.errors import ServiceUnavailable
from chatd.core.ids import StreamId
from chatd.db.pool import LOCK_TIMEOUT_S

K = TypeVar("K", bound=Hashable)


@dataclass(slots=True)
class _KeyedLock:
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    tasks: int = 0


class KeyedLocks(Generic[K]):
    """A FIFO lock for each key. A lock exists only while a task holds it or waits for it."""

    def __init__(self) -> None:
        self._locks: dict[K, _KeyedLock] = {}

    def task_count(self, key: K) -> int:
        """Return how many tasks hold the lock of this key or wait for it."""
        found = self._locks.get(key)
        return found.tasks if found else 0

    @contextmanager
    def use(self, key: K) -> Iterator[asyncio.Lock]:
        """Yield the lock of a key, to be acquired inside the context."""
        found = self._locks.setdefault(key, _KeyedLock())
        found.tasks += 1
        try:
            yield found.lock
        finally:
            found.tasks -= 1
            if not found.tasks:
                del self._locks[key]


class LockQueues:
    """Per-stream queues for lock waiters. Only the head of a queue holds a database connection."""

    def __init__(self, pool_size: int) -> None:
        self._heads: KeyedLocks[StreamId] = KeyedLocks()
        # Three quarters of the connections remain for requests that wait for no lock.
        self._blocking = asyncio.Semaphore(max(1, pool_size // 4))

    def length(self, stream_id: StreamId) -> int:
        """Return how many requests are in the queue of this stream, its head included."""
        return self._heads.task_count(stream_id)

    def has_waiters(self, stream_id: StreamId) -> bool:
        """Return whether a request is in the queue of this stream."""
        return self._heads.task_count(stream_id) > 0

    @asynccontextmanager
    async def wait_turn(self, stream_id: StreamId) -> AsyncIterator[None]:
        """Wait until the caller is the head of the queue of a stream, and stay it in the context.

        Raises ServiceUnavailable after LOCK_TIMEOUT_S.
        """
        with self._heads.use(stream_id) as head:
            async with AsyncExitStack() as stack:
                try:
                    async with asyncio.timeout(LOCK_TIMEOUT_S):
                        await stack.enter_async_context(head)
                        await stack.enter_async_context(self._blocking)
                except TimeoutError:
                    raise ServiceUnavailable from None
                yield
