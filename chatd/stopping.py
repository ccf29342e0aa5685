"""Leaving so that nobody is cut off: how a server that stops parts from its HTTP connections.

A client that keeps its connection open may send a request at the very moment at which the server
closes it, and cannot know whether that was read. So nobody is closed on who has just been there:
once the server leaves, each answer says that its connection ends with it, and only who has nothing
to ask for a while is closed. Meanwhile those who come are served still; nobody waits for that.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from aiohttp import hdrs, web

_LINGER_S = 3.0  # who keeps a connection open has so long to ask for something
_HEARING_OUT_S = 0.1  # a connection may have been made that has not been accepted yet
_HEARD_OUT_S = 1.0  # whose connection was accepted in the last moment has so long to ask
_POLL_S = 0.02
_UPGRADED = 101


class Farewell:
    """Tells clients, once it has begun, that their connection ends with this answer.

    It takes `within_s` at the most.
    """

    def __init__(self, *, within_s: float) -> None:
        self._linger_s = min(_LINGER_S, within_s * 0.75)
        self._heard_out_s = min(_HEARD_OUT_S, within_s * 0.25)
        self._has_begun = False
        self._upgraded: set[web.RequestHandler] = set()

    async def sign(self, request: web.Request, response: web.StreamResponse) -> None:
        """Called before each answer goes out."""
        if response.status == _UPGRADED:
            connection = request.protocol
            self._upgraded.add(connection)
            request.task.add_done_callback(lambda _: self._upgraded.discard(connection))
        elif self._has_begun:
            response.force_close()
            response.headers[hdrs.CONNECTION] = "close"

    async def say(self, runner: web.AppRunner) -> None:
        """Answer once more on the connections that are there, then take no new ones.

        WebSockets are left alone.
        """
        self._has_begun = True
        server, sites = runner.server, list(runner.sites)
        if server is None or not sites:
            return

        def asking() -> set[web.RequestHandler]:
            return set(server.connections) - self._upgraded

        kept = asking()
        await _until(lambda: kept.isdisjoint(asking()), self._linger_s)
        for site in sites:
            await site.stop()
        await asyncio.sleep(min(_HEARING_OUT_S, self._heard_out_s))
        await _until(lambda: asking() <= kept, self._heard_out_s)


async def _until(is_so: Callable[[], bool], within_s: float) -> None:
    clock = asyncio.get_running_loop().time
    end = clock() + within_s
    # aiohttp tells nobody of a connection that ends.
    while not is_so() and clock() < end:  # noqa: ASYNC110
        await asyncio.sleep(_POLL_S)
