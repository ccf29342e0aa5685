"""The route of the gateway: a WebSocket for those who ask for one, its address for the others.

permessage-deflate, which browsers offer, is not agreed on. Per connection, as aiohttp makes it, it
costs 25 us a delivery where a plain one costs 0.2 us, and a compressor of 256 KiB. Put together
from shared blocks it would cost as little as `compress=zlib-stream` (0.3 us) and save as much (a
message of 877 bytes is 444 then, or 449), which a browser reads with its DecompressionStream. But
it would let anybody hand us compressed frames to inflate, before they have said who they are.
"""

from __future__ import annotations

import re
import time
from collections.abc import Awaitable, Callable
from functools import partial

from aiohttp import WSCloseCode, web

from chatd.clients import client_network, is_secure
from chatd.ephemeral import identifies
from chatd.gateway import transports
from chatd.gateway.commands import UNRULY, CloseCode
from chatd.gateway.connection import Connection, Gateway
from chatd.gateway.connections import Connections
from chatd.keys import CONTEXT
from chatd.wire import payloads

GATEWAY = web.AppKey("GATEWAY", Gateway)
CONNECTIONS = web.AppKey("CONNECTIONS", Connections)

_MAX_MESSAGE = 64 * 1024  # bytes; above commands.MAX_PAYLOAD, whose excess gets a code of its own
_HOST = re.compile(r"[A-Za-z0-9.\-_]+(:\d+)?|\[[0-9A-Fa-f:.]+\](:\d+)?", re.ASCII)
_VERSIONS = ("", "6", "7", "8", "9", "10")


async def gateway(request: web.Request) -> web.StreamResponse:
    """Anyone may ask for the address, and may open a socket; IDENTIFY says who it is.

    Raises TooManySockets.
    """
    if not _HOST.fullmatch(request.host):
        raise web.HTTPBadRequest(reason="Bad Host header")
    if request.headers.get("Upgrade", "").lower() != "websocket":
        body = payloads.encode({"url": url_of(request)})
        return web.Response(body=body, content_type="application/json")
    return await _opened(request, client_network(request))


class _Socket(web.WebSocketResponse):
    """A socket that is served when aiohttp writes its answer to the end.

    By then the middlewares have returned: if they waited for it, their frames would stay in memory
    as long as the socket does, some 2 kB for each.
    """

    def __init__(self, server: Callable[[web.WebSocketResponse], Awaitable[None]]) -> None:
        super().__init__(compress=False, max_msg_size=_MAX_MESSAGE, timeout=5)
        self._server = server

    async def write_eof(self) -> None:  # type: ignore[override]  # as of its base
        """Serve it, and close it."""
        await self._server(self)
        await super().write_eof()


async def _opened(request: web.Request, network: str) -> web.WebSocketResponse:
    connections = request.app[CONNECTIONS]
    connections.admit(network)
    try:
        await request.app[GATEWAY].turnstile.enter()
        socket = _Socket(partial(_serve, request, network))
        await socket.prepare(request)
    except BaseException:
        connections.leave(network)
        raise
    return socket


async def _serve(request: web.Request, network: str, socket: web.WebSocketResponse) -> None:
    connections = request.app[CONNECTIONS]
    try:
        make_transport = transports.BY_NAME.get(request.query.get("compress", ""))
        if request.query.get("v", "") not in _VERSIONS:
            await socket.close(code=CloseCode.INVALID_API_VERSION, message=b"Invalid API version.")
        elif request.query.get("encoding", "json") != "json" or make_transport is None:
            message = b"Only json is spoken here, plain, as zlib-stream or as zstd-stream."
            await socket.close(code=CloseCode.DECODE_ERROR, message=message)
        elif request.transport is not None:
            connection = Connection(
                request.app[GATEWAY], socket, request.transport, make_transport(), url_of(request)
            )
            connections.served.add(connection)
            try:
                code = await connection.run()
            finally:
                connections.served.discard(connection)
            if code in UNRULY or socket.close_code == WSCloseCode.MESSAGE_TOO_BIG:
                connections.blame(network)
    finally:
        connections.leave(network)


async def bot(request: web.Request) -> web.Response:
    """The address, and how often one may identify. Rule: Discord docs, "Get Gateway Bot"."""
    limits = request.app[GATEWAY].rate_limits
    remaining, reset_s = identifies.PER_DAY.requests, 0.0
    if limits is not None:
        verdict = await identifies.left(limits, request[CONTEXT].user.id)
        remaining, reset_s = verdict.remaining, verdict.ends - time.monotonic()
    body = payloads.encode(
        {
            "url": url_of(request),
            "shards": 1,
            "session_start_limit": {
                "total": identifies.PER_DAY.requests,
                "remaining": remaining,
                "reset_after": max(round(reset_s * 1000), 0),
                "max_concurrency": identifies.AT_ONCE.requests,
            },
        }
    )
    return web.Response(body=body, content_type="application/json")


def url_of(request: web.Request) -> str:
    """The address of the gateway, as this client reaches us; without a query."""
    scheme = "wss" if is_secure(request) else "ws"
    return f"{scheme}://{request.host}/gateway"
