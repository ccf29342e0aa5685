"""What a Redis says of itself, for a person to judge."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from redis import asyncio as aioredis
from redis.exceptions import RedisError

from chatd.bus.bus import NotHeard

_TIMEOUT_S = 3.0


@dataclass(frozen=True, slots=True)
class RedisState:
    """Its name and version, and whether it may throw away what it was given."""

    name: str
    version: str
    compatible: tuple[int, int]
    """The version of Redis that it is like."""
    evicts: str | None
    """The policy by which it forgets keys when its memory is full; None when it refuses instead."""
    used_bytes: int
    max_bytes: int
    """0 is without end."""


async def inspect(url: str) -> RedisState:
    """Ask it. Raises NotHeard when it does not answer."""
    client = aioredis.Redis.from_url(
        url, protocol=2, socket_timeout=_TIMEOUT_S, socket_connect_timeout=_TIMEOUT_S
    )
    try:
        info: dict[str, Any] = await client.info()
    except (RedisError, OSError, TimeoutError) as error:
        raise NotHeard(f"cannot reach Redis: {error}") from error
    finally:
        await client.aclose()
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
