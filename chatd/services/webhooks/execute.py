"""Messages of webhooks: sending them, and reading, editing and deleting them with the token.

A new message goes through the group commit, like those of accounts. Deleting or moving a webhook
bumps the permission version of its guild. So no message is stored in a channel that its webhook has
left.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from chatd.context.context import Context
from chatd.context.unit_of_work import UnitOfWork
from chatd.core.errors import InvalidForm, ServiceUnavailable, UnknownMessage, UnknownWebhook
from chatd.core.field_errors import NOT_SUPPORTED
from chatd.core.ids import ChannelId, MessageId
from chatd.core.interactions import EPHEMERAL
from chatd.core.models import Attachment, Message, MessageOrigin
from chatd.core.permissions import OF_WEBHOOKS, Permissions
from chatd.core.webhooks import Webhook
from chatd.db.cursor import Cursor
from chatd.events import messages as events
from chatd.queries import history, messages, webhooks
from chatd.queries.webhooks import Sending
from chatd.services.access.access import WebhookAccess
from chatd.services.media.uploads import PendingUploads
from chatd.services.messages import edit
from chatd.services.messages.batch_writer import StaleAuthorization
from chatd.services.messages.send import MessageSender, build_draft
from chatd.services.webhooks import tokens
from chatd.wire.schemas.messages import MessageChange
from chatd.wire.schemas.webhooks import NewWebhookMessage

# Attempts to authorize and insert one message, while the permissions of its guild keep changing.
_MAX_ATTEMPTS = 5

_GRANTED = OF_WEBHOOKS | Permissions.MENTION_EVERYONE
"""Webhooks of channels may mention everyone. Rule: Discord docs, "Allowed Mentions Object"."""


@dataclass(frozen=True, slots=True)
class ChannelWebhook:
    """What the token of a webhook of a channel can do. The context is that of the webhook."""

    ctx: Context
    webhook: Webhook
    sender: MessageSender

    @property
    def channel_id(self) -> ChannelId:
        """The channel of the messages."""
        return self.webhook.channel_id

    @property
    def upload_ctx(self) -> Context:
        """The context in which files are stored: they count for the creator of the webhook."""
        caller = replace(self.ctx.caller, user=self.webhook.creator)
        return replace(self.ctx, caller=caller)

    async def send(self, wanted: NewWebhookMessage, files: Sequence[Attachment] = ()) -> Message:
        """Send a message. Slow mode does not apply.

        Raises UnknownWebhook, EmptyMessage, InvalidForm, ServiceUnavailable.
        """
        if wanted.flags & EPHEMERAL:
            text = "Only responses to interactions can be ephemeral."
            raise InvalidForm.of("flags", NOT_SUPPORTED, text)
        for _ in range(_MAX_ATTEMPTS):
            try:
                return await self._send(wanted, files)
            except StaleAuthorization:
                continue  # the webhook may have been moved or deleted
        raise ServiceUnavailable

    async def _send(self, wanted: NewWebhookMessage, files: Sequence[Attachment]) -> Message:
        async with self.ctx.database.cursor() as cur:
            found = await _get_sending(cur, self.webhook)
            author = self._shown_author(found.webhook, wanted)
            ctx = tokens.context_of(self.ctx.dependencies, author)
            granted = _access(found)
            files = [self._in_channel(file, granted.channel.id) for file in files]
            draft = await build_draft(cur, ctx, granted, wanted, files)
            if wanted.avatar_url is not None and author.avatar is not None:
                # Last: a message that is refused leaves no row.
                url, guild_id = wanted.avatar_url, author.guild_id
                await webhooks.insert_avatar(cur, author.id, guild_id, name=author.avatar, url=url)
        sent = await self.sender.insert(
            replace(draft, origin=_origin(author)), version=granted.version
        )
        assert isinstance(sent, Message)  # only messages of accounts are encoded
        return sent

    def _shown_author(self, webhook: Webhook, wanted: NewWebhookMessage) -> Webhook:
        """Return the webhook with the name and the picture that this message shows.

        The server never requests a picture that is named by its URL: clients are redirected to it.
        """
        if wanted.username is not None:
            webhook = replace(webhook, name=wanted.username)
        if wanted.avatar_url is not None:
            picture_name = self.ctx.dependencies.webhook_tokens.picture_name
            webhook = replace(webhook, avatar=picture_name(webhook.id, wanted.avatar_url))
        return webhook

    def _in_channel(self, file: Attachment, channel_id: ChannelId) -> Attachment:
        """Return a file with its link in this channel: the webhook may have moved since."""
        if channel_id == self.channel_id:
            return file
        urls = self.ctx.dependencies.signed_urls
        return replace(file, url=urls.attachment_url(channel_id, file.id, file.filename))

    async def get(self, message_id: MessageId | None) -> Message:
        """Return a message of the webhook in its channel. Raises UnknownMessage."""
        async with self.ctx.database.cursor() as cur:
            return await self._get(cur, self.channel_id, message_id)

    async def update(
        self, message_id: MessageId | None, change: MessageChange, uploads: PendingUploads
    ) -> Message:
        """Edit a message of the webhook in its channel.

        Raises UnknownWebhook, UnknownMessage, EmptyMessage, InvalidForm, TooManyAttachments.
        """
        async with self.ctx.begin() as work:
            granted = await self._locked(work)
            channel_id = granted.channel.id
            message = await self._get(work.cur, channel_id, message_id)
            row = await edit.apply_change(work.cur, granted, message, change, uploads)
            edited = change.changes_content or bool(uploads.stored)
            await messages.update(work.cur, channel_id, message.id, row, edited=edited)
            changed = await self._get(work.cur, channel_id, message.id)
            work.emit(*await edit.updated_events(work.cur, granted, changed))
        return changed

    async def delete(self, message_id: MessageId | None) -> None:
        """Delete a message of the webhook in its channel. Raises UnknownWebhook, UnknownMessage."""
        async with self.ctx.begin() as work:
            granted = await self._locked(work)
            message = await self._get(work.cur, granted.channel.id, message_id)
            await messages.delete(work.cur, message.channel_id, message.id)
            work.emit(*events.message_deleted(message.id, granted.location))

    async def _locked(self, work: UnitOfWork) -> WebhookAccess:
        """Lock the guild, and return the access to the present channel. Raises UnknownWebhook."""
        if not await work.lock(self.webhook.guild_id):
            raise UnknownWebhook
        return _access(await _get_sending(work.cur, self.webhook))

    async def _get(
        self, cur: Cursor, channel_id: ChannelId, message_id: MessageId | None
    ) -> Message:
        """Return a message of the webhook. Raises UnknownMessage, also for `@original` (None)."""
        if message_id is None:
            raise UnknownMessage
        found = await history.get(cur, self.ctx.viewer, channel_id, message_id)
        if found is None or found.author.id != self.ctx.user.id:
            raise UnknownMessage
        return found


async def _get_sending(cur: Cursor, webhook: Webhook) -> Sending:
    found = await webhooks.for_sending(cur, webhook.id)
    if found is None:
        raise UnknownWebhook
    return found


def _access(found: Sending) -> WebhookAccess:
    return WebhookAccess(found.guild, found.channel, None, _GRANTED, found.version)


def _origin(author: Webhook) -> MessageOrigin:
    return MessageOrigin(
        author.id, application_id=author.application_id, name=author.name, avatar=author.avatar
    )
