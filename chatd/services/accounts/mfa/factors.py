"""Enabling and disabling second factors of the caller's account."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from chatd.auth import totp
from chatd.context.context import Context
from chatd.context.dependencies import CoreDependencies
from chatd.context.unit_of_work import UnitOfWork
from chatd.core.errors import (
    InvalidMfaCode,
    InvalidMfaSecret,
    MfaAlreadyEnabled,
    MfaNotEnabled,
    ServiceUnavailable,
    UnknownUser,
)
from chatd.core.ids import UserId
from chatd.events import users as events
from chatd.queries import administration, users
from chatd.queries import second_factors as queries
from chatd.services.accounts import credentials
from chatd.services.accounts.mfa import confirmation, recovery_codes, verification
from chatd.services.accounts.mfa.recovery_codes import RecoveryCode
from chatd.services.accounts.revocation import revoke_all


@dataclass(frozen=True, slots=True)
class Enabled:
    """A new factor: the token of the caller's login, and the recovery codes.

    Codes are created with the first factor only; a further one keeps those that exist.
    """

    token: str = field(repr=False)
    codes: Sequence[RecoveryCode]


async def enable_totp(
    ctx: Context, password: str | None, secret: str | None, code: str | None
) -> Enabled:
    """Enable one-time codes with a secret that the client has chosen, and proves to have.

    Ends all other logins, which were made without the factor. Raises InvalidForm,
    MfaAlreadyEnabled, InvalidMfaSecret, InvalidMfaCode, ConfirmationRequired, Unauthorized,
    ServiceUnavailable.
    """
    verified = await credentials.verify_password(ctx, password)
    async with ctx.database.cursor() as cur:
        if await queries.totp_secret(cur, ctx.user.id) is not None:
            raise MfaAlreadyEnabled
    normal = None if secret is None else totp.normalize_secret(secret)
    if normal is None:
        raise InvalidMfaSecret
    step = None
    if code is not None:
        step = totp.matching_step(normal, verification.normalize_code(code), time.time())
    if step is None:
        raise InvalidMfaCode
    has_proved = await confirmation.require(ctx)  # an account with a passkey
    encrypted = ctx.dependencies.mfa_keys.encrypt(ctx.user.id, normal)
    async with ctx.begin() as work:
        await credentials.recheck(ctx, work, verified)
        await queries.lock_account(work.cur, ctx.user.id)
        if has_proved or not await queries.is_enabled(work.cur, ctx.user.id):
            if not await queries.insert_totp(work.cur, ctx.user.id, encrypted, step=step):
                raise MfaAlreadyEnabled
            return await added(ctx, work)
    await confirmation.require(ctx)  # a passkey was added during the request
    raise ServiceUnavailable  # and is gone again


async def disable_totp(ctx: Context, code: str | None) -> str:
    """Disable one-time codes. Needs a second factor. Returns the token of the caller's login.

    Raises MfaNotEnabled, ConfirmationRequired, InvalidMfaCode, RateLimited, Unauthorized,
    ServiceUnavailable.
    """
    async with ctx.database.cursor() as cur:
        if await queries.totp_secret(cur, ctx.user.id) is None:
            raise MfaNotEnabled
    await confirmation.require(ctx, code)
    async with ctx.begin() as work:
        await credentials.lock_login(ctx, work)
        await queries.lock_account(work.cur, ctx.user.id)
        if not await queries.delete_totp(work.cur, ctx.user.id):
            raise MfaNotEnabled
        await removed(work, ctx.user.id)
    return own_token(ctx)


async def added(ctx: Context, work: UnitOfWork) -> Enabled:
    """Finish adding a factor: the account is locked and its stream, too."""
    codes: Sequence[RecoveryCode] = ()
    if not await queries.is_enabled(work.cur, ctx.user.id):
        codes = await recovery_codes.replace(ctx, work.cur, ctx.user.id)
        await revoke_all(work, ctx.user.id, keep=ctx.caller.login_id)
        await queries.delete_tickets(work.cur, ctx.user.id)  # they are for the password alone
    await queries.update_enabled(work.cur, ctx.user.id)
    await _publish(work, ctx.user.id)
    return Enabled(own_token(ctx), codes)


async def removed(work: UnitOfWork, user_id: UserId) -> None:
    """Finish removing a factor. The last one takes the recovery codes with it."""
    if not await queries.update_enabled(work.cur, user_id):
        await queries.delete_all(work.cur, user_id)
    await _publish(work, user_id)


async def reset(dependencies: CoreDependencies, user_id: UserId) -> None:
    """Remove all factors of a person and end all its logins, by the operator.

    A thief of the lost device may be logged in. Raises UnknownUser.
    """
    async with dependencies.begin() as work:
        await work.ensure_and_lock(user_id)
        found = await administration.get_account(work.cur, user_id=user_id)
        if found is None or found.deleted_at is not None or found.bot:
            raise UnknownUser
        await queries.lock_account(work.cur, user_id)
        await queries.delete_all(work.cur, user_id)
        await queries.update_enabled(work.cur, user_id)
        await _publish(work, user_id)
        await revoke_all(work, user_id)


def own_token(ctx: Context) -> str:
    """Return the client token of the caller's login."""
    return ctx.dependencies.client_tokens.issue(ctx.user.id, ctx.caller.login_id)


async def _publish(work: UnitOfWork, user_id: UserId) -> None:
    account = await users.account(work.cur, user_id)
    if account is not None:
        work.emit(events.user_updated(account))
