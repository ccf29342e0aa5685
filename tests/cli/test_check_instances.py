"""chatd check: the state of running instances and of their ports."""

from __future__ import annotations

import asyncio
import socket
from dataclasses import replace
from pathlib import Path

import psycopg2
import pytest

import chatd as chatd_package
from chatd.config import Config
from chatd.db import migrations
from chatd.embedded.postgres import Postgres
from chatd.server import listening
from tests.cli.conftest import Chatd
from tests.conftest import ServeMore
from tests.helpers.check import (
    check,
    execute,
    has_ipv6,
    holding,
    only_problem,
    silent_port,
)
from tests.helpers.databases import NewDatabase
from tests.helpers.health import health_becomes
from tests.helpers.servers import free_port


@pytest.fixture
def chatd(chatd: Chatd) -> Chatd:
    """Set JWT_SECRET, because a missing one is a finding too."""
    chatd.environment["JWT_SECRET"] = "a secret of thirty-two characters"
    return chatd


@pytest.fixture
def database(chatd: Chatd, migrated_database: NewDatabase, request: pytest.FixtureRequest) -> str:
    """The URL of a migrated database without instances; the settings name it."""
    url = migrated_database(request.node.name)
    chatd.environment["DATABASE_URL"] = url
    return url


async def test_instances_on_passed_sockets_are_checked(
    chatd: Chatd, config: Config, database: str
) -> None:
    family, host = (socket.AF_INET6, "::1") if has_ipv6() else (socket.AF_INET, "127.0.0.1")
    with (
        socket.create_server(("127.0.0.1", 0)) as one,
        socket.create_server((host, 0), family=family) as two,
    ):
        ports = [one.getsockname()[1], two.getsockname()[1]]
        settings = replace(config, database_url=database)
        metrics_port = free_port()
        async with (
            listening(replace(settings, worker_id=1, metrics_port=metrics_port), [one]),
            listening(replace(settings, worker_id=2), [two]),
        ):
            there = f"[{host}]" if ":" in host else host
            for address in (f"127.0.0.1:{ports[0]}", f"{there}:{ports[1]}"):
                await health_becomes(f"http://{address}", redis="ok")
            said = await chatd.well("check")
            code, bad = await check(chatd)
    found = {row[1]: row for row in said.rows}
    assert found["instances"][2] == "running with WORKER_ID 1, 2"
    version = f"version {chatd_package.__version__} at"
    host = socket.gethostname()
    assert found["instance 1"][2] == (
        f"{version} http://127.0.0.1:{ports[0]} on {host}, 0 sessions, 0 connections:"
        " ready, Redis ok"
    )
    at = f"http://[::1]:{ports[1]}" if has_ipv6() else f"http://127.0.0.1:{ports[1]}"
    assert found["instance 2"][2] == f"{version} {at} on {host}: ready, Redis ok"
    assert "nothing listens on" in found["port"][2]
    assert "not running" not in said.output
    assert (code, bad) == (0, [])
    assert "none is running" in (await chatd.well("check")).output


async def test_instance_without_its_database_is_recognized(
    chatd: Chatd, config: Config, tmp_path: Path, serve_more: ServeMore
) -> None:
    postgres = Postgres(tmp_path / "postgres")
    await asyncio.to_thread(postgres.start)
    try:
        url = chatd.environment["DATABASE_URL"] = postgres.url
        await asyncio.to_thread(migrations.apply, url)
        stack = serve_more(worker_id=1, database_url=url)
        running = await stack.__aenter__()
    finally:
        await asyncio.to_thread(postgres.close)
    try:
        await health_becomes(running.url, database="unavailable", redis="ok")
        chatd.environment["API_PORT"] = running.url.rpartition(":")[2]
        code, bad = await check(chatd)
        assert code == 1
        assert [each["subject"] for each in bad] == ["port", "database"]
        assert "a chatd responds on" in bad[0]["finding"]
        assert "its database is unavailable, Redis ok" in bad[0]["finding"]
        assert "schema and instances were not checked" in bad[1]["finding"]
    finally:
        await stack.__aexit__(None, None, None)


async def test_instance_without_redis_is_a_warning(
    chatd: Chatd, database: str, serve_more: ServeMore
) -> None:
    unreachable = "redis://127.0.0.1:1"
    async with serve_more(worker_id=1, database_url=database, redis_url=unreachable):
        found = await only_problem(chatd, 0)
    assert found["subject"] == "instance 1"
    assert found["state"] == "warning"
    assert found["finding"].endswith(
        "does not receive events of other instances, Redis unavailable"
    )


async def test_instance_without_a_registered_url_is_listed(chatd: Chatd, database: str) -> None:
    with holding(database, 3, at=None):
        assert await check(chatd) == (0, [])
        found = {row[1]: row[2] for row in (await chatd.well("check")).rows}
    assert found["instances"] == "running with WORKER_ID 3"
    assert found["instance 3"].startswith("runs without a registered URL: process 7 on earth")
    assert "not running" not in found["port"]


async def test_instances_are_listed_with_an_old_schema(
    chatd: Chatd, new_database: NewDatabase
) -> None:
    url = chatd.environment["DATABASE_URL"] = new_database("check_instances_old_schema")
    migrations.apply(url, up_to="19")
    connection = psycopg2.connect(url)
    with connection, connection.cursor() as cur:
        cur.execute("SELECT pg_advisory_lock(%s, 4)", (0x63686174,))
        cur.execute("INSERT INTO workers VALUES (4, 'process 7 on earth', 0)")
    said = await asyncio.to_thread(chatd.run, "check")
    connection.close()
    assert "running with WORKER_ID 4" in said.output


async def test_instance_on_another_machine_is_not_checked(chatd: Chatd, database: str) -> None:
    with holding(database, 3, at="http://127.0.0.1:1801", host="elsewhere"):
        found = {row[1]: row[2] for row in (await chatd.well("check")).rows}
    assert found["instance 3"].endswith("on elsewhere: not checked; run `chatd check` there")
    with holding(database, 4, at="http://192.0.2.1:1801", host="elsewhere"):
        found = await only_problem(chatd, 0)
    assert found["finding"].endswith("cannot be reached from here")


async def test_unresponsive_instance_is_an_error(chatd: Chatd, database: str) -> None:
    with silent_port() as port, holding(database, 3, at=f"http://127.0.0.1:{port}"):
        found = await only_problem(chatd, 1)
    assert found["finding"].endswith("it does not respond")
    for worker_id, at in ((4, "http://127.0.0.1:1"), (5, "unix:/nowhere/chatd.sock")):
        with holding(database, worker_id, at=at):
            found = await only_problem(chatd, 1)
        assert found["finding"].endswith("nothing listens there, though it holds its WORKER_ID")


async def test_silent_port_names_systemd_in_its_remedy(chatd: Chatd, database: str) -> None:
    with silent_port() as port:
        chatd.environment["API_PORT"] = str(port)
        found = await only_problem(chatd, 1)
    assert found["finding"].endswith("accepts connections but does not respond")
    assert "systemd holds the port" in found["remedy"]


async def test_instance_on_a_unix_socket_is_checked(
    chatd: Chatd, config: Config, database: str, tmp_path: Path
) -> None:
    with socket.socket(socket.AF_UNIX) as held:
        held.bind(str(tmp_path / "chatd.sock"))
        held.listen()
        async with listening(replace(config, worker_id=1, database_url=database), [held]):
            found = {row[1]: row[2] for row in (await chatd.well("check")).rows}
    assert f"at unix:{tmp_path}/chatd.sock on" in found["instance 1"]
    assert found["instance 1"].endswith("ready, Redis ok")


async def test_url_is_registered_again_after_losing_the_table(
    chatd: Chatd, database: str, serve_more: ServeMore
) -> None:
    """The table may be restored from a backup, which ends the connection too."""
    async with serve_more(worker_id=1, database_url=database) as running:
        execute(database, "DELETE FROM instances")
        execute(
            database,
            "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'"
            f" AND classid = {0x63686174} AND objid = 1",
        )
        async with asyncio.timeout(60):
            while (
                f"at {running.url} on" not in (await asyncio.to_thread(chatd.run, "check")).output
            ):
                await asyncio.sleep(0.1)
