"""Connections to Redis."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
import redis

from chatd.bus.redis_client import close, connect
from chatd.embedded.valkey import Valkey


async def test_new_connections_read_no_package_metadata(
    valkey: Valkey, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []

    def version(name: str) -> str:
        read.append(name)
        return redis.__version__

    monkeypatch.setattr("redis.utils.metadata.version", version)
    client = connect(valkey.url, timeout_s=60.0)
    await asyncio.gather(*(client.ping() for _ in range(3)))
    shown: Any = await client.client_info()
    await close(client)
    assert read == []
    assert shown["lib-ver"] == redis.__version__
