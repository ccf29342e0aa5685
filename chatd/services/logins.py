"""The caller's own logins: listing them, and ending one or several."""

from __future__ import annotations

from collections.abc import Iterable

from chatd.auth import tokens
from chatd.context import Context
from chatd.core.ids import LoginId
from chatd.core.models import Login
from chatd.queries import logins
from chatd.services import credentials
from chatd.services.revocation import revoke

_LISTED = 200


async def of_caller(ctx: Context) -> list[Login]:
    """The caller's logins that can still be used: first the one that asks, then the last used."""
    async with ctx.database.cursor() as cur:
        return await logins.living(cur, ctx.user.id, besides=ctx.caller.login_id, limit=_LISTED)


async def log_out(ctx: Context, refresh_token: str | None) -> None:
    """End the login that asks, or the one of the caller's that a refresh token belongs to.

    A token that is unknown, or somebody else's, ends nothing (RFC 7009 section 2.2: the client
    could do nothing about it).
    """
    async with ctx.begin() as work:
        login_id: LoginId | None = ctx.caller.login_id
        if refresh_token is not None:
            token_hash = tokens.hash_refresh_token(refresh_token)
            login_id = await logins.of_refresh_token(work.cur, ctx.user.id, token_hash)
        if login_id is not None:
            await revoke(work, ctx.user.id, [login_id])


async def end(ctx: Context, hashes: Iterable[str], password: str | None = None) -> int:
    """End the caller's logins of these names; returns how many there were.

    Its own may be among them. The password is not needed, for whoever has found a stranger among
    the logins should not first have to remember it; but a wrong one is refused. Raises
    InvalidForm, Unauthorized, Busy.
    """
    if password is not None:
        await credentials.prove(ctx, password)
    async with ctx.begin() as work:
        await work.open(ctx.user.id)
        found = await logins.of_hashes(work.cur, ctx.user.id, hashes)
        await revoke(work, ctx.user.id, found)
    return len(found)
