"""Bodies arrive whole, however the network splits them and however slowly they are read."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chatd.web.connection_limits import ConnectionLimiter
from chatd.web.http_server import HttpRunner
from tests.world import TIMEOUT_S


async def _digest(request: web.Request) -> web.Response:
    digest = hashlib.sha256()
    size = int(request.match_info["size"])
    for _ in range(500):  # so that more arrives than the connection keeps, and it pauses reading
        if request.content.is_eof():
            break
        await asyncio.sleep(0)
    while chunk := await (request.content.readany() if not size else request.content.read(size)):
        digest.update(chunk)
        await asyncio.sleep(0)
    return web.Response(body=digest.hexdigest().encode())


@pytest.fixture(scope="module")
async def port() -> AsyncIterator[int]:
    app = web.Application(client_max_size=2**30)
    app.router.add_post("/{size}", _digest)
    limiter = ConnectionLimiter(per_address=0, max_connections=100, trusted=())
    runner = HttpRunner(app, limiter, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield int(runner.addresses[0][1])
    await runner.cleanup()


BODIES = st.lists(
    st.tuples(
        st.sampled_from([0, 1, 10, 1000, 2**15, 2**16 + 1, 2**21]),
        st.sampled_from([0, 1000, 2**16]),
        st.booleans(),
    ),
    min_size=1,
    max_size=4,
)


@settings(
    deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(bodies=BODIES, parts=st.lists(st.sampled_from([1, 7, 100, 5000, 70_000]), min_size=1))
async def test_pipelined_bodies_arrive_whole(
    port: int, bodies: list[tuple[int, int, bool]], parts: list[int]
) -> None:
    sent, digests = bytearray(), []
    for number, (size, read, chunked) in enumerate(bodies):
        body = bytes([number + 1]) * size
        digests.append(hashlib.sha256(body).hexdigest().encode())
        sent += f"POST /{read} HTTP/1.1\r\nHost: x\r\n".encode()
        if chunked:
            sent += b"Transfer-Encoding: chunked\r\n\r\n"
            for start in range(0, size, 50_000):
                chunk = body[start : start + 50_000]
                sent += b"%x\r\n%b\r\n" % (len(chunk), chunk)
            sent += b"0\r\n\r\n"
        else:
            sent += b"Content-Length: %d\r\n\r\n%b" % (size, body)

    reader, writer = await asyncio.open_connection("127.0.0.1", port)

    async def send() -> None:
        at = 0
        for part in parts:
            writer.write(sent[at : at + part])
            at += part
            await writer.drain()
            await asyncio.sleep(0)
        writer.write(sent[at:])
        await writer.drain()

    async with asyncio.timeout(TIMEOUT_S), asyncio.TaskGroup() as tasks:
        tasks.create_task(send())
        for digest in digests:
            await reader.readuntil(b"\r\n\r\n")
            assert await reader.readexactly(len(digest)) == digest
    writer.close()
