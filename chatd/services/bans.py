"""Bans: who may not come back."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from chatd.context import Context, Work
from chatd.core import snowflake
from chatd.core.errors import MissingPermissions, NobodyBanned, UnknownBan, UnknownUser
from chatd.core.ids import ChannelId, GuildId, MessageId, UserId
from chatd.core.models import AuditAction, Ban, Place
from chatd.core.permissions import Permissions
from chatd.events import messages as message_events
from chatd.events import moderation as events
from chatd.queries import bans, members, messages, users
from chatd.services import access, audit
from chatd.services.access import GuildAccess
from chatd.services.members import remove, require_above_member
from chatd.wire.schemas.bans import NewBan, NewBans


async def add(ctx: Context, guild_id: GuildId, user_id: UserId, wanted: NewBan) -> None:
    """Ban a user, who need not be a member, and delete what it wrote of late. Needs BAN_MEMBERS.

    Banning a banned user again changes nothing. Raises UnknownGuild, MissingAccess,
    MissingPermissions, UnknownUser.
    """
    async with ctx.begin() as work:
        granted = await _banner(ctx, work, guild_id)
        await _ban(ctx, work, granted, user_id)
        await _delete_messages(work, guild_id, [user_id], wanted.delete_message_seconds)


async def add_many(
    ctx: Context, guild_id: GuildId, wanted: NewBans
) -> tuple[list[UserId], list[UserId]]:
    """Ban many; returns who is banned now, and who could not be. Needs BAN_MEMBERS, MANAGE_GUILD.

    Raises UnknownGuild, MissingAccess, MissingPermissions, NobodyBanned.
    """
    banned: list[UserId] = []
    failed: list[UserId] = []
    async with ctx.begin() as work:
        granted = await _banner(ctx, work, guild_id)
        granted.require(Permissions.MANAGE_GUILD)
        for user_id in dict.fromkeys(wanted.user_ids):
            try:
                is_new = await _ban(ctx, work, granted, user_id)
            except (MissingPermissions, UnknownUser):
                is_new = False
            (banned if is_new else failed).append(user_id)
        if not banned:
            raise NobodyBanned
        await _delete_messages(work, guild_id, banned, wanted.delete_message_seconds)
    return banned, failed


async def lift(ctx: Context, guild_id: GuildId, user_id: UserId) -> None:
    """Let a user come back. Needs BAN_MEMBERS.

    Raises UnknownGuild, MissingAccess, MissingPermissions, UnknownBan.
    """
    async with ctx.begin() as work:
        await _banner(ctx, work, guild_id)
        ban = await bans.get(work.cur, guild_id, user_id)
        if ban is None:
            raise UnknownBan
        await bans.delete(work.cur, guild_id, user_id)
        work.emit(events.ban_removed(guild_id, ban.user))
        await audit.record(ctx, work, guild_id, AuditAction.MEMBER_BAN_REMOVE, user_id)


async def get(ctx: Context, guild_id: GuildId, user_id: UserId) -> Ban:
    """One ban. Needs BAN_MEMBERS.

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
    """Bans in the order of user ids. Needs BAN_MEMBERS.

    Raises UnknownGuild, MissingAccess, MissingPermissions.
    """
    async with ctx.database.cursor() as cur:
        granted = await access.guild(cur, ctx.user.id, guild_id)
        granted.require(Permissions.BAN_MEMBERS)
        return await bans.page(cur, guild_id, before=before, after=after, limit=limit)


async def _banner(ctx: Context, work: Work, guild_id: GuildId) -> GuildAccess:
    granted = await access.locked_guild(work, ctx.user.id, guild_id)
    granted.require(Permissions.BAN_MEMBERS)
    return granted


async def _ban(ctx: Context, work: Work, granted: GuildAccess, user_id: UserId) -> bool:
    """Ban one user; False when it is banned already."""
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
        await remove(work, member)
    work.emit(events.ban_added(guild_id, user))
    await audit.record(ctx, work, guild_id, AuditAction.MEMBER_BAN_ADD, user_id)
    return True


async def _delete_messages(
    work: Work, guild_id: GuildId, user_ids: Sequence[UserId], seconds: int
) -> None:
    if not seconds or not user_ids:
        return
    since = snowflake.at(datetime.now(UTC) - timedelta(seconds=seconds))
    deleted: defaultdict[ChannelId, list[MessageId]] = defaultdict(list)
    for channel_id, message_id in await messages.delete_of_authors(
        work.cur, guild_id, user_ids, since=since
    ):
        deleted[channel_id].append(message_id)
    for channel_id, message_ids in deleted.items():
        place = Place(channel_id, guild_id)
        work.emit(*message_events.messages_deleted(message_ids, place))
