"""What one address, one account and all sessions may take up; and many who come at once."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Awaitable, Callable
from ipaddress import ip_network

import orjson
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from chatd.gateway.frames import Dispatch
from tests.conftest import ServeMore, Server
from tests.gateway.test_resume_and_loss import caught_up, refused, say
from tests.rest.test_cost import statements
from tests.world import PATIENCE_S, WITHOUT_PRESENCES, World, world_on

__all__ = ["statements"]  # a fixture


async def opens(server: Server, **headers: str) -> bool:
    """Whether one more socket can be opened; it is closed again."""
    try:
        async with connect(server.gateway_url, additional_headers=headers):
            return True
    except InvalidStatus as refused:
        assert refused.response.status_code == 429
        body = orjson.loads(refused.response.body or b"")
        assert body["message"] == "Too many connections from your address."
        assert 0 < body["retry_after"] <= float(refused.response.headers["Retry-After"]) <= 60
        return False


async def refuses(server: Server) -> bool:
    """Whether no more sockets can be opened."""
    return not await opens(server)


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    """Wait for what the server notices in its own time."""
    async with asyncio.timeout(PATIENCE_S):
        while not await condition():
            await asyncio.sleep(0.01)


async def test_an_address_has_so_many_sockets(serve_more: ServeMore) -> None:
    async with serve_more(worker_id=21, sockets_per_address=2) as server:
        async with connect(server.gateway_url), connect(server.gateway_url) as second:
            assert not await opens(server)
            second.transport.abort()
            await until(lambda: opens(server))
        await until(lambda: opens(server))


async def test_an_address_that_floods_has_to_wait(serve_more: ServeMore) -> None:
    async with serve_more(worker_id=21, sockets_per_address=100) as server:
        for _ in range(30):
            assert await opens(server)
            async with connect(server.gateway_url) as socket:
                await socket.send("no JSON")
                await socket.wait_closed()
        await until(lambda: refuses(server))


async def test_clients_behind_a_proxy_are_counted_apart(serve_more: ServeMore) -> None:
    proxies = (ip_network("127.0.0.0/8"),)
    async with serve_more(worker_id=21, sockets_per_address=1, trusted_proxies=proxies) as here:
        one = {"X-Forwarded-For": "192.0.2.1"}
        async with connect(here.gateway_url, additional_headers=one):
            assert not await opens(here, **one)
            assert await opens(here, **{"X-Forwarded-For": "192.0.2.2"})


async def test_an_account_has_so_many_sessions(serve_more: ServeMore) -> None:
    async with (
        serve_more(worker_id=21, sessions_per_user=2) as server,
        world_on(server.url, server.gateway_url) as world,
    ):
        first, second = await world.online("alice", "alice")
        alice = await world.person("alice")
        third = await world.socket()
        await third.send(2, {"token": alice.token, "properties": {}})
        assert await third.closed() == 4008
        await world.online("bob")  # others are not kept out

        await first.cut()

        async def comes_in() -> bool:
            client = await world.socket()
            await client.send(2, {"token": alice.token, "properties": {}, "intents": 1})
            try:
                await client.next("READY")
            except AssertionError:
                assert client.close_code == 4008
                return False
            return True

        await until(comes_in)
        await refused(await world.resumed("alice", first))
        await second.cut()
        assert await caught_up(await world.resumed("alice", second)) == []


async def test_sessions_that_wait_make_room_when_much_is_to_be_replayed(
    serve_more: ServeMore,
) -> None:
    gc.collect()
    limit = Dispatch.living_bytes + 2**19

    async def is_less() -> bool:
        return Dispatch.living_bytes <= limit

    async with (
        serve_more(worker_id=21, replay_max_bytes=limit) as server,
        world_on(server.url, server.gateway_url) as world,
    ):
        loud = await world.guild(owner="alice", members=["bob"])
        await world.guild(owner="carol", members=["dave"])
        bob, dave, alice = await world.online("bob", "dave", "alice")
        await bob.cut()
        await dave.cut()
        await say(world, loud, *["文" * 2000] * 100)  # 6 KB each
        await until(is_less)
        for name, waiting in (("bob", bob), ("dave", dave)):
            await refused(await world.resumed(name, waiting))
        await alice.cut()
        assert await caught_up(await world.resumed("alice", alice)) == []  # she has heard all
        alice.seq = 2  # or has not
        await refused(await world.resumed("alice", alice))


async def test_many_come_at_once(serve_more: ServeMore) -> None:
    async with (
        serve_more(worker_id=21, database_max_connections=3) as server,
        world_on(server.url, server.gateway_url) as world,
    ):
        guild = await world.guild(owner="alice", members=["bob", "carol"])
        clients = [await world.socket() for _ in range(90)]
        people = await world.people("alice", "bob", "carol")

        async def come(number: int) -> None:
            token = people[number % 3].token
            await clients[number].identify(token, intents=WITHOUT_PRESENCES)

        async with asyncio.TaskGroup() as tasks:
            coming = [tasks.create_task(come(number)) for number in range(90)]
            answers = 0
            while not all(each.done() for each in coming):
                assert await guild.owner.rest.get(f"/guilds/{guild.id}")
                answers += 1
        assert answers > 15, "others had to wait until all were in"
        [said] = await say(world, guild, "hello")
        for client in clients:
            assert (await client.next("MESSAGE_CREATE")).d["id"] == said


async def test_many_resume_at_once(world: World, statements: list[str]) -> None:
    """Nothing is read from Postgres for it, however many come."""
    guild = await world.guild(owner="alice", members=["bob", "carol"])
    names = ["alice", "bob", "carol"] * 25
    before = await world.online(*names)
    for client in before:
        await client.cut()
    missed = await say(world, guild, "missed", "missed too")
    statements.clear()
    back = await asyncio.gather(*map(world.resumed, names, before))
    for client in back:
        assert await caught_up(client) == missed
    assert statements == []
    await guild.owner.rest.get(f"/guilds/{guild.id}")
    assert statements  # they are counted
