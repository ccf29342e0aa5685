"""Messages: changing and deleting them. Sending them is in `sending`, their pages in `reading`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from chatd.context import Context
from chatd.core import mentions, snowflake
from chatd.core.errors import (
    CannotEditAnothersMessage,
    EmptyMessage,
    MissingPermissions,
    SystemMessage,
    TooManyAttachments,
    TooOldForBulkDelete,
    UnknownMessage,
    WrongBulkDelete,
)
from chatd.core.ids import AttachmentId, ChannelId, MessageId, UserId
from chatd.core.models import Attachment, AuditAction, Member, Message
from chatd.core.permissions import Permissions
from chatd.db import Cursor
from chatd.events import messages as events
from chatd.events.event import Event
from chatd.queries import attachments, history, members, messages
from chatd.queries.messages import NewText
from chatd.services import access, audit
from chatd.services import mentions as mention_service
from chatd.services.access import AnyAccess, ChannelAccess
from chatd.services.sending import check_is_text
from chatd.services.uploads import MAX_FILES, Uploads
from chatd.wire.fields import UNSET
from chatd.wire.payloads import SUPPRESS_EMBEDS
from chatd.wire.schemas.messages import MessageChange

_BULK_DELETE_AGE = timedelta(days=14)


async def get(ctx: Context, channel_id: ChannelId, message_id: MessageId) -> Message:
    """One message. Needs READ_MESSAGE_HISTORY.

    Raises UnknownChannel, MissingAccess, MissingPermissions, UnknownMessage.
    """
    async with ctx.database.cursor() as cur:
        granted = await access.channel(cur, ctx.user.id, channel_id)
        granted.require(Permissions.READ_MESSAGE_HISTORY)
        return await existing(cur, ctx, channel_id, message_id)


async def update(
    ctx: Context,
    channel_id: ChannelId,
    message_id: MessageId,
    change: MessageChange,
    uploads: Uploads,
) -> Message:
    """Edit a message: the author what it says, who has MANAGE_MESSAGES its flags.

    Raises UnknownChannel, MissingAccess, MissingPermissions, UnknownMessage,
    CannotEditAnothersMessage, SystemMessage, EmptyMessage.
    """
    async with ctx.begin() as work:
        granted = await access.locked_channel(work, ctx.user.id, channel_id)
        message = await existing(work.cur, ctx, channel_id, message_id)
        if message.author.id != ctx.user.id:
            if change.says_something_else or uploads.stored:
                raise CannotEditAnothersMessage
            granted.require(Permissions.MANAGE_MESSAGES)
        if not message.type.is_written:
            raise SystemMessage
        if uploads.stored:  # asked before they came in, which may have been a while ago
            granted.require(Permissions.SEND_MESSAGES | Permissions.ATTACH_FILES)
        files = await _change_files(work.cur, message, change, uploads)
        text = await _changed(work.cur, granted, message, change)
        text = replace(text, attachment_count=len(files))
        if not (text.content or text.embeds or files):
            raise EmptyMessage
        await messages.update(work.cur, channel_id, message_id, text)
        changed = await existing(work.cur, ctx, channel_id, message_id)
        work.emit(*await updated(work.cur, granted, changed))
    return changed


async def _change_files(
    cur: Cursor, message: Message, change: MessageChange, uploads: Uploads
) -> list[Attachment]:
    """Take off the files that are to go, and hang on those that have come.

    Raises InvalidForm, TooManyAttachments.
    """
    kept = {file.id: file for file in message.attachments}
    wanted = [] if change.attachments is UNSET else change.attachments or []
    if change.attachments is not UNSET:
        ids = {AttachmentId(each.id) for each in wanted}
        gone = [file_id for file_id in kept if file_id not in ids]
        await attachments.delete(cur, message.channel_id, message.id, gone)
        for file_id in gone:
            del kept[file_id]
    for each in wanted:
        known = kept.get(AttachmentId(each.id))
        if known is not None and each.description is not UNSET:
            described = replace(known, description=each.description or None)
            await attachments.describe(cur, message.channel_id, message.id, described)
    new = uploads.described(each for each in wanted if AttachmentId(each.id) not in kept)
    if len(kept) + len(new) > MAX_FILES:
        raise TooManyAttachments
    await attachments.insert(cur, message.channel_id, message.id, new)
    return [*kept.values(), *new]


async def _changed(
    cur: Cursor, granted: AnyAccess, message: Message, change: MessageChange
) -> NewText:
    text = NewText(
        content=message.content,
        flags=message.flags,
        embeds=message.embeds,
        mentions=[user.id for user in message.mentions],
        mention_roles=message.mention_roles,
        mention_everyone=message.mention_everyone,
        attachment_count=len(message.attachments),
    )
    if change.flags is not UNSET:
        kept = text.flags & ~SUPPRESS_EMBEDS
        text = replace(text, flags=kept | ((change.flags or 0) & SUPPRESS_EMBEDS))
    if change.embeds is not UNSET:
        if change.embeds:
            granted.require(Permissions.EMBED_LINKS)
        text = replace(text, embeds=change.embeds or ())
    if change.content is not UNSET:
        content = change.content or ""
        named = mentions.narrowed(mentions.read(content), change.allowed_mentions)
        pings = change.allowed_mentions is None or change.allowed_mentions.replied_user
        if pings and message.reference is not None and message.reference.author in message.mentions:
            named = named.with_user(message.reference.author.id)
        found = await mention_service.resolve(cur, granted, named)
        text = replace(
            text,
            content=content,
            mentions=[user.id for user in found.users],
            mention_roles=found.roles,
            mention_everyone=found.everyone,
        )
    return text


async def delete(ctx: Context, channel_id: ChannelId, message_id: MessageId) -> None:
    """Delete a message: one's own, or with MANAGE_MESSAGES any.

    Raises UnknownChannel, MissingAccess, MissingPermissions, UnknownMessage, SystemMessage.
    """
    async with ctx.begin() as work:
        granted = await access.locked_channel(work, ctx.user.id, channel_id)
        message = await existing(work.cur, ctx, channel_id, message_id)
        if not message.type.is_deletable:
            raise SystemMessage
        if message.author.id != ctx.user.id:
            granted.require(Permissions.MANAGE_MESSAGES)
            if not isinstance(granted, ChannelAccess):
                raise MissingPermissions
            await audit.record(
                ctx,
                work,
                granted.guild.id,
                AuditAction.MESSAGE_DELETE,
                message.author.id,
                options={"channel_id": str(channel_id), "count": "1"},
            )
        await messages.delete(work.cur, channel_id, message_id)
        work.emit(*events.message_deleted(message_id, granted.place))


async def delete_many(
    ctx: Context, channel_id: ChannelId, message_ids: Sequence[MessageId]
) -> None:
    """Delete 2 to 100 messages of the last two weeks. Needs MANAGE_MESSAGES.

    Those that are gone already are passed over. Raises UnknownChannel, MissingAccess,
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
        work.emit(*events.messages_deleted(deleted, granted.place))
        await audit.record(
            ctx,
            work,
            granted.guild.id,
            AuditAction.MESSAGE_BULK_DELETE,
            channel_id,
            options={"count": str(len(deleted))},
        )


async def start_typing(ctx: Context, channel_id: ChannelId) -> None:
    """Show that the caller is typing. Needs SEND_MESSAGES.

    Raises UnknownChannel, MissingAccess, MissingPermissions, NotATextChannel.
    """
    async with ctx.database.cursor() as cur:
        granted = await access.channel(cur, ctx.user.id, channel_id)
    check_is_text(granted)
    granted.require(Permissions.SEND_MESSAGES)
    now_s = int(datetime.now(UTC).timestamp())
    told = events.typing_started(granted.place, ctx.user.id, granted.member, now_s)
    await ctx.resources.bus.publish(told)


async def existing(
    cur: Cursor, ctx: Context, channel_id: ChannelId, message_id: MessageId
) -> Message:
    """A message as the caller sees it. Raises UnknownMessage."""
    message = await history.get(cur, ctx.viewer, channel_id, message_id)
    if message is None:
        raise UnknownMessage
    return message


async def updated(cur: Cursor, granted: AnyAccess, message: Message) -> list[Event]:
    """What is told of a message that has changed."""
    people: Mapping[UserId, Member] = {}
    if isinstance(granted, ChannelAccess):
        ids = {message.author.id, *(user.id for user in message.mentions)}
        found = await members.by_ids(cur, granted.guild.id, ids)
        people = {member.user.id: member for member in found}
    author = people.get(message.author.id)
    return events.message_updated(message, granted.place, author, people)
