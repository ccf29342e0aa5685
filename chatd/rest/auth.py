"""Registering, logging in and out."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from chatd.ephemeral.windows import Limit
from chatd.keys import CALLERS, CONTEXT, RESOURCES
from chatd.rest.parse import answer, body, client_network, no_content, optional_body
from chatd.rest.routes import ANYONE, USER, Routes
from chatd.services import accounts
from chatd.services.accounts import Grant
from chatd.wire import payloads
from chatd.wire.schemas import accounts as schemas

routes = Routes()

_REGISTRATIONS = Limit(50, 3600.0)  # these two are for each address
_LOGINS = Limit(100, 60.0, "logins")


@routes.post("/auth/register", ANYONE, _REGISTRATIONS)
async def register(request: web.Request) -> web.Response:
    """Anyone may make an account, and is logged in with it."""
    wanted = await body(request, schemas.NewAccountSchema)
    grant = await accounts.register(request.app[RESOURCES], wanted)
    return answer(_granted(grant), status=201)


@routes.post("/auth/login", ANYONE, _LOGINS)
async def log_in(request: web.Request) -> web.Response:
    """Anyone may try."""
    credentials = await body(request, schemas.CredentialsSchema)
    network = client_network(request)
    return answer(_granted(await accounts.log_in(request.app[RESOURCES], credentials, network)))


@routes.post("/auth/refresh", ANYONE, _LOGINS)
async def refresh(request: web.Request) -> web.Response:
    """Whoever has a refresh token may trade it, once, for a new pair."""
    wanted = await body(request, schemas.RefreshTokenSchema)
    return answer(_granted(await accounts.refresh(request.app[RESOURCES], wanted.refresh_token)))


@routes.post("/auth/logout", USER)
async def log_out(request: web.Request) -> web.Response:
    """Ends the login that asks, with its tokens and its gateway sessions."""
    ctx = request[CONTEXT]
    await optional_body(request, schemas.LogoutSchema)
    await accounts.log_out(ctx)
    request.app[CALLERS].forget(ctx.user.id)
    return no_content()


def _granted(grant: Grant) -> dict[str, Any]:
    return {
        "access_token": grant.access_token,
        "refresh_token": grant.refresh_token,
        "token_type": "Bearer",
        "expires_in": grant.expires_in_s,
        "user": payloads.own_user(grant.account),
    }
