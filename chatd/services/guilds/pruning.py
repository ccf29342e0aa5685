"""Pruning: removing members that have been inactive for some days.

Rule: Discord docs, Guild resource, "Begin Guild Prune".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from chatd.context.context import Context
from chatd.context.dependencies import Dependencies
from chatd.core.audit import AuditAction
from chatd.core.errors import ApiError, ServiceUnavailable
from chatd.core.ids import GuildId, LoginId, RoleId, UserId
from chatd.core.models import Caller
from chatd.core.permissions import Permissions
from chatd.queries import idle_members, members, users
from chatd.queries import pending_deletions as queries
from chatd.queries.pending_deletions import Details, PendingDeletion
from chatd.services.access import access
from chatd.services.guilds import audit_log
from chatd.services.guilds.members import remove_member
from chatd.services.maintenance import pending_deletions

_NEEDED = Permissions.MANAGE_GUILD | Permissions.KICK_MEMBERS
_BATCH_MEMBERS = 50  # members of one transaction, which locks the guild for about 30 ms
_SCAN_MEMBERS = 2000  # members read to find these, without a lock


@dataclass(frozen=True, slots=True)
class Prune:
    """A prune as a pending deletion: its parameters, its requester and its progress."""

    guild_id: GuildId
    user_id: UserId
    days: int
    include_roles: Sequence[RoleId]
    reason: str | None
    after: int = 0

    def details(self) -> Details:
        """Return the stored form."""
        return {
            "guild_id": self.guild_id,
            "user_id": self.user_id,
            "days": self.days,
            "include_roles": [*self.include_roles],
            "reason": self.reason,
            "after": self.after,
        }


async def count(
    ctx: Context, guild_id: GuildId, *, days: int, include_roles: Sequence[RoleId]
) -> int:
    """Return how many members a prune would remove. Needs MANAGE_GUILD and KICK_MEMBERS.

    Raises UnknownGuild, MissingAccess, MissingPermissions.
    """
    async with ctx.database.cursor() as cur:
        granted = await access.guild(cur, ctx.user.id, guild_id)
        granted.require(_NEEDED)
        roles = await access.roles_below(cur, granted, include_roles)
        return await idle_members.count(cur, guild_id, days=days, roles=roles)


async def begin(
    ctx: Context,
    guild_id: GuildId,
    *,
    days: int,
    include_roles: Sequence[RoleId],
    compute_count: bool,
) -> int | None:
    """Remove members that were inactive for `days`. Returns their number if `compute_count`.

    Members with roles other than `include_roles` stay, and so do members that one of these roles
    ranks above the caller. Members are removed in steps, each with an entry in the audit log. If
    there are many, the last steps run after the response. Raises UnknownGuild, MissingAccess,
    MissingPermissions.
    """
    total = None
    if compute_count:
        total = await count(ctx, guild_id, days=days, include_roles=include_roles)
    wanted = Prune(guild_id, ctx.user.id, days, include_roles, ctx.reason)
    async with ctx.database.cursor() as cur:
        if not compute_count:
            (await access.guild(cur, ctx.user.id, guild_id)).require(_NEEDED)
        deletion = await queries.insert(
            cur, queries.PRUNE, wanted.details(), wait_s=pending_deletions.HEAD_START_S
        )
    await pending_deletions.work_on(ctx.dependencies, deletion)
    return total


@pending_deletions.step_for(queries.PRUNE)
async def _step(dependencies: Dependencies, deletion: PendingDeletion) -> Details | None:
    """Remove some members, if the requester still has the permissions."""
    wanted = Prune(**deletion.details)
    async with dependencies.database.cursor() as cur:
        user = await users.get(cur, wanted.user_id)
        found = await idle_members.list_after(
            cur,
            wanted.guild_id,
            days=wanted.days,
            after=wanted.after,
            read=_SCAN_MEMBERS,
            limit=_BATCH_MEMBERS,
        )
    if user is None or found is None:
        return None
    ids, read_to = found
    ctx = Context(dependencies, Caller(user, LoginId(0)), wanted.reason)
    done = replace(wanted, after=read_to).details()
    if not ids:
        async with dependencies.database.cursor() as cur:
            await queries.advance(cur, deletion, done)
        return done
    try:
        await _remove(ctx, deletion, wanted, ids, done)
    except ServiceUnavailable:
        raise
    except ApiError:
        return None
    return done


async def _remove(
    ctx: Context,
    deletion: PendingDeletion,
    wanted: Prune,
    ids: Sequence[UserId],
    done: Details,
) -> None:
    guild_id = wanted.guild_id
    async with ctx.begin() as work:
        granted = await access.locked_guild(work, ctx.user.id, guild_id)
        granted.require(_NEEDED)
        if not await queries.is_pending(work.cur, deletion):
            return  # another instance took it over after the lease expired
        roles = await access.roles_below(work.cur, granted, wanted.include_roles)
        idle = await idle_members.filter_ids(work.cur, guild_id, ids, days=wanted.days, roles=roles)
        for member in await members.by_ids(work.cur, guild_id, idle):
            await remove_member(work, member)
        await queries.advance(work.cur, deletion, done)
        if idle:
            await audit_log.record(
                ctx,
                work,
                guild_id,
                AuditAction.MEMBER_PRUNE,
                None,
                options={
                    "delete_member_days": str(wanted.days),
                    "members_removed": str(len(idle)),
                },
            )
