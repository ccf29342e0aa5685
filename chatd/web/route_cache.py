"""A cache of routes: calls the handler of a path that was requested before.

aiohttp finds a route by the patterns of all resources that it could belong to, and passes two
coroutines of its own before the first middleware. Both together are a tenth of a small request.
What the middlewares know of a route is looked up once, too.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from functools import partial
from typing import NamedTuple

from aiohttp import web
from aiohttp.typedefs import Handler

_MAX_ROUTES = 4096
"""Paths that are remembered, about 9 MB. Beyond them the cache is emptied, which costs each of them
one more lookup."""

_MAX_PATH = 200
"""Characters of a path that is remembered. Longer ones contain tokens, or are odd."""

RequestHandler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


class RouteMiddleware(ABC):
    """A middleware of aiohttp that looks up once what depends only on the route."""

    __middleware_version__ = 1  # what aiohttp asks for; `web.middleware` sets it on functions

    @abstractmethod
    def bind(self, match: web.UrlMappingMatchInfo, method: str, handler: Handler) -> Handler:
        """Return the middleware around a handler, for requests of a method that have this match.

        The result is called for many requests. `match` may be one of no route.
        """

    async def __call__(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Handle one request."""
        return await self.bind(request.match_info, request.method, handler)(request)


class _Found(NamedTuple):
    match: web.UrlMappingMatchInfo
    """What all requests of the path share. It is frozen, and no handler changes it."""
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
        request._match_info = found.match
        return found.handle(request)

    async def _find(self, key: tuple[str, str], request: web.BaseRequest) -> web.StreamResponse:
        response = await self._handle(request)
        if isinstance(request, web.Request) and len(key[1]) <= _MAX_PATH:
            match = request.match_info
            if match.http_exception is None:
                if len(self._found) >= _MAX_ROUTES:
                    self._found.clear()
                self._found[key] = self._of(match, request.method)
        return response

    def _of(self, match: web.UrlMappingMatchInfo, method: str) -> _Found:
        shared = web.UrlMappingMatchInfo(dict(match), match.route)
        shared.add_app(self._app)
        shared.freeze()
        handle = match.route.handler
        for middleware in reversed(self._app.middlewares):
            if isinstance(middleware, RouteMiddleware):
                handle = middleware.bind(shared, method, handle)
            else:
                handle = partial(middleware, handler=handle)
        return _Found(shared, handle)
