"""Control frames: each ping is answered, and too many end the connection as payloads do."""

from __future__ import annotations

import asyncio

import pytest
from aiohttp import ClientSession, WSMsgType

from tests.conftest import Server
from tests.helpers import loop_time
from tests.world import TIMEOUT_S


async def test_each_ping_is_answered_by_a_pong(server: Server) -> None:
    async with (
        ClientSession() as http,
        http.ws_connect(server.gateway_url, autoping=False) as socket,
    ):
        await socket.receive()
        for number in range(120):
            await socket.ping(b"%d" % number)
            answer = await socket.receive(TIMEOUT_S)
            assert (answer.type, answer.data) == (WSMsgType.PONG, b"%d" % number)


@pytest.mark.parametrize("head", [b"\x89", b"\x8a"], ids=["pings", "pongs"])
async def test_flood_of_control_frames_closes_with_rate_limited(
    server: Server, head: bytes
) -> None:
    """Before IDENTIFY, too, and without blocking the event loop."""
    host, _, port = server.url.removeprefix("http://").partition(":")
    handshake = (
        b"GET /gateway HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
    flood = (head + b"\x80\0\0\0\0") * 20_000
    with loop_time.no_collection():
        for _ in range(loop_time.TRIES):
            reader, writer = await asyncio.open_connection(host, int(port))
            try:
                writer.write(handshake)
                await reader.readuntil(b"\r\n\r\n")
                with loop_time.turns() as measured:
                    writer.write(flood)
                    async with asyncio.timeout(TIMEOUT_S):
                        received = await reader.readuntil((4008).to_bytes(2, "big"))
            finally:
                writer.close()
            assert received.count(b"\x8a\0") <= 120
            if measured.longest_s < loop_time.MOST_S:
                return
    raise AssertionError(f"blocked the event loop for {measured.longest_s:.3f} s")
