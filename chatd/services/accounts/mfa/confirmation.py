"""Confirmation of sensitive actions: the caller proves its second factor for a request.

A client proves it by a code in the request, or as Discord's clients do: the refusal has a ticket,
`POST /mfa/finish` exchanges it and a factor for a confirmation, and the client repeats the request
with that in `X-Discord-MFA-Authorization`. A confirmation is valid for five minutes, for the login
that it was made with. Accounts without a factor need none.
"""

from __future__ import annotations

from chatd.auth.mfa_keys import InvalidTicket, Purpose
from chatd.auth.passkey_answers import InvalidPasskey, parse_assertion
from chatd.context.context import Context
from chatd.core.errors import (
    ConfirmationRequired,
    InvalidMfaCode,
    InvalidMfaTicket,
    Unauthorized,
)
from chatd.core.json import JsonObject
from chatd.queries import second_factors as queries
from chatd.queries.second_factors import FactorState
from chatd.services.accounts import credentials, login_throttle
from chatd.services.accounts.mfa import tickets, verification
from chatd.services.accounts.mfa.tickets import Challenge, OpenTicket
from chatd.services.accounts.mfa.verification import CodeProof, PasskeyProof, Proof


async def require(ctx: Context, code: str | None = None) -> bool:
    """Require the second factor of the caller, if it has one. Return whether it has.

    Raises ConfirmationRequired, InvalidMfaCode, RateLimited, ServiceUnavailable.
    """
    state = await _state(ctx)
    if state is None or not state.mfa_enabled:
        return False
    await _require_factor(ctx, state, code)
    return True


async def require_factor_or_password(
    ctx: Context, code: str | None, password: str | None
) -> FactorState:
    """Require the second factor of the caller, or without one its password.

    Returns the factors. Raises as `require`, and InvalidForm for a wrong password.
    """
    state = await _state(ctx)
    if state is None:
        raise Unauthorized
    if state.mfa_enabled:
        await _require_factor(ctx, state, code)
    elif password is not None:
        await credentials.verify_password(ctx, password)
    elif not _is_confirmed(ctx, state):
        raise ConfirmationRequired(await _request(ctx, state))
    return state


async def _require_factor(ctx: Context, state: FactorState, code: str | None) -> None:
    if _is_confirmed(ctx, state):
        return
    if code is None:
        raise ConfirmationRequired(await _request(ctx, state))
    await _use_code(ctx, code)


async def finish(ctx: Context, ticket: str, mfa_type: str, data: str) -> str:
    """Exchange a ticket and a factor for a confirmation.

    Raises InvalidMfaTicket, InvalidMfaCode, InvalidForm, RateLimited, ServiceUnavailable.
    """
    claims = tickets.read(ctx.dependencies, ticket, Purpose.CONFIRM, tickets.client_of(ctx))
    if claims.user_id != ctx.user.id:
        raise InvalidMfaTicket
    opened = await tickets.count_try(ctx.dependencies, claims)
    if mfa_type == "password":
        return await _finish_with_password(ctx, opened, data)
    proof: Proof
    if mfa_type == "webauthn":
        try:
            assertion = parse_assertion(data)
        except InvalidPasskey:
            raise InvalidMfaCode from None
        proof = PasskeyProof(assertion, opened.challenge)
    else:
        proof = CodeProof(data, is_recovery=True if mfa_type == "backup" else None)
    return await _finish(ctx, opened, proof)


async def _finish(ctx: Context, ticket: OpenTicket, proof: Proof) -> str:
    confirmation = ""

    async def attempt() -> bool:
        nonlocal confirmation
        async with ctx.begin() as work:
            state = await tickets.locked_state(work.cur, ctx.dependencies, ticket)
            if not await verification.use(ctx.dependencies, work.cur, ctx.user.id, proof):
                return False
            await tickets.consume(work.cur, ticket)
            confirmation = _issue(ctx, state)
        return True

    if not await login_throttle.verify_own_factor(
        ctx, attempt, is_code=isinstance(proof, CodeProof)
    ):
        raise InvalidMfaCode
    return confirmation


async def _finish_with_password(ctx: Context, ticket: OpenTicket, password: str) -> str:
    """Confirm with the password of an account without a factor."""
    await credentials.verify_password(ctx, password)
    async with ctx.begin() as work:
        state = await tickets.locked_state(work.cur, ctx.dependencies, ticket)
        if state.mfa_enabled:
            raise InvalidMfaTicket
        await tickets.consume(work.cur, ticket)
        return _issue(ctx, state)


async def _use_code(ctx: Context, code: str) -> None:
    async def attempt() -> bool:
        async with ctx.begin() as work:
            await queries.state(work.cur, ctx.user.id, lock=True)
            return await verification.use(ctx.dependencies, work.cur, ctx.user.id, CodeProof(code))

    if not await login_throttle.verify_own_factor(ctx, attempt, is_code=True):
        raise InvalidMfaCode


async def _state(ctx: Context) -> FactorState | None:
    async with ctx.database.cursor() as cur:
        return await queries.state(cur, ctx.user.id)


def _is_confirmed(ctx: Context, state: FactorState) -> bool:
    """Return whether the request has a valid confirmation."""
    if ctx.mfa_authorization is None:
        return False
    keys = ctx.dependencies.mfa_keys
    try:
        claims = keys.read(ctx.mfa_authorization, _purpose(state), tickets.client_of(ctx))
    except InvalidTicket:
        return False
    is_current = tickets.is_current(ctx.dependencies, claims.password_version, state)
    return claims.user_id == ctx.user.id and is_current


def _issue(ctx: Context, state: FactorState) -> str:
    keys = ctx.dependencies.mfa_keys
    return keys.issue(_purpose(state), ctx.user.id, tickets.client_of(ctx), state.password_hash)


def _purpose(state: FactorState) -> Purpose:
    """A confirmation by password is of no use once the account has a factor."""
    return Purpose.CONFIRMED if state.mfa_enabled else Purpose.CONFIRMED_BY_PASSWORD


async def _request(ctx: Context, state: FactorState) -> JsonObject:
    """Return a new ticket, and the methods with which it can be used."""
    challenge = await tickets.issue_confirmation(ctx, state)
    return {"ticket": challenge.ticket, "methods": _methods(challenge, state)}


def _methods(challenge: Challenge, state: FactorState) -> list[JsonObject]:
    if not state.mfa_enabled:
        return [{"type": "password"}]
    methods: list[JsonObject] = []
    if challenge.webauthn is not None:
        methods.append({"type": "webauthn", "challenge": challenge.webauthn})
    if challenge.totp:
        methods.append({"type": "totp", "backup_codes_allowed": challenge.backup})
    if challenge.backup:
        methods.append({"type": "backup"})
    return methods
