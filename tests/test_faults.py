"""Faults of Redis and Postgres: what clients see, and that instances recover by themselves."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import psycopg2
import pytest

from chatd.config import Config
from chatd.embedded.postgres import Postgres
from chatd.embedded.valkey import Valkey
from chatd.services.accounts import authentication
from tests.conftest import ServeMore, Server, serving
from tests.helpers.health import health_becomes
from tests.helpers.proxy import Proxy
from tests.helpers.servers import migrated_postgres_over, valkey_over
from tests.world import PASSWORD, Client, World, like, world_on


@dataclass(frozen=True)
class Site:
    """Two instances, and their own Postgres and Valkey."""

    postgres: Postgres
    valkey: Valkey
    one: World
    two: World
    config: Config


@dataclass(frozen=True)
class Servers:
    """What the tests of one transport share."""

    postgres: Postgres
    valkey: Valkey
    first: Server
    second: Server


@pytest.fixture(scope="module", params=["unix", "tcp"])
async def servers(
    request: pytest.FixtureRequest, config: Config, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Servers]:
    folder, transport = tmp_path_factory.mktemp("faults"), request.param
    with (
        migrated_postgres_over(transport, folder) as (postgres, url),
        valkey_over(transport, folder) as valkey,
    ):
        own = replace(config, database_url=url, redis_url=valkey.url, database_max_connections=4)
        async with (
            serving(replace(own, worker_id=1)) as first,
            serving(replace(own, worker_id=2)) as second,
        ):
            yield Servers(postgres, valkey, first, second)


@pytest.fixture
async def site(servers: Servers) -> AsyncIterator[Site]:
    """The two instances without a fault, and people of the test on them."""
    for server in (servers.first, servers.second):
        await health_becomes(server.url, status="ok")
    async with world_of(servers.first) as one, world_of(servers.second) as two:
        two.share_people(one)
        yield Site(servers.postgres, servers.valkey, one, two, servers.second.config)


def world_of(server: Server) -> AbstractAsyncContextManager[World]:
    return world_on(server.url, server.gateway_url)


async def ready(world: World, status: str) -> None:
    """Wait until an instance reports a status."""
    await health_becomes(world.url, status=status)


async def received_or_invalidated(client: Client, message_id: str) -> str:
    """Wait until a client receives a message or INVALID_SESSION. Return which one it was.

    The timeout is long: an instance needs seconds to detect an unresponsive Redis, and a gap.
    """
    event = await client.next_or_invalid_session("MESSAGE_CREATE", within_s=60)
    if event is not None:
        assert event.d["id"] == message_id
        return "received"
    assert (await client.next_op(9))["d"] is False
    return "invalidated"


async def test_instance_serves_without_redis_and_recovers(site: Site) -> None:
    guild = await site.one.guild(owner="alice", members=["bob"])
    path = f"/channels/{guild.general.id}/messages"
    [alice] = await site.one.online("alice")
    [bob] = await site.two.online("bob")
    await ready(site.one, "ok")
    await asyncio.to_thread(site.valkey.stop)
    await ready(site.one, "degraded")
    assert (await site.one.anonymous.call("GET", "/health/ready")).status == 200
    sent = await site.one.rest("alice").post(path, {"content": "still here"})
    assert [each.d["id"] for each in await alice.received_before_fence()] == [sent["id"]]
    await asyncio.to_thread(site.valkey.start)
    await ready(site.one, "ok")
    await ready(site.two, "ok")
    assert await received_or_invalidated(bob, sent["id"]) in ("received", "invalidated")
    [stored] = await site.two.rest("bob").get(path)
    assert stored["id"] == sent["id"]
    [bob_again] = await site.two.online("bob")
    after = await site.one.rest("alice").post(path, {"content": "and back"})
    assert (await bob_again.next("MESSAGE_CREATE")).d["id"] == after["id"]


async def test_emptied_redis_hides_no_lost_event(site: Site) -> None:
    guild = await site.one.guild(owner="alice", members=["bob"])
    path = f"/channels/{guild.general.id}/messages"
    [bob] = await site.two.online("bob")
    await asyncio.to_thread(site.valkey.kill)
    sent = await site.one.rest("alice").post(path, {"content": "while Redis is down"})
    await asyncio.to_thread(site.valkey.start)
    assert await received_or_invalidated(bob, sent["id"]) in ("received", "invalidated")


async def test_missing_event_invalidates_the_session(site: Site) -> None:
    guild = await site.one.guild(owner="alice", members=["bob"])
    [bob] = await site.two.online("bob")
    await asyncio.to_thread(lose_an_event, site.postgres, guild.id)
    assert (await bob.next_op(9))["d"] is False
    await bob.identify((await site.two.person("bob")).token)
    sent = await site.one.rest("alice").post(
        f"/channels/{guild.general.id}/messages", {"content": "hi"}
    )
    assert (await bob.next("MESSAGE_CREATE")).d["id"] == sent["id"]


def lose_an_event(postgres: Postgres, guild_id: str) -> None:
    """Advance a stream like an instance that is killed between commit and publishing."""
    connection = psycopg2.connect(postgres.url_of("chatd"))
    with connection, connection.cursor() as cur:
        cur.execute("UPDATE streams SET seq = seq + 1 WHERE id = %s", (int(guild_id),))
    connection.close()


async def test_without_postgres_requests_fail_at_once_and_sockets_stay_open(site: Site) -> None:
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
    assert (await site.one.anonymous.call("GET", "/health/ready")).status == 503
    assert (await site.one.anonymous.call("GET", "/health")).status == 200
    assert await bob.received_before_fence() == []
    await asyncio.to_thread(site.postgres.start)
    await ready(site.one, "ok")
    after = await rest.post(path, {"content": "after"})
    assert (await bob.next("MESSAGE_CREATE")).d["id"] == after["id"]
    contents = [message["content"] for message in await rest.get(path)]
    assert contents == ["after", "before"]


async def test_read_only_postgres_counts_as_unavailable(site: Site) -> None:
    """A standby after a failover, and a server with a full disk, allow reads but no writes."""
    guild = await site.one.guild(owner="alice", members=["bob"])
    path = f"/channels/{guild.general.id}/messages"
    rest, email = site.one.rest("alice"), (await site.one.person("alice")).email
    [bob] = await site.one.online("bob")
    async with read_only(site):
        for method, where, body in (
            ("POST", path, {"content": "lost?"}),
            ("PATCH", f"/guilds/{guild.id}", {"name": "another"}),
            ("PUT", f"/users/@me/relationships/{bob.ready['user']['id']}", {}),
            ("POST", "/auth/login", {"email": email, "password": PASSWORD}),
        ):
            answer = await rest.call(method, where, body)
            assert (answer.status, answer.json) == (503, like(code=0)), (method, where)
        assert await rest.get(path) == []
        assert await bob.received_before_fence() == []
    after = await rest.post(path, {"content": "after"})
    assert (await bob.next("MESSAGE_CREATE")).d["id"] == after["id"]


async def test_read_only_postgres_serves_reads_of_callers_that_are_not_cached(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not even the use of a login is recorded, which is done once an hour."""
    monkeypatch.setattr(authentication, "_CACHE_TTL_S", 0.0)
    guild = await site.one.guild(owner="alice", members=["bob"])
    rest = site.one.rest("alice")
    await rest.post(f"/channels/{guild.general.id}/messages", {"content": "before"})
    await asyncio.to_thread(age_logins, site.postgres)
    async with read_only(site):
        for path in (
            "/users/@me",
            "/users/@me/guilds",
            f"/guilds/{guild.id}/channels",
            f"/guilds/{guild.id}/members",
            f"/channels/{guild.general.id}/messages",
        ):
            assert await rest.get(path), path
        [bob] = await site.one.online("bob")
        assert bob.ready["guilds"] == [like(id=guild.id)]


def age_logins(postgres: Postgres) -> None:
    """Move the last use of each login into the past, so that its next use is recorded."""
    connection = psycopg2.connect(postgres.url_of("chatd"))
    with connection, connection.cursor() as cur:
        cur.execute("UPDATE logins SET last_used_at = last_used_at - interval '2 hours'")
    connection.close()


@asynccontextmanager
async def read_only(site: Site) -> AsyncIterator[None]:
    """Let Postgres refuse writes while the context is open."""
    await asyncio.to_thread(set_read_only, site.postgres, is_read_only=True)
    try:
        await ready(site.one, "unavailable")
        yield
    finally:
        await asyncio.to_thread(set_read_only, site.postgres, is_read_only=False)
    await ready(site.one, "ok")


def set_read_only(postgres: Postgres, *, is_read_only: bool) -> None:
    """Make Postgres refuse or accept writes."""
    connection = psycopg2.connect(postgres.url, options="-c default_transaction_read_only=off")
    connection.autocommit = True
    change = "SET default_transaction_read_only = on" if is_read_only else "RESET ALL"
    with connection.cursor() as cur:
        cur.execute(f"ALTER SYSTEM {change}")
        cur.execute("SELECT pg_reload_conf()")
    connection.close()


async def test_unresponsive_redis_hides_no_lost_event(site: Site) -> None:
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
    site.valkey.resume()
    assert await received_or_invalidated(bob, sent["id"]) in ("received", "invalidated")
    for world in (site.one, site.two):
        await ready(world, "ok")
    [bob_again] = await site.two.online("bob")
    after = await site.one.rest("alice").post(path, {"content": "and back"})
    for client in (alice, bob_again):
        assert (await client.next("MESSAGE_CREATE")).d["id"] == after["id"]


@pytest.mark.parametrize("how", ["cut", "swallow"])
async def test_instance_disconnected_from_redis_misses_no_event_silently(
    config: Config, valkey: Valkey, serve_more: ServeMore, tmp_path: Path, how: str
) -> None:
    """Messages of both instances reach all sessions, or the sessions are invalidated."""
    path_here = tmp_path / "wire"
    wire = Proxy(path_here, Path(valkey.url.removeprefix("unix://")))
    async with (
        wire.forwarding(),
        serve_more(worker_id=30, redis_url=f"unix://{path_here}") as alone,
        serve_more(worker_id=31) as server,
        world_of(alone) as here,
        world_of(server) as there,
    ):
        there.share_people(here)
        guild = await here.guild(owner="alice", members=["bob"])
        path = f"/channels/{guild.general.id}/messages"
        [alice], [bob] = await here.online("alice"), await there.online("bob")
        (wire.cut if how == "cut" else wire.stall)()
        sent = [
            (await here.rest("alice").post(path, {"content": "alone"}))["id"],
            (await there.rest("bob").post(path, {"content": "with the others"}))["id"],
        ]
        await ready(here, "degraded")
        wire.restore()
        for client in (alice, bob):
            for message_id in sent:
                if await received_or_invalidated(client, message_id) == "invalidated":
                    break
        await ready(here, "ok")
        clients = [*await here.online("alice"), *await there.online("bob")]
        last = await there.rest("bob").post(path, {"content": "together"})
        for client in clients:
            assert (await client.next("MESSAGE_CREATE")).d["id"] == last["id"]


async def test_server_stops_in_time_while_redis_is_unresponsive(site: Site) -> None:
    async with AsyncExitStack() as stack:
        third = await stack.enter_async_context(serving(replace(site.config, worker_id=3)))
        world = await stack.enter_async_context(world_of(third))
        world.share_people(site.one)
        await site.one.guild(owner="alice", members=["bob"])
        [bob] = await world.online("bob")
        site.valkey.pause()
        try:
            async with asyncio.timeout(third.config.shutdown_timeout_s):
                await third.runner.cleanup()
        finally:
            site.valkey.resume()
        assert await bob.closed() == 1001
