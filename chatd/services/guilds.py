"""Guilds: making, changing, deleting and listing them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from chatd.context import Context
from chatd.core import permissions
from chatd.core.errors import InvalidForm, MissingPermissions, TooManyGuilds
from chatd.core.ids import ChannelId, GuildId, RoleId, UserId
from chatd.core.models import AuditAction, Channel, ChannelType, Counts, Guild, Role
from chatd.core.permissions import Permissions
from chatd.db import Cursor
from chatd.events import guilds as events
from chatd.events import users as user_events
from chatd.queries import channels, guilds, members, roles
from chatd.queries.guilds import Membership
from chatd.services import access, audit, images, snapshots
from chatd.services.access import GuildAccess
from chatd.wire import payloads
from chatd.wire.fields import UNSET
from chatd.wire.schemas.guilds import GuildChange, NewGuild

MAX_GUILDS = 200
"""In how many guilds a user can be."""


async def create(ctx: Context, wanted: NewGuild) -> tuple[Guild, Sequence[Role]]:
    """Make a guild of the caller, with @everyone and a text channel "general".

    Raises TooManyGuilds.
    """
    guild_id = ctx.new_id(GuildId)
    icon = None
    if wanted.icon is not None:
        icon = await images.store(ctx, "icons", guild_id, "icon", wanted.icon)
    guild = Guild(guild_id, wanted.name, wanted.description, icon, ctx.user.id, None)
    everyone = Role(
        RoleId(guild_id), guild_id, "@everyone", permissions.EVERYONE, 0, False, False, 0
    )
    general = Channel(
        id=ctx.new_id(ChannelId),
        guild_id=guild_id,
        type=ChannelType.TEXT,
        name="general",
        topic=None,
        position=0,
        parent_id=None,
        nsfw=False,
        rate_limit_per_user=0,
        overwrites=(),
        last_message_id=None,
    )
    async with ctx.begin() as work:
        await work.open(guild_id)
        await work.open(ctx.user.id)  # one guild of a user at a time
        await access.require_account(work.cur, ctx.user.id)
        if await guilds.count_of_user(work.cur, ctx.user.id) >= MAX_GUILDS:
            raise TooManyGuilds
        await guilds.insert(work.cur, guild)
        await images.replace(work, "icons", guild_id, old=None, new=icon)
        await roles.insert(work.cur, everyone)
        await channels.insert(work.cur, general)
        guild = replace(guild, system_channel_id=general.id)
        await guilds.update(work.cur, guild)
        await members.insert(work.cur, guild_id, ctx.user.id)
        snapshot = await snapshots.of_guild(work.cur, guild_id, ctx.user.id, large_threshold=50)
        assert snapshot is not None
        work.emit(user_events.membership_changed(ctx.user.id, guild_id))
        work.emit(events.guild_joined(ctx.user.id, guild_id, snapshot.state()))
    return guild, [everyone]


async def get(ctx: Context, guild_id: GuildId) -> tuple[Guild, Sequence[Role], Counts]:
    """A guild with its roles and the numbers of its members.

    Raises UnknownGuild, MissingAccess.
    """
    async with ctx.database.cursor() as cur:
        granted = await access.guild(cur, ctx.user.id, guild_id)
        guild_roles = await roles.of_guilds(cur, [guild_id])
        counts = await members.counts(cur, [guild_id])
    online = ctx.resources.presences.count_in(guild_id)
    return granted.guild, guild_roles, Counts(counts.get(guild_id, 0), online)


async def update(
    ctx: Context, guild_id: GuildId, change: GuildChange
) -> tuple[Guild, Sequence[Role]]:
    """Change a guild. Needs MANAGE_GUILD; only its owner hands it to another member.

    Raises UnknownGuild, MissingAccess, MissingPermissions, InvalidForm.
    """
    icon = await _new_icon(ctx, guild_id, change)
    async with ctx.begin() as work:
        granted = await access.locked_guild(work, ctx.user.id, guild_id)
        granted.require(Permissions.MANAGE_GUILD)
        changed = await _changed(work.cur, granted.guild, change)
        if change.icon is not UNSET:
            changed = replace(changed, icon=icon)
            await images.replace(work, "icons", guild_id, old=granted.guild.icon, new=icon)
        guild_roles = await roles.of_guilds(work.cur, [guild_id])
        if changed.owner_id != granted.guild.owner_id:
            await _require_transferable(work.cur, granted, changed.owner_id)
            work.raise_version(guild_id)
        if changed != granted.guild:
            await guilds.update(work.cur, changed)
            work.emit(events.guild_updated(changed, guild_roles))
            before = _for_the_log(granted.guild, guild_roles)
            after = _for_the_log(changed, guild_roles)
            await audit.record(
                ctx,
                work,
                guild_id,
                AuditAction.GUILD_UPDATE,
                guild_id,
                changes=audit.changes(before, after),
            )
    return changed, guild_roles


async def delete(ctx: Context, guild_id: GuildId) -> None:
    """Delete a guild with all that is in it. Only its owner may.

    Raises UnknownGuild, MissingAccess, MissingPermissions.
    """
    async with ctx.begin() as work:
        granted = await access.locked_guild(work, ctx.user.id, guild_id)
        if granted.guild.owner_id != ctx.user.id:
            raise MissingPermissions
        await guilds.delete(work.cur, guild_id)
        await images.replace(work, "icons", guild_id, old=granted.guild.icon, new=None)
        work.raise_version(guild_id)  # its stream stays: what was decided before is void
        work.emit(events.guild_deleted(guild_id))


async def of_caller(ctx: Context, *, before: int, after: int, limit: int) -> list[Membership]:
    """The caller's guilds between two ids, with its permissions in each."""
    async with ctx.database.cursor() as cur:
        return await guilds.of_user(cur, ctx.user.id, before=before, after=after, limit=limit)


async def counts(ctx: Context, guild_ids: Sequence[GuildId]) -> dict[GuildId, Counts]:
    """The numbers of members of guilds that the caller is in."""
    async with ctx.database.cursor() as cur:
        found = await members.counts(cur, guild_ids)
    online = ctx.resources.presences.count_in
    return {each: Counts(found.get(each, 0), online(each)) for each in guild_ids}


async def _new_icon(ctx: Context, guild_id: GuildId, change: GuildChange) -> str | None:
    """Store the icon that is wanted, for those who may change it."""
    if change.icon is UNSET or change.icon is None:
        return None
    async with ctx.database.cursor() as cur:
        granted = await access.guild(cur, ctx.user.id, guild_id)
    granted.require(Permissions.MANAGE_GUILD)
    return await images.store(ctx, "icons", guild_id, "icon", change.icon)


def _for_the_log(guild: Guild, guild_roles: Sequence[Role]) -> payloads.Json:
    payload = payloads.guild(guild, guild_roles)
    payload["icon_hash"] = payload.pop("icon")
    return payload


async def _changed(cur: Cursor, guild: Guild, change: GuildChange) -> Guild:
    if change.name is not UNSET:
        guild = replace(guild, name=change.name)
    if change.description is not UNSET:
        guild = replace(guild, description=change.description or None)
    if change.owner_id is not UNSET:
        guild = replace(guild, owner_id=change.owner_id)
    if change.system_channel_id is not UNSET:
        await _require_text_channel(cur, guild.id, change.system_channel_id)
        guild = replace(guild, system_channel_id=change.system_channel_id)
    if change.system_channel_flags is not UNSET:
        guild = replace(guild, system_channel_flags=change.system_channel_flags)
    return guild


async def _require_transferable(cur: Cursor, granted: GuildAccess, owner_id: UserId) -> None:
    if granted.guild.owner_id != granted.member.user.id:
        raise MissingPermissions
    if await members.get(cur, granted.guild.id, owner_id) is None:
        raise InvalidForm.of("owner_id", "GUILD_OWNER_INVALID", "Not a member of this guild.")


async def _require_text_channel(
    cur: Cursor, guild_id: GuildId, channel_id: ChannelId | None
) -> None:
    if channel_id is None:
        return
    for channel in await channels.of_guild(cur, guild_id):
        if channel.id == channel_id and channel.type == ChannelType.TEXT:
            return
    raise InvalidForm.of(
        "system_channel_id", "CHANNEL_INVALID", "Not a text channel of this guild."
    )
