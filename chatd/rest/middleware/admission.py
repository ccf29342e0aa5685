"""Admission: what every request passes before its handler is called.

It is one middleware. Each further one is a coroutine that is created for a request, and that each
step of the handler passes.
"""

from __future__ import annotations

from collections.abc import Iterable

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from chatd.core.errors import Unauthorized, UnknownInteraction
from chatd.ratelimit.limiter import RateLimits
from chatd.rest.middleware.authentication import authenticate_caller
from chatd.rest.middleware.body_limits import check_body_headers
from chatd.rest.middleware.concurrency import Turns
from chatd.rest.middleware.rate_limits import TOKENS, RouteLimits
from chatd.rest.routing import Route


@web.middleware
async def admit(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Check the headers of the body, and authenticate the caller.

    Raises RequestTooLarge, UnsupportedEncoding, Unauthorized.
    """
    check_body_headers(request)
    await authenticate_caller(request)
    return await handler(request)


def admit_within(limits: RateLimits, table: Iterable[Route]) -> Middleware:
    """Return a middleware that does as `admit`, within the limits of rates and concurrency.

    It also raises RateLimited, TooManyConcurrentRequests.
    """
    routes, turns = RouteLimits(limits, table), Turns(TOKENS)

    @web.middleware
    async def admit(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            check_body_headers(request)
            context = await authenticate_caller(request)
            await routes.check(request, context)
            return await turns.run(request, context, handler)
        except (Unauthorized, UnknownInteraction):
            await routes.count_invalid_token(request)
            raise

    return admit
