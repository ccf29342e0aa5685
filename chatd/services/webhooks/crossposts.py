"""Publishing messages of announcement channels, and delivering them to the channels that follow.

Publishing a message records that its delivery is due. A background task sends the copies, each in a
transaction of its own with the record of the copy, so that a webhook sends a message once. Changes
and the deletion of a published message are delivered in the same way: triggers of the database make
them due (sql/0029). Rule: Discord docs, Message resource, "Crosspost Message".
"""

from __future__ import annotations

import logging

from chatd.context.context import Context
from chatd.context.dependencies import Dependencies
from chatd.context.unit_of_work import UnitOfWork
from chatd.core.components import IS_COMPONENTS_V2, disabled
from chatd.core.errors import (
    AlreadyCrossposted,
    InvalidMessageType,
    ServiceUnavailable,
    WrongChannelType,
)
from chatd.core.ids import ChannelId, MessageId, UserId
from chatd.core.models import (
    ChannelType,
    Message,
    MessageLocation,
    MessageOrigin,
    MessageSource,
    MessageType,
)
from chatd.core.permissions import Permissions
from chatd.core.webhooks import (
    CROSSPOSTED,
    IS_CROSSPOST,
    SOURCE_MESSAGE_DELETED,
    Webhook,
)
from chatd.events import messages as events
from chatd.queries import crossposts, history, messages, webhooks
from chatd.queries.crossposts import Copy, Crosspost
from chatd.queries.history import Viewer
from chatd.queries.messages import MessageEdit
from chatd.services.access import access
from chatd.services.messages import edit
from chatd.services.messages.drafts import Draft, insert_draft
from chatd.services.webhooks import tokens
from chatd.wire.payloads import SUPPRESS_EMBEDS

log = logging.getLogger(__name__)

BATCH_WEBHOOKS = 20
"""Copies that are sent before other published messages get their turn."""

MAX_DELETED = 2000
"""Records of copies that one statement deletes. Any number of channels may follow a channel."""

_KEPT_FLAGS = SUPPRESS_EMBEDS | IS_COMPONENTS_V2
"""The flags of a message that its copies have, too."""

DELETED_TEXT = "[Original Message Deleted]"
"""The text of copies whose message was deleted, as on Discord."""


async def publish(ctx: Context, channel_id: ChannelId, message_id: MessageId) -> Message:
    """Publish a message to the channels that follow its channel.

    The author needs SEND_MESSAGES, others MANAGE_MESSAGES as well. Raises UnknownChannel,
    MissingAccess, MissingPermissions, NotInPrivate, WrongChannelType, UnknownMessage,
    AlreadyCrossposted, InvalidMessageType.
    """
    async with ctx.begin() as work:
        granted = await access.locked_guild_channel(work, ctx.user.id, channel_id)
        granted.require(Permissions.SEND_MESSAGES | Permissions.READ_MESSAGE_HISTORY)
        message = await edit.get_existing(work.cur, ctx, channel_id, message_id)
        if not message.is_by(ctx.user.id):
            granted.require(Permissions.MANAGE_MESSAGES)
        if granted.channel.type != ChannelType.ANNOUNCEMENT:
            raise WrongChannelType
        if message.flags & CROSSPOSTED:
            raise AlreadyCrossposted
        if not message.type.is_user_message or message.flags & IS_CROSSPOST:
            raise InvalidMessageType
        await messages.set_flags(work.cur, channel_id, message_id, message.flags | CROSSPOSTED)
        await crossposts.insert(work.cur, channel_id, message_id)
        published = await edit.get_existing(work.cur, ctx, channel_id, message_id)
        work.emit(*await edit.updated_events(work.cur, granted, published))
    ctx.dependencies.crossposts_due.set()
    return published


async def deliver(dependencies: Dependencies, crosspost: Crosspost) -> None:
    """Send, change or mark the copies of a published message, for the next webhooks.

    Raises ServiceUnavailable; then the delivery goes on later.
    """
    viewer = Viewer(UserId(0), dependencies.signed_urls)
    async with dependencies.database.cursor() as cur:
        source = await history.get(cur, viewer, crosspost.channel_id, crosspost.message_id)
        found = await crossposts.next_followers(cur, crosspost, limit=BATCH_WEBHOOKS)
    for webhook in found:
        try:
            await _deliver_to(dependencies, crosspost, source, webhook)
        except ServiceUnavailable:
            raise
        except Exception:  # a fault in one channel must not keep the others from their copies
            log.exception("cannot deliver a published message to webhook %d", webhook.id)
    is_done = len(found) < BATCH_WEBHOOKS
    if is_done and source is None:
        await _delete(dependencies, crosspost)
        return
    after_id = found[-1].id if found else crosspost.after_id
    async with dependencies.database.cursor() as cur:
        await crossposts.advance(cur, crosspost, after_id, is_done=is_done)


async def _delete(dependencies: Dependencies, crosspost: Crosspost) -> None:
    """Delete the records of a deleted message, in batches. It stays due if this fails."""
    key = (crosspost.channel_id, crosspost.message_id)
    deleted = MAX_DELETED
    while deleted >= MAX_DELETED:
        async with dependencies.database.cursor() as cur:
            deleted = await crossposts.delete_copies(cur, *key, limit=MAX_DELETED)
    async with dependencies.database.cursor() as cur:
        await crossposts.delete(cur, *key)


async def _deliver_to(
    dependencies: Dependencies, crosspost: Crosspost, source: Message | None, found: Webhook
) -> None:
    """Bring the copy of one webhook up to date, with its guild locked."""
    ctx = tokens.context_of(dependencies, found)
    async with ctx.begin() as work:
        if not await work.lock(found.guild_id):
            return
        webhook = await webhooks.get(work.cur, found.id)
        if webhook is None:
            return  # the channel does not follow any more
        copy = await crossposts.get_copy(work.cur, crosspost, webhook.id)
        if copy is None and source is not None:
            sent = await insert_draft(ctx, work, _draft(ctx, source, webhook))
            copy = Copy(sent.channel_id, sent.id)
            await crossposts.insert_copy(work.cur, crosspost, webhook.id, copy)
        elif copy is not None and await crossposts.raise_revision(work.cur, crosspost, webhook.id):
            await _update_copy(ctx, work, source, webhook, copy)


def _draft(ctx: Context, source: Message, webhook: Webhook) -> Draft:
    """Return the copy of a message. Its mentions notify no user, and its components do nothing."""
    guild_id = source.guild_id
    assert guild_id is not None
    return Draft(
        author=ctx.user,
        member=None,
        location=MessageLocation(webhook.channel_id, webhook.guild_id),
        type=MessageType.DEFAULT,
        content=source.content,
        flags=IS_CROSSPOST | (source.flags & _KEPT_FLAGS),
        embeds=source.embeds,
        attachments=source.attachments,
        components=disabled(source.components),
        origin=MessageOrigin(
            webhook.id,
            name=webhook.name,
            avatar=webhook.avatar,
            source=MessageSource(guild_id, source.channel_id, source.id),
        ),
    )


async def _update_copy(
    ctx: Context, work: UnitOfWork, source: Message | None, webhook: Webhook, copy: Copy
) -> None:
    """Change a copy as its message was changed, or mark it if that was deleted."""
    known = await history.get(work.cur, ctx.viewer, copy.channel_id, copy.message_id)
    if known is None:
        return  # deleted in its channel
    row = _row_of_deleted(known) if source is None else _row_of(known, source)
    await messages.update(work.cur, known.channel_id, known.id, row, edited=True)
    changed = await history.get(work.cur, ctx.viewer, known.channel_id, known.id)
    assert changed is not None
    location = MessageLocation(known.channel_id, webhook.guild_id)
    work.emit(*events.message_updated(changed, location, None, {}))


def _row_of(copy: Message, source: Message) -> MessageEdit:
    """Return the new values of a copy. Its embeds stay suppressed if they were there."""
    kept = source.flags & _KEPT_FLAGS | copy.flags & SUPPRESS_EMBEDS
    return MessageEdit(
        content=source.content,
        flags=copy.flags & ~_KEPT_FLAGS | kept,
        embeds=source.embeds,
        mentions=(),
        mention_roles=(),
        mention_everyone=False,
        attachment_count=len(source.attachments),
        components=disabled(source.components),
    )


def _row_of_deleted(copy: Message) -> MessageEdit:
    return MessageEdit(
        content=DELETED_TEXT,
        flags=copy.flags & ~_KEPT_FLAGS | SOURCE_MESSAGE_DELETED,
        embeds=(),
        mentions=(),
        mention_roles=(),
        mention_everyone=False,
        attachment_count=0,
    )
