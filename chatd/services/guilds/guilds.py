"""Guilds: creating, changing, deleting and listing them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from chatd.context.context import Context, CoreContext
from chatd.context.dependencies import Dependencies
from chatd.context.unit_of_work import UnitOfWork
from chatd.core import permissions
from chatd.core.audit import AuditAction
from chatd.core.errors import (
    InvalidForm,
    MfaRequired,
    MissingPermissions,
    TooManyGuilds,
    UnknownGuild,
)
from chatd.core.ids import ChannelId, GuildId, RoleId, UserId
from chatd.core.json import JsonObject
from chatd.core.models import INVITES_DISABLED, Channel, ChannelType, Guild, GuildCounts, Role
from chatd.core.permissions import Permissions
from chatd.core.unset import UNSET, given_or
from chatd.db.cursor import Cursor
from chatd.events import guilds as events
from chatd.events import users as user_events
from chatd.queries import channels, guilds, members, roles, second_factors
from chatd.queries.guilds import Membership
from chatd.services import guild_snapshot
from chatd.services.access import access, overwrites
from chatd.services.access.access import GuildAccess
from chatd.services.accounts.mfa import confirmation
from chatd.services.guilds import audit_log
from chatd.services.maintenance import retention
from chatd.services.media import images
from chatd.wire import payloads
from chatd.wire.schemas.guilds import GuildChange, NewGuild

MAX_GUILDS = 200
"""The guilds of one user."""


async def create(ctx: Context, wanted: NewGuild) -> tuple[Guild, Sequence[Role]]:
    """Create a guild of the caller, with @everyone and a text channel "general".

    Raises TooManyGuilds.
    """
    await _require_room(ctx)
    guild_id = ctx.new_id(GuildId)
    async with images.stored(ctx, "icons", guild_id, "icon", wanted.icon) as icon:
        return await _create(ctx, guild_id, wanted, icon)


async def _require_room(ctx: Context) -> None:
    """Raise TooManyGuilds before an icon is stored."""
    async with ctx.database.cursor() as cur:
        if await guilds.count_for_user(cur, ctx.user.id) >= MAX_GUILDS:
            raise TooManyGuilds


async def _create(
    ctx: Context, guild_id: GuildId, wanted: NewGuild, icon: str | None
) -> tuple[Guild, Sequence[Role]]:
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
        await work.ensure_and_lock(guild_id)
        await work.ensure_and_lock(ctx.user.id)  # one guild of a user at a time
        await access.require_account(work.cur, ctx.user.id)
        if await guilds.count_for_user(work.cur, ctx.user.id) >= MAX_GUILDS:
            raise TooManyGuilds
        await guilds.insert(work.cur, guild)
        await images.swap(work, "icons", guild_id, old=None, new=icon)
        await roles.insert(work.cur, everyone)
        await overwrites.insert_channel(work, general)
        guild = replace(guild, system_channel_id=general.id)
        await guilds.update(work.cur, guild)
        await members.insert(work.cur, guild_id, ctx.user.id)
        snapshot = await guild_snapshot.get(work.cur, guild_id, ctx.user.id, large_threshold=50)
        assert snapshot is not None
        work.emit(user_events.membership_changed(ctx.user.id, guild_id))
        work.emit(events.guild_joined(ctx.user.id, guild_id, snapshot.joined()))
    return guild, [everyone]


async def get(ctx: Context, guild_id: GuildId) -> tuple[Guild, Sequence[Role], GuildCounts]:
    """Return a guild with its roles and its member counts.

    Raises UnknownGuild, MissingAccess.
    """
    async with ctx.database.cursor() as cur:
        granted = await access.guild(cur, ctx.user.id, guild_id)
        guild_roles = await roles.list_for_guilds(cur, [guild_id])
        counts = await members.counts(cur, [guild_id])
    online = ctx.dependencies.presences.count_in(guild_id)
    return granted.guild, guild_roles, GuildCounts(counts.get(guild_id, 0), online)


async def require_existing(dependencies: Dependencies, guild_id: GuildId) -> None:
    """Raise UnknownGuild unless there is such a guild."""
    async with dependencies.database.cursor() as cur:
        if not await guilds.by_ids(cur, [guild_id]):
            raise UnknownGuild


async def require(ctx: Context, guild_id: GuildId, needed: Permissions) -> None:
    """Require the caller to be a member with all of `needed`.

    Raises UnknownGuild, MissingAccess, MissingPermissions.
    """
    async with ctx.database.cursor() as cur:
        (await access.guild(cur, ctx.user.id, guild_id)).require(needed)


async def update(
    ctx: Context, guild_id: GuildId, change: GuildChange
) -> tuple[Guild, Sequence[Role]]:
    """Change a guild. Needs MANAGE_GUILD; for its retention MANAGE_MESSAGES as well.

    Only the owner can transfer it to another member.
    An owner with a second factor has to prove it for that. Raises UnknownGuild, MissingAccess,
    MissingPermissions, MfaRequired, InvalidForm, ConfirmationRequired, InvalidMfaCode.
    """
    if change.owner_id is not UNSET:
        await _confirm_as_owner(ctx, guild_id, change.code)
    if change.icon is not UNSET and change.icon is not None:
        await _require_icon(ctx, guild_id)
    async with images.stored(ctx, "icons", guild_id, "icon", change.icon) as icon:
        return await _update(ctx, guild_id, change, icon)


async def transfer(ctx: CoreContext, guild_id: GuildId, owner_id: UserId) -> None:
    """Make another member the owner of a guild, by the operator in place of its owner.

    Raises UnknownGuild, MissingAccess, MissingPermissions, InvalidForm.
    """
    await _update(ctx, guild_id, GuildChange(owner_id=owner_id), None, by_operator=True)


async def _update(
    ctx: CoreContext,
    guild_id: GuildId,
    change: GuildChange,
    icon: str | None,
    *,
    by_operator: bool = False,
) -> tuple[Guild, Sequence[Role]]:
    async with ctx.begin() as work:
        granted = await access.locked_guild(work, ctx.user.id, guild_id)
        if not by_operator:
            granted.require(Permissions.MANAGE_GUILD)
        changed = await _apply_change(work.cur, granted, change)
        if change.icon is not UNSET:
            changed = replace(changed, icon=icon)
            await images.swap(work, "icons", guild_id, old=granted.guild.icon, new=icon)
        guild_roles = await roles.list_for_guilds(work.cur, [guild_id])
        if changed.owner_id != granted.guild.owner_id:
            await _require_transferable(work.cur, granted, changed.owner_id)
            work.bump_version(guild_id)
        if changed.retention_days != granted.guild.retention_days:
            await retention.reschedule(work.cur, guild_id, changed.retention_days)
        if changed != granted.guild:
            await write(ctx, work, granted.guild, changed, guild_roles)
    return changed, guild_roles


async def write(
    ctx: CoreContext, work: UnitOfWork, guild: Guild, changed: Guild, guild_roles: Sequence[Role]
) -> None:
    """Write a changed guild, with its event and its entry in the audit log."""
    await guilds.update(work.cur, changed)
    work.emit(events.guild_updated(changed, guild_roles))
    before = _audit_payload(guild, guild_roles)
    after = _audit_payload(changed, guild_roles)
    changes = audit_log.changes(before, after)
    action = AuditAction.GUILD_UPDATE
    await audit_log.record(ctx, work, guild.id, action, guild.id, changes=changes)


async def set_mfa_level(ctx: Context, guild_id: GuildId, level: int) -> None:
    """Set whether moderation needs a second factor. The owner may, with its own.

    Raises UnknownGuild, MissingAccess, MissingPermissions, MfaRequired, ConfirmationRequired.
    """
    await _require_owner(ctx, guild_id)
    async with ctx.database.cursor() as cur:
        if not await second_factors.is_enabled(cur, ctx.user.id):
            raise MfaRequired
    await confirmation.require(ctx)
    async with ctx.begin() as work:
        granted = await access.locked_guild(work, ctx.user.id, guild_id)
        if granted.guild.owner_id != ctx.user.id:
            raise MissingPermissions
        changed = replace(granted.guild, mfa_level=level)
        if changed != granted.guild:
            guild_roles = await roles.list_for_guilds(work.cur, [guild_id])
            await write(ctx, work, granted.guild, changed, guild_roles)
            work.bump_version(guild_id)  # cached access becomes stale


async def delete_confirmed(ctx: Context, guild_id: GuildId, code: str | None) -> None:
    """Delete a guild; an owner with a second factor has to prove it.

    Raises the errors of `delete`, ConfirmationRequired, InvalidMfaCode.
    """
    await _confirm_as_owner(ctx, guild_id, code)
    await delete(ctx, guild_id)


async def _confirm_as_owner(ctx: Context, guild_id: GuildId, code: str | None) -> None:
    """Require the ownership of a guild, and the second factor of an owner that has one."""
    await _require_owner(ctx, guild_id)
    await confirmation.require(ctx, code)


async def _require_owner(ctx: Context, guild_id: GuildId) -> None:
    async with ctx.database.cursor() as cur:
        granted = await access.guild(cur, ctx.user.id, guild_id)
    if granted.guild.owner_id != ctx.user.id:
        raise MissingPermissions


async def delete(ctx: CoreContext, guild_id: GuildId) -> None:
    """Delete a guild and everything in it. Only the owner may.

    Raises UnknownGuild, MissingAccess, MissingPermissions.
    """
    async with ctx.begin() as work:
        granted = await access.locked_guild(work, ctx.user.id, guild_id)
        if granted.guild.owner_id != ctx.user.id:
            raise MissingPermissions
        await guilds.delete(work.cur, guild_id)
        await images.swap(work, "icons", guild_id, old=granted.guild.icon, new=None)
        work.bump_version(guild_id)  # its stream is kept; cached access becomes stale
        work.emit(events.guild_deleted(guild_id))


async def list_for_caller(ctx: Context, *, before: int, after: int, limit: int) -> list[Membership]:
    """Return the guilds of the caller between two ids, with its permissions in each."""
    async with ctx.database.cursor() as cur:
        return await guilds.list_for_user(cur, ctx.user.id, before=before, after=after, limit=limit)


async def counts(ctx: Context, guild_ids: Sequence[GuildId]) -> dict[GuildId, GuildCounts]:
    """Return the member counts of guilds of the caller."""
    async with ctx.database.cursor() as cur:
        found = await members.counts(cur, guild_ids)
    online = ctx.dependencies.presences.count_in
    return {each: GuildCounts(found.get(each, 0), online(each)) for each in guild_ids}


async def _require_icon(ctx: Context, guild_id: GuildId) -> None:
    """Require MANAGE_GUILD before an icon is stored. Raises the errors of `update`."""
    async with ctx.database.cursor() as cur:
        granted = await access.guild(cur, ctx.user.id, guild_id)
    granted.require(Permissions.MANAGE_GUILD)


def _audit_payload(guild: Guild, guild_roles: Sequence[Role]) -> JsonObject:
    payload = payloads.guild(guild, guild_roles)
    payload["icon_hash"] = payload.pop("icon")
    return payload


async def _apply_change(cur: Cursor, granted: GuildAccess, change: GuildChange) -> Guild:
    """Return a guild as a request changes it, without its icon. Raises InvalidForm."""
    guild = granted.guild
    level = given_or(change.default_message_notifications, guild.default_message_notifications)
    changed = replace(
        guild,
        name=given_or(change.name, guild.name),
        description=given_or(change.description, guild.description) or None,
        owner_id=given_or(change.owner_id, guild.owner_id),
        system_channel_id=given_or(change.system_channel_id, guild.system_channel_id),
        system_channel_flags=given_or(change.system_channel_flags, guild.system_channel_flags),
        rules_channel_id=given_or(change.rules_channel_id, guild.rules_channel_id),
        default_message_notifications=level,
        preferred_locale=given_or(change.preferred_locale, guild.preferred_locale),
        retention_days=given_or(change.retention_days, guild.retention_days),
        invites_disabled=guild.invites_disabled
        if change.features is UNSET
        else INVITES_DISABLED in change.features,
    )
    if changed.retention_days != guild.retention_days:
        # The rule deletes in all channels, also where overwrites deny the caller everything.
        granted.require(Permissions.ADMINISTRATOR)
    for field, before, after in (
        ("system_channel_id", guild.system_channel_id, changed.system_channel_id),
        ("rules_channel_id", guild.rules_channel_id, changed.rules_channel_id),
    ):
        if after is not None and after != before:
            await _require_text_channel(cur, granted, field, after)
    return changed


async def _require_transferable(cur: Cursor, granted: GuildAccess, owner_id: UserId) -> None:
    if granted.guild.owner_id != granted.member.user.id:
        raise MissingPermissions
    owner = await members.get(cur, granted.guild.id, owner_id)
    if owner is None or owner.user.bot:
        raise InvalidForm.of(
            "owner_id", "GUILD_OWNER_INVALID", "Not a person who is a member of this guild."
        )


async def _require_text_channel(
    cur: Cursor, granted: GuildAccess, field: str, channel_id: ChannelId
) -> None:
    """Raise InvalidForm, or MissingAccess for a channel that the caller cannot see."""
    channel = await channels.get(cur, granted.guild.id, channel_id)
    if channel is not None:
        granted.for_channel(channel, channel.overwrites)
        if channel.type != ChannelType.CATEGORY:
            return
    raise InvalidForm.of(field, "CHANNEL_INVALID", "Not a text channel of this guild.")
