"""Webhooks of channels: creating, listing, changing, moving and deleting them.

`execute` sends messages through them. Rule: Discord docs, Webhook resource.
"""

from __future__ import annotations

from dataclasses import replace

from chatd.context.context import Context
from chatd.context.unit_of_work import UnitOfWork
from chatd.core.audit import AuditAction
from chatd.core.errors import (
    TooManyGuildWebhooks,
    TooManyWebhooks,
    UnknownChannel,
    UnknownWebhook,
    WrongChannelType,
)
from chatd.core.ids import ChannelId, GuildId, WebhookId
from chatd.core.json import JsonObject
from chatd.core.models import ChannelType
from chatd.core.permissions import Permissions
from chatd.core.unset import UNSET
from chatd.core.webhooks import Webhook, WebhookType
from chatd.db.cursor import Cursor
from chatd.events import webhooks as events
from chatd.queries import channels, webhooks
from chatd.services.access import access
from chatd.services.access.access import ChannelAccess
from chatd.services.guilds import audit_log
from chatd.services.media import images
from chatd.wire import payloads
from chatd.wire.schemas.webhooks import NewWebhook, WebhookChange, WebhookTokenChange

MAX_WEBHOOKS = 15
"""The webhooks of a channel. Rule: Discord's limit."""

MAX_GUILD_WEBHOOKS = 1000
"""The webhooks of all channels of a guild. Rule: Discord's limit."""

FOLDER = "avatars"
"""Where pictures of webhooks are stored: clients look for them where those of users are."""


async def create(ctx: Context, channel_id: ChannelId, wanted: NewWebhook) -> Webhook:
    """Create a webhook of a channel. Needs MANAGE_WEBHOOKS.

    Raises UnknownChannel, MissingAccess, MissingPermissions, NotInPrivate, WrongChannelType,
    TooManyWebhooks, TooManyGuildWebhooks, InvalidForm, ServiceUnavailable.
    """
    if wanted.avatar is not UNSET:
        await _require_manageable(ctx, channel_id)  # before the picture is stored
    webhook_id = ctx.new_id(WebhookId)
    async with (
        images.stored(ctx, FOLDER, webhook_id, "avatar", wanted.avatar) as avatar,
        ctx.begin() as work,
    ):
        granted = await access.locked_guild_channel(work, ctx.user.id, channel_id)
        require_usable(granted)
        webhook = Webhook(
            id=webhook_id,
            type=WebhookType.INCOMING,
            guild_id=granted.guild.id,
            channel_id=channel_id,
            application_id=ctx.user.id if ctx.user.bot else None,
            name=wanted.name,
            avatar=avatar,
            creator=ctx.user,
        )
        await insert(ctx, work, webhook)
        await images.swap(work, FOLDER, webhook_id, old=None, new=avatar)
    return webhook


async def insert(
    ctx: Context, work: UnitOfWork, webhook: Webhook, *, source: ChannelId | None = None
) -> None:
    """Add a webhook to a channel. The guild is locked. Raises TooManyWebhooks."""
    await _require_slot(work.cur, webhook)
    await webhooks.insert(work.cur, webhook, source_channel_id=source)
    work.emit(events.webhooks_updated(webhook.guild_id, webhook.channel_id))
    await _record(ctx, work, AuditAction.WEBHOOK_CREATE, None, webhook)


async def list_for_channel(ctx: Context, channel_id: ChannelId) -> list[Webhook]:
    """Return the webhooks of a channel. Needs MANAGE_WEBHOOKS.

    Raises UnknownChannel, MissingAccess, MissingPermissions, NotInPrivate.
    """
    async with ctx.database.cursor() as cur:
        granted = await access.guild_channel(cur, ctx.user.id, channel_id)
        granted.require(Permissions.MANAGE_WEBHOOKS)
        return await webhooks.list_for_channel(cur, channel_id)


async def list_for_guild(ctx: Context, guild_id: GuildId) -> list[Webhook]:
    """Return the webhooks of those channels in which the caller has MANAGE_WEBHOOKS.

    It needs MANAGE_WEBHOOKS in the guild, too. Raises UnknownGuild, MissingAccess,
    MissingPermissions.
    """
    async with ctx.database.cursor() as cur:
        granted = await access.guild(cur, ctx.user.id, guild_id)
        granted.require(Permissions.MANAGE_WEBHOOKS)
        found = await webhooks.list_for_guild(cur, guild_id)
        known = await channels.overwrites_for_member(cur, [guild_id], granted.targets)
    needed = Permissions.VIEW_CHANNEL | Permissions.MANAGE_WEBHOOKS
    managed = {channel.id for channel in known if needed in granted.in_channel(channel)}
    return [webhook for webhook in found if webhook.channel_id in managed]


async def get(ctx: Context, webhook_id: WebhookId) -> Webhook:
    """Return a webhook that the caller can manage.

    Raises UnknownWebhook, MissingAccess, MissingPermissions.
    """
    async with ctx.database.cursor() as cur:
        webhook = await get_existing(cur, webhook_id)
        try:
            granted = await access.guild_channel(cur, ctx.user.id, webhook.channel_id)
        except UnknownChannel:
            raise UnknownWebhook from None  # deleted with its channel since
    _require_manager(ctx, granted, webhook)
    return webhook


async def update(ctx: Context, webhook_id: WebhookId, change: WebhookChange) -> Webhook:
    """Change a webhook, or move it to another channel of the guild.

    The caller needs MANAGE_WEBHOOKS, also in the other channel; its own application does not need
    it for a change alone. Raises UnknownWebhook, MissingAccess, MissingPermissions, InvalidForm,
    WrongChannelType, TooManyWebhooks, ServiceUnavailable.
    """
    before = await get(ctx, webhook_id)  # before a picture is stored
    async with (
        images.stored(ctx, FOLDER, webhook_id, "avatar", change.avatar) as avatar,
        ctx.begin() as work,
    ):
        granted, before = await _locked(ctx, work, before)
        changed = _apply_change(before, change, avatar)
        if change.channel_id is not None and change.channel_id != before.channel_id:
            await _require_target(work, granted, change.channel_id)
            changed = replace(changed, channel_id=change.channel_id)
        await _store_change(ctx, work, before, changed)
    return changed


async def delete(ctx: Context, webhook_id: WebhookId) -> None:
    """Delete a webhook. Its messages stay. Needs MANAGE_WEBHOOKS, or to be its application.

    Raises UnknownWebhook, MissingAccess, MissingPermissions.
    """
    found = await get(ctx, webhook_id)
    async with ctx.begin() as work:
        _, webhook = await _locked(ctx, work, found)
        await _delete(ctx, work, webhook)


async def update_by_token(ctx: Context, webhook: Webhook, change: WebhookTokenChange) -> Webhook:
    """Change a webhook whose token the caller has. Only an account can move it.

    Raises UnknownWebhook, InvalidForm, ServiceUnavailable.
    """
    async with (
        images.stored(ctx, FOLDER, webhook.id, "avatar", change.avatar) as avatar,
        ctx.begin() as work,
    ):
        before = await locked_existing(work, webhook)
        changed = _apply_change(before, change, avatar)
        await _store_change(ctx, work, before, changed, by_account=False)
    return changed


async def delete_by_token(ctx: Context, webhook: Webhook) -> None:
    """Delete a webhook whose token the caller has. Its messages stay. Raises UnknownWebhook."""
    async with ctx.begin() as work:
        current = await locked_existing(work, webhook)
        await _delete(ctx, work, current, by_account=False)


async def get_existing(cur: Cursor, webhook_id: WebhookId) -> Webhook:
    """Return a webhook. Raises UnknownWebhook."""
    webhook = await webhooks.get(cur, webhook_id)
    if webhook is None:
        raise UnknownWebhook
    return webhook


async def locked_existing(work: UnitOfWork, webhook: Webhook) -> Webhook:
    """Lock the guild of a webhook, and return its current state. Raises UnknownWebhook."""
    if not await work.lock(webhook.guild_id):
        raise UnknownWebhook
    return await get_existing(work.cur, webhook.id)


def require_usable(granted: ChannelAccess) -> None:
    """Require MANAGE_WEBHOOKS in a channel that can have webhooks.

    Raises MissingPermissions, WrongChannelType.
    """
    granted.require(Permissions.MANAGE_WEBHOOKS)
    if granted.channel.type == ChannelType.CATEGORY:
        raise WrongChannelType


async def _require_manageable(ctx: Context, channel_id: ChannelId) -> None:
    async with ctx.database.cursor() as cur:
        require_usable(await access.guild_channel(cur, ctx.user.id, channel_id))


async def _locked(ctx: Context, work: UnitOfWork, found: Webhook) -> tuple[ChannelAccess, Webhook]:
    """Lock the guild of a webhook, and return the caller's access to its channel.

    Raises UnknownWebhook, MissingAccess, MissingPermissions.
    """
    webhook = await locked_existing(work, found)
    granted = await access.guild_channel(work.cur, ctx.user.id, webhook.channel_id)
    _require_manager(ctx, granted, webhook)
    return granted, webhook


def _require_manager(ctx: Context, granted: ChannelAccess, webhook: Webhook) -> None:
    """Require MANAGE_WEBHOOKS, or to be the application of the webhook."""
    if webhook.application_id != ctx.user.id:
        granted.require(Permissions.MANAGE_WEBHOOKS)


async def _require_target(work: UnitOfWork, granted: ChannelAccess, channel_id: ChannelId) -> None:
    """Require that a webhook can be moved to another channel of its guild.

    Raises UnknownChannel, MissingAccess, MissingPermissions, WrongChannelType, TooManyWebhooks.
    """
    granted.require(Permissions.MANAGE_WEBHOOKS)
    channel = await channels.get(work.cur, granted.guild.id, channel_id)
    if channel is None:
        raise UnknownChannel
    require_usable(granted.for_channel(channel, channel.overwrites))
    in_channel, _ = await webhooks.counts(work.cur, granted.guild.id, channel_id)
    if in_channel >= MAX_WEBHOOKS:
        raise TooManyWebhooks


async def _require_slot(cur: Cursor, webhook: Webhook) -> None:
    """Raise TooManyWebhooks or TooManyGuildWebhooks if no webhook can be added."""
    in_channel, in_guild = await webhooks.counts(cur, webhook.guild_id, webhook.channel_id)
    if in_channel >= MAX_WEBHOOKS:
        raise TooManyWebhooks
    if in_guild >= MAX_GUILD_WEBHOOKS:
        raise TooManyGuildWebhooks


def _apply_change(webhook: Webhook, change: WebhookTokenChange, avatar: str | None) -> Webhook:
    if change.name is not UNSET:
        webhook = replace(webhook, name=change.name)
    if change.avatar is not UNSET:
        webhook = replace(webhook, avatar=avatar)
    return webhook


async def _store_change(
    ctx: Context, work: UnitOfWork, before: Webhook, after: Webhook, *, by_account: bool = True
) -> None:
    if after == before:
        return
    await webhooks.update(work.cur, after)
    if after.avatar != before.avatar:
        await images.swap(work, FOLDER, after.id, old=before.avatar, new=after.avatar)
    work.emit(events.webhooks_updated(before.guild_id, before.channel_id))
    if after.channel_id != before.channel_id:
        # A message that is being sent was authorized for the previous channel.
        work.bump_version(before.guild_id)
        work.emit(events.webhooks_updated(after.guild_id, after.channel_id))
    action = AuditAction.WEBHOOK_UPDATE
    await _record(ctx, work, action, before, after, by_account=by_account)


async def _delete(
    ctx: Context, work: UnitOfWork, webhook: Webhook, *, by_account: bool = True
) -> None:
    await webhooks.delete(work.cur, webhook.id)
    work.bump_version(webhook.guild_id)  # a message that is being sent must not be stored
    work.emit(events.webhooks_updated(webhook.guild_id, webhook.channel_id))
    action = AuditAction.WEBHOOK_DELETE
    await _record(ctx, work, action, webhook, None, by_account=by_account)


async def _record(
    ctx: Context,
    work: UnitOfWork,
    action: AuditAction,
    before: Webhook | None,
    after: Webhook | None,
    *,
    by_account: bool = True,
) -> None:
    webhook = after or before
    assert webhook is not None
    await audit_log.record(
        ctx,
        work,
        webhook.guild_id,
        action,
        webhook.id,
        changes=audit_log.changes(_audit_fields(before), _audit_fields(after)),
        # Members that cannot see the channel do not see its entries.
        options={"channel_id": str(webhook.channel_id)},
        by_account=by_account,
    )


def _audit_fields(webhook: Webhook | None) -> JsonObject | None:
    """Return the fields of a webhook for the audit log, without its token."""
    if webhook is None:
        return None
    fields = payloads.webhook(webhook, None, with_creator=False)
    fields["avatar_hash"] = fields.pop("avatar")
    return fields
