"""Which web pages of other origins may call the API from a browser.

Rule: Fetch standard, "CORS protocol". Without credentials: tokens travel in Authorization, which
a page has to know, and there are no cookies that a browser would add by itself. For the same
reason the gateway asks no socket for its Origin: browsers do not hold WebSockets to CORS, and what
a foreign page could do there without a token, it can do from any machine.
"""

from __future__ import annotations

from collections.abc import Iterable

import aiohttp_cors
from aiohttp import web
from aiohttp.typedefs import Handler

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
_MAX_AGE_S = 7200  # the most that Chromium heeds


def allow(app: web.Application, origins: Iterable[str]) -> frozenset[Handler]:
    """Let pages of these origins call every route that `app` has, `*` being any origin.

    Returns the handlers of preflights, which come without a token. Without origins, all stays
    as if there was no CORS: browsers keep pages of other origins away.
    """
    options = aiohttp_cors.ResourceOptions(  # type: ignore[no-untyped-call]
        allow_methods="*",
        allow_headers="*",
        expose_headers=_EXPOSED,
        max_age=_MAX_AGE_S,
    )
    defaults = dict.fromkeys(origins, options)
    if not defaults:
        return frozenset()
    cors = aiohttp_cors.setup(app, defaults=defaults)
    for resource in list(app.router.resources()):
        cors.add(resource)
    app.on_response_prepare.append(_vary)
    return frozenset(route.handler for route in app.router.routes() if route.method == "OPTIONS")


async def _vary(_: web.Request, response: web.StreamResponse) -> None:
    """A cache must not hand the answer for one origin to another."""
    response.headers.add("Vary", "Origin")
