"""Members of guilds: listing, finding, editing and removing them, and leaving."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from chatd.context import Context, Work
from chatd.core.errors import (
    InvalidForm,
    MissingPermissions,
    OwnerCannotLeave,
    UnknownMember,
)
from chatd.core.ids import GuildId, RoleId, UserId
from chatd.core.models import AuditAction, Member
from chatd.core.permissions import Permissions
from chatd.db import Cursor
from chatd.events import guilds as guild_events
from chatd.events import members as events
from chatd.queries import members
from chatd.services import access, audit, roles
from chatd.services.access import GuildAccess
from chatd.wire import payloads
from chatd.wire.fields import UNSET
from chatd.wire.schemas.members import MemberChange, OwnMemberChange

MAX_TIMEOUT = timedelta(days=28)


async def page(ctx: Context, guild_id: GuildId, *, after: int, limit: int) -> list[Member]:
    """Members above a user id, in the order of ids. Raises UnknownGuild, MissingAccess."""
    async with ctx.database.cursor() as cur:
        await access.guild(cur, ctx.user.id, guild_id)
        return await members.page(cur, guild_id, after=after, limit=limit)


async def search(ctx: Context, guild_id: GuildId, prefix: str, *, limit: int) -> list[Member]:
    """Members whose name begins so. Raises UnknownGuild, MissingAccess."""
    async with ctx.database.cursor() as cur:
        await access.guild(cur, ctx.user.id, guild_id)
        return await members.search(cur, guild_id, prefix, limit=limit)


async def get(ctx: Context, guild_id: GuildId, user_id: UserId) -> Member:
    """One member. Raises UnknownGuild, MissingAccess, UnknownMember."""
    async with ctx.database.cursor() as cur:
        await access.guild(cur, ctx.user.id, guild_id)
        return await _existing(cur, guild_id, user_id)


async def update(ctx: Context, guild_id: GuildId, user_id: UserId, change: MemberChange) -> Member:
    """Change a member: its nickname, roles or timeout, each with its own permission.

    Another's nickname needs MANAGE_NICKNAMES, roles MANAGE_ROLES, a timeout MODERATE_MEMBERS, and
    all of them a place above the member. Raises UnknownGuild, MissingAccess, MissingPermissions,
    UnknownMember, UnknownRole, InvalidForm.
    """
    async with ctx.begin() as work:
        granted = await access.locked_guild(work, ctx.user.id, guild_id)
        member = await _existing(work.cur, guild_id, user_id)
        if user_id != ctx.user.id:
            rank = await access.member_rank(work.cur, guild_id, user_id)
            assert rank is not None
            is_allowed_to_rename = Permissions.MANAGE_NICKNAMES
        else:
            rank = None
            is_allowed_to_rename = Permissions.CHANGE_NICKNAME
        changed = member
        if change.nick is not UNSET:
            granted.require(is_allowed_to_rename)
            if rank is not None:
                granted.require_above(rank)
            changed = replace(changed, nick=change.nick or None)
        if change.communication_disabled_until is not UNSET:
            granted.require(Permissions.MODERATE_MEMBERS)
            if rank is None:
                raise MissingPermissions
            granted.require_above(rank)
            await _refuse_administrator(work.cur, guild_id, user_id)
            until = _timeout(change.communication_disabled_until)
            changed = replace(changed, communication_disabled_until=until)
        if changed != member:
            await _save(ctx, work, member, changed)
        if change.roles is not UNSET:
            granted.require(Permissions.MANAGE_ROLES)
            wanted, own = {RoleId(role_id) for role_id in change.roles}, set(changed.roles)
            changed = await roles.give_and_take(
                ctx, work, granted, changed, give=wanted - own, take=own - wanted
            )
    return changed


async def update_own(ctx: Context, guild_id: GuildId, change: OwnMemberChange) -> Member:
    """Change one's own nickname. Needs CHANGE_NICKNAME.

    Raises UnknownGuild, MissingAccess, MissingPermissions.
    """
    return await update(ctx, guild_id, ctx.user.id, MemberChange(nick=change.nick))


async def kick(ctx: Context, guild_id: GuildId, user_id: UserId) -> None:
    """Remove a member below oneself. Needs KICK_MEMBERS.

    Raises UnknownGuild, MissingAccess, MissingPermissions, UnknownMember.
    """
    async with ctx.begin() as work:
        granted = await access.locked_guild(work, ctx.user.id, guild_id)
        granted.require(Permissions.KICK_MEMBERS)
        member = await _existing(work.cur, guild_id, user_id)
        await require_above_member(work.cur, granted, user_id)
        await remove(work, member)
        await audit.record(ctx, work, guild_id, AuditAction.MEMBER_KICK, user_id)


async def leave(ctx: Context, guild_id: GuildId) -> None:
    """Leave a guild. Raises UnknownGuild, MissingAccess, OwnerCannotLeave."""
    async with ctx.begin() as work:
        granted = await access.locked_guild(work, ctx.user.id, guild_id)
        if granted.guild.owner_id == ctx.user.id:
            raise OwnerCannotLeave
        await remove(work, granted.member)


async def remove(work: Work, member: Member) -> None:
    """End a membership and tell both sides. The guild is locked."""
    guild_id, user = member.guild_id, member.user
    await members.delete(work.cur, guild_id, user.id)
    work.raise_version(guild_id)
    work.emit(guild_events.guild_left(user.id, guild_id))
    work.emit(events.member_removed(guild_id, user))


async def require_above_member(cur: Cursor, granted: GuildAccess, user_id: UserId) -> None:
    """Raises MissingPermissions unless the caller stands above this member, if it is one."""
    rank = await access.member_rank(cur, granted.guild.id, user_id)
    if rank is not None:
        granted.require_above(rank)


async def _save(ctx: Context, work: Work, member: Member, changed: Member) -> None:
    await members.update(
        work.cur,
        member.guild_id,
        member.user.id,
        nick=changed.nick,
        communication_disabled_until=changed.communication_disabled_until,
    )
    work.raise_version(member.guild_id)
    work.emit(events.member_updated(changed))
    if member.user.id != ctx.user.id or changed.nick == member.nick:
        await audit.record(
            ctx,
            work,
            member.guild_id,
            AuditAction.MEMBER_UPDATE,
            member.user.id,
            changes=audit.changes(
                payloads.partial_member(member), payloads.partial_member(changed)
            ),
        )


async def _refuse_administrator(cur: Cursor, guild_id: GuildId, user_id: UserId) -> None:
    target = await access.guild(cur, user_id, guild_id)
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


async def _existing(cur: Cursor, guild_id: GuildId, user_id: UserId) -> Member:
    member = await members.get(cur, guild_id, user_id)
    if member is None:
        raise UnknownMember
    return member
