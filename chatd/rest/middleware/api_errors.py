"""Request ids, the rendering of errors as JSON, and the count of responses."""

from __future__ import annotations

import itertools
import logging
import secrets
import time

from aiohttp import web
from aiohttp.typedefs import Handler

from chatd.core.errors import ApiError
from chatd.core.tracebacks import drop_tracebacks
from chatd.observability import logs
from chatd.observability.metrics import Metrics
from chatd.rest.middleware import request_metrics
from chatd.rest.response import json_response
from chatd.web.route_cache import RouteMiddleware

log = logging.getLogger(__name__)

# The prefix of request ids, random for each process: ids stay unique over restarts and instances.
_PREFIX = secrets.token_hex(4)
_numbers = itertools.count(1)


class Answering(RouteMiddleware):
    """A middleware that gives a request an id, renders errors, and counts the request."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    def bind(self, match: web.UrlMappingMatchInfo, method: str, handler: Handler) -> Handler:
        """Return the middleware around a handler."""
        observe = request_metrics.observer(self._metrics, match, method)

        async def answer(request: web.Request) -> web.StreamResponse:
            began = time.monotonic()
            logs.REQUEST_ID.set(f"{_PREFIX}{next(_numbers):08x}")
            status = request_metrics.CLIENT_CLOSED_REQUEST
            try:
                try:
                    response = await handler(request)
                except Exception as error:
                    response = _rendered(request, error)
                status = response.status
            except web.HTTPException as redirect:
                status = redirect.status
                raise
            finally:
                observe(status, began)
            return response

        return answer


def _rendered(request: web.Request, error: Exception) -> web.StreamResponse:
    """Return the response for an error; an internal error is logged with the id of the request.

    Raises redirects, and the error of a client that has disconnected.
    """
    if isinstance(error, ApiError):
        response = json_response(error.body(), status=error.status)
        if added := error.headers():
            response.headers.update(added)
    elif isinstance(error, web.HTTPException):
        if error.status < 400:
            raise error
        body = {"code": 0, "message": f"{error.status}: {error.reason}"}
        response = json_response(body, status=error.status)
        if allow := error.headers.get("Allow"):
            response.headers["Allow"] = allow
    elif isinstance(error, ConnectionResetError):
        raise error  # a response would go nowhere
    else:
        log.error("request %s failed: %s", logs.REQUEST_ID.get(), request.method, exc_info=error)
        response = json_response({"code": 0, "message": "500: Internal Server Error"}, status=500)
    drop_tracebacks(error)  # the request may keep it: aiohttp's error for an unknown path, say
    return response
