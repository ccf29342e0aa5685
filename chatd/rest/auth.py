"""Registering, logging in and out."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from chatd.keys import CALLERS, CONTEXT, RESOURCES
from chatd.rest.parse import Json, answer, no_content
from chatd.rest.routes import ANYONE, USER, Routes
from chatd.services import accounts
from chatd.services.accounts import Grant
from chatd.wire import payloads, shapes
from chatd.wire.schemas import accounts as schemas

routes = Routes()


@routes.post(
    "/auth/register", ANYONE, body=Json(schemas.NewAccountSchema), answers={201: shapes.GRANT}
)
async def register(request: web.Request, wanted: schemas.NewAccount) -> web.Response:
    """Make an account and log in. Anyone may make an account, and is logged in with it."""
    grant = await accounts.register(request.app[RESOURCES], wanted)
    return answer(_granted(grant), status=201)


@routes.post("/auth/login", ANYONE, body=Json(schemas.CredentialsSchema), answers=shapes.GRANT)
async def log_in(request: web.Request, credentials: schemas.Credentials) -> web.Response:
    """Log in with email and password. Anyone may try."""
    return answer(_granted(await accounts.log_in(request.app[RESOURCES], credentials)))


@routes.post(
    "/auth/refresh",
    ANYONE,
    body=Json(schemas.RefreshTokenSchema),
    answers={200: shapes.GRANT, 401: shapes.REFUSAL},
)
async def refresh(request: web.Request, wanted: schemas.RefreshToken) -> web.Response:
    """Trade a refresh token for a new pair of tokens.

    Whoever has a refresh token may trade it, once, for a new pair.
    """
    return answer(_granted(await accounts.refresh(request.app[RESOURCES], wanted.refresh_token)))


@routes.post("/auth/logout", USER, body=Json(schemas.LogoutSchema, optional=True), answers=None)
async def log_out(request: web.Request, _: schemas.Logout) -> web.Response:
    """Log out. Ends the login that asks, with its tokens and its gateway sessions."""
    ctx = request[CONTEXT]
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
