"""Whether running instances use a Redis."""

from __future__ import annotations

import asyncio
from typing import Any

from redis import asyncio as aioredis

from chatd.bus.bus import WORKERS, BusUnavailable, stream_key
from chatd.bus.redis_client import REDIS_FAULTS, close, connect

_TIMEOUT_S = 10.0  # for one command
_POLL_S = 0.5
WATCHED_S = 7.0
"""How long a Redis is watched. An instance appends to its stream at least every three seconds."""


async def is_in_use(url: str, *, watched_s: float = WATCHED_S) -> bool:
    """Return whether an instance appends events to this Redis.

    Without recent events the answer comes at once. Raises BusUnavailable.
    """
    client = connect(url, timeout_s=_TIMEOUT_S)
    try:
        first = await _last_entries(client)
        seconds, _ = await client.time()
        newest = max((int(entry.partition(b"-")[0]) for entry in first.values()), default=0)
        if newest < (seconds - watched_s) * 1000:
            return False
        for _ in range(round(watched_s / _POLL_S)):
            await asyncio.sleep(_POLL_S)
            if await _last_entries(client) != first:
                return True
    except REDIS_FAULTS as error:
        raise BusUnavailable(f"cannot reach Redis: {error}") from error
    else:
        return False
    finally:
        await close(client)


async def _last_entries(client: aioredis.Redis) -> dict[int, bytes]:
    """Return the id of the newest entry of each instance's stream."""
    found = {}
    for worker_id in range(WORKERS):
        entries: list[tuple[bytes, Any]] = await client.xrevrange(stream_key(worker_id), count=1)  # type: ignore[assignment]
        for entry, _ in entries:
            found[worker_id] = entry
    return found
