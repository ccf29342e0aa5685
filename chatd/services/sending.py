"""Sending messages: who may, what is kept from going in twice or too soon, and the way in."""

from __future__ import annotations

import time
from collections.abc import Sequence

from chatd.context import Context
from chatd.core import mentions, snowflake
from chatd.core.errors import (
    Busy,
    CannotSendToUser,
    EmptyMessage,
    InvalidForm,
    MissingPermissions,
    NotATextChannel,
    SlowedDown,
    UnknownMessage,
)
from chatd.core.ids import ChannelId, MessageId
from chatd.core.mentions import Mentioned
from chatd.core.models import Attachment, ChannelType, Message, MessageType
from chatd.core.permissions import Permissions
from chatd.db import Cursor
from chatd.events.event import Event
from chatd.queries import history, messages, users
from chatd.services import access
from chatd.services import mentions as mention_service
from chatd.services.access import AnyAccess, ChannelAccess, PrivateAccess
from chatd.services.drafts import Draft, post
from chatd.services.grants import Grants
from chatd.services.group_commit import Held, MessageWriter, Outdated
from chatd.services.mentions import NO_MENTIONS, Mentions
from chatd.services.private_channels import reopen
from chatd.wire.payloads import SUPPRESS_EMBEDS
from chatd.wire.schemas.messages import NewMessage, Reference

_SUPPRESS_NOTIFICATIONS = 1 << 12
_FLAGS_ON_CREATE = SUPPRESS_EMBEDS | _SUPPRESS_NOTIFICATIONS
_DECISIONS = 5  # attempts, when who may do what keeps changing under a message


class Sender:
    """Sends messages for users."""

    def __init__(self, writer: MessageWriter, grants: Grants) -> None:
        self._writer = writer
        self._grants = grants

    async def send(
        self,
        ctx: Context,
        channel_id: ChannelId,
        wanted: NewMessage,
        attachments: Sequence[Attachment] = (),
    ) -> Message:
        """Send a message. Needs SEND_MESSAGES, and READ_MESSAGE_HISTORY to answer one.

        With an enforced nonce that the author has used there in the last minutes, the message of
        that time is the answer, and nothing is sent. Raises UnknownChannel, MissingAccess,
        MissingPermissions, NotATextChannel, EmptyMessage, InvalidForm, SlowedDown, Busy.
        """
        if wanted.enforced_nonce is not None:
            earlier = await _sent_before(ctx, channel_id, wanted.enforced_nonce)
            if earlier is not None:
                return earlier
        for _ in range(_DECISIONS):
            known = self._grants.known(ctx, channel_id)
            granted = known or await self._grants.decide(ctx, channel_id)
            if isinstance(granted, PrivateAccess):
                return await _send_privately(ctx, channel_id, wanted, attachments)
            try:
                draft = await _draft(ctx, granted, wanted, attachments)
                return await self._insert(granted, draft)
            except MissingPermissions:
                if known is None:
                    raise
                self._grants.forget(ctx, channel_id)  # it may have been given meanwhile
            except Outdated:
                self._grants.forget(ctx, channel_id)
            except Held:
                return await _explain(ctx, granted, wanted)
        raise Busy

    async def require_upload(self, ctx: Context, channel_id: ChannelId) -> None:
        """Refuse files before they are read. Needs SEND_MESSAGES and ATTACH_FILES.

        Raises UnknownChannel, MissingAccess, MissingPermissions, NotATextChannel.
        """
        granted = await self._grants.decide(ctx, channel_id)
        check_is_text(granted)
        granted.require(Permissions.SEND_MESSAGES | Permissions.ATTACH_FILES)

    async def _insert(self, granted: ChannelAccess, draft: Draft) -> Message:
        slow_mode_s = granted.channel.rate_limit_per_user
        if Permissions.BYPASS_SLOWMODE in granted.permissions:
            slow_mode_s = 0
        row = draft.row(version=granted.version, slow_mode_s=slow_mode_s)
        made: dict[MessageId, Message] = {}

        def told(message_id: MessageId) -> Event:
            message = made[message_id] = draft.message(message_id)
            [event] = draft.created(message)  # of a message in a guild there is one
            return event

        return made[await self._writer.insert(row, told)]


async def _send_privately(
    ctx: Context, channel_id: ChannelId, wanted: NewMessage, attachments: Sequence[Attachment]
) -> Message:
    """Send in a private channel, which opens again for those who have closed it."""
    async with ctx.begin() as work:
        granted = await access.locked_channel(work, ctx.user.id, channel_id)
        assert isinstance(granted, PrivateAccess)
        await _require_somebody(work.cur, granted)
        if wanted.enforced_nonce is not None:
            nonce = wanted.enforced_nonce
            if await messages.of_nonce(work.cur, channel_id, ctx.user.id, nonce) is not None:
                return await _of_nonce(work.cur, ctx, channel_id, nonce)
        draft = await _draft_with(work.cur, ctx, granted, wanted, attachments)
        await reopen(work, granted)
        return await post(ctx, work, draft)


async def _require_somebody(cur: Cursor, granted: PrivateAccess) -> None:
    """Raises CannotSendToUser when the other one's account has been deleted."""
    if granted.channel.type != ChannelType.DM:
        return
    for other in granted.channel.others(granted.user.id):
        if not await users.is_living(cur, other.id):
            raise CannotSendToUser


async def _draft(
    ctx: Context, granted: ChannelAccess, wanted: NewMessage, attachments: Sequence[Attachment]
) -> Draft:
    """The message that is wanted. It takes a look into the database only if it has to."""
    if wanted.message_reference is None and not _named(ctx, wanted, None).is_anybody:
        return _composed(ctx, granted, wanted, attachments)
    async with ctx.database.cursor() as cur:
        return await _draft_with(cur, ctx, granted, wanted, attachments)


async def _draft_with(
    cur: Cursor,
    ctx: Context,
    granted: AnyAccess,
    wanted: NewMessage,
    attachments: Sequence[Attachment],
) -> Draft:
    answered = await _answered(cur, ctx, granted, wanted.message_reference)
    named = _named(ctx, wanted, answered)
    found = NO_MENTIONS
    if named.is_anybody:
        found = await mention_service.resolve(cur, granted, named)
    return _composed(ctx, granted, wanted, attachments, answered=answered, found=found)


def _composed(
    ctx: Context,
    granted: AnyAccess,
    wanted: NewMessage,
    attachments: Sequence[Attachment],
    *,
    answered: Message | None = None,
    found: Mentions = NO_MENTIONS,
) -> Draft:
    check_is_text(granted)
    granted.require(Permissions.SEND_MESSAGES)
    if wanted.embeds:
        granted.require(Permissions.EMBED_LINKS)
    if attachments:
        granted.require(Permissions.ATTACH_FILES)
    if not (wanted.content or wanted.embeds or attachments):
        raise EmptyMessage
    return Draft(
        author=ctx.user,
        member=granted.member,
        place=granted.place,
        type=MessageType.DEFAULT if answered is None else MessageType.REPLY,
        content=wanted.content,
        flags=wanted.flags & _FLAGS_ON_CREATE,
        tts=wanted.tts and Permissions.SEND_TTS_MESSAGES in granted.permissions,
        answered=answered,
        embeds=wanted.embeds,
        mentions=found,
        attachments=attachments,
        nonce=wanted.nonce,
        enforce_nonce=wanted.enforced_nonce is not None,
    )


def _named(ctx: Context, wanted: NewMessage, answered: Message | None) -> Mentioned:
    """Whom the message names, as far as its author lets it; the author of what it answers too."""
    named = mentions.narrowed(mentions.read(wanted.content), wanted.allowed_mentions)
    pings = wanted.allowed_mentions is None or wanted.allowed_mentions.replied_user
    if answered is not None and pings and answered.author.id != ctx.user.id:
        named = named.with_user(answered.author.id)
    return named


async def _answered(
    cur: Cursor, ctx: Context, granted: AnyAccess, reference: Reference | None
) -> Message | None:
    """The message that a new one answers, if it does and that is there."""
    if reference is None:
        return None
    granted.require(Permissions.READ_MESSAGE_HISTORY)
    channel_id = granted.place.channel_id
    if reference.channel_id in (None, channel_id):
        answered = await history.get(cur, ctx.viewer, channel_id, reference.message_id)
        if answered is not None:
            return answered
    if reference.fail_if_not_exists:
        raise InvalidForm.of("message_reference", "REPLIES_UNKNOWN_MESSAGE", "Unknown message")
    return None


async def _sent_before(ctx: Context, channel_id: ChannelId, nonce: str) -> Message | None:
    """What the caller has sent with this nonce, if it still may be there."""
    async with ctx.database.cursor() as cur:
        await access.channel(cur, ctx.user.id, channel_id)
        if await messages.of_nonce(cur, channel_id, ctx.user.id, nonce) is None:
            return None
        return await _of_nonce(cur, ctx, channel_id, nonce)


async def _of_nonce(cur: Cursor, ctx: Context, channel_id: ChannelId, nonce: str) -> Message:
    """The message of a nonce. Raises UnknownMessage when it has been deleted since."""
    message_id = await messages.of_nonce(cur, channel_id, ctx.user.id, nonce)
    found = None
    if message_id is not None:
        found = await history.get(cur, ctx.viewer, channel_id, message_id)
    if found is None:
        raise UnknownMessage
    return found


async def _explain(ctx: Context, granted: ChannelAccess, wanted: NewMessage) -> Message:
    """Why a message was held back: its nonce has been used, or slow mode. Raises SlowedDown."""
    channel_id = granted.channel.id
    if wanted.enforced_nonce is not None:
        earlier = await _sent_before(ctx, channel_id, wanted.enforced_nonce)
        if earlier is not None:
            return earlier
    async with ctx.database.cursor() as cur:
        newest = await messages.last_slowed(cur, channel_id, ctx.user.id)
    waited_s = 0.0 if newest is None else time.time() - snowflake.created_at(newest).timestamp()
    raise SlowedDown(granted.channel.rate_limit_per_user - waited_s)


def check_is_text(granted: AnyAccess) -> None:
    """Raises NotATextChannel for a category."""
    if granted.channel.type == ChannelType.CATEGORY:
        raise NotATextChannel
