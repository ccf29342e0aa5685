"""Address and password of an account: verifying the password, and changing either.

Rules: OWASP Authentication Cheat Sheet ("Require Re-authentication for Sensitive Features",
"Change Password Feature"); RFC 8265 (OpaqueString). Another request may change the password between
its verification and the change. So the hash is compared again under the lock of the account.
"""

from __future__ import annotations

import secrets
import unicodedata
from dataclasses import dataclass, field, replace

from chatd.context.context import Context
from chatd.context.dependencies import CoreDependencies
from chatd.context.unit_of_work import UnitOfWork
from chatd.core import passwords
from chatd.core.errors import InvalidForm, Unauthorized
from chatd.core.mail import TokenPurpose, email_key
from chatd.core.models import Account
from chatd.core.unset import UNSET
from chatd.queries import logins, mail_tokens, users
from chatd.services.accounts import login_throttle
from chatd.services.accounts.mail import mail_queue, notices, verification
from chatd.services.accounts.revocation import revoke_all
from chatd.services.safety import registration_rules
from chatd.wire.schemas.accounts import ProfileChange


@dataclass(frozen=True, slots=True)
class VerifiedPassword:
    """A verified password of the caller: the hash that the password matched."""

    password_hash: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class CredentialChange:
    """A new address, a new password, or both. None means no change."""

    verified: VerifiedPassword
    email: str | None = field(repr=False)
    password_hash: str | None = field(repr=False)


async def verify_password(ctx: Context, password: str | None) -> VerifiedPassword:
    """Verify the password of the caller.

    Raises InvalidForm when it does not match, Unauthorized when the account was deleted,
    RateLimited, ServiceUnavailable.
    """
    if not password or ctx.user.bot:  # bots have no password
        raise _does_not_match()
    async with ctx.database.cursor() as cur:
        password_hash = await users.password_hash(cur, ctx.user.id)
    if password_hash is None:
        raise Unauthorized
    if not await login_throttle.verify_own_password(
        ctx, normalize_password(password), password_hash
    ):
        raise _does_not_match()
    return VerifiedPassword(password_hash)


async def recheck(ctx: Context, work: UnitOfWork, verified: VerifiedPassword) -> None:
    """Raise Unauthorized if the login was revoked, InvalidForm if the password was changed.

    Locks the stream of the caller, so that neither can change until the commit.
    """
    await lock_login(ctx, work)
    if await users.password_hash(work.cur, ctx.user.id) != verified.password_hash:
        raise _does_not_match()


async def lock_login(ctx: Context, work: UnitOfWork) -> None:
    """Lock the stream of the caller, so that its login cannot be revoked until the commit.

    Raises Unauthorized if it was revoked since the request began.
    """
    await work.ensure_and_lock(ctx.user.id)
    if await logins.find_caller(work.cur, ctx.caller.login_id, ctx.user.id) is None:
        raise Unauthorized


async def prepare(ctx: Context, wanted: ProfileChange) -> CredentialChange | None:
    """Verify and hash passwords for a change of address or password. Returns None for others.

    Raises InvalidForm, Unauthorized, RateLimited, ServiceUnavailable.
    """
    if wanted.new_password is UNSET and wanted.email is UNSET:
        return None
    verified = await verify_password(ctx, wanted.password)
    await mail_queue.count_change(ctx.dependencies, ctx.user.id)
    if wanted.email is not UNSET:
        await registration_rules.require_permitted_domain(ctx.dependencies, wanted.email)
    if wanted.email is not UNSET and ctx.dependencies.sends_mail:
        await mail_queue.count(ctx.dependencies, TokenPurpose.VERIFY, wanted.email)
    hashed = None
    if wanted.new_password is not UNSET:
        hashed = await hash_new(ctx.dependencies, wanted.new_password, field="new_password")
    return CredentialChange(verified, None if wanted.email is UNSET else wanted.email, hashed)


async def apply(
    ctx: Context, work: UnitOfWork, account: Account, change: CredentialChange
) -> Account:
    """Change address and password, and end every other login of the account.

    If the server sends mail, the account gets the new address when that was verified. A concurrent
    login locks the row of the account. So it is either ended too, or is checked against the new
    password. Raises Unauthorized, InvalidForm, and UniqueViolation when the address is taken.
    """
    await recheck(ctx, work, change.verified)
    email = change.email if change.email != account.email else None
    if email is None and change.password_hash is None:
        return account
    await mail_tokens.revoke(work.cur, account.user.id, verification.REVOKED_BY_CHANGES)
    if email is not None and ctx.dependencies.sends_mail:
        login_id = ctx.caller.login_id
        await verification.begin_change(ctx.dependencies, work, account, email, login_id)
        email = None
    changed = account if email is None else replace(account, email=email, email_verified=False)
    if changed == account and change.password_hash is None:
        return account
    assert changed.email is not None  # bots are rejected by verify_password
    if change.password_hash is not None:
        await notices.password_changed(ctx.dependencies, work, account)
    await users.update_credentials(
        work.cur,
        account.user.id,
        email=changed.email,
        email_key=email_key(changed.email),
        password_hash=change.password_hash or change.verified.password_hash,
    )
    await revoke_all(work, account.user.id, keep=ctx.caller.login_id)
    return changed


async def hash_new(dependencies: CoreDependencies, password: str, *, field: str) -> str:
    """Check and hash a new password of an account. All new passwords pass through here.

    Raises InvalidForm for `field` if the password violates the rules, ServiceUnavailable.
    """
    try:
        passwords.require_good(password)
    except passwords.BadPassword as refused:
        raise InvalidForm.of(field, refused.code, str(refused)) from None
    return await dependencies.passwords.hash(normalize_password(password))


async def hash_of_none(dependencies: CoreDependencies) -> str:
    """Return the hash of a random password, for an account that has none: no one can log in by it.

    Raises ServiceUnavailable.
    """
    return await dependencies.passwords.hash(secrets.token_urlsafe(32))


def normalize_password(password: str) -> str:
    """Return a password in NFC, equal for all keyboards (RFC 8265, OpaqueString)."""
    return unicodedata.normalize("NFC", password)


def _does_not_match() -> InvalidForm:
    return InvalidForm.of("password", "PASSWORD_DOES_NOT_MATCH", "Password does not match.")
