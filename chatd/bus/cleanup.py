"""Deleting the keys of chatd from Redis, when it is uninstalled.

All keys of chatd have one prefix: streams of events, counts of rate limits, suspended sessions.
Another program may use the same Redis, so FLUSHDB is never used.
"""

from __future__ import annotations

from chatd.bus.bus import BusUnavailable
from chatd.bus.redis_client import REDIS_FAULTS, close, connect

PREFIX = "chatd:"
_TIMEOUT_S = 10.0  # for one command; SCAN and UNLINK of a batch take milliseconds
_BATCH = 500  # keys of one command, so that Redis can serve other programs in between


async def delete_keys(url: str) -> int:
    """Delete all keys of chatd. Return their number. Raises BusUnavailable."""
    client = connect(url, timeout_s=_TIMEOUT_S)
    deleted = 0
    try:
        batch: list[bytes] = []
        async for key in client.scan_iter(match=f"{PREFIX}*", count=_BATCH):
            batch.append(key)
            if len(batch) >= _BATCH:
                deleted += await client.unlink(*batch)
                batch.clear()
        if batch:
            deleted += await client.unlink(*batch)
    except REDIS_FAULTS as error:
        raise BusUnavailable(f"cannot reach Redis: {error}") from error
    finally:
        await close(client)
    return deleted
