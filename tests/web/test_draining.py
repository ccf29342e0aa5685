"""Connection draining: a server that stops answers all requests, with `Connection: close`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import orjson
import pytest

from chatd.web import draining
from tests.conftest import ServeMore, Server
from tests.helpers.locks import held_table
from tests.world import TIMEOUT_S, world_on


@pytest.fixture(autouse=True)
def real_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    """Drain as long as outside tests, whatever `short_drains` says."""
    monkeypatch.setattr(draining, "_KEEPALIVE_GRACE_S", 3.0)


@dataclass
class KeepAliveConnection:
    """A keep-alive connection."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def ask(self, method: str, path: str, token: str = "", body: object = None) -> None:
        """Send a request."""
        data = b"" if body is None else orjson.dumps(body)
        head = f"{method} {path} HTTP/1.1\r\nHost: chatd\r\nAuthorization: Bearer {token}\r\n"
        head += f"Content-Type: application/json\r\nContent-Length: {len(data)}\r\n\r\n"
        self.writer.write(head.encode() + data)
        await self.writer.drain()

    async def answer(self) -> tuple[int, str]:
        """Return the status and the Connection header of the next response."""
        async with asyncio.timeout(TIMEOUT_S):
            first, *lines = (await self.reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            headers = dict(line.lower().split(": ", 1) for line in lines if line)
            await self.reader.readexactly(int(headers["content-length"]))
        return int(first.split()[1]), headers.get("connection", "keep-alive")

    async def ended(self) -> bool:
        """Wait until the server closes the connection. False if it sends data first."""
        async with asyncio.timeout(TIMEOUT_S):
            return await self.reader.read() == b""


@asynccontextmanager
async def keepalive_connection(server: Server) -> AsyncIterator[KeepAliveConnection]:
    """Open a connection to a server."""
    host, port = server.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        yield KeepAliveConnection(reader, writer)
    finally:
        writer.close()


class StoppingServer:
    """A server that stops on request."""

    def __init__(self, serve_more: ServeMore) -> None:
        self._stop = asyncio.Event()
        self._serving: asyncio.Future[Server] = asyncio.get_running_loop().create_future()
        self._life = asyncio.create_task(self._live(serve_more))

    async def _live(self, serve_more: ServeMore) -> None:
        async with serve_more(worker_id=1) as server:
            self._serving.set_result(server)
            await self._stop.wait()

    async def wait_until_serving(self) -> Server:
        """Wait until the server is ready."""
        return await self._serving

    async def begin_draining(self) -> None:
        """Stop the server, and wait until it sends `Connection: close` on new connections."""
        self._stop.set()
        said = ""
        while said != "close":
            async with keepalive_connection(await self._serving) as another:
                await another.ask("GET", "/health")
                _, said = await another.answer()

    async def wait_until_stopped(self) -> None:
        """Wait until the server has stopped without an error."""
        await self._life


async def test_keepalive_connection_is_answered_once_more(serve_more: ServeMore) -> None:
    stopping = StoppingServer(serve_more)
    server = await stopping.wait_until_serving()
    async with keepalive_connection(server) as one, keepalive_connection(server) as two:
        for connection in (one, two):
            await connection.ask("GET", "/health")
            assert await connection.answer() == (200, "keep-alive")
        await stopping.begin_draining()
        for connection in (one, two):
            await connection.ask("GET", "/health")
            assert await connection.answer() == (200, "close")
            assert await connection.ended()
    await stopping.wait_until_stopped()


async def test_running_request_completes(serve_more: ServeMore) -> None:
    stopping = StoppingServer(serve_more)
    server = await stopping.wait_until_serving()
    async with (
        world_on(server.url, server.gateway_url) as world,
        keepalive_connection(server) as connection,
    ):
        guild = await world.guild(owner="alice")
        alice = await world.person("alice")
        path = f"/channels/{guild.general.id}/messages"
        with held_table(server, "messages") as table:
            await connection.ask("POST", path, alice.token, {"content": "just in time"})
            await table.waited_for_by(1)
            await stopping.begin_draining()
            table.release()
            assert await connection.answer() == (200, "close")
            assert await connection.ended()
    await stopping.wait_until_stopped()


async def test_websocket_opened_while_draining_is_asked_to_reconnect(
    serve_more: ServeMore,
) -> None:
    stopping = StoppingServer(serve_more)
    server = await stopping.wait_until_serving()
    async with keepalive_connection(server) as connection:
        await stopping.begin_draining()
        connection.writer.write(
            b"GET /gateway HTTP/1.1\r\nHost: chatd\r\nUpgrade: websocket\r\n"
            b"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        )
        async with asyncio.timeout(TIMEOUT_S):
            head = (await connection.reader.readuntil(b"\r\n\r\n")).lower()
            assert head.startswith(b"http/1.1 101 ")
            assert b"connection: upgrade\r\n" in head
            assert b'"op":7' in await connection.reader.read()
    await stopping.wait_until_stopped()
