"""What all routes share: a request id, who asks, and how refusals and bugs are told."""

from __future__ import annotations

import itertools
import logging
import secrets

from aiohttp import web
from aiohttp.typedefs import Handler

from chatd import logs
from chatd.context import Context
from chatd.core.errors import Refusal, RequestTooLarge, UnsupportedEncoding
from chatd.keys import CALLERS, CONTEXT, OPEN_HANDLERS, RESOURCES
from chatd.rest import parse
from chatd.rest.parse import MAX_IMAGE_BODY, answer
from chatd.rest.uploads import is_form

log = logging.getLogger(__name__)

_START = secrets.token_hex(4)  # of the ids of requests: no other server's, and no earlier one's
_numbers = itertools.count(1)


@web.middleware
async def errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Render refusals; log what is our own fault, with the id that the client is told."""
    request_id = f"{_START}{next(_numbers):08x}"
    logs.REQUEST_ID.set(request_id)
    try:
        response = await handler(request)
    except Refusal as refused:
        response = answer(refused.body(), status=refused.status)
        response.headers.update(refused.headers())
    except web.HTTPException as problem:
        if problem.status < 400:
            raise
        response = answer({"code": 0, "message": f"{problem.status}: {problem.reason}"})
        response.set_status(problem.status)
        if allow := problem.headers.get("Allow"):
            response.headers["Allow"] = allow
    except ConnectionResetError:
        raise  # the client has left; there is nobody to answer
    except Exception:
        log.exception("request %s failed: %s", request_id, request.method)
        response = answer({"code": 0, "message": "500: Internal Server Error"}, status=500)
    if not response.prepared:
        response.headers["X-Request-Id"] = request_id
    return response


@web.middleware
async def limits(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse a body that is announced as too large, or as packed, before anything waits for it."""
    length = request.content_length
    if length is not None and length > MAX_IMAGE_BODY and not is_form(request):
        raise RequestTooLarge
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise UnsupportedEncoding
    return await handler(request)


@web.middleware
async def callers(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Find out who asks, and hand it to the handler as its context. Raises Unauthorized."""
    match = request.match_info
    if match.http_exception is None and match.handler not in request.app[OPEN_HANDLERS]:
        caller = await request.app[CALLERS].of_token(request.headers.get("Authorization"))
        request[CONTEXT] = Context(request.app[RESOURCES], caller, parse.reason(request))
    return await handler(request)
