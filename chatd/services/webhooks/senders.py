"""What a token in a path can send with: a webhook of a channel, or that of an interaction."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from chatd.auth.webhook_tokens import is_webhook_token
from chatd.context.context import Context
from chatd.context.dependencies import Dependencies
from chatd.core.components import walk
from chatd.core.errors import InvalidForm
from chatd.core.field_errors import NOT_SUPPORTED
from chatd.core.ids import MessageId, WebhookId
from chatd.core.models import Component, Message
from chatd.core.unset import UNSET
from chatd.services.interactions.tokens import resolve_token
from chatd.services.interactions.webhook import InteractionWebhook
from chatd.services.media.uploads import PendingUploads
from chatd.services.messages.send import MessageSender
from chatd.services.webhooks import tokens
from chatd.services.webhooks.execute import ChannelWebhook
from chatd.wire.schemas.messages import MessageChange
from chatd.wire.schemas.webhooks import NewWebhookMessage

TokenSender = ChannelWebhook | InteractionWebhook
"""What the token in the path authorizes."""


async def resolve(
    dependencies: Dependencies, sender: MessageSender, webhook_id: WebhookId, token: str
) -> TokenSender:
    """Return what a token authorizes. Raises UnknownWebhook, InvalidWebhookToken.

    The tokens of webhooks and of interactions have different lengths.
    """
    if is_webhook_token(token):
        ctx, webhook = await tokens.resolve(dependencies, webhook_id, token)
        return ChannelWebhook(ctx, webhook, sender)
    return await resolve_token(dependencies, webhook_id, token)


def upload_context(webhook: TokenSender) -> Context:
    """Return the context in which its files are stored."""
    return webhook.upload_ctx if isinstance(webhook, ChannelWebhook) else webhook.ctx


async def send(
    webhook: TokenSender,
    wanted: NewWebhookMessage,
    uploads: PendingUploads,
    *,
    with_components: bool,
) -> Message:
    """Send a message. Responses to interactions show the account of their bot.

    Raises UnknownWebhook, UnknownChannel, UnknownInteraction, EmptyMessage, InvalidForm,
    ServiceUnavailable.
    """
    if isinstance(webhook, InteractionWebhook):
        for field in ("username", "avatar_url"):
            if getattr(wanted, field) is not None:
                text = "Responses to interactions show the account of their bot."
                raise InvalidForm.of(field, NOT_SUPPORTED, text)
        return await webhook.execute(wanted, uploads)
    if webhook.webhook.application_id is None:
        if not with_components:
            wanted = replace(wanted, components=())
        _refuse_interactive(wanted.components)
    files = uploads.in_order_with_metadata(wanted.attachments)
    return await webhook.send(wanted, files)


async def update(
    webhook: TokenSender,
    message_id: MessageId | None,
    change: MessageChange,
    uploads: PendingUploads,
    *,
    with_components: bool,
) -> Message:
    """Edit a message. Raises the errors of `send`, and UnknownMessage, TooManyAttachments."""
    if isinstance(webhook, ChannelWebhook) and webhook.webhook.application_id is None:
        if not with_components:
            change = replace(change, components=UNSET)
        if change.components is not UNSET:
            _refuse_interactive(change.components or ())
    return await webhook.update(message_id, change, uploads)


def _refuse_interactive(components: Iterable[Component]) -> None:
    """Raise InvalidForm for components that users can use: no application would receive it.

    Rule: Discord docs, Webhook resource, "Execute Webhook", `with_components`.
    """
    if any("custom_id" in each for _, each in walk(components)):
        text = "Only webhooks of applications can send components that users can use."
        raise InvalidForm.of("components", NOT_SUPPORTED, text)
