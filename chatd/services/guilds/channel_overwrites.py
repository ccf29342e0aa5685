"""Permission overwrites of single channels, and their synchronization with the category.

Rule: Discord docs, Channel resource, "Edit Channel Permissions".
"""

from __future__ import annotations

from dataclasses import replace

from chatd.context.context import Context
from chatd.context.unit_of_work import UnitOfWork
from chatd.core.audit import AuditAction
from chatd.core.errors import UnknownChannel, UnknownOverwrite, UnknownRole, UnknownUser
from chatd.core.ids import ChannelId, GuildId, RoleId, UserId
from chatd.core.models import Channel, ChannelType
from chatd.core.overwrites import Overwrite, OverwriteType
from chatd.core.permissions import Permissions
from chatd.db.cursor import Cursor
from chatd.events import channels as events
from chatd.queries import channels, roles, users
from chatd.services.access import access, overwrites
from chatd.services.access.access import ChannelAccess
from chatd.services.guilds import audit_log, channel_rules
from chatd.wire import payloads
from chatd.wire.schemas.channels import OverwriteChange


async def put(ctx: Context, channel_id: ChannelId, target_id: int, change: OverwriteChange) -> None:
    """Set what a channel allows and denies a role or a member. Needs MANAGE_ROLES in the channel.

    The caller needs each bit that changes. Channels in sync with a category get its new
    overwrites. Raises UnknownChannel, MissingAccess, MissingPermissions, UnknownRole, UnknownUser,
    TooManyOverwrites, TooManyGuildOverwrites.
    """
    async with ctx.begin() as work:
        granted = await access.locked_guild_channel(work, ctx.user.id, channel_id)
        granted.require(Permissions.MANAGE_ROLES)
        channel = await load_channel(work.cur, granted)
        await _require_target(work.cur, granted.guild.id, target_id, change.type)
        overwrite = Overwrite(target_id, change.type, change.allow, change.deny)
        others = tuple(each for each in channel.overwrites if each.target_id != target_id)
        sorted_overwrites = channel_rules.sort_overwrites((*others, overwrite))
        changed = replace(channel, overwrites=sorted_overwrites)
        channel_rules.require_grantable(granted, channel.overwrites, changed.overwrites)
        await overwrites.replace(work, channel, changed)
        is_new = len(changed.overwrites) > len(channel.overwrites)
        action = (
            AuditAction.CHANNEL_OVERWRITE_CREATE if is_new else AuditAction.CHANNEL_OVERWRITE_UPDATE
        )
        await _publish_change(ctx, work, channel, changed, overwrite=overwrite, action=action)


async def delete(ctx: Context, channel_id: ChannelId, target_id: int) -> None:
    """Delete an overwrite of a channel. Needs MANAGE_ROLES in the channel.

    The caller needs each bit of the overwrite. Channels in sync with a category get its new
    overwrites. Raises UnknownChannel, MissingAccess, MissingPermissions, UnknownOverwrite.
    """
    async with ctx.begin() as work:
        granted = await access.locked_guild_channel(work, ctx.user.id, channel_id)
        granted.require(Permissions.MANAGE_ROLES)
        channel = await load_channel(work.cur, granted)
        left = tuple(each for each in channel.overwrites if each.target_id != target_id)
        if left == channel.overwrites:
            raise UnknownOverwrite
        [deleted] = set(channel.overwrites) - set(left)
        changed = replace(channel, overwrites=left)
        channel_rules.require_grantable(granted, channel.overwrites, left)
        await channels.delete_overwrite(work.cur, channel_id, target_id)
        action = AuditAction.CHANNEL_OVERWRITE_DELETE
        await _publish_change(ctx, work, channel, changed, overwrite=deleted, action=action)


async def load_channel(cur: Cursor, granted: ChannelAccess) -> Channel:
    """Return the channel of an access with all its overwrites. Raises UnknownChannel."""
    channel = await channels.get(cur, granted.guild.id, granted.channel.id)
    if channel is None:  # possible only where the guild is not locked
        raise UnknownChannel
    return channel


async def sync_children(work: UnitOfWork, before: Channel, after: Channel) -> None:
    """Give the new overwrites of a category to the channels that had its old ones.

    An overwrite that allows and denies nothing makes no difference: clients show such channels as
    in sync, and add one for @everyone when they synchronize. The audit log has one entry, of the
    category. The guild is locked, and its version is bumped by the caller.
    Rule: Discord docs, Permissions, "Permission Syncing".
    """
    if after.type != ChannelType.CATEGORY or before.overwrites == after.overwrites:
        return
    children = await channels.list_in_category(work.cur, after.guild_id, after.id)
    equal = [child for child in children if child.overwrites == before.overwrites]
    await overwrites.copy(work, before, after, [child.id for child in equal])
    for child in children:
        if not overwrites.have_same_effect(child.overwrites, before.overwrites):
            continue
        changed = replace(child, overwrites=after.overwrites)
        if child not in equal:
            await overwrites.replace(work, child, changed)
        work.emit(events.channel_updated(changed))


async def _publish_change(
    ctx: Context,
    work: UnitOfWork,
    before: Channel,
    after: Channel,
    *,
    overwrite: Overwrite,
    action: AuditAction,
) -> None:
    work.bump_version(after.guild_id)
    work.emit(events.channel_updated(after))
    await sync_children(work, before, after)
    old = {each.target_id: payloads.overwrite(each) for each in before.overwrites}
    new = {each.target_id: payloads.overwrite(each) for each in after.overwrites}
    target = overwrite.target_id
    await audit_log.record(
        ctx,
        work,
        after.guild_id,
        action,
        after.id,
        changes=audit_log.changes(old.get(target), new.get(target)),
        options={"id": str(target), "type": str(int(overwrite.type))},
    )


async def _require_target(
    cur: Cursor, guild_id: GuildId, target_id: int, kind: OverwriteType
) -> None:
    if kind == OverwriteType.ROLE:
        if await roles.get(cur, guild_id, RoleId(target_id)) is None:
            raise UnknownRole
    elif await users.get(cur, UserId(target_id)) is None:
        raise UnknownUser
