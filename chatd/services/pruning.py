"""Pruning: removing members who have not been there for long.

Rule: Discord docs, Guild resource, "Begin Guild Prune".
"""

from __future__ import annotations

from collections.abc import Sequence

from chatd.context import Context
from chatd.core.ids import GuildId, RoleId
from chatd.core.models import AuditAction
from chatd.core.permissions import Permissions
from chatd.queries import members
from chatd.services import access, audit
from chatd.services.members import remove

_NEEDED = Permissions.MANAGE_GUILD | Permissions.KICK_MEMBERS
_AT_ONCE = 500  # members in one transaction, which holds the guild


async def count(
    ctx: Context, guild_id: GuildId, *, days: int, include_roles: Sequence[RoleId]
) -> int:
    """How many members would be removed. Needs MANAGE_GUILD and KICK_MEMBERS.

    Raises UnknownGuild, MissingAccess, MissingPermissions.
    """
    async with ctx.database.cursor() as cur:
        granted = await access.guild(cur, ctx.user.id, guild_id)
        granted.require(_NEEDED)
        roles = await access.below(cur, granted, include_roles)
        return await members.count_idle(cur, guild_id, days=days, roles=roles)


async def begin(
    ctx: Context, guild_id: GuildId, *, days: int, include_roles: Sequence[RoleId]
) -> int:
    """Remove the members who have not been there for so many days; returns how many.

    Those with other roles than `include_roles` stay, and those who have a place above the caller
    by one of these. Many are removed in several steps, each with its own entry in the audit log.
    Raises UnknownGuild, MissingAccess, MissingPermissions.
    """
    removed = 0
    while step := await _step(ctx, guild_id, days, include_roles):
        removed += step
        if step < _AT_ONCE:
            break
    return removed


async def _step(ctx: Context, guild_id: GuildId, days: int, include_roles: Sequence[RoleId]) -> int:
    async with ctx.begin() as work:
        granted = await access.locked_guild(work, ctx.user.id, guild_id)
        granted.require(_NEEDED)
        roles = await access.below(work.cur, granted, include_roles)
        ids = await members.ids_of_idle(work.cur, guild_id, days=days, roles=roles, limit=_AT_ONCE)
        for member in await members.by_ids(work.cur, guild_id, ids):
            await remove(work, member)
        if ids:
            await audit.record(
                ctx,
                work,
                guild_id,
                AuditAction.MEMBER_PRUNE,
                None,
                options={"delete_member_days": str(days), "members_removed": str(len(ids))},
            )
    return len(ids)
