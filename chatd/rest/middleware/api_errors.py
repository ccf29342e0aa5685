"""Request ids, and rendering of errors as JSON."""

from __future__ import annotations

import itertools
import logging
import secrets

from aiohttp import web
from aiohttp.typedefs import Handler

from chatd.core.errors import ApiError
from chatd.observability import logs
from chatd.rest.response import json_response

log = logging.getLogger(__name__)

# The prefix of request ids, random for each process: ids stay unique over restarts and instances.
_PREFIX = secrets.token_hex(4)
_numbers = itertools.count(1)


@web.middleware
async def render_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Give the request an id, render API errors, and log internal errors with the id."""
    request_id = f"{_PREFIX}{next(_numbers):08x}"
    logs.REQUEST_ID.set(request_id)
    try:
        response = await handler(request)
    except ApiError as refused:
        response = json_response(refused.body(), status=refused.status)
        if added := refused.headers():
            response.headers.update(added)
    except web.HTTPException as error:
        if error.status < 400:
            raise
        response = json_response({"code": 0, "message": f"{error.status}: {error.reason}"})
        response.set_status(error.status)
        if allow := error.headers.get("Allow"):
            response.headers["Allow"] = allow
    except ConnectionResetError:
        raise  # the client has disconnected, so a response would go nowhere
    except Exception:
        log.exception("request %s failed: %s", request_id, request.method)
        response = json_response({"code": 0, "message": "500: Internal Server Error"}, status=500)
    return response
