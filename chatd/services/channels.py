"""Channels of guilds: making, changing, deleting and listing them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from chatd.context import Context
from chatd.core.errors import InvalidForm, TooManyChannels
from chatd.core.ids import ChannelId, GuildId
from chatd.core.models import Channel, ChannelType
from chatd.core.permissions import Permissions
from chatd.events import channels as events
from chatd.queries import channels
from chatd.services import access
from chatd.wire.schemas import UNSET, ChannelChange, NewChannel

MAX_CHANNELS = 500
"""How many channels a guild can have, categories among them."""

MAX_CHILDREN = 50
"""How many channels a category can have."""


async def create(ctx: Context, guild_id: GuildId, wanted: NewChannel) -> Channel:
    """Add a channel to a guild. Needs MANAGE_CHANNELS.

    Raises UnknownGuild, MissingAccess, MissingPermissions, TooManyChannels, InvalidForm.
    """
    async with ctx.begin() as work:
        granted = await access.locked_guild(work, ctx.user.id, guild_id)
        granted.require(Permissions.MANAGE_CHANNELS)
        siblings = await channels.of_guild(work.cur, guild_id)
        if len(siblings) >= MAX_CHANNELS:
            raise TooManyChannels
        _check_parent(wanted.type, wanted.parent_id, siblings)
        last = max((sibling.position for sibling in siblings), default=-1)
        channel = Channel(
            id=ctx.new_id(ChannelId),
            guild_id=guild_id,
            type=wanted.type,
            name=wanted.name,
            topic=wanted.topic or None,
            position=last + 1 if wanted.position is None else wanted.position,
            parent_id=wanted.parent_id,
            nsfw=wanted.nsfw,
            rate_limit_per_user=wanted.rate_limit_per_user,
            last_message_id=None,
        )
        await channels.insert(work.cur, channel)
        work.raise_version(guild_id)
        work.emit(events.channel_created(channel))
    return channel


async def of_guild(ctx: Context, guild_id: GuildId) -> list[Channel]:
    """The channels of a guild that the caller may see. Raises UnknownGuild, MissingAccess."""
    async with ctx.database.cursor() as cur:
        granted = await access.guild(cur, ctx.user.id, guild_id)
        if Permissions.VIEW_CHANNEL not in granted.permissions:
            return []
        return await channels.of_guild(cur, guild_id)


async def get(ctx: Context, channel_id: ChannelId) -> Channel:
    """One channel that the caller may see. Raises UnknownChannel, MissingAccess."""
    async with ctx.database.cursor() as cur:
        granted = await access.channel(cur, ctx.user.id, channel_id)
    return granted.channel


async def update(ctx: Context, channel_id: ChannelId, change: ChannelChange) -> Channel:
    """Change a channel. Needs MANAGE_CHANNELS.

    Raises UnknownChannel, MissingAccess, MissingPermissions, InvalidForm.
    """
    async with ctx.begin() as work:
        granted = await access.locked_channel(work, ctx.user.id, channel_id)
        granted.require(Permissions.MANAGE_CHANNELS)
        channel, guild_id = granted.channel, granted.guild.id
        changed = _changed(channel, change)
        if changed.parent_id != channel.parent_id:
            siblings = await channels.of_guild(work.cur, guild_id)
            _check_parent(changed.type, changed.parent_id, siblings)
        if changed != channel:
            await channels.update(work.cur, changed)
            work.raise_version(guild_id)
            work.emit(events.channel_updated(changed))
    return changed


async def delete(ctx: Context, channel_id: ChannelId) -> Channel:
    """Delete a channel with its messages; the channels of a category stay, outside of it.

    Needs MANAGE_CHANNELS. Raises UnknownChannel, MissingAccess, MissingPermissions.
    """
    async with ctx.begin() as work:
        granted = await access.locked_channel(work, ctx.user.id, channel_id)
        granted.require(Permissions.MANAGE_CHANNELS)
        guild_id = granted.guild.id
        children = await channels.children(work.cur, guild_id, channel_id)
        await channels.delete(work.cur, guild_id, channel_id)
        work.raise_version(guild_id)
        for child in children:
            work.emit(events.channel_updated(replace(child, parent_id=None)))
        work.emit(events.channel_deleted(granted.channel))
    return granted.channel


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
    return channel
