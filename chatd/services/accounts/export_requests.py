"""Requests of users for an archive with everything of their accounts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from chatd.context.context import Context
from chatd.context.dependencies import Dependencies
from chatd.core.errors import UnknownFile
from chatd.core.ids import ExportId
from chatd.core.models import StoredFile, UserExport
from chatd.core.rate_limit_errors import RateLimited
from chatd.queries import user_exports
from chatd.services.access import access

INTERVAL = timedelta(days=1)
"""How often a user may request an archive: making one reads all messages of the server."""


async def request(ctx: Context) -> UserExport:
    """Request an archive of the caller's account. A failed one may be requested again at once.

    Raises RateLimited, Unauthorized.
    """
    async with ctx.begin() as work:
        await work.ensure_and_lock(ctx.user.id)
        await access.require_account(work.cur, ctx.user.id)
        last = await user_exports.get(work.cur, ctx.user.id)
        if last is not None and (last.is_pending or last.size is not None):
            left = last.requested_at + INTERVAL - datetime.now(UTC)
            if left > timedelta():
                raise RateLimited(left.total_seconds(), {})
        created = await user_exports.replace(work.cur, ctx.new_id(ExportId), ctx.user.id)
    ctx.dependencies.exports_due.set()
    return created


async def get(ctx: Context) -> UserExport | None:
    """Return the last export of the caller that is kept."""
    async with ctx.database.cursor() as cur:
        return await user_exports.get(cur, ctx.user.id)


async def file(dependencies: Dependencies, export_id: ExportId) -> StoredFile:
    """Return a finished archive, whose link was verified. Raises UnknownFile."""
    async with dependencies.database.cursor() as cur:
        found = await user_exports.by_id(cur, export_id)
    if found is None or found.size is None:
        raise UnknownFile
    name = f"export-{found.user_id}.zip"
    return StoredFile(user_exports.key(export_id), name, "application/zip", found.size)
