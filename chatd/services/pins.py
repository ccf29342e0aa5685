"""Pins: what a channel keeps in sight. Pinning is told in the channel by a message of its own."""

from __future__ import annotations

from datetime import datetime

from chatd.context import Context, Work
from chatd.core.errors import TooManyPins
from chatd.core.ids import ChannelId, MessageId
from chatd.core.models import AuditAction, Message, MessageType
from chatd.core.permissions import Permissions
from chatd.events import messages as events
from chatd.queries import pins
from chatd.queries.pins import Pin
from chatd.services import access, audit
from chatd.services.access import AnyAccess, ChannelAccess, PrivateAccess
from chatd.services.drafts import Draft, post
from chatd.services.messages import existing, updated
from chatd.services.private_channels import reopen

MAX_PINS = 250
"""How many messages of a channel can be pinned."""


async def add(ctx: Context, channel_id: ChannelId, message_id: MessageId) -> None:
    """Pin a message; pinning it again changes nothing. Needs PIN_MESSAGES.

    Raises UnknownChannel, MissingAccess, MissingPermissions, UnknownMessage, TooManyPins.
    """
    async with ctx.begin() as work:
        granted = await access.locked_channel(work, ctx.user.id, channel_id)
        granted.require(Permissions.PIN_MESSAGES)
        message = await existing(work.cur, ctx, channel_id, message_id)
        if message.pinned:
            return
        if await pins.count(work.cur, channel_id) >= MAX_PINS:
            raise TooManyPins
        await pins.insert(work.cur, channel_id, message_id)
        await _tell(ctx, work, granted, message, AuditAction.MESSAGE_PIN)
        if isinstance(granted, PrivateAccess):
            await reopen(work, granted)
        told = Draft(
            author=ctx.user,
            member=granted.member,
            place=granted.place,
            type=MessageType.CHANNEL_PINNED_MESSAGE,
            answered=message,
        )
        await post(ctx, work, told)


async def remove(ctx: Context, channel_id: ChannelId, message_id: MessageId) -> None:
    """Unpin a message; one that is not pinned stays so. Needs PIN_MESSAGES.

    Raises UnknownChannel, MissingAccess, MissingPermissions, UnknownMessage.
    """
    async with ctx.begin() as work:
        granted = await access.locked_channel(work, ctx.user.id, channel_id)
        granted.require(Permissions.PIN_MESSAGES)
        message = await existing(work.cur, ctx, channel_id, message_id)
        if not message.pinned:
            return
        await pins.delete(work.cur, channel_id, message_id)
        await _tell(ctx, work, granted, message, AuditAction.MESSAGE_UNPIN)


async def page(
    ctx: Context, channel_id: ChannelId, *, before: datetime | None, limit: int
) -> list[Pin]:
    """Pinned messages, newest pin first; none without READ_MESSAGE_HISTORY.

    Raises UnknownChannel, MissingAccess.
    """
    async with ctx.database.cursor() as cur:
        granted = await access.channel(cur, ctx.user.id, channel_id)
        if Permissions.READ_MESSAGE_HISTORY not in granted.permissions:
            return []
        return await pins.page(cur, ctx.viewer, channel_id, before=before, limit=limit)


async def _tell(
    ctx: Context, work: Work, granted: AnyAccess, message: Message, action: AuditAction
) -> None:
    """The channel's pins have changed, and with them this message."""
    channel_id = message.channel_id
    newest = await pins.newest(work.cur, channel_id)
    work.emit(*events.pins_updated(granted.place, newest))
    changed = await existing(work.cur, ctx, channel_id, message.id)
    work.emit(*await updated(work.cur, granted, changed))
    if isinstance(granted, ChannelAccess):
        await audit.record(
            ctx,
            work,
            granted.guild.id,
            action,
            message.author.id,
            options={"channel_id": str(channel_id), "message_id": str(message.id)},
        )
