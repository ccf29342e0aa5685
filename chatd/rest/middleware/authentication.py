"""Authentication of callers."""

from __future__ import annotations

from aiohttp import hdrs, web
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
    app = request.app  # once: aiohttp repeats the lookup each time
    if request.match_info.http_exception is None and not _is_open(app, request):
        authenticator, given = app[AUTHENTICATOR], request.headers.get(hdrs.AUTHORIZATION)
        caller = authenticator.cached(given) or await authenticator.authenticate(given)
        mark_authenticated(request.transport, caller.user.id)
        request[CONTEXT] = Context(
            app[DEPENDENCIES],
            caller,
            audit_log_reason(request),
            request.headers.get("X-Discord-MFA-Authorization"),
        )
    return await handler(request)


def _is_open(app: web.Application, request: web.Request) -> bool:
    """Return whether a request needs no login."""
    handler = request.match_info.handler
    if handler in app[OPEN_HANDLERS]:
        return True
    return handler in app[PAGE_HANDLERS] and accepts_html(request)
