"""What Prometheus is told, by real servers."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import AsyncIterator

import aiohttp
import pytest

from chatd import watching
from chatd.core.intents import ALL_INTENTS
from chatd.db import Database
from chatd.keys import METRICS, RESOURCES
from tests.conftest import ServeMore, Server, repository
from tests.gateway.test_presence import shows
from tests.test_cli import free_ports
from tests.world import World, world_on


class Watched:
    """A server whose metrics can be read, and a world on it."""

    def __init__(self, server: Server, world: World, port: int) -> None:
        self.server = server
        self.world = world
        self.url = f"http://127.0.0.1:{port}/metrics"

    async def text(self) -> str:
        async with self.world.http.get(self.url) as response:
            assert response.status == 200
            assert response.content_type == "text/plain"
            return await response.text()

    async def read(self) -> dict[str, float]:
        lines = [line for line in (await self.text()).splitlines() if not line.startswith("#")]
        return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines)}


@pytest.fixture
async def watched(serve_more: ServeMore) -> AsyncIterator[Watched]:
    [port] = free_ports(1)
    async with (
        serve_more(worker_id=1, metrics_port=port) as server,
        world_on(server.url, server.gateway_url) as world,
    ):
        yield Watched(server, world, port)


async def test_requests_by_route_and_status(watched: Watched) -> None:
    guild = await watched.world.guild(owner="alice")
    async with watched.world.http.get(f"{watched.server.url}/api/v10/users/@me") as response:
        assert response.status == 401
    async with watched.world.http.request("SECRET", f"{watched.server.url}/made/up"):
        pass
    before = await watched.read()
    path = f"/channels/{guild.general.id}/messages"
    for _ in range(2):
        await guild.owner.rest.post(path, {"content": "hi"})
    told = await watched.read()
    labels = 'method="POST",route="/channels/{channel_id}/messages"'
    assert told[f'chatd_http_requests_total{{{labels},status="200"}}'] == 2
    assert told[f"chatd_http_request_seconds_count{{{labels}}}"] == 2
    refused = 'chatd_http_requests_total{method="GET",route="/users/@me",status="401"}'
    assert told[refused] == 1
    assert not any("SECRET" in name or "made" in name for name in told)
    assert told["chatd_commit_batch_messages_sum"] == before["chatd_commit_batch_messages_sum"] + 2
    assert told["chatd_commit_seconds_count"] > before["chatd_commit_seconds_count"]
    assert told["chatd_transaction_commits_total"] > 0


async def test_the_gateway(watched: Watched) -> None:
    guild = await watched.world.guild(owner="alice", members=["bob"])
    [alice] = await watched.world.online("alice", intents=int(ALL_INTENTS))
    [bob] = await watched.world.online("bob")
    await shows(alice, await watched.world.person("bob"), "online")  # told before it is counted
    before = await watched.read()
    assert before["chatd_connections"] == before["chatd_sessions"] == 2
    assert before["chatd_gateway_identifies_total"] == 2
    await guild.owner.rest.post(f"/channels/{guild.general.id}/messages", {"content": "hi"})
    for client in (alice, bob):
        await client.next("MESSAGE_CREATE")
    after = await watched.read()
    assert after["chatd_dispatches_total"] == before["chatd_dispatches_total"] + 1
    assert after["chatd_deliveries_total"] == before["chatd_deliveries_total"] + 2
    await bob.cut()
    again = await watched.world.resumed("bob", bob)
    await again.next("RESUMED")
    alien = await watched.world.socket()
    token = guild.owner.token
    await alien.send(6, {"token": token, "session_id": "unknown", "seq": 0})
    await alien.next_op(9)
    last = await watched.read()
    assert last["chatd_gateway_resumes_total"] == 1
    assert last["chatd_gateway_reidentifies_total"] == 1


async def test_nothing_of_it_is_missing(watched: Watched) -> None:
    await watched.world.person("alice")
    told = {re.sub(r"\{.*", "", name) for name in await watched.read()}
    assert told >= {
        "chatd_http_requests_total",
        "chatd_http_request_seconds_bucket",
        "chatd_connections",
        "chatd_sessions",
        "chatd_dispatches_total",
        "chatd_deliveries_total",
        "chatd_outbox_bytes",
        "chatd_slow_reader_closes_total",
        "chatd_gateway_resumes_total",
        "chatd_gateway_reidentifies_total",
        "chatd_pool_in_use",
        "chatd_pool_waiting",
        "chatd_pool_waits_total",
        "chatd_pool_wait_seconds_total",
        "chatd_bus_lag_seconds",
        "chatd_loop_lag_seconds_bucket",
        "chatd_commit_seconds_bucket",
        "chatd_commit_batch_messages_bucket",
    }


async def test_closed_unless_asked_for(server: Server, world: World) -> None:
    assert server.config.metrics_port == 0
    async with world.http.get(f"{server.url}/metrics") as response:
        assert response.status == 404


async def test_only_metrics_at_their_address(watched: Watched) -> None:
    url = watched.url.replace("/metrics", "/users/@me")
    async with aiohttp.ClientSession() as http, http.get(url) as response:
        assert response.status == 404


async def test_waits_for_the_pool(watched: Watched) -> None:
    database = watched.server.runner.app[RESOURCES].database
    before = await watched.read()
    size = watched.server.config.database_max_connections
    begun = [await database.begin() for _ in range(size)]
    waiting = asyncio.create_task(database.begin())
    await asyncio.sleep(0)
    during = await watched.read()
    assert (during["chatd_pool_in_use"], during["chatd_pool_idle"]) == (size, 0)
    assert during["chatd_pool_waiting"] >= 1
    for transaction in begun:
        await transaction.rollback()
    await (await waiting).rollback()
    after = await watched.read()
    assert after["chatd_pool_waits_total"] > before["chatd_pool_waits_total"]
    assert after["chatd_pool_wait_seconds_total"] > before["chatd_pool_wait_seconds_total"]


async def test_a_slow_statement_is_named(
    watched: Watched, caplog: pytest.LogCaptureFixture
) -> None:
    database: Database = watched.server.runner.app[RESOURCES].database
    async with database.cursor() as cur:
        await cur.execute("SELECT pg_sleep(%(s)s), %(text)s::text", {"s": 0.6, "text": "hunter2"})
    [told] = [each for each in caplog.messages if "pg_sleep" in each]
    assert "a statement took" in told
    assert "SELECT pg_sleep(%(s)s), %(text)s::text" in told
    assert "hunter2" not in caplog.text
    assert (await watched.read())["chatd_slow_queries_total"] >= 1


async def test_what_blocks_the_loop_is_named(
    watched: Watched, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    exposition = watched.server.runner.app[METRICS].exposition

    def slow() -> bytes:
        time.sleep(0.6)
        return exposition()

    monkeypatch.setattr(watched.server.runner.app[METRICS], "exposition", slow)
    await watched.text()
    monkeypatch.undo()
    told = [each for each in caplog.messages if "the event loop stands still" in each]
    assert any(
        f"metrics_app.<locals>.collect ({watching.__name__.split('.')[0]}/" in t for t in told
    )
    after = await watched.read()
    assert after["chatd_loop_blocks_total"] >= 1
    lags = after["chatd_loop_lag_seconds_count"] - after['chatd_loop_lag_seconds_bucket{le="0.25"}']
    assert lags >= 1


async def test_dashboard_and_alerts_name_what_there_is(watched: Watched) -> None:
    folder = repository() / "systemd"
    dashboard = (folder / "grafana-dashboard.json").read_text()
    panels = json.loads(dashboard)["panels"]
    assert all(target["expr"] for panel in panels for target in panel["targets"])
    await watched.world.person("alice")
    text = await watched.text()
    known = set(re.findall(r"^(chatd_\w+)", text, re.M))
    for file in (dashboard, (folder / "alerts.yml").read_text()):
        used = set(re.findall(r"\bchatd_\w+", file))
        assert used
        assert used - known == set()
