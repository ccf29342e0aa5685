"""The lower bound of fan-out: one prepared frame, and `transport.write` to each socket.

POST /each writes its body to every WebSocket at once; POST /joined writes all bodies of one
iteration of the event loop together. GET /gateway is aiohttp's WebSocket, which answers each
message with a fixed READY. Run with: PORT
"""

from __future__ import annotations

import asyncio
import sys
from struct import pack

import uvloop
from aiohttp import web

READY = '{"op":0,"t":"READY","s":1,"d":{"session_id":"bare","guilds":[]}}'


def frame(payload: bytes) -> bytes:
    """Return an unmasked text frame of up to 64 KB."""
    if len(payload) < 126:
        return pack("!BB", 0x81, len(payload)) + payload
    return pack("!BBH", 0x81, 126, len(payload)) + payload


def application() -> web.Application:
    sockets: set[asyncio.Transport] = set()
    gathered: list[bytes] = []

    async def gateway(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(compress=False)
        await socket.prepare(request)
        transport = request.transport
        assert transport is not None
        sockets.add(transport)
        try:
            async for _ in socket:
                await socket.send_str(READY)
        finally:
            sockets.discard(transport)
        return socket

    async def each(request: web.Request) -> web.Response:
        prepared = frame(await request.read())
        for transport in sockets:
            transport.write(prepared)
        return web.Response()

    async def joined(request: web.Request) -> web.Response:
        if not gathered:
            asyncio.get_running_loop().call_soon(flush)
        gathered.append(frame(await request.read()))
        return web.Response()

    def flush() -> None:
        prepared = b"".join(gathered)
        gathered.clear()
        for transport in sockets:
            transport.write(prepared)

    async def ready(_: web.Request) -> web.Response:
        return web.Response()

    app = web.Application()
    app.router.add_get("/gateway", gateway)
    app.router.add_post("/each", each)
    app.router.add_post("/joined", joined)
    app.router.add_get("/health/ready", ready)
    return app


if __name__ == "__main__":
    port, loop = int(sys.argv[1]), uvloop.new_event_loop()
    web.run_app(application(), host="127.0.0.1", port=port, access_log=None, loop=loop)
