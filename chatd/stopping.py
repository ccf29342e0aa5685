"""Leaving so that nobody is cut off: how a server that stops parts from its HTTP connections.

A client that keeps its connection open may send a request at the very moment at which the server
closes it, and cannot know whether that was read. So nobody is closed on who has just been there:
while the server leaves, each answer says that its connection ends with it, and who has nothing to
ask for so long is closed then.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from aiohttp import hdrs, web

_HEARING_OUT_S = 0.1  # whose connection has been accepted in the last moment has not asked yet
_LINGER_S = 1.0
_POLL_S = 0.02
_UPGRADED = 101


class Farewell:
    """Tells clients, once it has begun, that their connection ends with this answer."""

    def __init__(self, *, within_s: float) -> None:
        self._linger_s = min(_LINGER_S, within_s)
        self._has_begun = False

    async def sign(self, _: web.Request, response: web.StreamResponse) -> None:
        """Called before each answer goes out."""
        if self._has_begun and response.status != _UPGRADED:
            response.force_close()
            response.headers[hdrs.CONNECTION] = "close"

    async def say(self, runner: web.AppRunner, sockets: Callable[[], int]) -> None:
        """Take no new connections, and answer what still comes on those that are there.

        `sockets` counts the connections that are no HTTP any more.
        """
        self._has_begun = True
        sites = list(runner.sites)
        for site in sites:
            await site.stop()
        if not sites or runner.server is None:
            return
        clock = asyncio.get_running_loop().time
        end = clock() + self._linger_s
        await asyncio.sleep(min(_HEARING_OUT_S, self._linger_s))
        # aiohttp tells nobody of a connection that ends.
        while len(runner.server.connections) > sockets() and clock() < end:  # noqa: ASYNC110
            await asyncio.sleep(_POLL_S)
