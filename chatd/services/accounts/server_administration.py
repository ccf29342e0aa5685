"""What administrators of the server may do over the API.

They see accounts and guilds, but nothing of the content of guilds. They can disable, log out and
delete accounts, and set passwords, but not those of administrators, their own included: the
operator does that on the command line. Every change is logged, with the administrator.
"""

from __future__ import annotations

import logging

from chatd.context.context import Context
from chatd.core import names
from chatd.core.errors import MissingPermissions, UnknownUser
from chatd.core.ids import UserId
from chatd.core.unset import UNSET
from chatd.db.cursor import Cursor
from chatd.queries import administration as queries
from chatd.queries import statistics
from chatd.queries.administration import AccountSummary, GuildSummary
from chatd.queries.statistics import Instance, ServerCounts
from chatd.services.accounts import administration, administrators
from chatd.wire.schemas.administration import (
    AccountChange,
    AccountDeletion,
    AccountPage,
    AdministeredGuildPage,
)

__all__ = [
    "AccountSummary",
    "GuildSummary",
    "change_account",
    "delete_account",
    "list_accounts",
    "list_guilds",
    "log_out_account",
    "require_administrator",
    "server_statistics",
]

log = logging.getLogger(__name__)


async def require_administrator(ctx: Context) -> None:
    """Raise MissingPermissions unless the caller is an administrator of the server.

    Raises MfaRequired if REQUIRE_MFA says so and it has no second factor.
    """
    async with ctx.database.cursor() as cur:
        await administrators.require(ctx, cur)


async def list_accounts(ctx: Context, page: AccountPage) -> list[AccountSummary]:
    """Return a page of accounts, by id. Raises MissingPermissions."""
    async with ctx.database.cursor() as cur:
        await administrators.require(ctx, cur)
        return await queries.list_accounts(
            cur, which=page.kind, text=names.key(page.query), after=page.after, limit=page.limit
        )


async def list_guilds(ctx: Context, page: AdministeredGuildPage) -> list[GuildSummary]:
    """Return a page of guilds, by id. Raises MissingPermissions."""
    async with ctx.database.cursor() as cur:
        await administrators.require(ctx, cur)
        return await queries.list_guilds(cur, text=page.query, after=page.after, limit=page.limit)


async def server_statistics(ctx: Context) -> tuple[ServerCounts, list[Instance]]:
    """Return the counts of the server and its instances. Raises MissingPermissions."""
    async with ctx.database.cursor() as cur:
        await administrators.require(ctx, cur)
        return await statistics.server_counts(cur), await statistics.list_instances(cur)


async def change_account(ctx: Context, user_id: UserId, change: AccountChange) -> AccountSummary:
    """Disable or enable an account, or set its password; both end its logins.

    Raises MissingPermissions, UnknownUser, InvalidForm, ServiceUnavailable.
    """
    await _require_can_change(ctx, user_id)
    if change.password is not UNSET:
        await administration.set_password(ctx.dependencies, user_id, change.password)
        _log(ctx, "set the password of", user_id)
    if change.disabled is True:
        await administration.disable(ctx.dependencies, user_id)
        _log(ctx, "disabled", user_id)
    elif change.disabled is False:
        await administration.enable(ctx.dependencies, user_id)
        _log(ctx, "enabled", user_id)
    async with ctx.database.cursor() as cur:
        return await _existing(cur, user_id)


async def log_out_account(ctx: Context, user_id: UserId) -> None:
    """End all logins of an account. Raises MissingPermissions, UnknownUser."""
    await _require_can_change(ctx, user_id)
    await administration.revoke_sessions(ctx.dependencies, user_id)
    _log(ctx, "logged out", user_id)


async def delete_account(ctx: Context, user_id: UserId, wanted: AccountDeletion) -> None:
    """Delete the account of a person.

    Raises MissingPermissions, UnknownUser, OwnsGuilds, OwnsApplications, ServiceUnavailable.
    """
    await _require_can_change(ctx, user_id)
    await administration.delete_account(
        ctx.dependencies,
        user_id,
        with_guilds=wanted.delete_guilds,
        with_applications=wanted.delete_applications,
    )
    _log(ctx, "deleted", user_id)


async def _require_can_change(ctx: Context, user_id: UserId) -> None:
    """Raise MissingPermissions, also for changes of administrators, or UnknownUser."""
    async with ctx.database.cursor() as cur:
        await administrators.require(ctx, cur)
        if (await _existing(cur, user_id)).is_administrator:
            raise MissingPermissions


async def _existing(cur: Cursor, user_id: UserId) -> AccountSummary:
    found = await queries.get_account(cur, user_id=user_id)
    if found is None or found.deleted_at is not None:
        raise UnknownUser
    return found


def _log(ctx: Context, done: str, user_id: UserId) -> None:
    log.warning("administrator %d %s account %d", ctx.user.id, done, user_id)
