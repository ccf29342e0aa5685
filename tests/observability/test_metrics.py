"""Metrics that a running server exports."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import psutil
import pytest

from chatd.core.intents import ALL_INTENTS
from chatd.db.pool import Database
from chatd.observability import loop_monitor, process_usage
from chatd.web.keys import DEPENDENCIES, METRICS
from tests.conftest import ServeMore, Server, repository
from tests.helpers.gateway import next_status
from tests.helpers.servers import free_ports
from tests.world import TIMEOUT_S, World, world_on

SAMPLE_S = loop_monitor._SAMPLE_S  # as imported, before `rare_loop_samples` changes it


class Watched:
    """A server with a metrics port, and a world on it."""

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
    with pytest.MonkeyPatch.context() as patches:
        patches.setattr(loop_monitor, "_SAMPLE_S", SAMPLE_S)
        async with (
            serve_more(worker_id=1, metrics_port=port) as server,
            world_on(server.url, server.gateway_url) as world,
        ):
            yield Watched(server, world, port)


async def test_requests_are_counted_by_route_and_status(watched: Watched) -> None:
    guild = await watched.world.guild(owner="alice")
    async with watched.world.http.get(f"{watched.server.url}/api/v10/users/@me") as response:
        assert response.status == 401
    async with watched.world.http.request("SECRET", f"{watched.server.url}/made/up"):
        pass
    before = await watched.read()
    path = f"/channels/{guild.general.id}/messages"
    for _ in range(2):
        await guild.owner.rest.post(path, {"content": "hi"})
    metrics = await watched.read()
    labels = 'method="POST",route="/channels/{channel_id}/messages"'
    assert metrics[f'chatd_http_requests_total{{{labels},status="200"}}'] == 2
    assert metrics[f"chatd_http_request_seconds_count{{{labels}}}"] == 2
    refused = 'chatd_http_requests_total{method="GET",route="/users/@me",status="401"}'
    assert metrics[refused] == 1
    assert not any("SECRET" in name or "made" in name for name in metrics)
    assert (
        metrics["chatd_commit_batch_messages_sum"] == before["chatd_commit_batch_messages_sum"] + 2
    )
    assert metrics["chatd_commit_seconds_count"] > before["chatd_commit_seconds_count"]
    assert metrics["chatd_transaction_commits_total"] > 0


async def test_gateway_sessions_and_dispatches_are_counted(watched: Watched) -> None:
    guild = await watched.world.guild(owner="alice", members=["bob"])
    [alice] = await watched.world.online("alice", intents=int(ALL_INTENTS))
    [bob] = await watched.world.online("bob")
    await next_status(
        alice, await watched.world.person("bob"), "online"
    )  # sent before the counters are read
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
    assert last["chatd_gateway_invalid_sessions_total"] == 1


async def test_documented_metrics_are_exported(watched: Watched) -> None:
    await watched.world.person("alice")
    exported = {re.sub(r"\{.*", "", name) for name in await watched.read()}
    assert exported >= {
        "chatd_http_requests_total",
        "chatd_http_request_seconds_bucket",
        "chatd_connections",
        "chatd_sessions",
        "chatd_dispatches_total",
        "chatd_deliveries_total",
        "chatd_send_queue_bytes",
        "chatd_slow_consumer_disconnects_total",
        "chatd_gateway_resumes_total",
        "chatd_gateway_invalid_sessions_total",
        "chatd_db_pool_in_use",
        "chatd_db_pool_waiting",
        "chatd_db_pool_waits_total",
        "chatd_db_pool_wait_seconds_total",
        "chatd_bus_lag_seconds",
        "chatd_event_loop_lag_seconds_bucket",
        "chatd_commit_seconds_bucket",
        "chatd_commit_batch_messages_bucket",
    }


async def test_process_is_measured_under_the_standard_names(watched: Watched) -> None:
    before = await watched.read()
    until = time.process_time() + 0.1
    while time.process_time() < until:
        pass
    await watched.world.online("alice", "bob")
    after = await watched.read()
    assert after["process_cpu_seconds_total"] >= before["process_cpu_seconds_total"] + 0.1
    assert before["process_open_fds"] + 2 <= after["process_open_fds"] < after["process_max_fds"]
    resident = psutil.Process().memory_info().rss
    assert after["process_resident_memory_bytes"] == pytest.approx(resident, rel=0.1)
    assert after["process_virtual_memory_bytes"] > after["process_resident_memory_bytes"]
    assert after["process_start_time_seconds"] == pytest.approx(
        psutil.Process().create_time(), abs=2
    )


def test_process_usage_needs_only_the_folder_of_the_process(tmp_path: Path) -> None:
    """An older Linux says 0 for the size of `fd`, as it does for `task`; macOS has no /proc."""
    for name in ("stat", "statm"):
        (tmp_path / name).write_text(Path("/proc/self", name).read_text())
    (tmp_path / "fd").symlink_to("/proc/self/task")
    assert (tmp_path / "fd").stat().st_size == 0
    usage = process_usage.current(tmp_path)
    assert usage.open_files == len([*Path("/proc/self/task").iterdir()]) - 1
    assert usage.resident_bytes is not None
    assert usage.started is not None
    usage = process_usage.current(tmp_path / "missing")
    assert usage.cpu_s > 0
    assert usage.open_files is usage.resident_bytes is usage.started is None


async def test_renamed_metrics_are_exported_under_their_former_names(watched: Watched) -> None:
    metrics = await watched.read()
    for name, former in {
        "chatd_send_queue_bytes": "chatd_outbox_bytes",
        "chatd_slow_consumer_disconnects_total": "chatd_slow_reader_closes_total",
        "chatd_gateway_invalid_sessions_total": "chatd_gateway_reidentifies_total",
        "chatd_event_loop_stalls_total": "chatd_loop_blocks_total",
        "chatd_event_loop_lag_seconds_count": "chatd_loop_lag_seconds_count",
        'chatd_event_loop_lag_seconds_bucket{le="1.0"}': 'chatd_loop_lag_seconds_bucket{le="1.0"}',
        "chatd_bus_pending_events": "chatd_bus_unpublished",
        "chatd_db_pool_in_use": "chatd_pool_in_use",
        "chatd_db_pool_idle": "chatd_pool_idle",
        "chatd_db_pool_waiting": "chatd_pool_waiting",
        "chatd_db_pool_waits_total": "chatd_pool_waits_total",
        "chatd_db_pool_wait_seconds_total": "chatd_pool_wait_seconds_total",
    }.items():
        assert metrics[former] == metrics[name]


async def test_metrics_path_is_unknown_on_the_api_port(server: Server, world: World) -> None:
    assert server.config.metrics_port == 0
    async with world.http.get(f"{server.url}/metrics") as response:
        assert response.status == 404


async def test_metrics_port_serves_only_metrics(watched: Watched) -> None:
    url = watched.url.replace("/metrics", "/users/@me")
    async with aiohttp.ClientSession() as http, http.get(url) as response:
        assert response.status == 404


async def test_waits_for_the_pool_are_measured(watched: Watched) -> None:
    database = watched.server.runner.app[DEPENDENCIES].database
    before = await watched.read()
    size = watched.server.config.database_max_connections
    begun = [await database.begin() for _ in range(size)]
    waiting = asyncio.create_task(database.begin())
    await asyncio.sleep(0)
    during = await watched.read()
    assert (during["chatd_db_pool_in_use"], during["chatd_db_pool_idle"]) == (size, 0)
    assert during["chatd_db_pool_waiting"] >= 1
    for transaction in begun:
        await transaction.rollback()
    await (await waiting).rollback()
    after = await watched.read()
    assert after["chatd_db_pool_waits_total"] > before["chatd_db_pool_waits_total"]
    assert after["chatd_db_pool_wait_seconds_total"] > before["chatd_db_pool_wait_seconds_total"]


async def test_slow_statement_is_logged_without_values(
    watched: Watched, caplog: pytest.LogCaptureFixture
) -> None:
    database: Database = watched.server.runner.app[DEPENDENCIES].database
    async with database.cursor() as cur:
        await cur.execute("SELECT pg_sleep(%(s)s), %(text)s::text", {"s": 0.6, "text": "hunter2"})
    [line] = [each for each in caplog.messages if "pg_sleep" in each]
    assert "slow statement" in line
    assert "SELECT pg_sleep(%(s)s), %(text)s::text" in line
    assert "hunter2" not in caplog.text
    assert (await watched.read())["chatd_slow_queries_total"] >= 1


async def test_function_that_blocks_the_loop_is_logged(
    watched: Watched, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    exposition = watched.server.runner.app[METRICS].exposition

    def slow() -> bytes:
        time.sleep(0.6)
        return exposition()

    def is_logged() -> bool:
        package = loop_monitor.__name__.split(".")[0]
        function = f"metrics_app.<locals>.collect ({package}/"
        return any(
            "event loop blocked for" in each and function in each for each in caplog.messages
        )

    monkeypatch.setattr(watched.server.runner.app[METRICS], "exposition", slow)
    async with asyncio.timeout(TIMEOUT_S):
        while not is_logged():  # a busy machine may not run the monitor within 0.6 s
            await watched.text()
    monkeypatch.undo()
    after = await watched.read()
    assert after["chatd_event_loop_stalls_total"] >= 1
    lag = "chatd_event_loop_lag_seconds"
    lags = after[f"{lag}_count"] - after[f'{lag}_bucket{{le="0.25"}}']
    assert lags >= 1


async def test_dashboard_and_alerts_use_current_metrics(watched: Watched) -> None:
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
        deprecated = set(re.findall(r"^# HELP (chatd_\w+) Deprecated: ", text, re.M))
        assert deprecated
        assert used & deprecated == set()
