"""A cache of routes: calls the handler of a path that was requested before.

aiohttp finds a route by the patterns of all resources that it could belong to, and passes two
coroutines of its own before the first middleware. Both together are a tenth of a small request.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import NamedTuple

from aiohttp import web
from aiohttp.typedefs import Handler

_MAX_ROUTES = 4096
"""Paths that are remembered, about 2 MB. Beyond them the cache is emptied, which costs each of them
one more lookup."""

_MAX_PATH = 200
"""Characters of a path that is remembered. Longer ones contain tokens, or are odd."""

RequestHandler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


class _Found(NamedTuple):
    route: web.AbstractRoute
    parameters: dict[str, str]
    handle: Handler
    """The middlewares of the application around the handler of the route."""


class RouteCache:
    """Handles the requests of an application without nested applications.

    The router and the middlewares of the application must not change once it runs, which aiohttp
    guarantees.
    """

    def __init__(self, app: web.Application, handle: RequestHandler) -> None:
        """`handle` is aiohttp's handler of all requests of the application."""
        self._app = app
        self._handle = handle
        self._found: dict[tuple[str, str], _Found] = {}

    def handle(self, request: web.BaseRequest) -> Awaitable[web.StreamResponse]:
        """Handle a request as aiohttp does."""
        key = request.method, request.rel_url.raw_path
        found = self._found.get(key)
        if found is None or not isinstance(request, web.Request):
            return self._find(key, request)
        match = web.UrlMappingMatchInfo(found.parameters, found.route)
        match.add_app(self._app)
        match.freeze()
        request._match_info = match
        return found.handle(request)

    async def _find(self, key: tuple[str, str], request: web.BaseRequest) -> web.StreamResponse:
        response = await self._handle(request)
        if isinstance(request, web.Request) and len(key[1]) <= _MAX_PATH:
            match = request.match_info
            if match.http_exception is None:
                if len(self._found) >= _MAX_ROUTES:
                    self._found.clear()
                self._found[key] = self._of(match)
        return response

    def _of(self, match: web.UrlMappingMatchInfo) -> _Found:
        handle = match.route.handler
        for middleware in reversed(self._app.middlewares):
            handle = partial(middleware, handler=handle)
        return _Found(match.route, dict(match), handle)
