"""Deleting messages: one, or many at once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from chatd.context.context import Context
from chatd.core import snowflake
from chatd.core.audit import AuditAction
from chatd.core.errors import (
    MissingPermissions,
    SystemMessage,
    TooOldForBulkDelete,
    WrongBulkDelete,
)
from chatd.core.ids import ChannelId, MessageId
from chatd.core.models import MessageType
from chatd.core.permissions import Permissions
from chatd.events import messages as events
from chatd.queries import messages
from chatd.services.access import access
from chatd.services.access.access import ChannelAccess
from chatd.services.guilds import audit_log
from chatd.services.messages import edit

# Rule: Discord docs, Message resource, "Bulk Delete Messages".
_BULK_DELETE_AGE = timedelta(days=14)


async def delete(ctx: Context, channel_id: ChannelId, message_id: MessageId) -> None:
    """Delete a message of the caller, or with MANAGE_MESSAGES any message.

    An alert of AutoModeration is not the caller's, though it names the caller as its author.
    Raises UnknownChannel, MissingAccess, MissingPermissions, UnknownMessage, SystemMessage.
    """
    async with ctx.begin() as work:
        granted = await access.locked_channel(work, ctx.user.id, channel_id)
        message = await edit.get_existing(work.cur, ctx, channel_id, message_id)
        if not message.type.is_deletable:
            raise SystemMessage
        is_alert = message.type == MessageType.AUTO_MODERATION_ACTION
        if is_alert or not message.is_by(ctx.user.id):
            granted.require(Permissions.MANAGE_MESSAGES)
            if not isinstance(granted, ChannelAccess):
                raise MissingPermissions
            await audit_log.record(
                ctx,
                work,
                granted.guild.id,
                AuditAction.MESSAGE_DELETE,
                message.author.id,
                options={"channel_id": str(channel_id), "count": "1"},
            )
        await messages.delete(work.cur, channel_id, message_id)
        work.emit(*events.message_deleted(message_id, granted.location))
    edit.wake_crosspost_task(ctx, message)


async def delete_many(
    ctx: Context, channel_id: ChannelId, message_ids: Sequence[MessageId]
) -> None:
    """Delete 2 to 100 messages of the last two weeks. Needs MANAGE_MESSAGES.

    Ignores messages that do not exist. Raises UnknownChannel, MissingAccess,
    MissingPermissions, NotInPrivate, WrongBulkDelete, TooOldForBulkDelete.
    """
    wanted = set(message_ids)
    if not 2 <= len(wanted) <= 100:
        raise WrongBulkDelete
    if min(wanted) < snowflake.at(datetime.now(UTC) - _BULK_DELETE_AGE):
        raise TooOldForBulkDelete
    async with ctx.begin() as work:
        granted = await access.locked_guild_channel(work, ctx.user.id, channel_id)
        granted.require(Permissions.MANAGE_MESSAGES)
        deleted = await messages.delete_many(work.cur, channel_id, sorted(wanted))
        if not deleted:
            return
        work.emit(*events.messages_deleted(deleted, granted.location))
        await audit_log.record(
            ctx,
            work,
            granted.guild.id,
            AuditAction.MESSAGE_BULK_DELETE,
            channel_id,
            options={"count": str(len(deleted))},
        )
