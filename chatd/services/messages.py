"""Messages: writing, reading, changing and deleting them."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from chatd.context import Context, Work
from chatd.core import snowflake
from chatd.core.errors import (
    Busy,
    CannotEditAnothersMessage,
    EmptyMessage,
    InvalidForm,
    NotATextChannel,
    SystemMessage,
    TooOldForBulkDelete,
    UnknownMessage,
    WrongBulkDelete,
)
from chatd.core.ids import ChannelId, MessageId, StreamId, UserId
from chatd.core.models import AuditAction, ChannelType, Member, Message, MessageType
from chatd.core.permissions import Permissions
from chatd.db import Cursor
from chatd.events import messages as events
from chatd.queries import members, messages
from chatd.queries.messages import NewRow
from chatd.services import access, audit
from chatd.services.access import ChannelAccess
from chatd.services.group_commit import MessageWriter, Outdated
from chatd.wire.fields import UNSET
from chatd.wire.schemas.messages import MessageChange, NewMessage, Reference

_SUPPRESS_EMBEDS = 1 << 2
_SUPPRESS_NOTIFICATIONS = 1 << 12
_FLAGS_ON_CREATE = _SUPPRESS_EMBEDS | _SUPPRESS_NOTIFICATIONS
_FLAGS_ON_EDIT = _SUPPRESS_EMBEDS
_BULK_DELETE_AGE = timedelta(days=14)
_DECISIONS = 5  # attempts, when who may do what keeps changing under a message


class Sending:
    """Who may send where, remembered at a version of the guild.

    Only what was granted is remembered, and the insert checks the version: a grant that has been
    withdrawn, on whichever instance, does not get a message in.
    """

    _REMEMBERED = 50_000

    def __init__(self) -> None:
        self._granted: OrderedDict[tuple[UserId, ChannelId], ChannelAccess] = OrderedDict()

    async def access(self, ctx: Context, channel_id: ChannelId) -> ChannelAccess:
        """What the caller may do in a channel. Raises what `access.channel` raises."""
        key = (ctx.user.id, channel_id)
        known = self._granted.get(key)
        if known is None:
            async with ctx.database.cursor() as cur:
                known = await access.channel(cur, ctx.user.id, channel_id)
            if Permissions.SEND_MESSAGES in known.permissions:
                self._granted[key] = known
                while len(self._granted) > self._REMEMBERED:
                    self._granted.popitem(last=False)
        return known

    def forget(self, ctx: Context, channel_id: ChannelId) -> None:
        """Decide anew the next time."""
        self._granted.pop((ctx.user.id, channel_id), None)


class Messages:
    """What users can do with messages."""

    def __init__(self, writer: MessageWriter) -> None:
        self._writer = writer
        self._sending = Sending()

    async def create(self, ctx: Context, channel_id: ChannelId, wanted: NewMessage) -> Message:
        """Send a message. Needs SEND_MESSAGES, and READ_MESSAGE_HISTORY to answer one.

        Raises UnknownChannel, MissingAccess, MissingPermissions, NotATextChannel, EmptyMessage,
        InvalidForm, Busy.
        """
        for _ in range(_DECISIONS):
            granted = await self._sending.access(ctx, channel_id)
            _check_may_send(granted, wanted)
            answered = await _answered(ctx, granted, wanted.message_reference)
            try:
                return await self._insert(ctx, granted, wanted, answered)
            except Outdated:
                self._sending.forget(ctx, channel_id)
        raise Busy

    async def _insert(
        self, ctx: Context, granted: ChannelAccess, wanted: NewMessage, answered: Message | None
    ) -> Message:
        row = NewRow(
            stream_id=StreamId(granted.guild.id),
            version=granted.version,
            channel_id=granted.channel.id,
            author_id=ctx.user.id,
            type=MessageType.DEFAULT if answered is None else MessageType.REPLY,
            content=wanted.content,
            flags=wanted.flags & _FLAGS_ON_CREATE,
            tts=wanted.tts and Permissions.SEND_TTS_MESSAGES in granted.permissions,
            reference_id=None if answered is None else answered.id,
        )

        def message(message_id: MessageId) -> Message:
            return Message(
                id=message_id,
                channel_id=row.channel_id,
                guild_id=granted.guild.id,
                author=ctx.user,
                type=row.type,
                content=row.content,
                flags=row.flags,
                tts=row.tts,
                edited_at=None,
                reference_id=row.reference_id,
                reference=answered,
            )

        return message(
            await self._writer.insert(
                row,
                lambda message_id: events.message_created(
                    message(message_id), granted.guild.id, granted.member, wanted.nonce
                ),
            )
        )


async def page(
    ctx: Context,
    channel_id: ChannelId,
    *,
    limit: int,
    before: int | None,
    after: int | None,
    around: int | None,
) -> list[Message]:
    """Messages of a channel, newest first; at most one of the three cursors is given.

    Without READ_MESSAGE_HISTORY there are none. Raises UnknownChannel, MissingAccess,
    NotATextChannel.
    """
    async with ctx.database.cursor() as cur:
        granted = await access.channel(cur, ctx.user.id, channel_id)
        _check_is_text(granted)
        if Permissions.READ_MESSAGE_HISTORY not in granted.permissions:
            return []
        viewer = ctx.user.id
        if around is not None:
            older = limit // 2
            newer = await messages.page_after(
                cur, viewer, channel_id, around - 1, limit=limit - older
            )
            return newer + await messages.page_before(cur, viewer, channel_id, around, limit=older)
        if after is not None:
            return await messages.page_after(cur, viewer, channel_id, after, limit=limit)
        newest = 2**63 - 1 if before is None else before
        return await messages.page_before(cur, viewer, channel_id, newest, limit=limit)


async def get(ctx: Context, channel_id: ChannelId, message_id: MessageId) -> Message:
    """One message. Needs READ_MESSAGE_HISTORY.

    Raises UnknownChannel, MissingAccess, MissingPermissions, UnknownMessage.
    """
    async with ctx.database.cursor() as cur:
        granted = await access.channel(cur, ctx.user.id, channel_id)
        granted.require(Permissions.READ_MESSAGE_HISTORY)
        return await existing(cur, ctx, channel_id, message_id)


async def update(
    ctx: Context, channel_id: ChannelId, message_id: MessageId, change: MessageChange
) -> Message:
    """Edit a message: the author its content, who has MANAGE_MESSAGES its flags.

    Raises UnknownChannel, MissingAccess, MissingPermissions, UnknownMessage,
    CannotEditAnothersMessage, EmptyMessage.
    """
    async with ctx.begin() as work:
        granted = await access.locked_channel(work, ctx.user.id, channel_id)
        message = await existing(work.cur, ctx, channel_id, message_id)
        if message.author.id != ctx.user.id:
            if change.content is not UNSET:
                raise CannotEditAnothersMessage
            granted.require(Permissions.MANAGE_MESSAGES)
        content = message.content if change.content is UNSET else change.content or ""
        if not content:
            raise EmptyMessage
        if not message.type.is_written:
            raise SystemMessage
        flags = message.flags
        if change.flags is not UNSET:
            flags = (flags & ~_FLAGS_ON_EDIT) | ((change.flags or 0) & _FLAGS_ON_EDIT)
        await messages.update(work.cur, channel_id, message_id, content=content, flags=flags)
        changed = await existing(work.cur, ctx, channel_id, message_id)
        author = await _author(work.cur, granted, changed)
        work.emit(events.message_updated(changed, granted.guild.id, author))
    return changed


async def delete(ctx: Context, channel_id: ChannelId, message_id: MessageId) -> None:
    """Delete a message: one's own, or with MANAGE_MESSAGES any.

    Raises UnknownChannel, MissingAccess, MissingPermissions, UnknownMessage.
    """
    async with ctx.begin() as work:
        granted = await access.locked_channel(work, ctx.user.id, channel_id)
        message = await existing(work.cur, ctx, channel_id, message_id)
        if message.author.id != ctx.user.id:
            granted.require(Permissions.MANAGE_MESSAGES)
            await audit.record(
                ctx,
                work,
                granted.guild.id,
                AuditAction.MESSAGE_DELETE,
                message.author.id,
                options={"channel_id": str(channel_id), "count": "1"},
            )
        await messages.delete(work.cur, channel_id, message_id)
        work.emit(events.message_deleted(message_id, channel_id, granted.guild.id))


async def delete_many(
    ctx: Context, channel_id: ChannelId, message_ids: Sequence[MessageId]
) -> None:
    """Delete 2 to 100 messages of the last two weeks. Needs MANAGE_MESSAGES.

    Those that are gone already are passed over. Raises UnknownChannel, MissingAccess,
    MissingPermissions, WrongBulkDelete, TooOldForBulkDelete.
    """
    wanted = set(message_ids)
    if not 2 <= len(wanted) <= 100:
        raise WrongBulkDelete
    if min(wanted) < snowflake.at(datetime.now(UTC) - _BULK_DELETE_AGE):
        raise TooOldForBulkDelete
    async with ctx.begin() as work:
        granted = await access.locked_channel(work, ctx.user.id, channel_id)
        granted.require(Permissions.MANAGE_MESSAGES)
        deleted = await messages.delete_many(work.cur, channel_id, sorted(wanted))
        if not deleted:
            return
        work.emit(events.messages_deleted(deleted, channel_id, granted.guild.id))
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
    _check_is_text(granted)
    granted.require(Permissions.SEND_MESSAGES)
    now_s = int(datetime.now(UTC).timestamp())
    event = events.typing_started(channel_id, granted.guild.id, granted.member, now_s)
    await ctx.resources.bus.publish([event])


async def post_system_message(
    ctx: Context, work: Work, granted: ChannelAccess, kind: MessageType, *, answered: Message
) -> None:
    """Tell in a channel what the caller has done there. The channel's stream is locked."""
    stream_id = StreamId(granted.guild.id)
    ctx.resources.snowflakes.observe(await messages.last_of_stream(work.cur, stream_id))
    message_id = ctx.new_id(MessageId)
    row = NewRow(
        stream_id=stream_id,
        version=granted.version,
        channel_id=granted.channel.id,
        author_id=ctx.user.id,
        type=kind,
        content="",
        flags=0,
        tts=False,
        reference_id=answered.id,
    )
    await messages.insert_in_work(work.cur, message_id, row)
    posted = await existing(work.cur, ctx, granted.channel.id, message_id)
    work.emit(events.message_created(posted, granted.guild.id, granted.member, None))


def _check_may_send(granted: ChannelAccess, wanted: NewMessage) -> None:
    _check_is_text(granted)
    granted.require(Permissions.SEND_MESSAGES)
    if not wanted.content:
        raise EmptyMessage


def _check_is_text(granted: ChannelAccess) -> None:
    if granted.channel.type == ChannelType.CATEGORY:
        raise NotATextChannel


async def _answered(
    ctx: Context, granted: ChannelAccess, reference: Reference | None
) -> Message | None:
    """The message that a new one answers, if it does and that is there."""
    if reference is None:
        return None
    granted.require(Permissions.READ_MESSAGE_HISTORY)
    if reference.channel_id in (None, granted.channel.id):
        async with ctx.database.cursor() as cur:
            answered = await messages.get(
                cur, ctx.user.id, granted.channel.id, reference.message_id
            )
        if answered is not None:
            return answered
    if reference.fail_if_not_exists:
        raise InvalidForm.of("message_reference", "REPLIES_UNKNOWN_MESSAGE", "Unknown message")
    return None


async def existing(
    cur: Cursor, ctx: Context, channel_id: ChannelId, message_id: MessageId
) -> Message:
    """A message as the caller sees it. Raises UnknownMessage."""
    message = await messages.get(cur, ctx.user.id, channel_id, message_id)
    if message is None:
        raise UnknownMessage
    return message


async def _author(cur: Cursor, granted: ChannelAccess, message: Message) -> Member | None:
    """The author as a member, while it still is one."""
    if message.author.id == granted.member.user.id:
        return granted.member
    return await members.get(cur, granted.guild.id, message.author.id)
