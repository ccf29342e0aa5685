"""Facts about a Redis server, for `chatd check`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from chatd.bus.bus import BusUnavailable
from chatd.bus.redis_client import REDIS_FAULTS, close, connect

_TIMEOUT_S = 3.0  # for one command; an operator waits for the result of the check


@dataclass(frozen=True, slots=True)
class RedisState:
    """The name, version and memory of a Redis server, and whether it may evict keys."""

    name: str
    version: str
    compatible: tuple[int, int]
    """The version of Redis that it is compatible with; Valkey has its own version numbers."""
    evicts: str | None
    """How it evicts keys when its memory is full; None when it refuses writes instead."""
    used_bytes: int
    max_bytes: int
    """0 means unlimited."""


async def inspect(url: str) -> RedisState:
    """Query the server with INFO. Raises BusUnavailable when it does not answer."""
    client = connect(url, timeout_s=_TIMEOUT_S)
    try:
        info: dict[str, Any] = await client.info()
    except REDIS_FAULTS as error:
        raise BusUnavailable(f"cannot reach Redis: {error}") from error
    finally:
        await close(client)
    like = str(info.get("redis_version", "0.0"))
    major, minor = (int(part) for part in like.split(".")[:2])
    policy = str(info.get("maxmemory_policy", "noeviction"))
    limit = int(info.get("maxmemory", 0))
    is_valkey = "valkey_version" in info
    return RedisState(
        name="Valkey" if is_valkey else "Redis",
        version=str(info["valkey_version"]) if is_valkey else like,
        compatible=(major, minor),
        evicts=policy if limit and policy != "noeviction" else None,
        used_bytes=int(info.get("used_memory", 0)),
        max_bytes=limit,
    )
