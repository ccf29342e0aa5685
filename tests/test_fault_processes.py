"""Faults of Postgres and Redis on a server in its own process, which must survive them.

Each runs over a Unix socket and over TCP, and of the two servers one uses uvloop and the other one
asyncio's own loop, since these report a lost connection differently.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass

import psycopg2
import pytest

from chatd.embedded.postgres import Postgres
from chatd.embedded.valkey import Valkey
from tests.helpers.health import health_becomes
from tests.helpers.instances import Instance
from tests.helpers.servers import migrated_postgres_over, valkey_over
from tests.world import World, world_on

_TIMEOUT_S = 120.0

# Makes the command use asyncio's own event loop.
_ON_ASYNCIO = """
import asyncio, uvloop
uvloop.new_event_loop = asyncio.new_event_loop
from chatd.__main__ import main
main(["serve"])
"""


@dataclass(frozen=True)
class Ground:
    """Servers in processes of their own, one on each event loop, with one Postgres and Valkey."""

    postgres: Postgres
    valkey: Valkey
    instances: list[Instance]

    async def becomes(self, status: str) -> None:
        """Wait until all servers report a status. Fails if a process has ended."""
        for instance in self.instances:
            assert instance.pid  # raises when it has ended
            await health_becomes(instance.url, status=status)

    @property
    def pids(self) -> list[int]:
        return [instance.pid for instance in self.instances]


@pytest.fixture(scope="module", params=["tcp", "unix"])
async def ground(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Ground]:
    folder, transport = tmp_path_factory.mktemp("processes"), request.param
    with (
        migrated_postgres_over(transport, folder) as (postgres, url),
        valkey_over(transport, folder) as valkey,
    ):
        environment = {
            "DATABASE_URL": url,
            "REDIS_URL": valkey.url,
            "JWT_SECRET": "a secret of the tests, long enough",
        }
        instances = [Instance(number, folder, environment) for number in (5, 6)]
        instances[1].words = ("-c", _ON_ASYNCIO)
        try:
            for instance in instances:
                await instance.start()
            yield Ground(postgres, valkey, instances)
        finally:
            for instance in instances:
                await instance.end(signal.SIGTERM)
                instance.close()


@pytest.fixture
async def worlds(ground: Ground) -> AsyncIterator[list[World]]:
    """The same people on each of the servers."""
    async with AsyncExitStack() as stack:
        found = []
        for instance in ground.instances:
            gateway = f"ws://127.0.0.1:{instance.port}/gateway"
            found.append(await stack.enter_async_context(world_on(instance.url, gateway)))
            found[-1].share_people(found[0])
        yield found


def log_of(instance: Instance) -> str:
    """Return what an instance has logged since it was last asked."""
    with instance.log.open("r+") as log:
        text = log.read()
        log.truncate(0)
    return text


async def test_servers_survive_faults_of_postgres(ground: Ground, worlds: list[World]) -> None:
    postgres, pids = ground.postgres, ground.pids
    guild = await worlds[0].guild(owner="alice")
    path = f"/channels/{guild.general.id}/messages"
    clients = [client for world in worlds for client in await world.online("alice")]
    await ground.becomes("ok")
    for instance in ground.instances:
        log_of(instance)
    for end in (postgres.stop, postgres.kill):
        stop = asyncio.Event()
        # So that requests hold connections at the moment of the fault.
        asking = [asyncio.create_task(_ask(world, path, stop)) for world in worlds * 2]
        await asyncio.to_thread(end)
        await ground.becomes("unavailable")
        # Long enough for several attempts to renew the lease of the WORKER_ID.
        await asyncio.sleep(2)
        await asyncio.to_thread(postgres.start)
        await ground.becomes("ok")
        stop.set()
        for status in {status for seen in await asyncio.gather(*asking) for status in seen}:
            assert status in (200, 503)
        assert ground.pids == pids
    for world in worlds:
        sent = await world.rest("alice").post(path, {"content": "after"})
        for client in clients:
            while (await client.next("MESSAGE_CREATE")).d["id"] != sent["id"]:
                pass
    for instance in ground.instances:
        log = log_of(instance)
        assert "Traceback" not in log
        assert log.count("database unavailable") == 2


async def test_servers_survive_faults_of_redis(ground: Ground, worlds: list[World]) -> None:
    valkey, pids = ground.valkey, ground.pids
    # A guild for each server: what one writes alone is a gap for the other one.
    guilds = [await world.guild(owner="alice") for world in worlds]
    paths = [f"/channels/{guild.general.id}/messages" for guild in guilds]
    for end in (valkey.stop, valkey.kill):
        await ground.becomes("ok")
        clients = [(await world.online("alice"))[0] for world in worlds]
        await asyncio.to_thread(end)
        await ground.becomes("degraded")
        for world, client, path in zip(worlds, clients, paths, strict=True):
            sent = await world.rest("alice").post(path, {"content": "alone"})
            assert (await client.next("MESSAGE_CREATE")).d["id"] == sent["id"]
        await asyncio.to_thread(valkey.start)
    await ground.becomes("ok")
    assert ground.pids == pids
    for instance in ground.instances:
        assert "Traceback" not in log_of(instance)


@pytest.mark.parametrize("ground", ["tcp"], indirect=True)
async def test_server_exits_with_a_message_when_its_worker_id_is_taken(ground: Ground) -> None:
    instance = ground.instances[0]

    def take() -> None:
        connection = psycopg2.connect(ground.postgres.url_of("chatd"))
        with connection, connection.cursor() as cur:
            cur.execute("UPDATE workers SET holder = 'another' WHERE id = 5")
        connection.close()

    await asyncio.to_thread(take)
    async with asyncio.timeout(_TIMEOUT_S):
        while instance.is_running:
            await asyncio.sleep(0.05)
    log = log_of(instance)
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
