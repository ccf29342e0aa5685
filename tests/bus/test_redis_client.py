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


@pytest.mark.parametrize("turns", range(12))
async def test_cancelled_close_leaves_no_connection_open(valkey: Valkey, turns: int) -> None:
    """A task may be cancelled again while it closes its client: see `cancel_and_wait`."""
    client = connect(valkey.url, timeout_s=60.0)

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await close(client)

    await client.ping()
    connections = [*client.connection_pool._get_free_connections()]
    working = asyncio.create_task(work())
    await asyncio.sleep(0)
    working.cancel()
    for _ in range(turns):
        await asyncio.sleep(0)
    working.cancel()
    with pytest.raises(asyncio.CancelledError):
        await working
    assert [each.is_connected for each in connections] == [False]
