"""The routes of the gateway: the WebSocket, and its URL for clients that do not upgrade.

The server does not negotiate permessage-deflate (RFC 7692), which browsers offer, for two reasons:

- The server would have to inflate frames of clients that have not identified yet.
- In aiohttp's implementation each connection has a compressor of 256 KiB, and a delivery takes
  25 us instead of 0.2 us.

An implementation on the shared blocks of `protocol.compression` would avoid only the second cost.
It would gain nothing over `compress=zlib-stream`: both take 0.3 us for a delivery, and compress a
message of 877 bytes to 444 and 449 bytes. Browsers read zlib-stream with their DecompressionStream.
"""

from __future__ import annotations

import sys
import time

from aiohttp import WSCloseCode, web

from chatd.core.tracebacks import drop_tracebacks
from chatd.gateway.connection import Connection
from chatd.gateway.connection_table import ConnectionTable
from chatd.gateway.gateway import Gateway
from chatd.gateway.protocol import encoders
from chatd.gateway.protocol.commands import ABUSE_CODES, CloseCode
from chatd.ratelimit import identify_limits
from chatd.web.client_address import client_network, gateway_url
from chatd.web.keys import CONTEXT
from chatd.wire import payloads

GATEWAY = web.AppKey("GATEWAY", Gateway)
CONNECTION_TABLE = web.AppKey("CONNECTION_TABLE", ConnectionTable)

_MAX_MESSAGE = 64 * 1024  # bytes; larger than parsing.MAX_PAYLOAD, which has its own close code
_VERSIONS = ("", "6", "7", "8", "9", "10")


async def gateway(request: web.Request) -> web.StreamResponse:
    """Open a WebSocket, or return the gateway's URL. The request needs no token: IDENTIFY has it.

    Raises TooManySockets.
    """
    url = gateway_url(request)
    if request.headers.get("Upgrade", "").lower() != "websocket":
        body = payloads.encode({"url": url})
        return web.Response(body=body, content_type="application/json")
    return await _open(request, client_network(request))


class _Socket(web.WebSocketResponse):
    """A WebSocket whose connection is served in `write_eof`.

    aiohttp calls `write_eof` after the middlewares have returned. If the request handler served the
    connection, the stack frames of the middlewares would take 2 kB of memory per connection.
    """

    def __init__(self, request: web.Request, network: str) -> None:
        super().__init__(compress=False, max_msg_size=_MAX_MESSAGE, timeout=5, autoping=False)
        self._request, self._network = request, network

    async def write_eof(self) -> None:  # type: ignore[override]  # aiohttp's has no argument either
        """Serve the connection, then close it."""
        try:
            await _serve(self._request, self._network, self)
            await super().write_eof()
        finally:
            # The socket and its reader keep the exception that ended the connection. Its traceback
            # refers to both: without this, only the garbage collector would free them.
            drop_tracebacks(self._exception)
            drop_tracebacks(None if self._reader is None else self._reader.exception())


async def _open(request: web.Request, network: str) -> web.WebSocketResponse:
    table = request.app[CONNECTION_TABLE]
    table.acquire(network)
    try:
        await request.app[GATEWAY].admission_gate.admit()
        socket = _Socket(request, network)
        await socket.prepare(request)
    except ValueError:  # a header of the handshake is not text
        table.release(network)
        raise web.HTTPBadRequest(reason="Bad WebSocket handshake") from None
    except BaseException:
        table.release(network)
        raise
    return socket


async def _serve(request: web.Request, network: str, socket: web.WebSocketResponse) -> None:
    table = request.app[CONNECTION_TABLE]
    try:
        make_encoder = encoders.BY_NAME.get(request.query.get("compress", ""))
        if request.query.get("v", "") not in _VERSIONS:
            await socket.close(code=CloseCode.INVALID_API_VERSION, message=b"Invalid API version.")
        elif request.query.get("encoding", "json") != "json" or make_encoder is None:
            message = b"Use encoding=json, and compress=zlib-stream or zstd-stream or none."
            await socket.close(code=CloseCode.DECODE_ERROR, message=message)
        elif request.transport is not None:
            connection = Connection(
                request.app[GATEWAY],
                socket,
                request.transport,
                make_encoder(),
                sys.intern(gateway_url(request)),  # most connections have the same URL
                table=table,
            )
            table.connections.add(connection)
            try:
                code = await connection.run()
            finally:
                table.connections.discard(connection)
            if code in ABUSE_CODES or socket.close_code == WSCloseCode.MESSAGE_TOO_BIG:
                table.record_abuse(network, connection.user_id)
    finally:
        table.release(network)


async def bot(request: web.Request) -> web.Response:
    """Return the URL and the limits on IDENTIFY. Rule: Discord docs, "Get Gateway Bot"."""
    limits = request.app[GATEWAY].rate_limits
    remaining, reset_s = identify_limits.PER_DAY.requests, 0.0
    if limits is not None:
        decision = await identify_limits.remaining_today(limits, request[CONTEXT].user.id)
        remaining, reset_s = decision.remaining, decision.ends - time.monotonic()
    body = payloads.encode(
        {
            "url": gateway_url(request),
            "shards": 1,
            "session_start_limit": {
                "total": identify_limits.PER_DAY.requests,
                "remaining": remaining,
                "reset_after": max(round(reset_s * 1000), 0),
                "max_concurrency": identify_limits.MAX_CONCURRENCY.requests,
            },
        }
    )
    return web.Response(body=body, content_type="application/json")
