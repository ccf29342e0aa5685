"""Channels of guilds: making, changing, deleting and listing them, and their overwrites."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from chatd.context import Context, Work
from chatd.core.errors import (
    InvalidForm,
    TooManyChannels,
    TooManyOverwrites,
    UnknownOverwrite,
    UnknownRole,
    UnknownUser,
)
from chatd.core.ids import ChannelId, GuildId, RoleId, UserId
from chatd.core.models import (
    AuditAction,
    Channel,
    ChannelType,
    Overwrite,
    OverwriteType,
    PrivateChannel,
)
from chatd.core.permissions import Permissions
from chatd.db import Cursor
from chatd.events import channels as events
from chatd.events import guilds as guild_events
from chatd.events import invites as invite_events
from chatd.queries import channels, invites, roles, users
from chatd.services import access, audit, private_channels
from chatd.services.access import GuildAccess, PrivateAccess
from chatd.wire import payloads
from chatd.wire.fields import MAX_POSITION, UNSET
from chatd.wire.schemas.channels import (
    ChannelChange,
    ChannelMove,
    NewChannel,
    OverwriteChange,
    WantedOverwrite,
)

MAX_CHANNELS = 500
"""How many channels a guild can have, categories among them."""

MAX_OVERWRITES = 1000
"""How many roles and members a channel can allow and deny things."""

MAX_CHILDREN = 50
"""How many channels a category can have."""


async def create(ctx: Context, guild_id: GuildId, wanted: NewChannel) -> Channel:
    """Add a channel to a guild. Needs MANAGE_CHANNELS, and MANAGE_ROLES for overwrites.

    Without overwrites of its own it takes those of its category. Raises UnknownGuild,
    MissingAccess, MissingPermissions, TooManyChannels, InvalidForm.
    """
    async with ctx.begin() as work:
        granted = await access.locked_guild(work, ctx.user.id, guild_id)
        granted.require(Permissions.MANAGE_CHANNELS)
        siblings = await channels.of_guild(work.cur, guild_id)
        if len(siblings) >= MAX_CHANNELS:
            raise TooManyChannels
        _check_parent(wanted.type, wanted.parent_id, siblings)
        overwrites = _overwrites(wanted.permission_overwrites)
        _require_grantable(granted, (), overwrites)
        if not overwrites and wanted.parent_id is not None:
            parent = next(each for each in siblings if each.id == wanted.parent_id)
            overwrites = parent.overwrites
        last = max((sibling.position for sibling in siblings), default=-1)
        channel = Channel(
            id=ctx.new_id(ChannelId),
            guild_id=guild_id,
            type=wanted.type,
            name=wanted.name,
            topic=wanted.topic or None,
            position=min(last + 1, MAX_POSITION) if wanted.position is None else wanted.position,
            parent_id=wanted.parent_id,
            nsfw=wanted.nsfw,
            rate_limit_per_user=wanted.rate_limit_per_user,
            overwrites=overwrites,
            last_message_id=None,
        )
        await channels.insert(work.cur, channel)
        work.raise_version(guild_id)
        work.emit(events.channel_created(channel))
        await _record(ctx, work, AuditAction.CHANNEL_CREATE, None, channel)
    return channel


async def of_guild(ctx: Context, guild_id: GuildId) -> list[Channel]:
    """The channels of a guild that the caller may see. Raises UnknownGuild, MissingAccess."""
    async with ctx.database.cursor() as cur:
        granted = await access.guild(cur, ctx.user.id, guild_id)
        found = await channels.of_guild(cur, guild_id)
    return [channel for channel in found if granted.may_see(channel)]


async def get(ctx: Context, channel_id: ChannelId) -> Channel | PrivateChannel:
    """One channel that the caller may see. Raises UnknownChannel, MissingAccess."""
    async with ctx.database.cursor() as cur:
        granted = await access.channel(cur, ctx.user.id, channel_id)
    return granted.channel


async def update(
    ctx: Context, channel_id: ChannelId, change: ChannelChange
) -> Channel | PrivateChannel:
    """Change a channel. Needs MANAGE_CHANNELS, and MANAGE_ROLES for overwrites.

    Of a private group everyone in it may change the name. Raises UnknownChannel, MissingAccess,
    MissingPermissions, WrongChannelType, InvalidForm.
    """
    async with ctx.begin() as work:
        granted = await access.locked_channel(work, ctx.user.id, channel_id)
        if isinstance(granted, PrivateAccess):
            name = granted.channel.name if change.name is UNSET else change.name
            return await private_channels.rename(ctx, work, granted, name)
        granted.require(Permissions.MANAGE_CHANNELS)
        channel, guild_id = granted.channel, granted.guild.id
        changed = _changed(channel, change)
        if changed.parent_id != channel.parent_id:
            siblings = await channels.of_guild(work.cur, guild_id)
            _check_parent(changed.type, changed.parent_id, siblings)
        _require_grantable(granted, channel.overwrites, changed.overwrites)
        if changed != channel:
            await channels.update(work.cur, changed)
            await channels.replace_overwrites(work.cur, channel, changed)
            work.raise_version(guild_id)
            work.emit(events.channel_updated(changed))
            await _record(ctx, work, AuditAction.CHANNEL_UPDATE, channel, changed)
    return changed


async def move(ctx: Context, guild_id: GuildId, moves: Sequence[ChannelMove]) -> None:
    """Change where channels stand. Needs MANAGE_CHANNELS, and MANAGE_ROLES where overwrites change.

    Of what is said of one channel the last counts. Raises UnknownGuild, MissingAccess,
    MissingPermissions, InvalidForm.
    """
    async with ctx.begin() as work:
        granted = await access.locked_guild(work, ctx.user.id, guild_id)
        granted.require(Permissions.MANAGE_CHANNELS)
        known = {each.id: each for each in await channels.of_guild(work.cur, guild_id)}
        for each in {move.id: move for move in moves}.values():
            channel = known.get(each.id)
            if channel is None or not granted.may_see(channel):
                raise InvalidForm.of("id", "CHANNEL_INVALID", "Not a channel of this guild.")
            changed = channel
            if each.position is not UNSET and each.position is not None:
                changed = replace(changed, position=each.position)
            if each.parent_id is not UNSET and each.parent_id != channel.parent_id:
                _check_parent(channel.type, each.parent_id, list(known.values()))
                changed = replace(changed, parent_id=each.parent_id)
                if each.lock_permissions and each.parent_id is not None:
                    changed = replace(changed, overwrites=known[each.parent_id].overwrites)
                    _require_grantable(granted, channel.overwrites, changed.overwrites)
            if changed != channel:
                known[each.id] = changed
                await channels.move(work.cur, changed)
                await channels.replace_overwrites(work.cur, channel, changed)
                work.raise_version(guild_id)
                work.emit(events.channel_updated(changed))
                await _record(ctx, work, AuditAction.CHANNEL_UPDATE, channel, changed)


async def delete(ctx: Context, channel_id: ChannelId) -> Channel | PrivateChannel:
    """Delete a channel with its messages; the channels of a category stay, outside of it.

    Needs MANAGE_CHANNELS. A private channel is only closed, a private group left. Raises
    UnknownChannel, MissingAccess, MissingPermissions.
    """
    async with ctx.begin() as work:
        granted = await access.locked_channel(work, ctx.user.id, channel_id)
        if isinstance(granted, PrivateAccess):
            return await private_channels.close(ctx, work, granted)
        granted.require(Permissions.MANAGE_CHANNELS)
        guild_id = granted.guild.id
        children = await channels.children(work.cur, guild_id, channel_id)
        for invite in await invites.of_channel(work.cur, guild_id, channel_id):
            work.emit(invite_events.invite_deleted(invite))  # they go with their channel
        await channels.delete(work.cur, guild_id, channel_id)
        work.raise_version(guild_id)
        if granted.guild.system_channel_id == channel_id:
            guild = replace(granted.guild, system_channel_id=None)
            guild_roles = await roles.of_guilds(work.cur, [guild_id])
            work.emit(guild_events.guild_updated(guild, guild_roles))
        for child in children:
            work.emit(events.channel_updated(replace(child, parent_id=None)))
        work.emit(events.channel_deleted(granted.channel))
        await _record(ctx, work, AuditAction.CHANNEL_DELETE, granted.channel, None)
    return granted.channel


async def set_overwrite(
    ctx: Context, channel_id: ChannelId, target_id: int, change: OverwriteChange
) -> None:
    """Allow and deny a role or a member things in a channel. Needs MANAGE_ROLES there.

    Nobody allows or denies what it may not do itself. Raises UnknownChannel, MissingAccess,
    MissingPermissions, UnknownRole, UnknownUser, TooManyOverwrites.
    """
    async with ctx.begin() as work:
        granted = await access.locked_guild_channel(work, ctx.user.id, channel_id)
        granted.require(Permissions.MANAGE_ROLES)
        channel = granted.channel
        await _require_target(work.cur, granted.guild.id, target_id, change.type)
        overwrite = Overwrite(target_id, change.type, change.allow, change.deny)
        others = tuple(each for each in channel.overwrites if each.target_id != target_id)
        changed = replace(channel, overwrites=_in_order((*others, overwrite)))
        _require_grantable(granted, channel.overwrites, changed.overwrites)
        if len(changed.overwrites) > max(MAX_OVERWRITES, len(channel.overwrites)):
            raise TooManyOverwrites
        await channels.set_overwrite(work.cur, granted.guild.id, channel_id, overwrite)
        is_new = len(changed.overwrites) > len(channel.overwrites)
        action = (
            AuditAction.CHANNEL_OVERWRITE_CREATE if is_new else AuditAction.CHANNEL_OVERWRITE_UPDATE
        )
        await _overwrites_changed(ctx, work, channel, changed, overwrite=overwrite, action=action)


async def delete_overwrite(ctx: Context, channel_id: ChannelId, target_id: int) -> None:
    """Take an overwrite away. Needs MANAGE_ROLES in the channel.

    Raises UnknownChannel, MissingAccess, MissingPermissions, UnknownOverwrite.
    """
    async with ctx.begin() as work:
        granted = await access.locked_guild_channel(work, ctx.user.id, channel_id)
        granted.require(Permissions.MANAGE_ROLES)
        channel = granted.channel
        left = tuple(each for each in channel.overwrites if each.target_id != target_id)
        if left == channel.overwrites:
            raise UnknownOverwrite
        [gone] = set(channel.overwrites) - set(left)
        changed = replace(channel, overwrites=left)
        _require_grantable(granted, channel.overwrites, left)
        await channels.delete_overwrite(work.cur, channel_id, target_id)
        action = AuditAction.CHANNEL_OVERWRITE_DELETE
        await _overwrites_changed(ctx, work, channel, changed, overwrite=gone, action=action)


async def _overwrites_changed(
    ctx: Context,
    work: Work,
    before: Channel,
    after: Channel,
    *,
    overwrite: Overwrite,
    action: AuditAction,
) -> None:
    work.raise_version(after.guild_id)
    work.emit(events.channel_updated(after))
    old = {each.target_id: payloads.overwrite(each) for each in before.overwrites}
    new = {each.target_id: payloads.overwrite(each) for each in after.overwrites}
    target = overwrite.target_id
    await audit.record(
        ctx,
        work,
        after.guild_id,
        action,
        after.id,
        changes=audit.changes(old.get(target), new.get(target)),
        options={"id": str(target), "type": str(int(overwrite.type))},
    )


async def _record(
    ctx: Context, work: Work, action: AuditAction, before: Channel | None, after: Channel | None
) -> None:
    channel = after or before
    assert channel is not None
    await audit.record(
        ctx,
        work,
        channel.guild_id,
        action,
        channel.id,
        changes=audit.changes(
            None if before is None else payloads.channel(before),
            None if after is None else payloads.channel(after),
        ),
    )


def _overwrites(wanted: Iterable[WantedOverwrite]) -> tuple[Overwrite, ...]:
    """As they are kept: one for each target, the last one that is wanted."""
    return _in_order(Overwrite(each.id, each.type, each.allow, each.deny) for each in wanted)


def _in_order(overwrites: Iterable[Overwrite]) -> tuple[Overwrite, ...]:
    """As they are read again, so that what is told now and shown later is the same."""
    last = {each.target_id: each for each in overwrites}
    return tuple(last[target_id] for target_id in sorted(last))


def _require_grantable(
    granted: GuildAccess, before: Sequence[Overwrite], after: Sequence[Overwrite]
) -> None:
    """Only MANAGE_ROLES changes overwrites, and only in bits that one has oneself."""
    if set(before) == set(after):
        return
    granted.require(Permissions.MANAGE_ROLES)
    old = {each.target_id: each for each in before}
    new = {each.target_id: each for each in after}
    for target_id in old.keys() | new.keys():
        was, will_be = old.get(target_id), new.get(target_id)
        granted.require_grantable(
            (was.allow if was else 0) ^ (will_be.allow if will_be else 0)
            | (was.deny if was else 0) ^ (will_be.deny if will_be else 0)
        )


async def _require_target(
    cur: Cursor, guild_id: GuildId, target_id: int, kind: OverwriteType
) -> None:
    if kind == OverwriteType.ROLE:
        if await roles.get(cur, guild_id, RoleId(target_id)) is None:
            raise UnknownRole
    elif await users.get(cur, UserId(target_id)) is None:
        raise UnknownUser


def _check_parent(
    kind: ChannelType, parent_id: ChannelId | None, siblings: Sequence[Channel]
) -> None:
    if parent_id is None:
        return
    parent = next((each for each in siblings if each.id == parent_id), None)
    if parent is None or parent.type != ChannelType.CATEGORY:
        raise InvalidForm.of(
            "parent_id", "CHANNEL_PARENT_INVALID_TYPE", "Not a category of this guild."
        )
    if kind == ChannelType.CATEGORY:
        raise InvalidForm.of(
            "parent_id", "CHANNEL_PARENT_INVALID", "Categories cannot have a parent."
        )
    if sum(each.parent_id == parent_id for each in siblings) >= MAX_CHILDREN:
        raise InvalidForm.of(
            "parent_id",
            "CHANNEL_PARENT_MAX_CHANNELS",
            f"Maximum number of channels in a category reached ({MAX_CHILDREN}).",
        )


def _changed(channel: Channel, change: ChannelChange) -> Channel:
    if change.name is not UNSET:
        if change.name is None:
            raise InvalidForm.of("name", "BASE_TYPE_REQUIRED", "This field is required")
        channel = replace(channel, name=change.name)
    if change.topic is not UNSET:
        channel = replace(channel, topic=change.topic or None)
    if change.position is not UNSET:
        channel = replace(channel, position=change.position)
    if change.parent_id is not UNSET:
        channel = replace(channel, parent_id=change.parent_id)
    if change.nsfw is not UNSET:
        channel = replace(channel, nsfw=change.nsfw)
    if change.rate_limit_per_user is not UNSET:
        channel = replace(channel, rate_limit_per_user=change.rate_limit_per_user)
    if change.permission_overwrites is not UNSET:
        wanted = change.permission_overwrites or ()
        channel = replace(channel, overwrites=_overwrites(wanted))
    return channel
