"""A server that leaves cuts nobody off: what has come in is answered, and each answer says that
its connection ends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import orjson

from tests.conftest import ServeMore, Server
from tests.locks import held_table
from tests.world import PATIENCE_S, world_on


@dataclass
class Kept:
    """An HTTP connection that is kept open from one request to the next."""

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
        """The status of the next answer, and what it says of the connection."""
        async with asyncio.timeout(PATIENCE_S):
            first, *lines = (await self.reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            headers = dict(line.lower().split(": ", 1) for line in lines if line)
            await self.reader.readexactly(int(headers["content-length"]))
        return int(first.split()[1]), headers.get("connection", "keep-alive")

    async def ended(self) -> bool:
        """Wait for the end, which comes with nothing before it."""
        async with asyncio.timeout(PATIENCE_S):
            return await self.reader.read() == b""


@asynccontextmanager
async def kept(server: Server) -> AsyncIterator[Kept]:
    """A connection to a server."""
    host, port = server.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        yield Kept(reader, writer)
    finally:
        writer.close()


class Leaving:
    """A server that leaves when it is told to."""

    def __init__(self, serve_more: ServeMore) -> None:
        self._told = asyncio.Event()
        self._serving: asyncio.Future[Server] = asyncio.get_running_loop().create_future()
        self._life = asyncio.create_task(self._live(serve_more))

    async def _live(self, serve_more: ServeMore) -> None:
        async with serve_more(worker_id=1) as server:
            self._serving.set_result(server)
            await self._told.wait()

    async def serves(self) -> Server:
        """Wait until it serves."""
        return await self._serving

    async def begins(self) -> None:
        """Tell it to leave, and wait until it says so to those who come."""
        self._told.set()
        said = ""
        while said != "close":
            async with kept(await self._serving) as another:
                await another.ask("GET", "/health")
                _, said = await another.answer()

    async def is_gone(self) -> None:
        """Wait until it has left in good order."""
        await self._life


async def test_who_keeps_a_connection_open_is_answered_once_more(serve_more: ServeMore) -> None:
    leaving = Leaving(serve_more)
    server = await leaving.serves()
    async with kept(server) as one, kept(server) as two:
        for connection in (one, two):
            await connection.ask("GET", "/health")
            assert await connection.answer() == (200, "keep-alive")
        await leaving.begins()
        for connection in (one, two):
            await connection.ask("GET", "/health")
            assert await connection.answer() == (200, "close")
            assert await connection.ended()
    await leaving.is_gone()


async def test_what_is_being_done_is_done_before_the_end(serve_more: ServeMore) -> None:
    leaving = Leaving(serve_more)
    server = await leaving.serves()
    async with world_on(server.url, server.gateway_url) as world, kept(server) as connection:
        guild = await world.guild(owner="alice")
        alice = await world.person("alice")
        path = f"/channels/{guild.general.id}/messages"
        with held_table(server, "messages") as table:
            await connection.ask("POST", path, alice.token, {"content": "just in time"})
            await table.waited_for_by(1)
            await leaving.begins()
            table.let_go()
            assert await connection.answer() == (200, "close")
            assert await connection.ended()
    await leaving.is_gone()


async def test_a_socket_that_is_opened_meanwhile_is_asked_to_come_back(
    serve_more: ServeMore,
) -> None:
    leaving = Leaving(serve_more)
    server = await leaving.serves()
    async with kept(server) as connection:
        await leaving.begins()
        connection.writer.write(
            b"GET /gateway HTTP/1.1\r\nHost: chatd\r\nUpgrade: websocket\r\n"
            b"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        )
        async with asyncio.timeout(PATIENCE_S):
            head = (await connection.reader.readuntil(b"\r\n\r\n")).lower()
            assert head.startswith(b"http/1.1 101 ")
            assert b"connection: upgrade\r\n" in head
            assert b'"op":7' in await connection.reader.read()
    await leaving.is_gone()
