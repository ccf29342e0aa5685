"""Registering, logging in and out, and the list of one's logins."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from chatd.core.errors import UnknownSession
from chatd.ephemeral.windows import Limit
from chatd.keys import CALLERS, CONTEXT, RESOURCES
from chatd.rest.parse import (
    answer,
    body,
    client_network,
    no_content,
    optional_body,
    user_agent,
)
from chatd.rest.routes import ANYONE, USER, Routes
from chatd.services import accounts, logins
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
    grant = await accounts.register(request.app[RESOURCES], wanted, user_agent(request))
    return answer(_granted(grant), status=201)


@routes.post("/auth/login", ANYONE, _LOGINS)
async def log_in(request: web.Request) -> web.Response:
    """Anyone may try."""
    credentials = await body(request, schemas.CredentialsSchema)
    grant = await accounts.log_in(
        request.app[RESOURCES], credentials, client_network(request), user_agent(request)
    )
    return answer(_granted(grant))


@routes.post("/auth/refresh", ANYONE, _LOGINS)
async def refresh(request: web.Request) -> web.Response:
    """Whoever has a refresh token may trade it, once, for a new pair."""
    wanted = await body(request, schemas.RefreshTokenSchema)
    return answer(_granted(await accounts.refresh(request.app[RESOURCES], wanted.refresh_token)))


@routes.post("/auth/logout", USER)
async def log_out(request: web.Request) -> web.Response:
    """Ends the login that asks, or that of a `refresh_token`, with its gateway sessions."""
    ctx = request[CONTEXT]
    wanted = await optional_body(request, schemas.LogoutSchema)
    await logins.log_out(ctx, wanted.refresh_token)
    request.app[CALLERS].forget(ctx.user.id)
    return no_content()


@routes.get("/auth/sessions", USER)
async def list_logins(request: web.Request) -> web.Response:
    """Where the caller is logged in."""
    ctx = request[CONTEXT]
    found = await logins.of_caller(ctx)
    own = ctx.caller.login_id
    return answer(
        {"user_sessions": [payloads.login(each, is_own=each.id == own) for each in found]}
    )


@routes.post("/auth/sessions/logout", USER)
async def end_logins(request: web.Request) -> web.Response:
    """Ends logins of the caller's, with their tokens and gateway sessions."""
    ctx = request[CONTEXT]
    wanted = await body(request, schemas.EndedLoginsSchema)
    await logins.end(ctx, wanted.session_id_hashes, wanted.password)
    request.app[CALLERS].forget(ctx.user.id)
    return no_content()


@routes.delete("/auth/sessions/{id_hash}", USER)
async def end_login(request: web.Request) -> web.Response:
    """Ends one login of the caller's, with its tokens and gateway sessions."""
    ctx = request[CONTEXT]
    if not await logins.end(ctx, [_id_hash(request)]):
        raise UnknownSession
    request.app[CALLERS].forget(ctx.user.id)
    return no_content()


def _id_hash(request: web.Request) -> str:
    text = request.match_info["id_hash"]
    if not (text.isascii() and text.isalnum() and len(text) <= 128):
        raise UnknownSession  # no hash of ours looks like that, and Postgres takes no NUL
    return text


def _granted(grant: Grant) -> dict[str, Any]:
    return {
        "access_token": grant.access_token,
        "refresh_token": grant.refresh_token,
        "token_type": "Bearer",
        "expires_in": grant.expires_in_s,
        "user": payloads.own_user(grant.account),
    }
