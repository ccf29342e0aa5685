"""Registering, logging in and out, and the list of one's logins."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from chatd.clients import client_network
from chatd.core.errors import UnknownSession
from chatd.ephemeral.windows import Limit
from chatd.keys import CALLERS, CONTEXT, RESOURCES
from chatd.rest.parse import Json, answer, no_content, user_agent
from chatd.rest.routes import ANYONE, USER, Routes
from chatd.services import accounts, logins
from chatd.services.accounts import Grant
from chatd.wire import payloads, shapes
from chatd.wire.schemas import accounts as schemas

routes = Routes()

_REGISTRATIONS = Limit(50, 3600.0)  # these two are for each address
_LOGINS = Limit(100, 60.0, "logins")


@routes.post(
    "/auth/register",
    ANYONE,
    limit=_REGISTRATIONS,
    body=Json(schemas.NewAccountSchema),
    answers={201: shapes.GRANT, 403: shapes.REFUSAL},
)
async def register(request: web.Request, wanted: schemas.NewAccount) -> web.Response:
    """Make an account and log in.

    Anyone may make an account, and is logged in with it, unless the server has closed registration
    (403) or takes only those with an `invitation` of an administrator's.
    """
    grant = await accounts.register(request.app[RESOURCES], wanted, user_agent(request))
    return answer(_granted(grant), status=201)


@routes.post(
    "/auth/login",
    ANYONE,
    limit=_LOGINS,
    body=Json(schemas.CredentialsSchema),
    answers={200: shapes.GRANT, 403: shapes.REFUSAL},
)
async def log_in(request: web.Request, credentials: schemas.Credentials) -> web.Response:
    """Log in with email and password. Anyone may try; 403 with 20013 for a disabled account."""
    grant = await accounts.log_in(
        request.app[RESOURCES], credentials, client_network(request), user_agent(request)
    )
    return answer(_granted(grant))


@routes.post(
    "/auth/refresh",
    ANYONE,
    limit=_LOGINS,
    body=Json(schemas.RefreshTokenSchema),
    answers={200: shapes.GRANT, 401: shapes.REFUSAL},
)
async def refresh(request: web.Request, wanted: schemas.RefreshToken) -> web.Response:
    """Trade a refresh token for a new pair of tokens.

    Whoever has a refresh token may trade it, once, for a new pair.
    """
    return answer(_granted(await accounts.refresh(request.app[RESOURCES], wanted.refresh_token)))


@routes.post("/auth/logout", USER, body=Json(schemas.LogoutSchema, optional=True), answers=None)
async def log_out(request: web.Request, wanted: schemas.Logout) -> web.Response:
    """Log out: ends the login that asks, or that of a `refresh_token`, with its sessions."""
    ctx = request[CONTEXT]
    await logins.log_out(ctx, wanted.refresh_token)
    request.app[CALLERS].forget(ctx.user.id)
    return no_content()


@routes.get("/auth/sessions", USER, answers=shapes.LOGINS)
async def list_logins(request: web.Request) -> web.Response:
    """Where the caller is logged in."""
    ctx = request[CONTEXT]
    found = await logins.of_caller(ctx)
    own = ctx.caller.login_id
    return answer(
        {"user_sessions": [payloads.login(each, is_own=each.id == own) for each in found]}
    )


@routes.post("/auth/sessions/logout", USER, body=Json(schemas.EndedLoginsSchema), answers=None)
async def end_logins(request: web.Request, wanted: schemas.EndedLogins) -> web.Response:
    """End logins of the caller's, with their tokens and gateway sessions."""
    ctx = request[CONTEXT]
    await logins.end(ctx, wanted.session_id_hashes, wanted.password)
    request.app[CALLERS].forget(ctx.user.id)
    return no_content()


@routes.delete("/auth/sessions/{id_hash}", USER, answers=None)
async def end_login(request: web.Request) -> web.Response:
    """End one login of the caller's, with its tokens and gateway sessions."""
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
