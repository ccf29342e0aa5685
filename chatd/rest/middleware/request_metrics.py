"""Counts and durations of requests, by route and status."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from functools import cache

from aiohttp import web

from chatd.observability.metrics import Metrics
from chatd.rest.routing import PREFIXES

log = logging.getLogger(__name__)

_SWITCHING_PROTOCOLS = 101
CLIENT_CLOSED_REQUEST = 499  # nginx's status for a client that disconnects before the response


def observer(
    metrics: Metrics, match: web.UrlMappingMatchInfo, method: str
) -> Callable[[int, float], None]:
    """Return a function that counts a request, with its status and the time when it began.

    A request counts under the template of its path, which is the same under every prefix. Requests
    that match no route are counted together, so that clients cannot create metrics by inventing
    paths or methods. A WebSocket is counted without its duration: that is the lifetime of the
    connection, not a response time. Times are of the monotonic clock.
    """
    resource = match.route.resource
    if resource is None:
        method, route = "other", "unmatched"
    else:
        route = _without_prefix(resource.canonical)

    def observe(status: int, began: float) -> None:
        took_s = None if status == _SWITCHING_PROTOCOLS else time.monotonic() - began
        metrics.observe_request(method, route, status, took_s)
        log.debug("%s %s: %d", method, route, status)

    return observe


@cache
def _without_prefix(path: str) -> str:
    prefix = max((each for each in PREFIXES if path.startswith(f"{each}/")), key=len, default="")
    return path[len(prefix) :]
