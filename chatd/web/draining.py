"""Connection draining: closing HTTP connections at shutdown without losing a request.

A client with a keep-alive connection may send a request at the moment at which the server closes
it. The client then cannot know whether the server handled the request. So a server that shuts down
first answers one more request on each open connection, with `Connection: close`. It closes only
connections that stay idle for a while. It also serves new connections until its ports are closed.
Rule: RFC 9112, section 9.6.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from aiohttp import hdrs, web

from chatd.web.http_server import HttpConnection

_KEEPALIVE_GRACE_S = 3.0
"""How long a keep-alive connection may stay idle until it is closed. Long enough for one more
request of a busy client, short beside SHUTDOWN_TIMEOUT (20 s by default)."""

_ACCEPT_GRACE_S = 0.1
"""How long to wait after a port is closed. The kernel may hold a connection that the event loop
has not accepted yet."""

_FIRST_REQUEST_GRACE_S = 1.0
"""How long a connection that was accepted last has for its first request."""

_POLL_S = 0.02
"""Seconds between two looks at the open connections; a shutdown lasts at most this much longer."""

_SWITCHING_PROTOCOLS = 101


class ConnectionDrainer:
    """Drains the HTTP connections of a server, within `timeout_s` seconds."""

    def __init__(self, *, timeout_s: float) -> None:
        self._keepalive_grace_s = min(_KEEPALIVE_GRACE_S, timeout_s * 0.75)
        self._first_request_grace_s = min(_FIRST_REQUEST_GRACE_S, timeout_s * 0.25)
        self.is_draining = False
        """Whether each response closes its connection."""

    async def mark_response(self, request: web.Request, response: web.StreamResponse) -> None:
        """Add `Connection: close` to a response while draining. Called before each response."""
        if response.status == _SWITCHING_PROTOCOLS:
            if isinstance(request.protocol, HttpConnection):
                request.protocol.is_websocket = True
        elif self.is_draining:
            response.force_close()
            response.headers[hdrs.CONNECTION] = "close"

    async def drain(self, runner: web.AppRunner) -> None:
        """Answer one more request on each HTTP connection, then stop listening.

        WebSockets stay open.
        """
        self.is_draining = True
        server, sites = runner.server, list(runner.sites)
        if server is None or not sites:
            return

        def http_connections() -> set[web.RequestHandler]:
            return {each for each in server.connections if not _is_websocket(each)}

        initial = http_connections()
        await _wait_until(lambda: initial.isdisjoint(http_connections()), self._keepalive_grace_s)
        for site in sites:
            await site.stop()
        await asyncio.sleep(min(_ACCEPT_GRACE_S, self._first_request_grace_s))
        await _wait_until(lambda: http_connections() <= initial, self._first_request_grace_s)


def _is_websocket(connection: web.RequestHandler) -> bool:
    return isinstance(connection, HttpConnection) and connection.is_websocket


async def _wait_until(is_done: Callable[[], bool], timeout_s: float) -> None:
    clock = asyncio.get_running_loop().time
    end = clock() + timeout_s
    # Polls, because aiohttp has no callback for a closed connection.
    while not is_done() and clock() < end:  # noqa: ASYNC110
        await asyncio.sleep(_POLL_S)
