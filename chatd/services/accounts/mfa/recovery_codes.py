"""Recovery codes: each replaces another factor once.

Only their hashes are stored. So they are shown once, when they are created.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field

from chatd.context.context import Context
from chatd.core.errors import MfaNotEnabled, ServiceUnavailable
from chatd.core.ids import UserId
from chatd.db.cursor import Cursor
from chatd.queries import second_factors as queries
from chatd.services.accounts import credentials
from chatd.services.accounts.mfa import confirmation

COUNT = 10
_LENGTH = 8
_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
"""Without characters that look alike. A code has 39 bits; guesses are throttled."""

_HIDDEN = "*" * _LENGTH


@dataclass(frozen=True, slots=True)
class RecoveryCode:
    """A code; of an earlier list only whether it was used is known."""

    code: str = field(repr=False)
    is_used: bool = False


async def list_or_replace(
    ctx: Context, password: str, code: str | None, *, regenerate: bool
) -> Sequence[RecoveryCode]:
    """Return the recovery codes of the caller, or replace all of them. Needs the password.

    New codes need the second factor as well, since each of them is one. Raises InvalidForm,
    MfaNotEnabled, ConfirmationRequired, InvalidMfaCode, Unauthorized, ServiceUnavailable.
    """
    verified = await credentials.verify_password(ctx, password)
    may_replace = regenerate and await confirmation.require(ctx, code)
    async with ctx.begin() as work:
        await credentials.recheck(ctx, work, verified)
        await queries.lock_account(work.cur, ctx.user.id)
        if not await queries.is_enabled(work.cur, ctx.user.id):
            raise MfaNotEnabled
        if may_replace:
            return await replace(ctx, work.cur, ctx.user.id)
        used = await queries.recovery_codes(work.cur, ctx.user.id)
    if regenerate:
        await confirmation.require(ctx)  # a factor was added during the request
        raise ServiceUnavailable  # and is gone again
    return [RecoveryCode(_HIDDEN, each) for each in used]


async def replace(ctx: Context, cur: Cursor, user_id: UserId) -> Sequence[RecoveryCode]:
    """Create new recovery codes of an account in place of all others."""
    codes: set[str] = set()
    while len(codes) < COUNT:
        codes.add("".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH)))
    hashes = [ctx.dependencies.mfa_keys.hash_recovery_code(user_id, each) for each in codes]
    await queries.replace_recovery_codes(cur, user_id, hashes)
    return [RecoveryCode(each) for each in codes]
