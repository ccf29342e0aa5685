"""Limits per address, account and instance, and many clients that connect at once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from ipaddress import ip_network

import orjson
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from chatd.gateway.handler import GATEWAY
from chatd.queries import logins
from tests.conftest import ServeMore, Server
from tests.helpers.gateway import expect_invalid_session, replayed_messages, send_messages
from tests.world import TIMEOUT_S, WITHOUT_PRESENCES, World, world_on


async def opens(server: Server, **headers: str) -> bool:
    """Open and close a socket; return whether that was possible."""
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
    """Return whether no socket can be opened."""
    return not await opens(server)


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    """Wait until a condition holds that the server fulfills asynchronously."""
    async with asyncio.timeout(TIMEOUT_S):
        while not await condition():
            await asyncio.sleep(0.01)


async def test_sockets_per_address_are_limited(serve_more: ServeMore) -> None:
    async with serve_more(worker_id=21, sockets_per_address=2) as server:
        async with connect(server.gateway_url), connect(server.gateway_url) as second:
            assert not await opens(server)
            second.transport.abort()
            await until(lambda: opens(server))
        await until(lambda: opens(server))


async def test_address_with_many_abuse_disconnects_is_blocked(serve_more: ServeMore) -> None:
    async with serve_more(worker_id=21, sockets_per_address=100) as server:
        for _ in range(30):
            assert await opens(server)
            async with connect(server.gateway_url) as socket:
                await socket.send("no JSON")
                await socket.wait_closed()
        await until(lambda: refuses(server))


async def test_account_with_many_abuse_disconnects_blocks_only_itself(
    serve_more: ServeMore,
) -> None:
    async with (
        serve_more(worker_id=21, sockets_per_address=100) as server,
        world_on(server.url, server.gateway_url) as world,
    ):
        mallory = await world.person("mallory")
        [kept] = await world.online("mallory")
        for number in range(30):
            if number % 2:
                client = await world.socket()
                await client.identify(mallory.token, intents=0)
            else:
                await kept.cut()
                client = kept = await world.resumed("mallory", kept)
                await client.next("RESUMED")
            await client.send_raw("no JSON")
            assert await client.closed() == 4002
        # The account can neither identify nor resume; its session still exists.
        client = await world.socket()
        await client.send(2, {"token": mallory.token, "properties": {}, "intents": 0})
        assert await client.closed() == 4008
        client = await world.resumed("mallory", kept)
        assert await client.closed() == 4008
        # Other accounts of the same address, and clients without an account, can connect.
        await world.online("alice", "bob")
        assert await opens(server)


async def test_clients_behind_a_trusted_proxy_are_counted_by_their_own_address(
    serve_more: ServeMore,
) -> None:
    proxies = (ip_network("127.0.0.0/8"),)
    async with serve_more(worker_id=21, sockets_per_address=1, trusted_proxies=proxies) as here:
        header = {"X-Forwarded-For": "192.0.2.1"}
        async with connect(here.gateway_url, additional_headers=header):
            assert not await opens(here, **header)
            assert await opens(here, **{"X-Forwarded-For": "192.0.2.2"})


async def test_sessions_per_account_are_limited(serve_more: ServeMore) -> None:
    async with (
        serve_more(worker_id=21, sessions_per_user=2) as server,
        world_on(server.url, server.gateway_url) as world,
    ):
        first, second = await world.online("alice", "alice")
        alice = await world.person("alice")
        third = await world.socket()
        await third.send(2, {"token": alice.token, "properties": {}})
        assert await third.closed() == 4008
        await world.online("bob")  # other accounts are not limited

        await first.cut()

        async def can_identify() -> bool:
            client = await world.socket()
            await client.send(2, {"token": alice.token, "properties": {}, "intents": 1})
            try:
                await client.next("READY")
            except AssertionError:
                assert client.close_code == 4008
                return False
            return True

        await until(can_identify)
        await expect_invalid_session(await world.resumed("alice", first))
        await second.cut()
        assert await replayed_messages(await world.resumed("alice", second)) == []


async def test_detached_sessions_are_dropped_when_replay_buffers_exceed_their_budget(
    serve_more: ServeMore,
) -> None:
    async with (
        serve_more(worker_id=21, replay_max_bytes=2**19) as server,
        world_on(server.url, server.gateway_url) as world,
    ):
        assert server.runner.app is not None
        replay_budget = server.runner.app[GATEWAY].hub.replay_budget

        async def is_within_budget() -> bool:
            return not replay_budget.is_exceeded

        busy = await world.guild(owner="alice", members=["bob"])
        await world.guild(owner="carol", members=["dave"])
        bob, dave, alice = await world.online("bob", "dave", "alice")
        await bob.cut()
        await dave.cut()
        await send_messages(world, busy, *["文" * 2000] * 100)  # 6 KB each
        await until(is_within_budget)
        for name, detached in (("bob", bob), ("dave", dave)):
            await expect_invalid_session(await world.resumed(name, detached))
        await alice.cut()
        back = await world.resumed("alice", alice)  # from the last number
        assert await replayed_messages(back) == []
        alice.seq = 2  # from before the buffer was cleared
        await expect_invalid_session(await world.resumed("alice", alice))


async def test_account_with_many_sessions_does_not_end_those_of_others(
    serve_more: ServeMore,
) -> None:
    async with (
        serve_more(worker_id=21, replay_max_bytes=2**19) as server,
        world_on(server.url, server.gateway_url) as world,
    ):
        replay_budget = server.runner.app[GATEWAY].hub.replay_budget

        async def is_within_budget() -> bool:
            return not replay_budget.is_exceeded

        busy = await world.guild(owner="mallory")
        await world.guild(owner="carol", members=["dave"])
        [dave, *many] = await world.online("dave", *["mallory"] * 12)
        await dave.cut()
        await many[0].cut()
        await send_messages(world, busy, *["文" * 2000] * 100)  # 6 KB each
        await until(is_within_budget)
        assert await replayed_messages(await world.resumed("dave", dave)) == []
        await many[1].cut()
        many[1].seq = 2  # from before the buffer was cleared
        await expect_invalid_session(await world.resumed("mallory", many[1]))


async def test_other_requests_are_served_while_many_clients_identify(serve_more: ServeMore) -> None:
    async with (
        serve_more(worker_id=21, database_max_connections=3) as server,
        world_on(server.url, server.gateway_url) as world,
    ):
        guild = await world.guild(owner="alice", members=["bob", "carol"])
        clients = [await world.socket() for _ in range(90)]
        people = await world.people("alice", "bob", "carol")

        async def identify(number: int) -> None:
            token = people[number % 3].token
            await clients[number].identify(token, intents=WITHOUT_PRESENCES)

        async with asyncio.TaskGroup() as tasks:
            identifying = [tasks.create_task(identify(number)) for number in range(90)]
            answers = 0
            while not all(each.done() for each in identifying):
                assert await guild.owner.rest.get(f"/guilds/{guild.id}")
                answers += 1
        assert answers > 15, "requests waited until all clients had identified"
        [sent] = await send_messages(world, guild, "hello")
        for client in clients:
            assert (await client.next("MESSAGE_CREATE")).d["id"] == sent


async def test_many_resumes_are_validated_in_few_statements(
    world: World, statements: list[str]
) -> None:
    """One statement validates many resumes, and they need no other statement."""
    guild = await world.guild(owner="alice", members=["bob", "carol"])
    names = ["alice", "bob", "carol"] * 25
    before = await world.online(*names)
    for client in before:
        await client.cut()
    missed = await send_messages(world, guild, "missed", "missed too")
    statements.clear()
    back = await asyncio.gather(*map(world.resumed, names, before))
    for client in back:
        assert await replayed_messages(client) == missed
    check = " ".join(logins._VALID_LOGINS_AND_POSITIONS.execute.split())[:60]
    assert set(statements) == {check}
    assert len(statements) < len(names)
    statements.clear()
    await guild.owner.rest.get(f"/guilds/{guild.id}")
    assert statements  # statements are recorded
