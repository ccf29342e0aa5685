"""Authentication of callers."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum, auto

from aiohttp import hdrs, web
from multidict import istr

from chatd.context.context import Context
from chatd.core.models import Caller
from chatd.rest.request import audit_log_reason
from chatd.web.http_server import mark_authenticated
from chatd.web.keys import AUTHENTICATOR, CONTEXT, DEPENDENCIES, OPEN_HANDLERS, PAGE_HANDLERS

_MFA = istr("X-Discord-MFA-Authorization")  # an `istr` is found without converting it


class Login(Enum):
    """Whether a route needs a login."""

    NEEDED = auto()
    NEEDED_BUT_FOR_PAGES = auto()
    """Not if a browser asks for the page of the route."""
    NOT_NEEDED = auto()


class CallerAuthentication:
    """Authenticates the callers of an application by their tokens.

    The application must have its routes already.
    """

    def __init__(self, app: web.Application) -> None:
        self._authenticator = app[AUTHENTICATOR]
        self._dependencies = app[DEPENDENCIES]
        self._open, self._pages = app[OPEN_HANDLERS], app[PAGE_HANDLERS]

    def login_of(self, match: web.UrlMappingMatchInfo) -> Login:
        """Return whether a route needs a login. A request without a route needs none."""
        if match.http_exception is not None or match.handler in self._open:
            return Login.NOT_NEEDED
        return Login.NEEDED_BUT_FOR_PAGES if match.handler in self._pages else Login.NEEDED

    def known(self, request: web.Request, headers: Mapping[str, str]) -> Context | None:
        """Return what `authenticate` returns, if that needs no query; otherwise None."""
        caller = self._authenticator.cached(headers.get(hdrs.AUTHORIZATION))
        return None if caller is None else self._begin(request, headers, caller)

    async def authenticate(self, request: web.Request) -> Context:
        """Authenticate the caller, and build the context of the request. Raises Unauthorized."""
        given = request.headers.get(hdrs.AUTHORIZATION)
        caller = await self._authenticator.authenticate(given)
        return self._begin(request, request.headers, caller)

    def _begin(self, request: web.Request, headers: Mapping[str, str], caller: Caller) -> Context:
        mark_authenticated(request.transport, caller.user.id)
        context = request[CONTEXT] = Context(
            self._dependencies,
            caller,
            audit_log_reason(headers),
            headers.get(_MFA),
        )
        return context
