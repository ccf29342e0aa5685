"""Sending a message: authorization, deduplication by nonce, slow mode, and the insert.

In a guild the message goes through the group commit of `batch_writer`; in a private channel it is
inserted in a unit of work, which may have to reopen the channel too.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

import orjson

from chatd.context.context import Context
from chatd.core import mentions, snowflake
from chatd.core.components import texts
from chatd.core.errors import (
    InvalidForm,
    MissingPermissions,
    NotATextChannel,
    ServiceUnavailable,
    UnknownMessage,
)
from chatd.core.ids import ChannelId, MessageId
from chatd.core.mentions import Mentioned
from chatd.core.models import Attachment, ChannelType, Message, MessageType
from chatd.core.permissions import Permissions
from chatd.core.rate_limit_errors import SlowmodeRateLimited
from chatd.db.cursor import Cursor
from chatd.events.event import Event
from chatd.queries import history, message_guards
from chatd.services.access import access
from chatd.services.access.access import ChannelAccess, PrivateAccess, SenderAccess
from chatd.services.access.access_cache import AccessCache
from chatd.services.automod import actions as automod_actions
from chatd.services.automod import screening
from chatd.services.messages import components, embedded_files
from chatd.services.messages import mentions as mention_service
from chatd.services.messages.batch_writer import (
    MessageBatchWriter,
    RejectedByGuard,
    StaleAuthorization,
)
from chatd.services.messages.drafts import Draft, EncodedMessage, insert_draft
from chatd.services.messages.mentions import NO_MENTIONS, Mentions
from chatd.services.messages.private_channels import reopen
from chatd.wire.schemas.messages import NewMessage, Reference

_DEFAULT = MessageType.DEFAULT  # looking up a global is faster than looking up a member of an enum

# Attempts to authorize and insert one message, while the permissions of its guild keep changing.
_MAX_ATTEMPTS = 5


class MessageSender:
    """Sends messages for users."""

    def __init__(self, writer: MessageBatchWriter, access_cache: AccessCache) -> None:
        self._writer = writer
        self._access_cache = access_cache

    async def send(
        self,
        ctx: Context,
        channel_id: ChannelId,
        wanted: NewMessage,
        attachments: Sequence[Attachment] = (),
    ) -> Message | EncodedMessage:
        """Send a message. Needs SEND_MESSAGES, and READ_MESSAGE_HISTORY to reply.

        If the caller has used an enforced nonce in this channel in the last ten minutes, returns
        that earlier message and sends nothing. Raises UnknownChannel, MissingAccess,
        MissingPermissions, NotATextChannel, EmptyMessage, InvalidForm, SlowmodeRateLimited,
        MessageBlocked, ServiceUnavailable.
        """
        if wanted.enforce_nonce and wanted.enforced_nonce is not None:
            earlier = await _find_by_nonce(ctx, channel_id, wanted.enforced_nonce)
            if earlier is not None:
                return earlier
        for _ in range(_MAX_ATTEMPTS):
            known = self._access_cache.get(ctx, channel_id)
            granted = known or await self._access_cache.load(ctx, channel_id)
            if isinstance(granted, PrivateAccess):
                return await _send_privately(ctx, channel_id, wanted, attachments)
            try:
                draft = _compose_at_once(ctx, granted, wanted, attachments)
                draft = draft or await _build_draft(ctx, granted, wanted, attachments)
                if granted.automod_revision > 0:
                    return await self._insert_screened(ctx, granted, draft)
                slow_mode_s = _slow_mode_s(granted)
                return await self.insert(draft, version=granted.version, slow_mode_s=slow_mode_s)
            except MissingPermissions:
                if known is None:
                    raise
                # The cached access may be older than a change that has granted the permission.
                self._access_cache.invalidate(ctx, channel_id)
            except StaleAuthorization:
                self._access_cache.invalidate(ctx, channel_id)
            except RejectedByGuard:
                return await _resolve_rejection(ctx, granted, wanted)
        raise ServiceUnavailable

    async def _insert_screened(
        self, ctx: Context, granted: ChannelAccess, draft: Draft
    ) -> Message | EncodedMessage:
        """Insert a message in a guild with rules of AutoModeration, unless these block it.

        Raises what `insert` raises, and MessageBlocked.
        """
        verdict = await screening.screen(
            ctx, granted, draft.content, draft.embeds, draft.attachments
        )
        if verdict is not None and verdict.blocks:
            error = await automod_actions.block(ctx, granted, verdict)
            screening.note_sent(ctx, granted, draft.content, draft.embeds)
            raise error
        sent = await self.insert(draft, version=granted.version, slow_mode_s=_slow_mode_s(granted))
        screening.note_sent(ctx, granted, draft.content, draft.embeds)
        if verdict is not None:
            message_id = sent.id if isinstance(sent, Message) else _id_of(sent)
            await automod_actions.follow_up(ctx, granted, verdict, message_id)
        return sent

    async def require_upload(self, ctx: Context, channel_id: ChannelId) -> None:
        """Reject an upload before its files are read. Needs SEND_MESSAGES and ATTACH_FILES.

        Raises UnknownChannel, MissingAccess, MissingPermissions, NotATextChannel.
        """
        granted = await self._access_cache.load(ctx, channel_id)
        require_text_channel(granted)
        granted.require(Permissions.SEND_MESSAGES | Permissions.ATTACH_FILES)

    async def insert(
        self, draft: Draft, *, version: int, slow_mode_s: int = 0
    ) -> Message | EncodedMessage:
        """Insert a message in a guild, authorized at a permission version of the guild.

        Raises StaleAuthorization, RejectedByGuard, ServiceUnavailable.
        """
        row = draft.row(version=version, slow_mode_s=slow_mode_s)
        # The writer calls `created_event` for each id that it tries, and returns the last one.
        by_id: dict[MessageId, Message | EncodedMessage] = {}

        def created_event(message_id: MessageId) -> Event:
            by_id[message_id], event = draft.created(message_id)
            return event

        return by_id[await self._writer.insert(row, created_event)]


def _id_of(encoded: EncodedMessage) -> MessageId:
    return MessageId(int(orjson.loads(encoded)["id"]))


def _slow_mode_s(granted: ChannelAccess) -> int:
    """Return how many seconds the member has to wait between two messages; 0 for no wait."""
    slow_mode_s = granted.channel.rate_limit_per_user
    if slow_mode_s and Permissions.BYPASS_SLOWMODE in granted.permissions:
        return 0
    return slow_mode_s


async def _send_privately(
    ctx: Context, channel_id: ChannelId, wanted: NewMessage, attachments: Sequence[Attachment]
) -> Message:
    """Send in a private channel, and reopen it for recipients that have closed it.

    Raises CannotSendToUser if the recipient of a DM does not accept messages from the caller.
    """
    async with ctx.begin() as work:
        granted = await access.locked_channel(work, ctx.user.id, channel_id)
        assert isinstance(granted, PrivateAccess)
        granted.require(Permissions.SEND_MESSAGES)
        if wanted.enforced_nonce is not None:
            nonce = wanted.enforced_nonce
            earlier_id = await message_guards.id_by_nonce(work.cur, channel_id, ctx.user.id, nonce)
            if earlier_id is not None:
                return await _load_by_message_id(work.cur, ctx, channel_id, earlier_id)
        draft = await build_draft(work.cur, ctx, granted, wanted, attachments)
        await reopen(work, granted)
        return await insert_draft(ctx, work, draft)


def _compose_at_once(
    ctx: Context, granted: ChannelAccess, wanted: NewMessage, attachments: Sequence[Attachment]
) -> Draft | None:
    """Return the draft of a message that needs no query; None for one that may need a query."""
    if "@" in wanted.content or wanted.components or wanted.message_reference is not None:
        return None
    return _compose(ctx, granted, wanted, attachments)


async def _build_draft(
    ctx: Context, granted: ChannelAccess, wanted: NewMessage, attachments: Sequence[Attachment]
) -> Draft:
    """Return the draft of a message; use a database connection only for mentions and replies."""
    if wanted.message_reference is None and not _mentions_of(ctx, wanted, None).has_any:
        return _compose(ctx, granted, wanted, attachments)
    async with ctx.database.cursor() as cur:
        return await build_draft(cur, ctx, granted, wanted, attachments)


async def build_draft(
    cur: Cursor,
    ctx: Context,
    granted: SenderAccess,
    wanted: NewMessage,
    attachments: Sequence[Attachment],
) -> Draft:
    """Check the permissions that a message needs, and return its draft.

    Raises NotATextChannel, MissingPermissions, CannotSendToUser, EmptyMessage, InvalidForm.
    """
    referenced = await _referenced_message(cur, ctx, granted, wanted.message_reference)
    mentioned = _mentions_of(ctx, wanted, referenced)
    resolved = NO_MENTIONS
    if mentioned.has_any:
        resolved = await mention_service.resolve(cur, granted, mentioned)
    return _compose(ctx, granted, wanted, attachments, referenced=referenced, resolved=resolved)


def _compose(
    ctx: Context,
    granted: SenderAccess,
    wanted: NewMessage,
    attachments: Sequence[Attachment],
    *,
    referenced: Message | None = None,
    resolved: Mentions = NO_MENTIONS,
) -> Draft:
    """Check the permissions that a message needs, and put its draft together, without I/O.

    Raises NotATextChannel, MissingPermissions, CannotSendToUser, EmptyMessage, InvalidForm.
    """
    require_text_channel(granted)
    granted.require(Permissions.SEND_MESSAGES)
    if wanted.embeds:
        granted.require(Permissions.EMBED_LINKS)
    if attachments:
        granted.require(Permissions.ATTACH_FILES)
    if wanted.components:
        components.require_allowed(ctx.user, granted)
        components.require_media(granted, wanted.components)
    if not wanted.content:
        components.require_content(wanted.flags, "", wanted.embeds, attachments, wanted.components)
    return Draft(
        ctx.caller.user,
        granted.member,
        granted.location,
        _DEFAULT if referenced is None else MessageType.REPLY,
        wanted.content,
        wanted.flags,
        wanted.tts and Permissions.SEND_TTS_MESSAGES in granted.permissions,
        reference=referenced,
        embeds=embedded_files.normalized(wanted.embeds, attachments) if wanted.embeds else (),
        mentions=resolved,
        attachments=attachments,
        components=embedded_files.normalized_components(wanted.components, attachments)
        if wanted.components
        else (),
        nonce=wanted.nonce,
        enforce_nonce=wanted.enforce_nonce and wanted.enforced_nonce is not None,
    )


def _mentions_of(ctx: Context, wanted: NewMessage, referenced: Message | None) -> Mentioned:
    """Return the mentions that the author allows, and the author of the referenced message."""
    named = (
        mentions.parse_all([wanted.content, *texts(wanted.components)])
        if wanted.components
        else mentions.parse(wanted.content)
    )
    mentioned = mentions.filtered(named, wanted.allowed_mentions)
    pings = wanted.allowed_mentions is None or wanted.allowed_mentions.replied_user
    if referenced is not None and pings and referenced.author.id != ctx.user.id:
        mentioned = mentioned.with_user(referenced.author.id)
    return mentioned


async def _referenced_message(
    cur: Cursor, ctx: Context, granted: SenderAccess, reference: Reference | None
) -> Message | None:
    """Return the message that a new message replies to.

    Returns None without a reference. Also returns None if the message does not exist and
    `fail_if_not_exists` is false. Raises MissingPermissions, InvalidForm.
    """
    if reference is None:
        return None
    granted.require(Permissions.READ_MESSAGE_HISTORY)
    location = granted.location
    is_here = reference.channel_id in (None, location.channel_id)
    if is_here and reference.guild_id in (None, location.guild_id):
        referenced = await history.get(cur, ctx.viewer, location.channel_id, reference.message_id)
        if referenced is not None and not referenced.type.is_user_message:
            text = "Cannot reply to a system message"
            code = "REPLIES_CANNOT_REPLY_TO_SYSTEM_MESSAGE"
            raise InvalidForm.of("message_reference", code, text)
        if referenced is not None:
            return referenced
    if reference.fail_if_not_exists:
        raise InvalidForm.of("message_reference", "REPLIES_UNKNOWN_MESSAGE", "Unknown message")
    return None


async def _find_by_nonce(ctx: Context, channel_id: ChannelId, nonce: str) -> Message | None:
    """Return the message that the caller has sent with this nonce, or None.

    Raises UnknownChannel, MissingAccess, and UnknownMessage if it was deleted since.
    """
    async with ctx.database.cursor() as cur:
        await access.channel(cur, ctx.user.id, channel_id)
        message_id = await message_guards.id_by_nonce(cur, channel_id, ctx.user.id, nonce)
        if message_id is None:
            return None
        return await _load_by_message_id(cur, ctx, channel_id, message_id)


async def _load_by_message_id(
    cur: Cursor, ctx: Context, channel_id: ChannelId, message_id: MessageId
) -> Message:
    """Return a message that a nonce refers to. Raises UnknownMessage if it was deleted since."""
    found = await history.get(cur, ctx.viewer, channel_id, message_id)
    if found is None:
        raise UnknownMessage
    return found


async def _resolve_rejection(ctx: Context, granted: ChannelAccess, wanted: NewMessage) -> Message:
    """Return the message that has used the nonce already; otherwise raise SlowmodeRateLimited."""
    channel_id = granted.channel.id
    if wanted.enforced_nonce is not None:
        earlier = await _find_by_nonce(ctx, channel_id, wanted.enforced_nonce)
        if earlier is not None:
            return earlier
    async with ctx.database.cursor() as cur:
        newest = await message_guards.last_slowmode_message(cur, channel_id, ctx.user.id)
    waited_s = 0.0 if newest is None else time.time() - snowflake.created_at(newest).timestamp()
    raise SlowmodeRateLimited(granted.channel.rate_limit_per_user - waited_s)


def require_text_channel(granted: SenderAccess) -> None:
    """Raise NotATextChannel for a category."""
    if granted.channel.type == ChannelType.CATEGORY:
        raise NotATextChannel
