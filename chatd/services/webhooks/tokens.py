"""Tokens in paths, which authorize requests to a webhook without a login."""

from __future__ import annotations

from chatd.auth.webhook_tokens import is_webhook_token
from chatd.context.context import Context
from chatd.context.dependencies import Dependencies
from chatd.core.errors import InvalidWebhookToken, UnknownWebhook
from chatd.core.ids import LoginId, UserId, WebhookId
from chatd.core.models import Caller, User
from chatd.core.webhooks import Webhook, WebhookType
from chatd.queries import webhooks

_NO_LOGIN = LoginId(0)
"""The login of a caller that shows the token of a webhook instead."""


async def resolve(
    dependencies: Dependencies, webhook_id: WebhookId, token: str, *, reason: str | None = None
) -> tuple[Context, Webhook]:
    """Return the webhook of a token, and a context in which it acts.

    A wrong token is refused before any query. Raises InvalidWebhookToken, UnknownWebhook.
    """
    require_valid(dependencies, webhook_id, token)
    async with dependencies.database.cursor() as cur:
        webhook = await webhooks.get(cur, webhook_id)
    if webhook is None or webhook.type != WebhookType.INCOMING:
        raise UnknownWebhook
    return context_of(dependencies, webhook, reason=reason), webhook


def require_valid(dependencies: Dependencies, webhook_id: WebhookId, token: str) -> None:
    """Require the token of a webhook, which need not exist.

    Raises InvalidWebhookToken, and UnknownWebhook for what does not look like a token.
    """
    if not is_webhook_token(token):
        raise UnknownWebhook
    if not dependencies.webhook_tokens.is_valid(webhook_id, token):
        raise InvalidWebhookToken


def context_of(
    dependencies: Dependencies, webhook: Webhook, *, reason: str | None = None
) -> Context:
    """Return the context in which a webhook acts, which has no account."""
    user = User(UserId(webhook.id), webhook.name, None, webhook.avatar, bot=True)
    return Context(dependencies, Caller(user, _NO_LOGIN), reason)
