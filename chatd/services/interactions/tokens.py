"""Tokens of interactions in paths: they authorize responses without a login."""

from __future__ import annotations

from chatd.auth.interaction_tokens import hash_token
from chatd.context.context import Context
from chatd.context.dependencies import Dependencies
from chatd.core import interactions as rules
from chatd.core.errors import InvalidWebhookToken, UnknownInteraction, UnknownWebhook
from chatd.core.ids import InteractionId, LoginId, UserId, WebhookId
from chatd.core.interactions import Interaction, InteractionState, InteractionType
from chatd.core.models import Caller
from chatd.db.cursor import Cursor
from chatd.queries import applications, interactions
from chatd.services.interactions.ages import age_s
from chatd.services.interactions.webhook import InteractionWebhook

_NO_LOGIN = LoginId(0)
"""The login of a caller that shows a token of an interaction instead."""


async def resolve_token(
    dependencies: Dependencies, webhook_id: WebhookId, token: str
) -> InteractionWebhook:
    """Return the webhook of an interaction, which sends messages for its application.

    There is one from the acknowledgement on. Raises UnknownWebhook, InvalidWebhookToken.
    """
    application_id = UserId(webhook_id)
    async with dependencies.database.cursor() as cur:
        interaction = await interactions.by_token(cur, hash_token(token))
        ctx = await _context_of(dependencies, cur, application_id)
    if ctx is None:
        raise UnknownWebhook
    if interaction is None or interaction.application_id != application_id:
        raise InvalidWebhookToken
    if age_s(interaction) > rules.TOKEN_LIFETIME_S:
        raise InvalidWebhookToken
    if not _is_acknowledged(interaction) or interaction.type == InteractionType.AUTOCOMPLETE:
        raise UnknownWebhook
    return InteractionWebhook(ctx, interaction)


async def resolve_interaction(
    dependencies: Dependencies, interaction_id: InteractionId, token: str
) -> InteractionWebhook:
    """Return the webhook of an interaction that may not be acknowledged yet.

    Raises UnknownInteraction.
    """
    async with dependencies.database.cursor() as cur:
        interaction = await interactions.by_token(cur, hash_token(token))
        if interaction is None or interaction.id != interaction_id:
            raise UnknownInteraction
        ctx = await _context_of(dependencies, cur, interaction.application_id)
    if ctx is None:
        raise UnknownInteraction
    return InteractionWebhook(ctx, interaction)


async def webhook_of(dependencies: Dependencies, interaction: Interaction) -> InteractionWebhook:
    """Return the webhook of an interaction that its application answers without the token.

    Raises UnknownInteraction.
    """
    async with dependencies.database.cursor() as cur:
        ctx = await _context_of(dependencies, cur, interaction.application_id)
    if ctx is None:
        raise UnknownInteraction
    return InteractionWebhook(ctx, interaction)


async def _context_of(
    dependencies: Dependencies, cur: Cursor, application_id: UserId
) -> Context | None:
    """Return a context in which an application acts; None if there is no such application."""
    application = await applications.get(cur, application_id)
    if application is None:
        return None
    return Context(dependencies, Caller(application.bot, _NO_LOGIN))


def _is_acknowledged(interaction: Interaction) -> bool:
    return interaction.state not in (InteractionState.PENDING, InteractionState.FAILED)
