"""An unresponsive Postgres: connections hang instead of failing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from chatd.config import Config
from chatd.db.pool import Database, connection_parameters
from chatd.embedded.postgres import Postgres
from chatd.embedded.valkey import Valkey
from chatd.web.keys import DEPENDENCIES
from tests.conftest import Server, serving
from tests.helpers.proxy import Proxy
from tests.helpers.servers import (
    TcpPostgres,
    free_port,
    migrated_postgres_over,
    suspend_processes,
)
from tests.world import World, world_on

_DETECTED_WITHIN_S = 12.0
"""Without detection, each request would wait 15 s."""


@dataclass(frozen=True)
class Site:
    """A server whose Postgres can be made unresponsive."""

    server: Server
    world: World
    wire: Proxy
    postgres: Postgres


@pytest.fixture
async def site(config: Config, tmp_path: Path, valkey: Valkey) -> AsyncIterator[Site]:
    with migrated_postgres_over("tcp", tmp_path) as (postgres, url):
        assert isinstance(postgres, TcpPostgres)
        target = int(url.rpartition("/")[0].rpartition(":")[2])
        port = free_port()
        async with Proxy(port, target).forwarding() as wire:
            own = replace(
                config,
                database_url=url.replace(str(target), str(port)),
                redis_url=valkey.url,
                worker_id=29,
            )
            async with (
                serving(own) as server,
                world_on(server.url, server.gateway_url) as world,
            ):
                yield Site(server, world, wire, postgres)


async def _within(seconds: float, answer: Awaitable[int]) -> int:
    async with asyncio.timeout(seconds):
        return await answer


async def _ready(world: World) -> int:
    return (await world.anonymous.call("GET", "/health/ready")).status


@pytest.mark.parametrize("how", ["wire", "processes"])
async def test_requests_fail_at_once_while_postgres_is_unresponsive(site: Site, how: str) -> None:
    world = site.world
    database = site.server.runner.app[DEPENDENCIES].database
    guild = await world.guild(owner="alice")
    path = f"/channels/{guild.general.id}/messages"
    rest = world.rest("alice")
    await rest.post(path, {"content": "before"})
    if how == "wire":
        site.wire.stall()
        resume = site.wire.restore
    else:
        resume = await asyncio.to_thread(suspend_processes, site.postgres)
    try:
        in_progress = [asyncio.create_task(rest.call("GET", path)) for _ in range(6)]
        # Readiness responds in time before the fault is detected.
        assert await _within(3.0, _ready(world)) == 503
        async with asyncio.timeout(_DETECTED_WITHIN_S):
            assert {(await each).status for each in in_progress} == {503}
            while not database.is_unavailable:
                await asyncio.sleep(0.05)
        # From here on each request fails without waiting.
        waits = database.counters.pool_waits
        for _ in range(20):
            assert (await rest.call("GET", path)).status == 503
            assert (await rest.call("POST", path, {"content": "x"})).status == 503
            assert await _ready(world) == 503
        assert database.counters.pool_waits == waits
    finally:
        resume()
    async with asyncio.timeout(60):
        while await _ready(world) != 200:
            await asyncio.sleep(0.05)
    await rest.post(path, {"content": "after"})
    contents = [message["content"] for message in await rest.get(path)]
    assert contents[0] == "after"
    assert contents[-1] == "before"


async def test_interrupted_idle_connections_are_replaced(site: Site) -> None:
    """As after a firewall dropped their state: the server accepts new ones."""
    world = site.world
    guild = await world.guild(owner="alice")
    path = f"/channels/{guild.general.id}/messages"
    database = site.server.runner.app[DEPENDENCIES].database
    async with asyncio.timeout(60):
        while database.idle < database.size:
            await asyncio.sleep(0.02)
    before = set(database._idle)
    site.wire.stall_open_connections()
    async with asyncio.timeout(_DETECTED_WITHIN_S):
        # A background task may wait for the answer to a statement: its connection is not idle.
        while before & set(database._idle) or database.idle + database.in_use < database.size:
            await asyncio.sleep(0.05)
    async with asyncio.timeout(2.0):
        assert (await world.rest("alice").call("GET", path)).status == 200
    async with asyncio.timeout(60):
        while (await world.rest("alice").call("POST", path, {"content": "x"})).status != 200:
            await asyncio.sleep(0.1)


def test_connection_parameters_keep_those_of_the_url() -> None:
    assert connection_parameters("postgresql://db/chatd")["tcp_user_timeout"] == "10000"
    url = "postgresql://db/chatd?tcp_user_timeout=5&keepalives_idle=7&options=-c%20geqo%3Doff"
    made = connection_parameters(url)
    assert not {"tcp_user_timeout", "keepalives_idle"} & made.keys()
    assert made["keepalives_interval"] == "2"
    assert made["options"].endswith("-c geqo=off")


@pytest.mark.usefixtures("real_lock_timeouts")
async def test_session_options_reach_postgres(postgres: Postgres) -> None:
    database = Database(f"{postgres.url}&options=-c%20geqo%3Doff", size=1)
    await database.open()
    async with database.cursor() as cur:
        await cur.execute("SELECT current_setting('geqo'), current_setting('statement_timeout')")
        assert await cur.fetchone() == ("off", "10s")
    await database.close()
