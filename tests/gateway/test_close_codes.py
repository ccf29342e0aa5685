"""Close codes: after some of them a session can be resumed, after others it has ended."""

from __future__ import annotations

import base64
import os
from collections.abc import Awaitable, Callable

import aiohttp
import pytest
from websockets.asyncio.client import connect

from chatd.gateway.handler import GATEWAY
from chatd.gateway.protocol.parsing import MAX_PAYLOAD
from tests.conftest import ServeMore
from tests.helpers.gateway import expect_invalid_session, replayed_messages, send_messages
from tests.world import Client, World, world_on

Violation = Callable[[World, Client], Awaitable[None]]


async def invalid_json(_: World, client: Client) -> None:
    await client.send_raw("{")


async def too_large(_: World, client: Client) -> None:
    await client.send_raw(" " * (MAX_PAYLOAD + 1))


async def too_many(_: World, client: Client) -> None:
    for _number in range(121):
        await client.send(1, None)


async def test_client_may_send_120_payloads_a_minute_and_not_121(world: World) -> None:
    [bob] = await world.online("bob")  # IDENTIFY is the first payload
    for _number in range(119):
        await bob.send(1, None)
        assert (await bob.next_op(11))["op"] == 11
    await bob.send(1, None)
    assert await bob.closed() == 4008


async def identify_again(world: World, client: Client) -> None:
    await client.send(2, {"token": (await world.person("bob")).token, "properties": {}})


async def resume_again(world: World, client: Client) -> None:
    session = {"session_id": client.ready["session_id"], "seq": client.seq}
    await client.send(6, {"token": (await world.person("bob")).token, **session})


@pytest.mark.parametrize(
    ("violation", "code"),
    [(invalid_json, 4002), (too_large, 4002), (too_many, 4008)],
)
async def test_session_can_be_resumed_after_the_close_code(
    world: World, violation: Violation, code: int
) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    [bob] = await world.online("bob")
    await violation(world, bob)
    assert await bob.closed() == code
    missed = await send_messages(world, guild, "missed")
    assert await replayed_messages(await world.resumed("bob", bob)) == missed


@pytest.mark.parametrize(
    ("violation", "code"),
    [(identify_again, 4005), (resume_again, 4005)],
)
async def test_session_has_ended_after_the_close_code(
    world: World, violation: Violation, code: int
) -> None:
    [bob] = await world.online("bob")
    await violation(world, bob)
    assert await bob.closed() == code
    again = await world.resumed("bob", bob)
    await expect_invalid_session(again)
    await again.identify((await world.person("bob")).token)  # on the same socket


async def test_resume_above_the_sequence_ends_the_session(world: World) -> None:
    [bob] = await world.online("bob")
    await bob.cut()
    bob.seq += 1
    future = await world.resumed("bob", bob)
    assert await future.closed() == 4007
    bob.seq -= 1
    await expect_invalid_session(await world.resumed("bob", bob))


async def test_session_that_timed_out_can_be_resumed(
    serve_more: ServeMore, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with (
        serve_more(worker_id=3, heartbeat_interval_ms=45_000) as server,
        world_on(server.url, server.gateway_url) as world,
    ):
        guild = await world.guild(owner="alice", members=["bob"])
        [bob] = await world.online("bob")
        with monkeypatch.context() as patches:
            patches.setattr(server.runner.app[GATEWAY], "heartbeat_interval_ms", 1)
            assert await bob.closed() == 4009
        missed = await send_messages(world, guild, "missed")
        assert await replayed_messages(await world.resumed("bob", bob)) == missed


@pytest.mark.parametrize(
    "offer", ["permessage-deflate", "permessage-deflate; client_max_window_bits"]
)
async def test_permessage_deflate_is_not_negotiated(world: World, offer: str) -> None:
    """Browsers offer it; a compressed frame would then violate the protocol."""
    async with connect(world.gateway_url, compression="deflate") as socket:
        assert socket.protocol.extensions == []
    key = base64.b64encode(os.urandom(16)).decode()
    headers = {"Sec-WebSocket-Extensions": offer, "Sec-WebSocket-Key": key}
    headers |= {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13"}
    url = world.gateway_url.replace("ws", "http", 1)
    async with aiohttp.ClientSession() as http, http.get(url, headers=headers) as answer:
        assert answer.status == 101
        assert "Sec-WebSocket-Extensions" not in answer.headers
