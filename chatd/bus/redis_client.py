"""Redis clients: the only place that creates them, and the errors that they raise."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterable

import redis
from redis import DriverInfo
from redis import asyncio as aioredis  # aioredis 2, which its authors moved into redis-py
from redis.exceptions import RedisError

REDIS_FAULTS: tuple[type[Exception], ...] = (
    RedisError,
    OSError,  # TimeoutError is one
    EOFError,  # asyncio.IncompleteReadError
    RuntimeError,  # uvloop raises it for a closed handle
    AttributeError,  # asyncio of Python 3.13.0 raises it for a closed transport
)
"""What redis-py and the event loop raise when Redis is gone, hangs or refuses a command."""

_DRIVER_INFO = DriverInfo(lib_version=redis.__version__)
"""What `CLIENT LIST` shows of a connection. Without it, redis-py reads the metadata of its package
for each new connection, which takes 0.6 ms on the event loop."""


def connect(
    url: str, *, timeout_s: float, connect_timeout_s: float | None = None
) -> aioredis.Redis:
    """Return a client, which connects at its first command. Each answer may take `timeout_s`."""
    return aioredis.Redis.from_url(
        url,
        protocol=2,
        socket_timeout=timeout_s,
        socket_connect_timeout=connect_timeout_s or timeout_s,
        retry_on_timeout=False,
        driver_info=_DRIVER_INFO,
    )


async def close(client: aioredis.Redis) -> None:
    """Close the connections of a client. Never raises an error of Redis.

    A cancellation does not interrupt it, but is raised at its end: redis-py would leave connections
    open. See `cancel_and_wait`, which cancels a task that takes long to end more than once.
    """
    closing = asyncio.create_task(_close(client), name="close of a Redis client")
    is_cancelled = False
    while not closing.done():
        try:
            await asyncio.wait({closing})
        except asyncio.CancelledError:
            is_cancelled = True
    if is_cancelled:
        raise asyncio.CancelledError
    closing.result()


async def _close(client: aioredis.Redis) -> None:
    with contextlib.suppress(*REDIS_FAULTS):
        await client.aclose()


async def cancel_and_wait(*tasks: asyncio.Task[None]) -> None:
    """Cancel tasks that use a client, and wait until they have ended.

    redis-py swallows a cancellation that arrives while it connects, so this cancels repeatedly.
    """
    running: Iterable[asyncio.Task[None]] = [task for task in tasks if not task.done()]
    while running:
        for task in running:
            task.cancel()
        _, running = await asyncio.wait(running, timeout=0.1)
