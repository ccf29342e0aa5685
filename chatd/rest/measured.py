"""Counts what was answered, by route and status, and how long it took."""

from __future__ import annotations

import logging
import time
from functools import cache

from aiohttp import web
from aiohttp.typedefs import Handler

from chatd.keys import METRICS
from chatd.rest.routes import PREFIXES

log = logging.getLogger(__name__)

_UPGRADED = 101


@web.middleware
async def measured(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Count a request under the template of its path, which is the same under every prefix.

    What no route matches is counted together: neither paths nor methods that clients make up get
    into the names. How long a WebSocket stays is not how long an answer took: it is counted alone.
    """
    began = time.monotonic()
    status = 499  # as in nginx: the client has left
    try:
        response = await handler(request)
        status = response.status
    except web.HTTPException as moved:
        status = moved.status
        raise
    finally:
        method, route = _template(request)
        took_s = None if status == _UPGRADED else time.monotonic() - began
        request.app[METRICS].answered(method, route, status, took_s)
    log.debug("%s %s: %d", method, route, status)
    return response


def _template(request: web.Request) -> tuple[str, str]:
    route = request.match_info.route
    if route.resource is None:
        return "other", "unmatched"
    return request.method, _bare(route.resource.canonical)


@cache
def _bare(path: str) -> str:
    """A path of the table without its prefix."""
    prefix = max((each for each in PREFIXES if path.startswith(f"{each}/")), key=len, default="")
    return path[len(prefix) :]
