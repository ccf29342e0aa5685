"""The passkeys of the caller's account."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from chatd.auth.mfa_keys import Purpose
from chatd.auth.passkey_answers import InvalidPasskey
from chatd.context.context import Context
from chatd.core.errors import (
    InvalidMfaCode,
    InvalidMfaTicket,
    PasskeysUnavailable,
    TooManyPasskeys,
    UnknownPasskey,
)
from chatd.core.ids import PasskeyId
from chatd.queries import second_factors as queries
from chatd.queries.second_factors import Passkey
from chatd.services.accounts import credentials
from chatd.services.accounts.mfa import confirmation, factors, tickets
from chatd.services.accounts.mfa.recovery_codes import RecoveryCode

__all__ = ["MAX_PASSKEYS", "Passkey", "begin", "delete", "finish", "list_for_caller", "rename"]

MAX_PASSKEYS = 20
"""The passkeys of one account. The answer to a login lists all of them."""


@dataclass(frozen=True, slots=True)
class Registration:
    """What a client needs to create a passkey."""

    ticket: str = field(repr=False)
    options: str = field(repr=False)


async def list_for_caller(ctx: Context) -> list[Passkey]:
    """Return the passkeys of the caller, the oldest first."""
    async with ctx.database.cursor() as cur:
        return await queries.passkeys(cur, ctx.user.id)


async def begin(ctx: Context, code: str | None, password: str | None) -> Registration:
    """Begin to create a passkey. Needs a second factor, or without one the password.

    Raises PasskeysUnavailable, TooManyPasskeys, ConfirmationRequired, InvalidMfaCode, InvalidForm.
    """
    verifier = ctx.dependencies.passkeys
    if not verifier.is_available:
        raise PasskeysUnavailable
    state = await confirmation.require_factor_or_password(ctx, code, password)
    if len(state.credential_ids) >= MAX_PASSKEYS:
        raise TooManyPasskeys
    ticket, challenge = await tickets.issue_registration(ctx, state)
    options = verifier.creation_options(
        challenge, ctx.user.id, ctx.user.username, state.credential_ids
    )
    return Registration(ticket, options)


async def finish(
    ctx: Context, ticket: str, answer: str, name: str
) -> tuple[Passkey, Sequence[RecoveryCode]]:
    """Add the passkey that a browser has created; return it, and recovery codes if they are new.

    The first factor ends all other logins, which were made without it. Raises InvalidMfaTicket,
    InvalidMfaCode, TooManyPasskeys, Unauthorized, ServiceUnavailable.
    """
    dependencies = ctx.dependencies
    claims = tickets.read(dependencies, ticket, Purpose.REGISTER, tickets.client_of(ctx))
    if claims.user_id != ctx.user.id:
        raise InvalidMfaTicket
    opened = await tickets.count_try(dependencies, claims)
    try:
        credential = dependencies.passkeys.verify_registration(answer, opened.challenge)
    except InvalidPasskey:
        raise InvalidMfaCode from None
    passkey = Passkey(ctx.new_id(PasskeyId), name, credential.id, None)
    async with ctx.begin() as work:
        await credentials.lock_login(ctx, work)
        await queries.lock_account(work.cur, ctx.user.id)
        state = await tickets.locked_state(work.cur, dependencies, opened)
        if len(state.credential_ids) >= MAX_PASSKEYS:
            raise TooManyPasskeys
        await tickets.consume(work.cur, opened)
        if not await queries.insert_passkey(
            work.cur,
            passkey,
            ctx.user.id,
            public_key=credential.public_key,
            sign_count=credential.sign_count,
        ):
            raise InvalidMfaCode
        enabled = await factors.added(ctx, work)
    return passkey, enabled.codes


async def rename(ctx: Context, passkey_id: PasskeyId, name: str) -> Passkey:
    """Rename a passkey of the caller. Raises UnknownPasskey."""
    async with ctx.database.cursor() as cur:
        found = await queries.rename_passkey(cur, ctx.user.id, passkey_id, name)
    if found is None:
        raise UnknownPasskey
    return found


async def delete(ctx: Context, passkey_id: PasskeyId, code: str | None) -> None:
    """Delete a passkey of the caller. Needs a second factor.

    Raises UnknownPasskey, ConfirmationRequired, InvalidMfaCode, Unauthorized, ServiceUnavailable.
    """
    if not any(each.id == passkey_id for each in await list_for_caller(ctx)):
        raise UnknownPasskey
    await confirmation.require(ctx, code)
    async with ctx.begin() as work:
        await credentials.lock_login(ctx, work)
        await queries.lock_account(work.cur, ctx.user.id)
        if not await queries.delete_passkey(work.cur, ctx.user.id, passkey_id):
            raise UnknownPasskey
        await factors.removed(work, ctx.user.id)
