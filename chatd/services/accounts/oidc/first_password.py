"""Accounts without a password: those that a provider opened.

Where others prove by their password that they own the account, these log in at their provider
again. A login of the last minutes is the proof, since a thief of an older token cannot make one.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from chatd.context.context import Context
from chatd.core import snowflake
from chatd.core.errors import login_too_old, password_exists
from chatd.db.cursor import Cursor
from chatd.queries import administration, mail_tokens, oidc_identities, second_factors, users
from chatd.queries import oidc_logins as queries
from chatd.services.accounts import credentials
from chatd.services.accounts.mail import notices, verification
from chatd.services.accounts.mfa import confirmation
from chatd.services.accounts.revocation import revoke_all

_RECENT = timedelta(minutes=10)


async def require_owner(ctx: Context, password: str | None, code: str | None) -> None:
    """Require proof that the caller owns its account, for a change of how it logs in.

    This is its second factor; without one its password; without that a login of the last ten
    minutes at a provider. Raises InvalidForm, ConfirmationRequired, InvalidMfaCode,
    RateLimited, ServiceUnavailable.
    """
    async with ctx.database.cursor() as cur:
        has_password = await oidc_identities.has_password(cur, ctx.user.id)
        has_factor = await second_factors.is_enabled(cur, ctx.user.id)
        if not has_password and not has_factor:
            await _require_recent_login(ctx, cur)
            return
    await confirmation.require_factor_or_password(ctx, code, password)


async def set_first(ctx: Context, password: str, code: str | None) -> None:
    """Set the password of an account that has none, and end all its other logins.

    Raises as `require_owner`, and InvalidForm for a bad password or if there is one already.
    """
    async with ctx.database.cursor() as cur:
        if await oidc_identities.has_password(cur, ctx.user.id):
            raise password_exists()
    await require_owner(ctx, None, code)
    password_hash = await credentials.hash_new(ctx.dependencies, password, field="password")
    async with ctx.begin() as work:
        await credentials.lock_login(ctx, work)
        if await oidc_identities.has_password(work.cur, ctx.user.id):
            raise password_exists()
        account = await users.account(work.cur, ctx.user.id)
        assert account is not None
        await notices.password_changed(ctx.dependencies, work, account)
        await administration.set_password(work.cur, ctx.user.id, password_hash)
        await mail_tokens.revoke(work.cur, ctx.user.id, verification.REVOKED_BY_CHANGES)
        await revoke_all(work, ctx.user.id, keep=ctx.caller.login_id)


async def _require_recent_login(ctx: Context, cur: Cursor) -> None:
    login_id = ctx.caller.login_id
    is_recent = login_id > snowflake.at(datetime.now(UTC) - _RECENT)
    if not is_recent or not await queries.is_opened_by_provider(cur, login_id):
        raise login_too_old()
