"""CORS: which web pages of other origins may call the API from a browser.

Every answer has the headers, also errors and answers to unknown paths: without them a page sees a
failed fetch instead of a 404. So aiohttp-cors uses an adapter that allows the same for every path,
instead of its own adapter, which knows only the resources of the router.

The server has no cookies: tokens travel in the Authorization header, which a page has to set
itself. Some pages nevertheless send `credentials: "include"` with each request, and browsers then
hide the answer unless the server allows credentials. The server allows them to origins that the
configuration names, never to all origins by `*`. The gateway does not check the Origin of a
WebSocket: browsers do not apply CORS to WebSockets, and a page without a token can do no more there
than any other client.
Rule: Fetch standard, "CORS protocol".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import aiohttp_cors
from aiohttp import hdrs, web
from aiohttp.typedefs import Handler, Middleware
from aiohttp_cors.abc import AbstractRouterAdapter

_EXPOSED = (
    "Retry-After",
    "X-RateLimit-Bucket",
    "X-RateLimit-Global",
    "X-RateLimit-Limit",
    "X-RateLimit-Remaining",
    "X-RateLimit-Reset",
    "X-RateLimit-Reset-After",
    "X-RateLimit-Scope",
    "X-Request-Id",
)
_MAX_AGE_S = 7200  # seconds; the longest time for which Chromium caches a preflight
_ANY = "*"

_Config = Mapping[str, aiohttp_cors.ResourceOptions]
"""What pages of each origin may do."""


def allow(app: web.Application, origins: Iterable[str]) -> Middleware | None:
    """Allow pages of these origins (`*`: of any origin) to call everything that `app` serves.

    Returns the middleware that answers preflight requests, which carry no token. Returns None
    without origins, and changes nothing: browsers then refuse pages of other origins.
    """
    config = {origin: _options(origin) for origin in origins}
    if not config:
        return None
    adapter = _EveryPath(config)
    aiohttp_cors.CorsConfig(app, defaults=config, router_adapter=adapter).add(app)
    app.on_response_prepare.append(_vary)

    @web.middleware
    async def answer_preflight(request: web.Request, handler: Handler) -> web.StreamResponse:
        if adapter.is_preflight_request(request):
            return await adapter.preflight(request)
        return await handler(request)

    return answer_preflight


def _options(origin: str) -> aiohttp_cors.ResourceOptions:
    return aiohttp_cors.ResourceOptions(  # type: ignore[no-untyped-call]
        allow_credentials=origin != _ANY,
        allow_methods="*",
        allow_headers="*",
        expose_headers=_EXPOSED,
        max_age=_MAX_AGE_S,
    )


class _EveryPath(AbstractRouterAdapter):
    """The adapter for aiohttp-cors in which every path and method has one configuration."""

    def __init__(self, config: _Config) -> None:
        self._config = config
        self.preflight: Handler

    def add_preflight_handler(self, _: Any, handler: Handler, webview: bool = False) -> None:
        """Keep the handler of preflight requests, instead of adding it to a route."""
        self.preflight = handler

    def set_config_for_routing_entity(self, *_: Any) -> None:
        """Do nothing: no path has a configuration of its own."""

    def is_preflight_request(self, request: web.Request) -> bool:
        """Return whether a browser asks if it may send another request."""
        return (
            request.method == hdrs.METH_OPTIONS
            and _is_sent(request, hdrs.ORIGIN)
            and _is_sent(request, hdrs.ACCESS_CONTROL_REQUEST_METHOD)
            and _is_ascii(request.headers.get(hdrs.ACCESS_CONTROL_REQUEST_HEADERS, ""))
        )

    def is_cors_enabled_on_request(self, request: web.Request) -> bool:
        """Return whether the request has an origin that the response can repeat."""
        return _is_sent(request, hdrs.ORIGIN)

    async def get_preflight_request_config(self, *_: Any) -> _Config:
        """Return the configuration."""
        return self._config

    def get_non_preflight_request_config(self, _: web.Request) -> _Config:
        """Return the configuration."""
        return self._config


def _is_sent(request: web.Request, name: str) -> bool:
    value = request.headers.get(name)
    return value is not None and _is_ascii(value)


def _is_ascii(value: str) -> bool:
    """Return whether aiohttp can write this value, which aiohttp-cors repeats, into a header."""
    return value.isascii() and value.isprintable()


async def _vary(_: web.Request, response: web.StreamResponse) -> None:
    """Prevent a cache from serving the response for one origin to another."""
    response.headers.add("Vary", "Origin")
