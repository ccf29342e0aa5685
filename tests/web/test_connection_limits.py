"""Limits of connections, timeouts of request heads, and reserved file descriptors."""

from __future__ import annotations

import asyncio
import logging
import os
import resource
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from ipaddress import ip_network
from pathlib import Path

import orjson
import pytest
from websockets.asyncio.client import connect

from chatd.config import Config
from chatd.server import listening
from chatd.web import connection_limits
from tests.conftest import ServeMore, Server
from tests.world import TIMEOUT_S, world_on

REFUSED = b"HTTP/1.1 429 Too Many Requests\r\n"
FULL = b"HTTP/1.1 503 Service Unavailable\r\n"
GET = b"GET /health HTTP/1.1\r\nHost: x\r\n"


SHORT_S = 1.5
"""A timeout of heads that a busy machine does not exceed between a connection and its request."""


@dataclass
class Raw:
    """A TCP connection of a client."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def sends(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def answer(self) -> bytes:
        """Return the status line of a response; empty if the server has closed the connection."""
        try:
            async with asyncio.timeout(TIMEOUT_S):
                line = await self.reader.readline()
                length = 0
                while (header := await self.reader.readline()) not in (b"\r\n", b""):
                    if header.lower().startswith(b"content-length:"):
                        length = int(header.partition(b":")[2])
                self.body = await self.reader.readexactly(length)
        except (ConnectionResetError, asyncio.IncompleteReadError):
            return b""
        return line

    async def asks(self, head: bytes = GET) -> bytes:
        await self.sends(head + b"\r\n")
        return await self.answer()

    async def is_closed(self) -> bool:
        """Wait until the server closes it. False if it sends data instead."""
        try:
            async with asyncio.timeout(TIMEOUT_S):
                return await self.reader.read() == b""
        except ConnectionResetError:
            return True


class Opened:
    """Opens connections to a server, from any loopback address."""

    def __init__(self, url: str, kept: AsyncExitStack) -> None:
        self._host, _, port = url.removeprefix("http://").partition(":")
        self._port = int(port)
        self._kept = kept

    async def one(self, address: str = "127.0.0.1") -> Raw:
        reader, writer = await asyncio.open_connection(
            self._host, self._port, local_addr=(address, 0)
        )
        self._kept.callback(writer.close)
        return Raw(reader, writer)

    async def silent(self, count: int, address: str = "127.0.0.1") -> list[Raw]:
        return [await self.one(address) for _ in range(count)]


def logged(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return the log lines about connections."""
    return [
        each.getMessage() for each in caplog.records if each.name == "chatd.web.connection_limits"
    ]


@asynccontextmanager
async def sockets_of(server: Server) -> AsyncIterator[Opened]:
    async with AsyncExitStack() as kept:
        yield Opened(server.url, kept)


async def until_admitted(opened: Opened, address: str = "127.0.0.1") -> None:
    async with asyncio.timeout(TIMEOUT_S):
        while await (await opened.one(address)).asks(GET + b"Connection: close\r\n") == REFUSED:
            pass


async def test_unauthenticated_connections_of_an_address_are_limited(
    serve_more: ServeMore, caplog: pytest.LogCaptureFixture
) -> None:
    async with (
        serve_more(worker_id=22, connections_per_address=3) as server,
        sockets_of(server) as opened,
    ):
        held = await opened.silent(3)
        with caplog.at_level(logging.WARNING, "chatd.web.connection_limits"):
            for _ in range(5):
                refused = await opened.one()
                assert await refused.answer() == REFUSED
                assert await refused.is_closed()
        body = orjson.loads(refused.body)
        assert body["message"] == "Too many connections from your address."
        [line] = logged(caplog)
        assert "127.0.0.1" in line
        assert "CONNECTIONS_PER_ADDRESS" in line
        assert b" 200 " in await (await opened.one("127.0.0.2")).asks()  # a neighbor
        assert b" 200 " in await held[0].asks()
        held[1].writer.close()
        await until_admitted(opened)


async def test_idle_connections_are_closed_for_new_ones(serve_more: ServeMore) -> None:
    """Many users behind one address may load images without a login."""
    async with (
        serve_more(worker_id=22, connections_per_address=3) as server,
        sockets_of(server) as opened,
    ):
        for _ in range(10):
            assert b" 200 " in await (await opened.one()).asks()


async def test_authenticated_connections_do_not_count_for_the_address(
    serve_more: ServeMore,
) -> None:
    """A request, IDENTIFY and RESUME authenticate a connection; an invalid token does not."""
    async with (
        serve_more(worker_id=22, connections_per_address=2) as server,
        world_on(server.url, server.gateway_url) as world,
        sockets_of(server) as opened,
    ):
        alice = await world.person("alice")
        me = b"GET /users/@me HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %b\r\n"
        right, wrong = me % alice.token.encode(), me % b"wrong"
        logged_in = []
        for _ in range(5):
            logged_in.append(await opened.one())
            assert b" 200 " in await logged_in[-1].asks(right)
        clients = await world.online(*["alice"] * 5)
        await clients[0].cut()
        clients[0] = await world.resumed("alice", clients[0])
        await clients[0].next("RESUMED")  # it counts until then
        for each in logged_in:  # still open, with or without the token
            assert b" 200 " in await each.asks()
        pending = await opened.one()
        assert b" 401 " in await pending.asks(wrong)
        await pending.sends(GET)  # half a request: it is no longer idle
        assert b" 200 " in await logged_in[0].asks()  # so that the server has read it
        await opened.one()
        assert await (await opened.one()).answer() == REFUSED
        for client in clients:
            await client.received_before_fence()


async def test_unidentified_websocket_counts(serve_more: ServeMore) -> None:
    async with (
        serve_more(worker_id=22, connections_per_address=2) as server,
        sockets_of(server) as opened,
        connect(server.gateway_url) as first,
        connect(server.gateway_url) as second,
    ):
        for socket in (first, second):
            assert orjson.loads(await socket.recv())["op"] == 10
        assert await (await opened.one()).answer() == REFUSED


async def test_connections_of_an_account_are_limited(
    serve_more: ServeMore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection_limits, "_PER_ACCOUNT", 2)
    async with (
        serve_more(worker_id=22, connections_per_address=20) as server,
        world_on(server.url, server.gateway_url) as world,
        sockets_of(server) as opened,
    ):
        alice = await world.person("alice")
        me = b"GET /users/@me HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer "
        many = [await opened.one("127.0.0.3") for _ in range(20)]
        for each in many:
            assert b" 200 " in await each.asks(me + alice.token.encode() + b"\r\n")
            await each.sends(GET)
        assert b" 200 " in await (await opened.one("127.0.0.4")).asks()  # so that it has read them
        more = await opened.silent(2, "127.0.0.3")
        assert await (await opened.one("127.0.0.3")).answer() == REFUSED
        for each in (*many, *more):
            assert b" 200 " in await each.asks(b"" if each in many else GET)


async def test_trusted_proxies_are_exempt(serve_more: ServeMore) -> None:
    trusted = (ip_network("127.0.0.0/30"),)
    async with (
        serve_more(worker_id=22, connections_per_address=1, trusted_proxies=trusted) as server,
        sockets_of(server) as opened,
    ):
        for each in await opened.silent(4, "127.0.0.1"):
            assert b" 200 " in await each.asks()
        await opened.silent(1, "127.0.0.9")
        assert await (await opened.one("127.0.0.9")).answer() == REFUSED


async def test_all_ports_count(config: Config) -> None:
    """Those of the API and of the gateway."""
    settings = replace(config, worker_id=22, connections_per_address=2, gateway_host="127.0.0.2")
    async with listening(settings) as runner, AsyncExitStack() as kept:
        assert len(runner.addresses) == 2
        for host, port in runner.addresses:
            await Opened(f"http://{host}:{port}", kept).one()
        for host, port in runner.addresses:
            assert await (await Opened(f"http://{host}:{port}", kept).one()).answer() == REFUSED


async def test_passed_sockets_count_and_unix_sockets_do_not(config: Config, tmp_path: Path) -> None:
    settings = replace(config, worker_id=22, connections_per_address=1)
    passed = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
    local = socket.socket(socket.AF_UNIX)
    local.bind(str(tmp_path / "socket"))
    local.listen()
    async with listening(settings, [*passed, local]), AsyncExitStack() as kept:
        first, second = (
            Opened(f"http://127.0.0.1:{each.getsockname()[1]}", kept) for each in passed
        )
        held = await first.one()
        assert await (await second.one()).answer() == REFUSED
        many = [Raw(*await asyncio.open_unix_connection(tmp_path / "socket")) for _ in range(5)]
        for each in (held, *many):
            assert b" 200 " in await each.asks()
        for each in many:
            each.writer.close()


@pytest.fixture
def short_heads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection_limits, "HEAD_TIMEOUT_S", SHORT_S)


@pytest.mark.usefixtures("short_heads")
async def test_request_head_times_out_after_accept(
    serve_more: ServeMore, caplog: pytest.LogCaptureFixture
) -> None:
    async with serve_more(worker_id=22) as server, sockets_of(server) as opened:
        silent = await opened.one()
        assert await silent.is_closed()
        begun = [await opened.one() for _ in range(3)]
        with caplog.at_level(logging.INFO, "chatd.web.connection_limits"):
            for each in begun:
                await each.sends(GET)
            for each in begun:
                assert b" 408 " in await each.answer()
                assert orjson.loads(each.body)["code"] == 0
                assert await each.is_closed()
        assert len(logged(caplog)) == 1


@pytest.mark.usefixtures("short_heads")
@pytest.mark.parametrize("first", [GET + b"\r\nG", GET + b"\r\n", b""])
async def test_slow_request_head_times_out(serve_more: ServeMore, first: bytes) -> None:
    """On a new connection, on a keep-alive connection, and after a complete request."""
    async with serve_more(worker_id=22) as server, sockets_of(server) as opened:
        client = await opened.one()
        if first:
            await client.sends(first)
            assert b" 200 " in await client.answer()

        async def trickle() -> None:
            rest = b"GET /health HTTP/1.1\r\nX: " + b"y" * 10_000
            for byte in rest.removeprefix(first[-1:]):
                await client.sends(bytes([byte]))
                await asyncio.sleep(0.05)

        trickling = asyncio.create_task(trickle())
        assert b" 408 " in await client.answer()
        trickling.cancel()
        await asyncio.gather(trickling, return_exceptions=True)


@pytest.mark.usefixtures("short_heads")
async def test_pipelined_request_head_times_out(serve_more: ServeMore) -> None:
    """Half a head arrives with the previous request, and then nothing."""
    async with serve_more(worker_id=22) as server, sockets_of(server) as opened:
        client = await opened.one()
        await client.sends(GET + b"\r\n" + b"GET /heal")
        assert b" 200 " in await client.answer()
        assert b" 408 " in await client.answer()


@pytest.mark.usefixtures("short_heads")
async def test_idle_connections_bodies_and_websockets_do_not_time_out(
    serve_more: ServeMore,
) -> None:
    """Only request heads time out."""
    async with (
        serve_more(worker_id=22) as server,
        world_on(server.url, server.gateway_url) as world,
        sockets_of(server) as opened,
    ):
        [client] = await world.online("alice")
        idle, slow, silent = await opened.one(), await opened.one(), await opened.one()
        assert b" 200 " in await idle.asks()
        head = b"POST /auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        await slow.sends(head + b"Content-Length: 2\r\n\r\n")
        assert await silent.is_closed()  # so that the time has passed for the others
        again = await opened.one()
        await slow.sends(b"{")
        assert await again.is_closed()
        await slow.sends(b"}")
        assert b" 400 " in await slow.answer()
        assert await (await opened.one()).is_closed()
        assert b" 200 " in await idle.asks()
        assert b" 200 " in await slow.asks()
        await client.received_before_fence()


async def test_descriptors_are_reserved(
    serve_more: ServeMore, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The oldest waiting connections are closed; authenticated clients stay."""
    monkeypatch.setattr("chatd.server._max_connections", lambda _: 30)
    async with (
        serve_more(worker_id=22) as server,
        world_on(server.url, server.gateway_url) as world,
        sockets_of(server) as opened,
    ):
        [client] = await world.online("alice")
        crowd = [await opened.one(f"127.0.1.{number}") for number in range(1, 90)]
        assert b" 200 " in await (await opened.one()).asks()
        assert await crowd[0].is_closed()
        assert b" 200 " in await crowd[-1].asks()
        await client.received_before_fence()
        async with AsyncExitStack() as kept:
            with caplog.at_level(logging.ERROR, "chatd.web.connection_limits"):
                for _ in range(29):
                    joined = await kept.enter_async_context(connect(server.gateway_url))
                    await joined.recv()
                late = await opened.one()
                assert await late.answer() == FULL
        [line] = logged(caplog)
        assert "LimitNOFILE" in line


def test_missing_descriptors_are_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    """The check runs every second."""
    doors = connection_limits.ConnectionLimiter(per_address=1, max_connections=100, trusted=())
    held = []
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(
        resource.RLIMIT_NOFILE, (len(list(Path("/proc/self/fd").iterdir())) + 5, before[1])
    )
    try:
        with pytest.raises(OSError, match="Too many open files"):
            while True:
                held.append(os.open(os.devnull, os.O_RDONLY))
        for _ in range(3):
            doors._check_descriptors()
    finally:
        for each in held:
            os.close(each)
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
    assert len(logged(caplog)) == 1
    doors._check_descriptors()
    assert len(logged(caplog)) == 1
