"""Registration, login, logout, and the logins of an account."""

from __future__ import annotations

from contextlib import suppress

from aiohttp import web

from chatd.context.context import Context
from chatd.core.errors import ApiError, UnknownSession
from chatd.core.mail import language_of
from chatd.core.models import Caller
from chatd.ratelimit.window import Limit
from chatd.rest.locales import locale_of
from chatd.rest.login_payloads import login_result, mfa_challenge, new_login
from chatd.rest.request import JsonBody, user_agent
from chatd.rest.response import json_response, no_content
from chatd.rest.routing import HUMAN, PUBLIC, Routes
from chatd.services.accounts import accounts, claims, logins
from chatd.services.accounts.accounts import AwaitsApproval
from chatd.services.accounts.mfa.tickets import Challenge
from chatd.services.guilds import invites
from chatd.web.client_address import client_network
from chatd.web.keys import CONTEXT, DEPENDENCIES
from chatd.wire import payloads, responses
from chatd.wire.schemas import accounts as schemas

routes = Routes()

# These three limits apply to each network address, which many people may share: a school, or a
# provider with carrier-grade NAT. `login_throttle` limits wrong passwords more strictly.
_REGISTRATIONS = Limit(50, 3600.0)
_LOGINS = Limit(100, 60.0, "logins")
_REFRESHES = Limit(100, 60.0, "refreshes")
"""Separate from logins: a program that refreshes in a loop does not block logins."""


@routes.post(
    "/auth/register",
    PUBLIC,
    limit=_REGISTRATIONS,
    body=JsonBody(schemas.NewAccountSchema),
    answers={
        201: responses.NEW_LOGIN,
        202: responses.AWAITS_APPROVAL,
        403: responses.ERROR,
    },
)
async def register(request: web.Request, body: schemas.NewAccount) -> web.Response:
    """Create an account and log in.

    403 if registration is closed. If registration is by invitation, `invitation` (or `invite`) must
    be a registration code from an administrator. The account joins the guild of `invite`, unless
    that invite cannot be accepted. 403 also for a blocked network. 202 if registration is by
    approval and there is no code: the account cannot log in until an administrator approves it.

    A code of `chatd user claim-code` makes the new account out of the placeholder of an imported
    author, whose messages and guilds it keeps.
    """
    login = await claims.register(
        request.app[DEPENDENCIES],
        body,
        client_network(request),
        user_agent(request),
        language=language_of(locale_of(request)),
    )
    if isinstance(login, AwaitsApproval):
        return json_response({"awaits_approval": True}, status=202)
    if body.invite is not None:
        caller = Caller(login.result.account.user, login.id)
        with suppress(ApiError):
            await invites.accept(Context(request.app[DEPENDENCIES], caller), body.invite)
    return json_response(new_login(login), status=201)


@routes.post(
    "/auth/login",
    PUBLIC,
    limit=_LOGINS,
    body=JsonBody(schemas.LoginInputSchema),
    answers={200: responses.LOGIN_OR_CHALLENGE, 403: responses.ERROR},
)
async def log_in(request: web.Request, credentials: schemas.LoginInput) -> web.Response:
    """Log in with email address (`login` or `email`) and password.

    The answer for an account with a second factor has `mfa` and a ticket in place of tokens. 403
    with code 20013 for a disabled account.
    """
    login = await accounts.log_in(
        request.app[DEPENDENCIES], credentials, client_network(request), user_agent(request)
    )
    if isinstance(login, Challenge):
        return json_response(mfa_challenge(login))
    return json_response(new_login(login))


@routes.post(
    "/auth/refresh",
    PUBLIC,
    limit=_REFRESHES,
    body=JsonBody(schemas.RefreshTokenSchema),
    answers={200: responses.LOGIN_RESULT, 401: responses.ERROR},
)
async def refresh(request: web.Request, body: schemas.RefreshToken) -> web.Response:
    """Exchange a refresh token for a new pair of tokens. A refresh token can be used once."""
    return json_response(
        login_result(await accounts.refresh(request.app[DEPENDENCIES], body.refresh_token))
    )


@routes.post(
    "/auth/logout", HUMAN, body=JsonBody(schemas.LogoutSchema, optional=True), answers=None
)
async def log_out(request: web.Request, body: schemas.Logout) -> web.Response:
    """Log out: end the caller's login, or the login of `refresh_token`, with its gateway
    sessions.
    """
    ctx = request[CONTEXT]
    await logins.log_out(ctx, body.refresh_token)
    return no_content()


@routes.get("/auth/sessions", HUMAN, answers=responses.LOGINS)
async def list_logins(request: web.Request) -> web.Response:
    """List the caller's logins."""
    ctx = request[CONTEXT]
    found = await logins.list_for_caller(ctx)
    own = ctx.caller.login_id
    return json_response(
        {"user_sessions": [payloads.login(each, is_own=each.id == own) for each in found]}
    )


@routes.post("/auth/sessions/logout", HUMAN, body=JsonBody(schemas.EndedLoginsSchema), answers=None)
async def end_logins(request: web.Request, body: schemas.EndedLogins) -> web.Response:
    """End logins of the caller, with their tokens and gateway sessions."""
    ctx = request[CONTEXT]
    await logins.end(ctx, body.session_id_hashes, body.password)
    return no_content()


@routes.delete("/auth/sessions/{id_hash}", HUMAN, answers=None)
async def end_login(request: web.Request) -> web.Response:
    """End a login of the caller, with its tokens and gateway sessions."""
    ctx = request[CONTEXT]
    if not await logins.end(ctx, [_id_hash(request)]):
        raise UnknownSession
    return no_content()


def _id_hash(request: web.Request) -> str:
    text = request.match_info["id_hash"]
    if not (text.isascii() and text.isalnum() and len(text) <= 128):
        raise UnknownSession  # not one of our hashes; Postgres refuses NUL
    return text
