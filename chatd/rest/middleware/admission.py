"""Admission: the checks that every request passes before its handler is called.

All checks are in one middleware, because each middleware costs every request a coroutine, through
which each step of the handler is resumed. What depends only on the route is looked up once for each
route. Checks that usually need not wait are plain calls, not coroutines.
"""

from __future__ import annotations

from collections.abc import Iterable

from aiohttp import web
from aiohttp.typedefs import Handler

from chatd.core.errors import Unauthorized, UnknownInteraction
from chatd.ratelimit.limiter import RateLimits
from chatd.rest.middleware.authentication import CallerAuthentication, Login
from chatd.rest.middleware.body_limits import check_body_headers
from chatd.rest.middleware.concurrency import ConcurrencyLimits
from chatd.rest.middleware.rate_limits import TOKENS, RouteLimits
from chatd.rest.request import FORM, MAX_BODY, accepts_html, media_type_in
from chatd.rest.routing import Route
from chatd.web.keys import BODY_LIMITS
from chatd.web.route_cache import RouteMiddleware


class Admission(RouteMiddleware):
    """A middleware that checks the headers of the body, and authenticates the caller.

    It raises RequestTooLarge, UnsupportedEncoding, Unauthorized.
    """

    def __init__(self, app: web.Application) -> None:
        self._callers = CallerAuthentication(app)
        self._body_limits = app[BODY_LIMITS]

    def bind(self, match: web.UrlMappingMatchInfo, method: str, handler: Handler) -> Handler:
        """Return the middleware around a handler."""
        callers, login = self._callers, self._callers.login_of(match)
        max_bytes = self._body_limits.get(match.handler, MAX_BODY)

        async def admit(request: web.Request) -> web.StreamResponse:
            headers = request.headers
            check_body_headers(headers, max_bytes)
            if _is_needed(login, request) and callers.known(request, headers) is None:
                await callers.authenticate(request)
            return await handler(request)

        return admit


class LimitedAdmission(Admission):
    """A middleware that does as `Admission`, and limits the rate and concurrency of requests.

    It also raises RateLimited, TooManyConcurrentRequests.
    """

    def __init__(self, app: web.Application, limits: RateLimits, table: Iterable[Route]) -> None:
        super().__init__(app)
        self._limits = RouteLimits(limits, table)
        self._concurrency = ConcurrencyLimits(TOKENS)

    def bind(self, match: web.UrlMappingMatchInfo, method: str, handler: Handler) -> Handler:
        """Return the middleware around a handler."""
        callers, login = self._callers, self._callers.login_of(match)
        max_bytes = self._body_limits.get(match.handler, MAX_BODY)
        limits, concurrency = self._limits, self._concurrency
        windows = limits.windows_of(match)

        async def admit(request: web.Request) -> web.StreamResponse:
            try:
                headers = request.headers  # once: aiohttp repeats the lookup each time
                check_body_headers(headers, max_bytes)
                context = None
                if _is_needed(login, request):
                    known = callers.known(request, headers)
                    context = known or await callers.authenticate(request)
                if windows is not None:
                    undecided = limits.check(windows, request, context)
                    if undecided is not None:
                        await undecided
                is_form = media_type_in(headers) == FORM
                return await concurrency.run(request, context, handler, is_form=is_form)
            except (Unauthorized, UnknownInteraction):
                await limits.count_invalid_token(request)
                raise

        return admit


def _is_needed(login: Login, request: web.Request) -> bool:
    """Return whether a request needs a login."""
    if login is Login.NEEDED_BUT_FOR_PAGES:
        return not accepts_html(request)
    return login is Login.NEEDED
