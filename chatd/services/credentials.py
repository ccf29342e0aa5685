"""Address and password: proving that one knows the password, and changing either.

Rules: OWASP Authentication Cheat Sheet ("Require Re-authentication for Sensitive Features",
"Change Password Feature"); RFC 8265 (OpaqueString). Between the proof and the change there is time
in which the password may be changed by somebody else. So the change is made only if the hash
that was proven is still the one that is kept, under the lock of the account.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field, replace

from chatd.context import Context, Work
from chatd.core.errors import InvalidForm, Unauthorized
from chatd.core.models import Account
from chatd.queries import logins, users
from chatd.services import guessing
from chatd.services.revocation import revoke_all
from chatd.wire.fields import UNSET
from chatd.wire.schemas.accounts import ProfileChange


@dataclass(frozen=True, slots=True)
class Proof:
    """That the caller knows its password: the hash that the password has matched."""

    password_hash: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class CredentialChange:
    """A new address, a new password, or both; None is what stays."""

    proof: Proof
    email: str | None = field(repr=False)
    password_hash: str | None = field(repr=False)


async def prove(ctx: Context, password: str | None) -> Proof:
    """Let the caller show that it knows its password.

    Raises InvalidForm when it does not, Unauthorized when there is no such account any more,
    RateLimited, Busy.
    """
    if not password or ctx.user.bot:  # which have none
        raise _does_not_match()
    async with ctx.database.cursor() as cur:
        password_hash = await users.password_hash(cur, ctx.user.id)
    if password_hash is None:
        raise Unauthorized
    if not await guessing.is_own(ctx, normal(password), password_hash):
        raise _does_not_match()
    return Proof(password_hash)


async def require_still(ctx: Context, work: Work, proof: Proof) -> None:
    """Raises Unauthorized, InvalidForm if the login or the password has changed since the proof.

    Locks the caller's stream, so that this stays true until the work commits.
    """
    await work.open(ctx.user.id)
    if await logins.caller(work.cur, ctx.caller.login_id, ctx.user.id) is None:
        raise Unauthorized
    if await users.password_hash(work.cur, ctx.user.id) != proof.password_hash:
        raise _does_not_match()


async def prepare(ctx: Context, wanted: ProfileChange) -> CredentialChange | None:
    """Prove and hash what a change of address or password needs; None if it is of neither.

    Raises InvalidForm, Unauthorized, RateLimited, Busy.
    """
    if wanted.new_password is UNSET and wanted.email is UNSET:
        return None
    proof = await prove(ctx, wanted.password)
    hashed = None
    if wanted.new_password is not UNSET:
        hashed = await ctx.resources.passwords.hash(normal(wanted.new_password))
    return CredentialChange(proof, None if wanted.email is UNSET else wanted.email, hashed)


async def apply(ctx: Context, work: Work, account: Account, change: CredentialChange) -> Account:
    """Change address and password, and end every other login of the account.

    Whoever logs in at the same time holds the account's row: it is either among those that end,
    or finds the new password. Raises Unauthorized, InvalidForm; UniqueViolation when the address
    is taken.
    """
    await require_still(ctx, work, change.proof)
    changed = account if change.email is None else replace(account, email=change.email)
    if changed == account and change.password_hash is None:
        return account
    assert changed.email is not None  # bots have been refused
    await users.update_credentials(
        work.cur,
        account.user.id,
        email=changed.email,
        email_key=email_key(changed.email),
        password_hash=change.password_hash or change.proof.password_hash,
    )
    await revoke_all(work, account.user.id, besides=ctx.caller.login_id)
    return changed


def email_key(address: str) -> str:
    """What two spellings of one address have in common."""
    return unicodedata.normalize("NFKC", address).strip().casefold()


def normal(password: str) -> str:
    """A password typed on another keyboard is the same password (RFC 8265, OpaqueString)."""
    return unicodedata.normalize("NFC", password)


def _does_not_match() -> InvalidForm:
    return InvalidForm.of("password", "PASSWORD_DOES_NOT_MATCH", "Password does not match.")
