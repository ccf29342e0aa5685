"""Faults: what users see while Redis or Postgres is away, and that it heals by itself."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import psycopg2
import pytest

from chatd import embedded, migrations
from chatd.config import Config
from tests.conftest import ServeMore, Server, serving
from tests.world import Client, World, like, world_on


@dataclass(frozen=True)
class Site:
    """Servers that may be broken, and two instances on them."""

    postgres: embedded.Postgres
    valkey: embedded.Valkey
    one: World
    two: World
    second: Server


@pytest.fixture
async def site(config: Config, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    folder = tmp_path_factory.mktemp("faults")
    with embedded.postgres(folder) as postgres, embedded.valkey(folder) as valkey:
        url = postgres.create("chatd")
        migrations.apply(url)
        own = replace(config, database_url=url, redis_url=valkey.url, database_max_connections=4)
        async with (
            serving(replace(own, worker_id=1)) as first,
            serving(replace(own, worker_id=2)) as second,
            world_of(first) as one,
            world_of(second) as two,
        ):
            two.meet(one)
            yield Site(postgres, valkey, one, two, second)


def world_of(server: Server) -> AbstractAsyncContextManager[World]:
    return world_on(server.url, server.gateway_url)


async def ready(world: World, status: str) -> None:
    """Wait until the instance says so of itself."""
    async with asyncio.timeout(15):
        while (await world.nobody.call("GET", "/health/ready")).json["status"] != status:
            await asyncio.sleep(0.02)


async def heard_or_told(client: Client, message_id: str) -> str:
    """Whether a client hears of a message, or is told to identify anew. One of both must be.

    To find out that a silent Redis is gone, and that something is missing, takes its time.
    """
    heard = await client.next_or_told("MESSAGE_CREATE", within_s=30)
    if heard is not None:
        assert heard.d["id"] == message_id
        return "heard"
    assert (await client.next_op(9))["d"] is False
    return "told"


async def test_without_redis_an_instance_serves_on_and_heals(site: Site) -> None:
    guild = await site.one.guild(owner="alice", members=["bob"])
    path = f"/channels/{guild.general.id}/messages"
    [alice] = await site.one.online("alice")
    [bob] = await site.two.online("bob")
    await ready(site.one, "ok")
    await asyncio.to_thread(site.valkey.stop)
    await ready(site.one, "degraded")
    assert (await site.one.nobody.call("GET", "/health/ready")).status == 200
    sent = await site.one.rest("alice").post(path, {"content": "still here"})
    assert [each.d["id"] for each in await alice.heard_before_fence()] == [sent["id"]]
    await asyncio.to_thread(site.valkey.start)
    await ready(site.one, "ok")
    await ready(site.two, "ok")
    assert await heard_or_told(bob, sent["id"]) in ("heard", "told")
    [stored] = await site.two.rest("bob").get(path)
    assert stored["id"] == sent["id"]
    [bob_again] = await site.two.online("bob")
    after = await site.one.rest("alice").post(path, {"content": "and back"})
    assert (await bob_again.next("MESSAGE_CREATE")).d["id"] == after["id"]


async def test_an_emptied_redis_hides_nothing(site: Site) -> None:
    guild = await site.one.guild(owner="alice", members=["bob"])
    path = f"/channels/{guild.general.id}/messages"
    [bob] = await site.two.online("bob")
    await asyncio.to_thread(site.valkey.kill)
    sent = await site.one.rest("alice").post(path, {"content": "into the void?"})
    await asyncio.to_thread(site.valkey.start)
    assert await heard_or_told(bob, sent["id"]) in ("heard", "told")


async def test_an_event_that_never_arrives_is_told(site: Site) -> None:
    guild = await site.one.guild(owner="alice", members=["bob"])
    [bob] = await site.two.online("bob")
    await asyncio.to_thread(lose_an_event, site.postgres, guild.id)
    assert (await bob.next_op(9))["d"] is False
    await bob.identify((await site.two.person("bob")).token)
    sent = await site.one.rest("alice").post(
        f"/channels/{guild.general.id}/messages", {"content": "hi"}
    )
    assert (await bob.next("MESSAGE_CREATE")).d["id"] == sent["id"]


def lose_an_event(postgres: embedded.Postgres, guild_id: str) -> None:
    """Count an event as an instance does that is killed between its commit and its publishing."""
    connection = psycopg2.connect(postgres.url_of("chatd"))
    with connection, connection.cursor() as cur:
        cur.execute("UPDATE streams SET seq = seq + 1 WHERE id = %s", (int(guild_id),))
    connection.close()


async def test_without_postgres_requests_are_refused_at_once_and_sockets_stay(site: Site) -> None:
    guild = await site.one.guild(owner="alice", members=["bob"])
    path = f"/channels/{guild.general.id}/messages"
    rest = site.one.rest("alice")
    [bob] = await site.one.online("bob")
    before = await rest.post(path, {"content": "before"})
    assert (await bob.next("MESSAGE_CREATE")).d["id"] == before["id"]
    await asyncio.to_thread(site.postgres.kill)
    await ready(site.one, "unavailable")
    for method, body in (("GET", None), ("POST", {"content": "lost?"})):
        answer = await rest.call(method, path, body)
        assert answer.status == 503
        assert answer.json == like(code=0)
    assert (await site.one.nobody.call("GET", "/health/ready")).status == 503
    assert (await site.one.nobody.call("GET", "/health")).status == 200
    assert await bob.heard_before_fence() == []
    await asyncio.to_thread(site.postgres.start)
    await ready(site.one, "ok")
    after = await rest.post(path, {"content": "after"})
    assert (await bob.next("MESSAGE_CREATE")).d["id"] == after["id"]
    contents = [message["content"] for message in await rest.get(path)]
    assert contents == ["after", "before"]


async def test_a_redis_that_hangs_hides_nothing(site: Site) -> None:
    guild = await site.one.guild(owner="alice", members=["bob"])
    path = f"/channels/{guild.general.id}/messages"
    [alice] = await site.one.online("alice")
    [bob] = await site.two.online("bob")
    site.valkey.pause()
    sent = await site.one.rest("alice").post(path, {"content": "still here"})
    assert (await alice.next("MESSAGE_CREATE")).d["id"] == sent["id"]
    for world in (site.one, site.two):
        await ready(world, "degraded")
    [stored] = await site.two.rest("bob").get(path)
    assert stored["id"] == sent["id"]
    site.valkey.go_on()
    assert await heard_or_told(bob, sent["id"]) in ("heard", "told")
    for world in (site.one, site.two):
        await ready(world, "ok")
    [bob_again] = await site.two.online("bob")
    after = await site.one.rest("alice").post(path, {"content": "and back"})
    for client in (alice, bob_again):
        assert (await client.next("MESSAGE_CREATE")).d["id"] == after["id"]


class Wire:
    """The way of one instance to Redis, which can be cut, or swallow everything."""

    def __init__(self, path: Path, target: Path) -> None:
        self.url = f"unix://{path}"
        self._path = path
        self._target = target
        self._tasks: set[asyncio.Task[None]] = set()
        self._passes = asyncio.Event()
        self._passes.set()
        self._is_cut = False

    @asynccontextmanager
    async def laid(self) -> AsyncIterator[Wire]:
        async with await asyncio.start_unix_server(self._serve, self._path):
            try:
                yield self
            finally:
                self.cut()

    def cut(self) -> None:
        """End all connections, and accept no more."""
        self._is_cut = True
        for task in self._tasks:
            task.cancel()

    def swallow(self) -> None:
        """Let nothing through, and say nothing."""
        self._passes.clear()

    def mend(self) -> None:
        """Be as before."""
        self._is_cut = False
        self._passes.set()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not self._is_cut:
            back, others = await asyncio.open_unix_connection(self._target)
            ways = {
                asyncio.create_task(self._carry(reader, others)),
                asyncio.create_task(self._carry(back, writer)),
            }
            self._tasks |= ways
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            for way in ways:
                way.cancel()
            self._tasks -= ways
            others.transport.abort()
        writer.transport.abort()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            await self._passes.wait()
            writer.write(data)


@pytest.mark.parametrize("how", ["cut", "swallow"])
async def test_an_instance_that_is_cut_off_alone(
    config: Config, valkey: embedded.Valkey, serve_more: ServeMore, tmp_path: Path, how: str
) -> None:
    """What it writes is heard there, what the others write too; or both sides are told."""
    wire = Wire(tmp_path / "wire", Path(valkey.url.removeprefix("unix://")))
    async with (
        wire.laid(),
        serve_more(worker_id=30, redis_url=wire.url) as alone,
        serve_more(worker_id=31) as server,
        world_of(alone) as here,
        world_of(server) as there,
    ):
        there.meet(here)
        guild = await here.guild(owner="alice", members=["bob"])
        path = f"/channels/{guild.general.id}/messages"
        [alice], [bob] = await here.online("alice"), await there.online("bob")
        (wire.cut if how == "cut" else wire.swallow)()
        sent = [
            (await here.rest("alice").post(path, {"content": "alone"}))["id"],
            (await there.rest("bob").post(path, {"content": "with the others"}))["id"],
        ]
        await ready(here, "degraded")
        wire.mend()
        for client in (alice, bob):
            for message_id in sent:
                if await heard_or_told(client, message_id) == "told":
                    break
        await ready(here, "ok")
        clients = [*await here.online("alice"), *await there.online("bob")]
        last = await there.rest("bob").post(path, {"content": "together"})
        for client in clients:
            assert (await client.next("MESSAGE_CREATE")).d["id"] == last["id"]


async def test_a_server_stops_in_time_while_redis_hangs(site: Site) -> None:
    await site.one.guild(owner="alice", members=["bob"])
    [bob] = await site.two.online("bob")
    site.valkey.pause()
    try:
        async with asyncio.timeout(site.second.config.shutdown_timeout_s):
            await site.second.runner.cleanup()
    finally:
        site.valkey.go_on()
    assert await bob.closed() == 1001
