"""Counts and durations of requests, by route and status."""

from __future__ import annotations

import logging
import time
from functools import cache

from aiohttp import web

from chatd.rest.routing import PREFIXES
from chatd.web.keys import METRICS

log = logging.getLogger(__name__)

_SWITCHING_PROTOCOLS = 101
CLIENT_CLOSED_REQUEST = 499  # nginx's status for a client that disconnects before the response


def observe(request: web.Request, status: int, began: float) -> None:
    """Count a request under the template of its path, which is the same under every prefix.

    Requests that match no route are counted together, so that clients cannot create metrics by
    inventing paths or methods. A WebSocket is counted without its duration: that is the lifetime
    of the connection, not a response time. `began` is a time of the monotonic clock.
    """
    method, route = _template(request)
    took_s = None if status == _SWITCHING_PROTOCOLS else time.monotonic() - began
    request.app[METRICS].observe_request(method, route, status, took_s)
    log.debug("%s %s: %d", method, route, status)


def _template(request: web.Request) -> tuple[str, str]:
    route = request.match_info.route
    if route.resource is None:
        return "other", "unmatched"
    return request.method, _without_prefix(route.resource.canonical)


@cache
def _without_prefix(path: str) -> str:
    prefix = max((each for each in PREFIXES if path.startswith(f"{each}/")), key=len, default="")
    return path[len(prefix) :]
