"""Sessions that start wait for database connections; they are not refused as requests are."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from chatd.db import pool
from chatd.web.keys import DEPENDENCIES
from tests.conftest import ServeMore, Server
from tests.world import TIMEOUT_S, World, world_on

SESSIONS = 48
SHORT_S = 0.1


@asynccontextmanager
async def no_connections(server: Server) -> AsyncIterator[None]:
    """Use all database connections of a server within the block."""
    database = server.runner.app[DEPENDENCIES].database
    async with asyncio.timeout(TIMEOUT_S):
        taken = [await database.acquire() for _ in range(database.size)]
    try:
        yield
    finally:
        for connection in taken:
            database.release(connection)


async def test_sessions_wait_for_a_connection_longer_than_requests(
    world: World, server: Server, serve_more: ServeMore, monkeypatch: pytest.MonkeyPatch
) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    alice = await world.person("alice")
    async with (
        serve_more(worker_id=7) as busy,
        world_on(busy.url, busy.gateway_url) as there,
    ):
        there.share_people(world)
        clients = [await there.socket() for _ in range(SESSIONS)]
        async with no_connections(busy):
            monkeypatch.setattr(pool, "ACQUIRE_TIMEOUT_S", SHORT_S)
            for client in clients:
                await client.send(2, {"token": alice.token, "properties": {}, "intents": 1})
            rest = there.rest("alice")
            answer = await rest.call("GET", f"/guilds/{guild.id}/channels")
            assert answer.status == 503
            await asyncio.sleep(2 * SHORT_S)  # longer than a request waits
        monkeypatch.undo()
        for client in clients:
            assert (await client.next("GUILD_CREATE")).d["id"] == guild.id
