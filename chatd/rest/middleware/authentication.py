"""Authentication of callers."""

from __future__ import annotations

from aiohttp import hdrs, web

from chatd.context.context import Context
from chatd.rest.request import accepts_html, audit_log_reason
from chatd.web.http_server import mark_authenticated
from chatd.web.keys import AUTHENTICATOR, CONTEXT, DEPENDENCIES, OPEN_HANDLERS, PAGE_HANDLERS


async def authenticate_caller(request: web.Request) -> Context | None:
    """Authenticate the caller by its token, and build the context of the request.

    Public routes and pages get no context. Raises Unauthorized.
    """
    app, match = request.app, request.match_info  # once: aiohttp repeats the lookup each time
    if match.http_exception is not None or _is_open(app, match, request):
        return None
    authenticator, given = app[AUTHENTICATOR], request.headers.get(hdrs.AUTHORIZATION)
    caller = authenticator.cached(given) or await authenticator.authenticate(given)
    mark_authenticated(request.transport, caller.user.id)
    context = request[CONTEXT] = Context(
        app[DEPENDENCIES],
        caller,
        audit_log_reason(request),
        request.headers.get("X-Discord-MFA-Authorization"),
    )
    return context


def _is_open(app: web.Application, match: web.UrlMappingMatchInfo, request: web.Request) -> bool:
    """Return whether a request needs no login."""
    handler = match.handler
    if handler in app[OPEN_HANDLERS]:
        return True
    return handler in app[PAGE_HANDLERS] and accepts_html(request)
