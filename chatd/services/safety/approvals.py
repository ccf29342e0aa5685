"""Approving and refusing accounts that wait, by administrators of the server and the operator."""

from __future__ import annotations

import logging

from chatd.context.context import Context
from chatd.context.dependencies import CoreDependencies
from chatd.core.errors import UnknownRegistration
from chatd.core.ids import UserId
from chatd.core.registration import WaitingAccount
from chatd.db.cursor import Cursor
from chatd.queries import administration, registrations
from chatd.services.accounts import administrators, deletion
from chatd.services.accounts.mail import notices
from chatd.wire.schemas.administration import RegistrationPage

log = logging.getLogger(__name__)


async def page(ctx: Context, wanted: RegistrationPage) -> list[WaitingAccount]:
    """Return a page of waiting accounts, the oldest first. Raises MissingPermissions."""
    async with ctx.database.cursor() as cur:
        await administrators.require(ctx, cur)
        return await registrations.page(cur, after=wanted.after, limit=wanted.limit)


async def approve_by_caller(ctx: Context, user_id: UserId) -> None:
    """Approve an account as an administrator. Raises MissingPermissions, UnknownRegistration."""
    async with ctx.database.cursor() as cur:
        await administrators.require(ctx, cur)
    await approve(ctx.dependencies, user_id)
    log.warning("administrator %d approved account %d", ctx.user.id, user_id)


async def refuse_by_caller(ctx: Context, user_id: UserId) -> None:
    """Refuse an account as an administrator. Raises MissingPermissions, UnknownRegistration."""
    async with ctx.database.cursor() as cur:
        await administrators.require(ctx, cur)
    await refuse(ctx.dependencies, user_id)
    log.warning("administrator %d refused account %d", ctx.user.id, user_id)


async def approve(dependencies: CoreDependencies, user_id: UserId) -> None:
    """Enable a waiting account: its owner can log in, and gets a mail about it.

    Raises UnknownRegistration.
    """
    async with dependencies.begin() as work:
        await work.ensure_and_lock(user_id)
        await _require_waiting(work.cur, user_id)
        await registrations.delete(work.cur, user_id)
        await administration.set_disabled(work.cur, user_id, False)
        await notices.approved(dependencies, work, user_id)


async def refuse(dependencies: CoreDependencies, user_id: UserId) -> None:
    """Delete a waiting account: its name and address can be used again.

    Raises UnknownRegistration.
    """
    async with dependencies.begin() as work:
        await deletion.anonymize_person(
            work, user_id, check=lambda: _require_waiting(work.cur, user_id)
        )
        await registrations.delete(work.cur, user_id)


async def _require_waiting(cur: Cursor, user_id: UserId) -> None:
    if not await registrations.is_waiting(cur, user_id):
        raise UnknownRegistration
