"""Faults of Postgres and Redis on a server in its own process, which must survive them.

Each runs over a Unix socket and over TCP, on uvloop and on asyncio's own loop, since these report a
lost connection differently.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import psycopg2
import pytest

from chatd.db import migrations
from chatd.embedded.postgres import Postgres
from chatd.embedded.valkey import Valkey
from tests.helpers.instances import Instance
from tests.helpers.servers import postgres_over, valkey_over
from tests.world import World, world_on

_TIMEOUT_S = 30.0

# Makes the command use asyncio's own event loop.
_ON_ASYNCIO = """
import asyncio, uvloop
uvloop.new_event_loop = asyncio.new_event_loop
from chatd.__main__ import main
main(["serve"])
"""


@dataclass(frozen=True)
class Ground:
    """A server in its own process, with its own Postgres and Valkey."""

    postgres: Postgres
    valkey: Valkey
    instance: Instance
    world: World

    async def becomes(self, status: str) -> None:
        """Wait until the server reports a status. Fails if its process ends."""
        async with asyncio.timeout(_TIMEOUT_S), aiohttp.ClientSession() as http:
            while True:
                assert self.instance.pid  # raises when it has ended
                async with http.get(f"{self.instance.url}/health/ready") as answer:
                    if (await answer.json())["status"] == status:
                        return
                await asyncio.sleep(0.05)


@pytest.fixture(params=["uvloop-tcp", "uvloop-unix", "asyncio-tcp", "asyncio-unix"])
async def ground(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Ground]:
    loop, _, transport = request.param.partition("-")
    with postgres_over(transport, tmp_path) as postgres, valkey_over(transport, tmp_path) as valkey:
        url = postgres.create("chatd")
        migrations.apply(url)
        environment = {
            "DATABASE_URL": url,
            "REDIS_URL": valkey.url,
            "JWT_SECRET": "a secret of the tests, long enough",
        }
        instance = Instance(5, tmp_path, environment)
        if loop == "asyncio":
            instance.words = ("-c", _ON_ASYNCIO)
        try:
            await instance.start()
            gateway = f"ws://127.0.0.1:{instance.port}/gateway"
            async with world_on(instance.url, gateway) as world:
                yield Ground(postgres, valkey, instance, world)
        finally:
            await instance.end(signal.SIGTERM)
            instance.close()


async def test_server_survives_faults_of_postgres(ground: Ground) -> None:
    world, postgres = ground.world, ground.postgres
    guild = await world.guild(owner="alice")
    [alice] = await world.online("alice")
    path = f"/channels/{guild.general.id}/messages"
    await ground.becomes("ok")
    for end in (postgres.stop, postgres.kill):
        pid, stop = ground.instance.pid, asyncio.Event()
        # So that requests hold connections at the moment of the fault.
        asking = [asyncio.create_task(_ask(world, path, stop)) for _ in range(4)]
        await asyncio.to_thread(end)
        await ground.becomes("unavailable")
        # Long enough for several attempts to renew the lease of the WORKER_ID.
        await asyncio.sleep(2)
        await asyncio.to_thread(postgres.start)
        await ground.becomes("ok")
        stop.set()
        for status in {status for seen in await asyncio.gather(*asking) for status in seen}:
            assert status in (200, 503)
        assert ground.instance.pid == pid
    sent = await world.rest("alice").post(path, {"content": "after"})
    while (await alice.next("MESSAGE_CREATE")).d["id"] != sent["id"]:
        pass
    log = ground.instance.log.read_text()
    assert "Traceback" not in log
    assert log.count("database unavailable") == 2


async def test_server_survives_faults_of_redis(ground: Ground) -> None:
    world, valkey = ground.world, ground.valkey
    guild = await world.guild(owner="alice")
    [alice] = await world.online("alice")
    path = f"/channels/{guild.general.id}/messages"
    await ground.becomes("ok")
    pid = ground.instance.pid
    for end in (valkey.stop, valkey.kill):
        await asyncio.to_thread(end)
        await ground.becomes("degraded")
        sent = await world.rest("alice").post(path, {"content": "alone"})
        assert (await alice.next("MESSAGE_CREATE")).d["id"] == sent["id"]
        await asyncio.to_thread(valkey.start)
        await ground.becomes("ok")
    assert ground.instance.pid == pid
    assert "Traceback" not in ground.instance.log.read_text()


@pytest.mark.parametrize("ground", ["uvloop-tcp"], indirect=True)
async def test_server_exits_with_a_message_when_its_worker_id_is_taken(ground: Ground) -> None:
    def take() -> None:
        connection = psycopg2.connect(ground.postgres.url_of("chatd"))
        with connection, connection.cursor() as cur:
            cur.execute("UPDATE workers SET holder = 'another'")
        connection.close()

    await asyncio.to_thread(take)
    async with asyncio.timeout(_TIMEOUT_S):
        while ground.instance.is_running:
            await asyncio.sleep(0.05)
    log = ground.instance.log.read_text()
    text = "chatd: WORKER_ID 5 is in use by another, which has taken it from this process"
    assert log.splitlines()[-1] == text
    assert "Traceback" not in log


async def _ask(world: World, path: str, stop: asyncio.Event) -> list[int]:
    statuses: list[int] = []
    while not stop.is_set():
        method, body = ("POST", {"content": "hi"}) if len(statuses) % 2 else ("GET", None)
        answer = await world.rest("alice").call(method, path, body)
        statuses.append(answer.status)
        await asyncio.sleep(0.01)
    return statuses
