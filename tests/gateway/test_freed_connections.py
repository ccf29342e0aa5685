"""A gateway connection that ends frees its buffers at once, without the garbage collector."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from tests.helpers import user_clients
from tests.helpers.cycles import left_in_cycles
from tests.world import Client, World

End = Callable[[Client], Awaitable[object]]


async def leave(client: Client) -> None:
    await client.leave()


async def cut(client: Client) -> None:
    await client.cut()


async def send_invalid_json(client: Client) -> None:
    await client.send_raw("{")
    assert await client.closed() == 4002


async def send_large_payload(client: Client) -> None:
    await client.send_raw(" " * 20_000)
    assert await client.closed() == 4002


async def send_huge_message(client: Client) -> None:
    await client.send_raw(" " * 70_000)
    assert await client.closed() == 1009


async def identify_again(client: Client) -> None:
    await client.send(2, {"token": "invalid", "properties": {}})
    assert await client.closed() == 4005


async def send_too_many(client: Client) -> None:
    for _ in range(121):
        await client.send_raw_parts('{"op": 1, "d": null}')
    assert await client.closed() == 4008


ENDS = [
    leave,
    cut,
    send_invalid_json,
    send_large_payload,
    send_huge_message,
    identify_again,
    send_too_many,
]


@pytest.mark.parametrize("end", ENDS)
async def test_ended_connection_leaves_no_cycles(world: World, end: End) -> None:
    await world.guild(owner="alice", members=["bob"])

    async def act() -> None:
        [bob] = await world.online("bob")
        await end(bob)

    assert await left_in_cycles(act) == []


@pytest.mark.parametrize("query", ["", "?compress=zlib-stream", "?compress=zstd-stream"])
async def test_connection_without_identify_leaves_no_cycles(world: World, query: str) -> None:
    async def act() -> None:
        async with connect(world.gateway_url + query, compression=None) as socket:
            await socket.recv()

    assert await left_in_cycles(act) == []


@pytest.mark.parametrize("compress", ["zlib-stream", "zstd-stream"])
async def test_compressed_session_leaves_no_cycles(world: World, compress: str) -> None:
    token = (await world.person("bob")).token
    identify = f'{{"op": 2, "d": {{"token": "{token}", "properties": {{}}}}}}'

    async def act() -> None:
        url = f"{world.gateway_url}?compress={compress}"
        async with connect(url, compression=None) as socket:
            await socket.recv()
            await socket.send(identify)
            await socket.recv()
            socket.transport.abort()

    assert await left_in_cycles(act) == []


@pytest.mark.parametrize("query", ["?v=3", "?encoding=etf", "?compress=no-such"])
async def test_refused_version_leaves_no_cycles(world: World, query: str) -> None:
    async def act() -> None:
        async with connect(world.gateway_url + query, compression=None) as socket:
            with pytest.raises(ConnectionClosed):
                await socket.recv()

    assert await left_in_cycles(act) == []


async def test_refused_identify_leaves_no_cycles(world: World) -> None:
    async def act() -> None:
        client = await world.socket()
        await client.send(2, {"token": "invalid", "properties": {}})
        assert await client.closed() == 4004

    assert await left_in_cycles(act) == []


async def test_command_before_identify_leaves_no_cycles(world: World) -> None:
    async def act() -> None:
        client = await world.socket()
        await client.send(8, {"guild_id": "1", "query": "", "limit": 0})
        assert await client.closed() == 4003

    assert await left_in_cycles(act) == []


async def test_resumed_session_leaves_no_cycles(world: World) -> None:
    async def act() -> None:
        [bob] = await world.online("bob")
        await bob.cut()
        back = await world.resumed("bob", bob)
        await back.next("RESUMED")
        await back.cut()

    assert await left_in_cycles(act) == []


async def test_invalid_session_leaves_no_cycles(world: World) -> None:
    bob = await world.person("bob")

    async def act() -> None:
        client = await world.socket()
        await client.send(6, {"token": bob.token, "session_id": "none", "seq": 1})
        await client.next_op(9)
        await client.leave()

    assert await left_in_cycles(act) == []


async def test_member_request_and_delivery_leave_no_cycles(world: World) -> None:
    guild = await world.guild(owner="alice", members=["bob"])

    async def act() -> None:
        [bob] = await world.online("bob")
        await bob.send(8, {"guild_id": guild.id, "query": "", "limit": 0})
        await bob.next("GUILD_MEMBERS_CHUNK")
        path = f"/channels/{guild.general.id}/messages"
        await guild.owner.rest.post(path, {"content": "hello"})
        await bob.next("MESSAGE_CREATE")
        await bob.send(1, bob.seq)
        await bob.cut()

    assert await left_in_cycles(act) == []


async def test_client_of_a_person_leaves_no_cycles(world: World) -> None:
    await world.guild(owner="alice", members=["bob"])

    async def act() -> None:
        client = await user_clients.connect(world, "bob")
        await client.cut()

    assert await left_in_cycles(act) == []
