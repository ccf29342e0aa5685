"""The audit log: every act of moderation writes its entry in the transaction of the act.

Rule: Discord docs, Audit Log resource, "Audit Log Entry Object".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from chatd.context import Context, Work
from chatd.core.ids import AuditEntryId, GuildId, UserId
from chatd.core.models import AuditAction, AuditEntry, Change, User
from chatd.core.permissions import Permissions
from chatd.events import moderation as events
from chatd.queries import audit_logs, users
from chatd.services import access


async def record(
    ctx: Context,
    work: Work,
    guild_id: GuildId,
    action: AuditAction,
    target_id: int | None,
    *,
    changes: Sequence[Change] = (),
    options: Mapping[str, str] | None = None,
) -> None:
    """Note what the caller does, with the reason it gives. The guild is locked."""
    entry = AuditEntry(
        id=ctx.new_id(AuditEntryId),
        guild_id=guild_id,
        user_id=ctx.user.id,
        target_id=target_id,
        action=action,
        reason=ctx.reason,
        changes=changes,
        options=options or {},
    )
    await audit_logs.insert(work.cur, entry)
    work.emit(events.entry_added(entry))


def changes(before: Mapping[str, Any] | None, after: Mapping[str, Any] | None) -> list[Change]:
    """What differs between two payloads, key by key; None is before there was one, or after."""
    old, new = before or {}, after or {}
    found = []
    for key in (*new, *(key for key in old if key not in new)):
        if key in ("id", "guild_id") or old.get(key) == new.get(key):
            continue
        change: Change = {"key": key}
        if old.get(key) is not None:
            change["old_value"] = old[key]
        if new.get(key) is not None:
            change["new_value"] = new[key]
        found.append(change)
    return found


async def page(
    ctx: Context,
    guild_id: GuildId,
    *,
    user_id: int | None,
    action: int | None,
    before: int,
    after: int | None,
    limit: int,
) -> tuple[list[AuditEntry], list[User]]:
    """Entries, and the users that they name. Needs VIEW_AUDIT_LOG.

    Raises UnknownGuild, MissingAccess, MissingPermissions.
    """
    async with ctx.database.cursor() as cur:
        granted = await access.guild(cur, ctx.user.id, guild_id)
        granted.require(Permissions.VIEW_AUDIT_LOG)
        entries = await audit_logs.page(
            cur,
            guild_id,
            user_id=user_id,
            action=action,
            before=before,
            after=after,
            limit=limit,
        )
        return entries, await users.by_ids(cur, _named(entries))


def _named(entries: Iterable[AuditEntry]) -> set[UserId]:
    named = {entry.user_id for entry in entries}
    return named | {UserId(entry.target_id) for entry in entries if entry.target_id is not None}
