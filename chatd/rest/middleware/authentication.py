"""Authentication of callers."""

from __future__ import annotations

from aiohttp import web
from aiohttp.typedefs import Handler

from chatd.context.context import Context
from chatd.rest.request import accepts_html, audit_log_reason
from chatd.web.http_server import mark_authenticated
from chatd.web.keys import AUTHENTICATOR, CONTEXT, DEPENDENCIES, OPEN_HANDLERS, PAGE_HANDLERS


@web.middleware
async def authenticate_caller(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Authenticate the caller by its token, and build the context of the request.

    Public routes and pages get no context. Raises Unauthorized.
    """
    if request.match_info.http_exception is None and not _is_open(request):
        caller = await request.app[AUTHENTICATOR].authenticate(request.headers.get("Authorization"))
        mark_authenticated(request.transport, caller.user.id)
        request[CONTEXT] = Context(request.app[DEPENDENCIES], caller, audit_log_reason(request))
    return await handler(request)


def _is_open(request: web.Request) -> bool:
    """Return whether a request needs no login."""
    handler = request.match_info.handler
    if handler in request.app[OPEN_HANDLERS]:
        return True
    return handler in request.app[PAGE_HANDLERS] and accepts_html(request)
