"""Pinned messages. Pinning a message also sends a system message to its channel."""

from __future__ import annotations

from datetime import datetime

from chatd.context.context import Context
from chatd.context.unit_of_work import UnitOfWork
from chatd.core.audit import AuditAction
from chatd.core.errors import SystemMessage, TooManyPins
from chatd.core.ids import ChannelId, MessageId
from chatd.core.models import Message, MessageType
from chatd.core.permissions import Permissions
from chatd.events import messages as events
from chatd.queries import pins
from chatd.queries.pins import Pin
from chatd.services.access import access
from chatd.services.access.access import AnyAccess, ChannelAccess, PrivateAccess
from chatd.services.guilds import audit_log
from chatd.services.messages.drafts import Draft, insert_draft
from chatd.services.messages.edit import get_existing, updated_events
from chatd.services.messages.private_channels import reopen

MAX_PINS = 250
"""The maximum of pinned messages in a channel, as on Discord."""


async def add(ctx: Context, channel_id: ChannelId, message_id: MessageId) -> None:
    """Pin a message, unless it is pinned already. Needs PIN_MESSAGES.

    Raises UnknownChannel, MissingAccess, MissingPermissions, UnknownMessage, SystemMessage,
    TooManyPins.
    """
    async with ctx.begin() as work:
        granted = await access.locked_channel(work, ctx.user.id, channel_id)
        granted.require(Permissions.PIN_MESSAGES)
        message = await get_existing(work.cur, ctx, channel_id, message_id)
        if not message.type.is_user_message:
            raise SystemMessage
        if message.pinned:
            return
        if await pins.count(work.cur, channel_id) >= MAX_PINS:
            raise TooManyPins
        await pins.insert(work.cur, channel_id, message_id)
        await _emit_pin_change(ctx, work, granted, message, AuditAction.MESSAGE_PIN)
        if isinstance(granted, PrivateAccess):
            await reopen(work, granted)
        notice = Draft(
            author=ctx.user,
            member=granted.member,
            location=granted.location,
            type=MessageType.CHANNEL_PINNED_MESSAGE,
            reference=message,
        )
        await insert_draft(ctx, work, notice)


async def remove(ctx: Context, channel_id: ChannelId, message_id: MessageId) -> None:
    """Unpin a message, if it is pinned. Needs PIN_MESSAGES.

    Raises UnknownChannel, MissingAccess, MissingPermissions, UnknownMessage.
    """
    async with ctx.begin() as work:
        granted = await access.locked_channel(work, ctx.user.id, channel_id)
        granted.require(Permissions.PIN_MESSAGES)
        message = await get_existing(work.cur, ctx, channel_id, message_id)
        if not message.pinned:
            return
        await pins.delete(work.cur, channel_id, message_id)
        await _emit_pin_change(ctx, work, granted, message, AuditAction.MESSAGE_UNPIN)


async def page(
    ctx: Context, channel_id: ChannelId, *, before: datetime | None, limit: int
) -> list[Pin]:
    """Return pinned messages, newest pin first; none without READ_MESSAGE_HISTORY.

    Raises UnknownChannel, MissingAccess.
    """
    async with ctx.database.cursor() as cur:
        granted = await access.channel(cur, ctx.user.id, channel_id)
        if Permissions.READ_MESSAGE_HISTORY not in granted.permissions:
            return []
        return await pins.page(cur, ctx.viewer, channel_id, before=before, limit=limit)


async def _emit_pin_change(
    ctx: Context, work: UnitOfWork, granted: AnyAccess, message: Message, action: AuditAction
) -> None:
    """Emit CHANNEL_PINS_UPDATE and MESSAGE_UPDATE; in a guild, add an entry to the audit log."""
    channel_id = message.channel_id
    newest = await pins.newest(work.cur, channel_id)
    work.emit(*events.pins_updated(granted.location, newest))
    changed = await get_existing(work.cur, ctx, channel_id, message.id)
    work.emit(*await updated_events(work.cur, granted, changed))
    if isinstance(granted, ChannelAccess):
        await audit_log.record(
            ctx,
            work,
            granted.guild.id,
            action,
            message.author.id,
            options={"channel_id": str(channel_id), "message_id": str(message.id)},
        )
