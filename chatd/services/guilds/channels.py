"""Channels of guilds: creating, changing, moving, deleting and listing them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from chatd.context.context import Context
from chatd.context.unit_of_work import UnitOfWork
from chatd.core.audit import AuditAction, AuditChange
from chatd.core.errors import InvalidForm, TooManyChannels
from chatd.core.ids import ChannelId, GuildId
from chatd.core.models import Channel, PrivateChannel
from chatd.core.overwrites import Overwrite
from chatd.core.permissions import Permissions
from chatd.core.unset import UNSET
from chatd.db.cursor import Cursor
from chatd.events import channels as events
from chatd.events import guilds as guild_events
from chatd.events import invites as invite_events
from chatd.queries import channels, invites, roles
from chatd.services.access import access, overwrites
from chatd.services.access.access import GuildAccess, PrivateAccess
from chatd.services.guilds import audit_log, channel_rules
from chatd.services.guilds.channel_overwrites import load_channel, sync_children
from chatd.services.messages import private_channels
from chatd.wire import payloads
from chatd.wire.schemas.channels import ChannelChange, ChannelMove, NewChannel
from chatd.wire.validators import MAX_POSITION

MAX_CHANNELS = 500
"""The channels of a guild, categories included. Rule: Discord's limit."""

_MOVES_PER_TICK = 20
"""Channels moved before other tasks run. Moving 500 takes 36 ms of the event loop."""


async def create(ctx: Context, guild_id: GuildId, wanted: NewChannel) -> Channel:
    """Create a channel. Needs MANAGE_CHANNELS, and MANAGE_ROLES for overwrites.

    In a category, the caller needs them for that category. A channel without overwrites of its own
    gets those of the category. Raises UnknownGuild, MissingAccess, MissingPermissions,
    TooManyChannels, InvalidForm.
    """
    async with ctx.begin() as work:
        granted = await access.locked_guild(work, ctx.user.id, guild_id)
        siblings = await channels.list_for_guild(work.cur, guild_id)
        parent = next((each for each in siblings if each.id == wanted.parent_id), None)
        rights = granted if parent is None else granted.for_channel(parent, parent.overwrites)
        rights.require(Permissions.MANAGE_CHANNELS)
        if len(siblings) >= MAX_CHANNELS:
            raise TooManyChannels
        channel_rules.check_parent(wanted.type, wanted.parent_id, siblings)
        channel_rules.check_fields(wanted.type, wanted.topic, wanted.rate_limit_per_user)
        new = await _initial_overwrites(work.cur, rights, parent, wanted)
        channel = Channel(
            id=ctx.new_id(ChannelId),
            guild_id=guild_id,
            type=wanted.type,
            name=wanted.name,
            topic=wanted.topic or None,
            position=_last_position(siblings) if wanted.position is None else wanted.position,
            parent_id=wanted.parent_id,
            nsfw=wanted.nsfw,
            rate_limit_per_user=wanted.rate_limit_per_user,
            overwrites=new,
            last_message_id=None,
        )
        await overwrites.insert_channel(work, channel)
        work.bump_version(guild_id)
        work.emit(events.channel_created(channel))
        await _record(ctx, work, AuditAction.CHANNEL_CREATE, None, channel)
    return channel


async def _initial_overwrites(
    cur: Cursor, rights: GuildAccess, parent: Channel | None, wanted: NewChannel
) -> Sequence[Overwrite]:
    """Return the overwrites of a new channel: its own, or without any those of its category.

    Raises MissingPermissions, UnknownOverwrite.
    """
    own = channel_rules.stored_overwrites(wanted.permission_overwrites)
    if parent is not None and own in ((), parent.overwrites):
        return parent.overwrites
    channel_rules.require_grantable(rights, (), own)
    await overwrites.require_targets(cur, rights.guild.id, (), own)
    return own


def _last_position(siblings: Sequence[Channel]) -> int:
    """Return the position below all channels of a guild."""
    last = max((sibling.position for sibling in siblings), default=-1)
    return min(last + 1, MAX_POSITION)


async def list_for_guild(ctx: Context, guild_id: GuildId) -> list[Channel]:
    """Return the channels of a guild that the caller can see.

    Raises UnknownGuild, MissingAccess.
    """
    async with ctx.database.cursor() as cur:
        granted = await access.guild(cur, ctx.user.id, guild_id)
        concerning = await channels.overwrites_for_member(cur, [guild_id], granted.targets)
        visible = {each.id for each in concerning if granted.can_see(each)}
        found = await channels.list_for_guild(cur, guild_id)
    return [channel for channel in found if channel.id in visible]


async def get(ctx: Context, channel_id: ChannelId) -> Channel | PrivateChannel:
    """Return one channel that the caller can see. Raises UnknownChannel, MissingAccess."""
    async with ctx.database.cursor() as cur:
        granted = await access.channel(cur, ctx.user.id, channel_id)
        if isinstance(granted, PrivateAccess):
            return granted.channel
        return await load_channel(cur, granted)


async def update(
    ctx: Context, channel_id: ChannelId, change: ChannelChange
) -> Channel | PrivateChannel:
    """Change a channel. Needs MANAGE_CHANNELS, and MANAGE_ROLES for overwrites.

    Moving it into another category needs MANAGE_CHANNELS there too. The new overwrites of a
    category go to the channels in sync with it. Each recipient of a group may change its name.
    Raises UnknownChannel, MissingAccess, MissingPermissions, WrongChannelType, InvalidForm.
    """
    async with ctx.begin() as work:
        granted = await access.locked_channel(work, ctx.user.id, channel_id)
        if isinstance(granted, PrivateAccess):
            channel_rules.check_private_change(change)
            name = granted.channel.name if change.name is UNSET else change.name
            return await private_channels.rename(ctx, work, granted, name)
        granted.require(Permissions.MANAGE_CHANNELS)
        channel, guild_id = await load_channel(work.cur, granted), granted.guild.id
        changed = channel_rules.apply_change(channel, change)
        if changed.parent_id != channel.parent_id:
            siblings = await channels.list_for_guild(work.cur, guild_id)
            channel_rules.require_parent(granted, changed.parent_id, siblings)
            channel_rules.check_parent(changed.type, changed.parent_id, siblings)
        before, after = channel.overwrites, changed.overwrites
        channel_rules.require_grantable(granted, before, after)
        await overwrites.require_targets(work.cur, guild_id, before, after)
        if changed != channel:
            await channels.update(work.cur, changed)
            await overwrites.replace(work, channel, changed)
            work.bump_version(guild_id)
            work.emit(events.channel_updated(changed))
            await sync_children(work, channel, changed)
            await _record(ctx, work, AuditAction.CHANNEL_UPDATE, channel, changed)
    return changed


async def move(ctx: Context, guild_id: GuildId, moves: Sequence[ChannelMove]) -> None:
    """Change the positions and categories of channels.

    Each channel and each new category needs MANAGE_CHANNELS, and a channel whose overwrites change
    needs MANAGE_ROLES. Of several moves of one channel the last one counts. Raises UnknownGuild,
    MissingAccess, MissingPermissions, InvalidForm.
    """
    async with ctx.begin() as work:
        granted = await access.locked_guild(work, ctx.user.id, guild_id)
        if not moves:
            granted.require(Permissions.MANAGE_CHANNELS)
        known = {each.id: each for each in await channels.list_for_guild(work.cur, guild_id)}
        moved: dict[ChannelId, Channel] = {}
        logged: dict[int, list[AuditChange]] = {}
        for number, each in enumerate({move.id: move for move in moves}.values(), 1):
            if number % _MOVES_PER_TICK == 0:
                await asyncio.sleep(0)
            channel = known.get(each.id)
            if channel is None:
                granted.require(Permissions.MANAGE_CHANNELS)
                raise InvalidForm.of("id", "CHANNEL_INVALID", "Not a channel of this guild.")
            changed = _moved(granted, channel, each, known)
            if changed != channel:
                known[each.id] = moved[each.id] = changed
                if changed.overwrites is not channel.overwrites:
                    await overwrites.replace(work, channel, changed)
                work.emit(events.channel_updated(changed))
                before, after = payloads.channel(channel), payloads.channel(changed)
                logged[each.id] = audit_log.changes(before, after)
        if moved:
            await channels.move(work.cur, guild_id, list(moved.values()))
            work.bump_version(guild_id)
            await audit_log.record_all(ctx, work, guild_id, AuditAction.CHANNEL_UPDATE, logged)


def _moved(
    granted: GuildAccess, channel: Channel, wanted: ChannelMove, known: dict[ChannelId, Channel]
) -> Channel:
    """Return a channel after a move. Raises MissingAccess, MissingPermissions, InvalidForm."""
    rights = granted.for_channel(channel, channel.overwrites)
    rights.require(Permissions.MANAGE_CHANNELS)
    changed = channel
    if wanted.position is not UNSET and wanted.position is not None:
        changed = replace(changed, position=wanted.position)
    if wanted.parent_id is not UNSET and wanted.parent_id != channel.parent_id:
        siblings = list(known.values())
        channel_rules.require_parent(granted, wanted.parent_id, siblings)
        channel_rules.check_parent(channel.type, wanted.parent_id, siblings)
        changed = replace(changed, parent_id=wanted.parent_id)
        if wanted.lock_permissions and wanted.parent_id is not None:
            changed = replace(changed, overwrites=known[wanted.parent_id].overwrites)
            channel_rules.require_grantable(rights, channel.overwrites, changed.overwrites)
    return changed


async def delete(ctx: Context, channel_id: ChannelId) -> Channel | PrivateChannel:
    """Delete a channel with its messages. Needs MANAGE_CHANNELS.

    The channels of a deleted category stay, without a category. A direct message channel is closed
    for the caller only, and a group is left. Raises UnknownChannel, MissingAccess,
    MissingPermissions.
    """
    async with ctx.begin() as work:
        granted = await access.locked_channel(work, ctx.user.id, channel_id)
        if isinstance(granted, PrivateAccess):
            return await private_channels.close(ctx, work, granted)
        granted.require(Permissions.MANAGE_CHANNELS)
        guild_id, channel = granted.guild.id, await load_channel(work.cur, granted)
        children = await channels.list_in_category(work.cur, guild_id, channel_id)
        for invite in await invites.list_for_channel(work.cur, guild_id, channel_id):
            work.emit(invite_events.invite_deleted(invite))  # deleted with their channel
        await channels.delete(work.cur, guild_id, channel_id)
        work.bump_version(guild_id)
        guild = granted.guild.without_channel(channel_id)
        if guild != granted.guild:
            guild_roles = await roles.list_for_guilds(work.cur, [guild_id])
            work.emit(guild_events.guild_updated(guild, guild_roles))
        for child in children:
            work.emit(events.channel_updated(replace(child, parent_id=None)))
        # Recorded before CHANNEL_DELETE: the entry goes to members that can see the channel.
        await _record(ctx, work, AuditAction.CHANNEL_DELETE, channel, None)
        work.emit(events.channel_deleted(channel))
    return channel


async def _record(
    ctx: Context,
    work: UnitOfWork,
    action: AuditAction,
    before: Channel | None,
    after: Channel | None,
) -> None:
    channel = after or before
    assert channel is not None
    await audit_log.record(
        ctx,
        work,
        channel.guild_id,
        action,
        channel.id,
        changes=audit_log.changes(
            None if before is None else payloads.channel(before),
            None if after is None else payloads.channel(after),
        ),
    )
