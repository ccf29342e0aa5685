"""Members of guilds: listing, searching, changing and removing them, and leaving."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from chatd.context.context import Context
from chatd.context.unit_of_work import UnitOfWork
from chatd.core.audit import AuditAction
from chatd.core.errors import (
    InvalidForm,
    MissingPermissions,
    OwnerCannotLeave,
    UnknownMember,
)
from chatd.core.ids import GuildId, RoleId, UserId
from chatd.core.models import ApplicationFlags, Member
from chatd.core.permissions import Permissions
from chatd.core.unset import UNSET
from chatd.db.cursor import Cursor
from chatd.events import guilds as guild_events
from chatd.events import members as events
from chatd.queries import members
from chatd.services.access import access, privileged
from chatd.services.access.access import GuildAccess, Rank
from chatd.services.guilds import audit_log, installation, roles
from chatd.wire import payloads
from chatd.wire.schemas.members import MemberChange, OwnMemberChange

MAX_TIMEOUT = timedelta(days=28)
"""The duration of a timeout. Rule: Discord's limit."""

READ_BATCH = 250
"""Members read by one statement. Each has up to 249 roles. Reading and encoding 1,000 such members
at once blocked the event loop for 100 ms."""


async def page(ctx: Context, guild_id: GuildId, *, after: int, limit: int) -> list[Member]:
    """Return members above a user id, in the order of ids.

    An application needs a flag for GUILD_MEMBERS.

    Raises UnknownGuild, MissingAccess.
    """
    async with ctx.database.cursor() as cur:
        await access.guild(cur, ctx.user.id, guild_id)
        await privileged.require(cur, ctx, ApplicationFlags.MEMBERS)
        found: list[Member] = []
        while limit > 0:
            part = await members.page(cur, guild_id, after=after, limit=min(limit, READ_BATCH))
            found += part
            if len(part) < READ_BATCH:
                break
            after, limit = part[-1].user.id, limit - READ_BATCH
        return found


async def search(ctx: Context, guild_id: GuildId, prefix: str, *, limit: int) -> list[Member]:
    """Return members whose name has this prefix. An application needs a flag for GUILD_MEMBERS.

    Raises UnknownGuild, MissingAccess.
    """
    async with ctx.database.cursor() as cur:
        await access.guild(cur, ctx.user.id, guild_id)
        await privileged.require(cur, ctx, ApplicationFlags.MEMBERS)
        return await members.search(cur, guild_id, prefix, limit=limit)


async def get(ctx: Context, guild_id: GuildId, user_id: UserId) -> Member:
    """Return one member. Raises UnknownGuild, MissingAccess, UnknownMember."""
    async with ctx.database.cursor() as cur:
        await access.guild(cur, ctx.user.id, guild_id)
        return await _get_existing(cur, guild_id, user_id)


async def update(ctx: Context, guild_id: GuildId, user_id: UserId, change: MemberChange) -> Member:
    """Change a member: its nickname, roles or timeout, each with its own permission.

    Nicknames of others need MANAGE_NICKNAMES, roles MANAGE_ROLES, timeouts MODERATE_MEMBERS, and
    each of them a role above the member. Raises UnknownGuild, MissingAccess, MissingPermissions,
    UnknownMember, UnknownRole, InvalidForm.
    """
    async with ctx.begin() as work:
        granted = await access.locked_guild(work, ctx.user.id, guild_id)
        member = await _get_existing(work.cur, guild_id, user_id)
        rank = await _rank_of_other(work.cur, granted, user_id)
        changed = member
        if change.nick is not UNSET:
            _require_may_rename(granted, rank)
            changed = replace(changed, nick=change.nick or None)
        if change.communication_disabled_until is not UNSET:
            await _require_may_time_out(work.cur, granted, user_id, rank)
            until = _timeout(change.communication_disabled_until)
            changed = replace(changed, communication_disabled_until=until)
        if changed != member:
            await _save(ctx, work, member, changed)
        if change.roles is not UNSET:
            granted.require(Permissions.MANAGE_ROLES)
            # Clients may name @everyone, whose id is that of the guild: every member has it.
            wanted, own = set(change.roles) - {RoleId(guild_id)}, set(changed.roles)
            changed = await roles.change_roles(
                ctx, work, granted, changed, add=wanted - own, remove=own - wanted
            )
    return changed


async def update_own(ctx: Context, guild_id: GuildId, change: OwnMemberChange) -> Member:
    """Change the nickname of the caller. Needs CHANGE_NICKNAME.

    Raises UnknownGuild, MissingAccess, MissingPermissions.
    """
    return await update(ctx, guild_id, ctx.user.id, MemberChange(nick=change.nick))


async def kick(ctx: Context, guild_id: GuildId, user_id: UserId) -> None:
    """Remove a member below the caller. Needs KICK_MEMBERS.

    Raises UnknownGuild, MissingAccess, MissingPermissions, UnknownMember.
    """
    async with ctx.begin() as work:
        granted = await access.locked_guild(work, ctx.user.id, guild_id)
        granted.require(Permissions.KICK_MEMBERS)
        member = await _get_existing(work.cur, guild_id, user_id)
        await require_above_member(work.cur, granted, user_id)
        await remove_member(work, member)
        await audit_log.record(ctx, work, guild_id, AuditAction.MEMBER_KICK, user_id)


async def leave(ctx: Context, guild_id: GuildId) -> None:
    """Leave a guild. Raises UnknownGuild, MissingAccess, OwnerCannotLeave."""
    async with ctx.begin() as work:
        granted = await access.locked_guild(work, ctx.user.id, guild_id)
        if granted.guild.owner_id == ctx.user.id:
            raise OwnerCannotLeave
        await remove_member(work, granted.member)


async def remove_member(work: UnitOfWork, member: Member, *, for_good: bool = False) -> None:
    """Remove a member, and notify both sides. The guild is locked.

    The application of a bot leaves the guild with it, and its commands there are deleted.
    `for_good`: the account is deleted, see `installation.uninstall`.
    """
    guild_id, user = member.guild_id, member.user
    await members.delete(work.cur, guild_id, user.id)
    work.bump_version(guild_id)
    work.emit(guild_events.guild_left(user.id, guild_id))
    work.emit(events.member_removed(guild_id, user))
    if user.bot:
        await installation.uninstall(work, guild_id, user.id, for_good=for_good)


async def require_above_member(cur: Cursor, granted: GuildAccess, user_id: UserId) -> None:
    """Raise MissingPermissions if the user is a member that is not below the caller."""
    rank = await access.member_rank(cur, granted.guild.id, user_id)
    if rank is not None:
        granted.require_above(rank)


async def _save(ctx: Context, work: UnitOfWork, member: Member, changed: Member) -> None:
    await members.update(
        work.cur,
        member.guild_id,
        member.user.id,
        nick=changed.nick,
        communication_disabled_until=changed.communication_disabled_until,
    )
    work.bump_version(member.guild_id)
    work.emit(events.member_updated(changed))
    await audit_log.record(
        ctx,
        work,
        member.guild_id,
        AuditAction.MEMBER_UPDATE,
        member.user.id,
        changes=audit_log.changes(
            payloads.partial_member(member), payloads.partial_member(changed)
        ),
    )


async def _rank_of_other(cur: Cursor, granted: GuildAccess, user_id: UserId) -> Rank | None:
    """Return the rank of a member, or None if it is the caller."""
    if user_id == granted.member.user.id:
        return None
    rank = await access.member_rank(cur, granted.guild.id, user_id)
    assert rank is not None
    return rank


def _require_may_rename(granted: GuildAccess, rank: Rank | None) -> None:
    """Require the permission to rename a member. `rank` is None for the caller itself.

    Raises MissingPermissions.
    """
    if rank is None:
        granted.require(Permissions.CHANGE_NICKNAME)
    else:
        granted.require(Permissions.MANAGE_NICKNAMES)
        granted.require_above(rank)


async def _require_may_time_out(
    cur: Cursor, granted: GuildAccess, user_id: UserId, rank: Rank | None
) -> None:
    """Require the permission to time out a member: never the caller itself or an administrator.

    Raises MissingPermissions.
    """
    granted.require(Permissions.MODERATE_MEMBERS)
    if rank is None:
        raise MissingPermissions
    granted.require_above(rank)
    target = await access.guild(cur, user_id, granted.guild.id)
    if Permissions.ADMINISTRATOR in target.permissions:
        raise MissingPermissions


def _timeout(until: datetime | None) -> datetime | None:
    now = datetime.now(UTC)
    if until is None or until <= now:
        return None
    if until > now + MAX_TIMEOUT:
        text = "A timeout cannot last longer than 28 days."
        raise InvalidForm.of("communication_disabled_until", "BASE_TYPE_INVALID", text)
    return until


async def _get_existing(cur: Cursor, guild_id: GuildId, user_id: UserId) -> Member:
    member = await members.get(cur, guild_id, user_id)
    if member is None:
        raise UnknownMember
    return member
