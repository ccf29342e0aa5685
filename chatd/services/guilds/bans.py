"""Bans: users that cannot join a guild."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta

from chatd.context.context import Context
from chatd.context.unit_of_work import UnitOfWork
from chatd.core import snowflake
from chatd.core.audit import AuditAction
from chatd.core.errors import (
    ApiError,
    BulkBanFailed,
    MissingPermissions,
    UnknownBan,
    UnknownUser,
)
from chatd.core.ids import GuildId, UserId
from chatd.core.models import Ban
from chatd.core.permissions import Permissions
from chatd.events import moderation as events
from chatd.queries import bans, members, users
from chatd.queries.pending_deletions import PendingDeletion
from chatd.services.access import access
from chatd.services.access.access import GuildAccess
from chatd.services.guilds import audit_log
from chatd.services.guilds.members import remove_member, require_above_member
from chatd.services.maintenance import pending_deletions
from chatd.wire.schemas.bans import NewBan, NewBans

_BATCH_USERS = 25  # users of one transaction, which locks the guild for about 40 ms


async def add(ctx: Context, guild_id: GuildId, user_id: UserId, wanted: NewBan) -> None:
    """Ban a user, member or not, and delete its recent messages. Needs BAN_MEMBERS.

    Banning a banned user again changes nothing. Raises UnknownGuild, MissingAccess,
    MissingPermissions, UnknownUser.
    """
    async with ctx.begin() as work:
        granted = await _lock_as_banner(ctx, work, guild_id)
        await _ban(ctx, work, granted, user_id)
        deletion = await _schedule_message_deletion(work, guild_id, [user_id], wanted.deleted_s)
    if deletion is not None:
        await pending_deletions.work_on(ctx.dependencies, deletion)


async def add_many(
    ctx: Context, guild_id: GuildId, wanted: NewBans
) -> tuple[list[UserId], list[UserId]]:
    """Ban many users. Returns those banned, and those that failed.

    Needs BAN_MEMBERS and MANAGE_GUILD.

    Raises UnknownGuild, MissingAccess, MissingPermissions, BulkBanFailed.
    """
    banned: list[UserId] = []
    failed: list[UserId] = []
    user_ids = list(dict.fromkeys(wanted.user_ids))
    deletions: list[PendingDeletion] = []
    for start in range(0, len(user_ids), _BATCH_USERS):
        part = user_ids[start : start + _BATCH_USERS]
        try:
            new, deletion = await _ban_part(ctx, guild_id, part, wanted.delete_message_seconds)
        except ApiError:
            if not banned:
                raise
            failed += user_ids[start:]  # the bans of earlier batches are committed
            break
        banned += new
        failed += [user_id for user_id in part if user_id not in new]
        if deletion is not None:
            deletions.append(deletion)
    if not banned:
        raise BulkBanFailed
    for deletion in deletions:
        await pending_deletions.work_on(ctx.dependencies, deletion)
    return banned, failed


async def _ban_part(
    ctx: Context, guild_id: GuildId, user_ids: Sequence[UserId], seconds: int
) -> tuple[set[UserId], PendingDeletion | None]:
    """Ban some users in one transaction. Returns those that were not banned before."""
    banned: set[UserId] = set()
    async with ctx.begin() as work:
        granted = await _lock_as_banner(ctx, work, guild_id)
        granted.require(Permissions.MANAGE_GUILD)
        for user_id in user_ids:
            try:
                is_new = await _ban(ctx, work, granted, user_id)
            except (MissingPermissions, UnknownUser):
                is_new = False
            if is_new:
                banned.add(user_id)
        return banned, await _schedule_message_deletion(work, guild_id, banned, seconds)


async def lift(ctx: Context, guild_id: GuildId, user_id: UserId) -> None:
    """Remove a ban. Needs BAN_MEMBERS.

    Raises UnknownGuild, MissingAccess, MissingPermissions, UnknownBan.
    """
    async with ctx.begin() as work:
        await _lock_as_banner(ctx, work, guild_id)
        ban = await bans.get(work.cur, guild_id, user_id)
        if ban is None:
            raise UnknownBan
        await bans.delete(work.cur, guild_id, user_id)
        work.emit(events.ban_removed(guild_id, ban.user))
        await audit_log.record(ctx, work, guild_id, AuditAction.MEMBER_BAN_REMOVE, user_id)


async def get(ctx: Context, guild_id: GuildId, user_id: UserId) -> Ban:
    """Return one ban. Needs BAN_MEMBERS.

    Raises UnknownGuild, MissingAccess, MissingPermissions, UnknownBan.
    """
    async with ctx.database.cursor() as cur:
        granted = await access.guild(cur, ctx.user.id, guild_id)
        granted.require(Permissions.BAN_MEMBERS)
        ban = await bans.get(cur, guild_id, user_id)
    if ban is None:
        raise UnknownBan
    return ban


async def page(
    ctx: Context, guild_id: GuildId, *, before: int | None, after: int, limit: int
) -> list[Ban]:
    """Return bans in the order of user ids. Needs BAN_MEMBERS.

    Raises UnknownGuild, MissingAccess, MissingPermissions.
    """
    async with ctx.database.cursor() as cur:
        granted = await access.guild(cur, ctx.user.id, guild_id)
        granted.require(Permissions.BAN_MEMBERS)
        return await bans.page(cur, guild_id, before=before, after=after, limit=limit)


async def _lock_as_banner(ctx: Context, work: UnitOfWork, guild_id: GuildId) -> GuildAccess:
    granted = await access.locked_guild(work, ctx.user.id, guild_id)
    granted.require(Permissions.BAN_MEMBERS)
    return granted


async def _ban(ctx: Context, work: UnitOfWork, granted: GuildAccess, user_id: UserId) -> bool:
    """Ban one user. Returns False if it is already banned."""
    guild_id = granted.guild.id
    user = await users.get(work.cur, user_id)
    if user is None:
        raise UnknownUser
    if user_id == ctx.user.id:
        raise MissingPermissions
    await require_above_member(work.cur, granted, user_id)
    if not await bans.insert(work.cur, guild_id, user_id, ctx.reason):
        return False
    member = await members.get(work.cur, guild_id, user_id)
    if member is not None:
        await remove_member(work, member)
    work.emit(events.ban_added(guild_id, user))
    await audit_log.record(ctx, work, guild_id, AuditAction.MEMBER_BAN_ADD, user_id)
    return True


async def _schedule_message_deletion(
    work: UnitOfWork, guild_id: GuildId, user_ids: Collection[UserId], seconds: int
) -> PendingDeletion | None:
    """Schedule the deletion of the users' messages of the last `seconds`. None if there is none."""
    if not seconds or not user_ids:
        return None
    since = snowflake.at(datetime.now(UTC) - timedelta(seconds=seconds))
    return await pending_deletions.add_messages(work.cur, guild_id, user_ids, since=since)
