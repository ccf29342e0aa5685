"""After which close codes a session goes on, and after which its client has to begin anew."""

from __future__ import annotations

import base64
import os
from collections.abc import Awaitable, Callable

import aiohttp
import pytest
from websockets.asyncio.client import connect

from tests.conftest import ServeMore
from tests.gateway.test_resume_and_loss import caught_up, refused, say
from tests.world import Client, World, world_on

Offence = Callable[[World, Client], Awaitable[None]]


async def unknown_opcode(_: World, client: Client) -> None:
    await client.send(99, None)


async def no_json(_: World, client: Client) -> None:
    await client.send_raw("{")


async def too_large(_: World, client: Client) -> None:
    await client.send_raw(" " * 4097)


async def too_many(_: World, client: Client) -> None:
    for _number in range(121):
        await client.send(1, None)


async def identify_again(world: World, client: Client) -> None:
    await client.send(2, {"token": (await world.person("bob")).token, "properties": {}})


async def resume_again(world: World, client: Client) -> None:
    session = {"session_id": client.ready["session_id"], "seq": client.seq}
    await client.send(6, {"token": (await world.person("bob")).token, **session})


async def heartbeat_from_the_future(_: World, client: Client) -> None:
    await client.send(1, client.seq + 1)


@pytest.mark.parametrize(
    ("offence", "code"),
    [(unknown_opcode, 4001), (no_json, 4002), (too_large, 4002), (too_many, 4008)],
)
async def test_a_session_that_goes_on(world: World, offence: Offence, code: int) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    [bob] = await world.online("bob")
    await offence(world, bob)
    assert await bob.closed() == code
    missed = await say(world, guild, "missed")
    assert await caught_up(await world.resumed("bob", bob)) == missed


@pytest.mark.parametrize(
    ("offence", "code"),
    [(identify_again, 4005), (resume_again, 4005), (heartbeat_from_the_future, 4007)],
)
async def test_a_session_that_is_over(world: World, offence: Offence, code: int) -> None:
    [bob] = await world.online("bob")
    await offence(world, bob)
    assert await bob.closed() == code
    again = await world.resumed("bob", bob)
    await refused(again)
    await again.identify((await world.person("bob")).token)  # on the same socket


async def test_who_resumes_from_the_future_begins_anew(world: World) -> None:
    [bob] = await world.online("bob")
    await bob.cut()
    bob.seq += 1
    future = await world.resumed("bob", bob)
    assert await future.closed() == 4007
    bob.seq -= 1
    await refused(await world.resumed("bob", bob))


async def test_who_sent_no_heartbeat_goes_on(serve_more: ServeMore) -> None:
    async with (
        serve_more(worker_id=3, heartbeat_interval_ms=300) as server,
        world_on(server.url, server.gateway_url) as world,
    ):
        guild = await world.guild(owner="alice", members=["bob"])
        [bob] = await world.online("bob")
        assert await bob.closed() == 4009
        missed = await say(world, guild, "missed")
        assert await caught_up(await world.resumed("bob", bob)) == missed


@pytest.mark.parametrize("op", [0, 5, 7, 9, 10, 11, 12, 13])
async def test_what_only_a_server_says_or_nobody(world: World, op: int) -> None:
    client = await world.socket()
    await client.send(op, {})
    assert await client.closed() == 4001


@pytest.mark.parametrize(
    "offer", ["permessage-deflate", "permessage-deflate; client_max_window_bits"]
)
async def test_no_extension_is_agreed_on(world: World, offer: str) -> None:
    """What browsers offer; a frame that is compressed all the same breaks the protocol."""
    async with connect(world.gateway_url, compression="deflate") as socket:
        assert socket.protocol.extensions == []
    key = base64.b64encode(os.urandom(16)).decode()
    headers = {"Sec-WebSocket-Extensions": offer, "Sec-WebSocket-Key": key}
    headers |= {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13"}
    url = world.gateway_url.replace("ws", "http", 1)
    async with aiohttp.ClientSession() as http, http.get(url, headers=headers) as answer:
        assert answer.status == 101
        assert "Sec-WebSocket-Extensions" not in answer.headers
