"""The logins of the caller: listing and ending them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from chatd.auth import tokens
from chatd.context.context import Context
from chatd.core.ids import LoginId
from chatd.core.models import Login
from chatd.db.pool import Database
from chatd.queries import logins
from chatd.services.accounts import credentials
from chatd.services.accounts.revocation import revoke

_MAX_LISTED = 200  # of one response, without paging


async def list_for_caller(ctx: Context) -> list[Login]:
    """Return the active logins of the caller: the current one first, then by last use."""
    async with ctx.database.cursor() as cur:
        return await logins.list_active(
            cur, ctx.user.id, current=ctx.caller.login_id, limit=_MAX_LISTED
        )


async def record_uses(database: Database, login_ids: Sequence[LoginId], *, lifetime_s: int) -> None:
    """Record that these logins are used, so that their client tokens do not expire.

    `lifetime_s` is that of client tokens. Raises ServiceUnavailable.
    """
    async with database.cursor() as cur:
        await logins.record_uses(cur, login_ids, lifetime_s=lifetime_s)


async def log_out(ctx: Context, refresh_token: str | None) -> None:
    """End the current login, or the login of the caller that a refresh token belongs to.

    An unknown token, or one of another user, ends nothing. RFC 7009 section 2.2 defines no error,
    since a client could not handle it.
    """
    async with ctx.begin() as work:
        login_id: LoginId | None = ctx.caller.login_id
        if refresh_token is not None:
            token_hash = tokens.hash_refresh_token(refresh_token)
            login_id = await logins.id_by_refresh_token(work.cur, ctx.user.id, token_hash)
        if login_id is not None:
            await revoke(work, ctx.user.id, [login_id])


async def end(ctx: Context, hashes: Iterable[str], password: str | None = None) -> int:
    """End the logins of the caller with these hashes. Returns how many were ended.

    The current login may be among them. The password is optional, so that a user who finds an
    unknown login can end it at once. A wrong password is rejected. Raises InvalidForm,
    Unauthorized, ServiceUnavailable.
    """
    if password is not None:
        await credentials.verify_password(ctx, password)
    async with ctx.begin() as work:
        await work.ensure_and_lock(ctx.user.id)
        found = await logins.ids_by_hashes(work.cur, ctx.user.id, hashes)
        await revoke(work, ctx.user.id, found)
    return len(found)
