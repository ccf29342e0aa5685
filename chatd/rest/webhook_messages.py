"""Messages that are sent with a token in the path: through webhooks, or after an interaction."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from chatd.core.ids import MessageId, WebhookId
from chatd.ratelimit.window import Limit
from chatd.rest.message_body import IncomingMessage, MessageBody, UploadTarget
from chatd.rest.request import path_id
from chatd.rest.response import json_response, no_content
from chatd.rest.routing import TOKEN, Routes
from chatd.services.webhooks import senders
from chatd.services.webhooks.execute import ChannelWebhook
from chatd.services.webhooks.senders import TokenSender
from chatd.web.keys import DEPENDENCIES, MESSAGE_SENDER
from chatd.wire import payloads, responses
from chatd.wire.schemas import interactions as schemas
from chatd.wire.schemas.messages import MessageChange
from chatd.wire.schemas.webhooks import NewWebhookMessage, NewWebhookMessageSchema

routes = Routes()

_LIMIT = Limit(5, 2.0)
"""For each token. Rule: Discord's limit of webhooks."""

_SENDER: web.RequestKey[TokenSender] = web.RequestKey("_SENDER")


async def _webhook(request: web.Request) -> TokenSender:
    """Return what the token in the path authorizes. Raises UnknownWebhook, InvalidWebhookToken."""
    return await senders.resolve(
        request.app[DEPENDENCIES],
        request.app[MESSAGE_SENDER],
        path_id(request, WebhookId, "webhook_id"),
        request.match_info["webhook_token"],
    )


async def _authorize(request: web.Request, _: Any) -> UploadTarget:
    webhook = request[_SENDER] = await _webhook(request)
    return UploadTarget(
        senders.upload_context(webhook),
        webhook.channel_id,
        # Those of the creator of a webhook are not for everyone that has the token.
        takes_reserved=not isinstance(webhook, ChannelWebhook),
    )


def _message_id(request: web.Request) -> MessageId | None:
    """Return the message in the path; None is the first response (`@original`)."""
    if "message_id" not in request.match_info:
        return None
    return path_id(request, MessageId, "message_id")


@routes.post(
    "/webhooks/{webhook_id}/{webhook_token}",
    TOKEN,
    limit=_LIMIT,
    body=MessageBody(NewWebhookMessageSchema, authorize=_authorize),
    query=schemas.ExecuteQuerySchema,
    answers={200: responses.MESSAGE, 204: None},
)
async def execute(
    request: web.Request,
    incoming: IncomingMessage[NewWebhookMessage],
    query: schemas.ExecuteQuery,
) -> web.Response:
    """Send a message through a webhook, or one that follows the response to an interaction.

    The token of a webhook authorizes it; the answer has the message with `wait=true`. For 15
    minutes, so does the token of an interaction with the id of the application; a response that is
    still loading is edited instead. Emits MESSAGE_CREATE.
    """
    async with incoming as (body, uploads):
        webhook, with_components = request[_SENDER], query.with_components
        message = await senders.send(webhook, body, uploads, with_components=with_components)
    if isinstance(webhook, ChannelWebhook) and not query.wait:
        return no_content()
    return json_response(payloads.message(message))


@routes.get(
    "/webhooks/{webhook_id}/{webhook_token}/messages/@original",
    TOKEN,
    limit=_LIMIT,
    query=schemas.WebhookMessageQuerySchema,
    answers=responses.MESSAGE,
)
@routes.get(
    "/webhooks/{webhook_id}/{webhook_token}/messages/{message_id}",
    TOKEN,
    limit=_LIMIT,
    query=schemas.WebhookMessageQuerySchema,
    answers=responses.MESSAGE,
)
async def get(request: web.Request, _: schemas.WebhookMessageQuery) -> web.Response:
    """Get a message that was sent with this token; `@original` is the response."""
    webhook = await _webhook(request)
    return json_response(payloads.message(await webhook.get(_message_id(request))))


@routes.patch(
    "/webhooks/{webhook_id}/{webhook_token}/messages/@original",
    TOKEN,
    limit=_LIMIT,
    body=MessageBody(schemas.InteractionMessageChangeSchema, authorize=_authorize),
    query=schemas.WebhookEditQuerySchema,
    answers=responses.MESSAGE,
)
@routes.patch(
    "/webhooks/{webhook_id}/{webhook_token}/messages/{message_id}",
    TOKEN,
    limit=_LIMIT,
    body=MessageBody(schemas.InteractionMessageChangeSchema, authorize=_authorize),
    query=schemas.WebhookEditQuerySchema,
    answers=responses.MESSAGE,
)
async def update(
    request: web.Request,
    incoming: IncomingMessage[MessageChange],
    query: schemas.WebhookMessageQuery,
) -> web.Response:
    """Change a message that was sent with this token; `@original` is the response.

    Emits MESSAGE_UPDATE.
    """
    async with incoming as (change, uploads):
        changed = await senders.update(
            request[_SENDER],
            _message_id(request),
            change,
            uploads,
            with_components=query.with_components,
        )
    return json_response(payloads.message(changed))


@routes.delete(
    "/webhooks/{webhook_id}/{webhook_token}/messages/@original",
    TOKEN,
    limit=_LIMIT,
    query=schemas.WebhookMessageQuerySchema,
    answers=None,
)
@routes.delete(
    "/webhooks/{webhook_id}/{webhook_token}/messages/{message_id}",
    TOKEN,
    limit=_LIMIT,
    query=schemas.WebhookMessageQuerySchema,
    answers=None,
)
async def delete(request: web.Request, _: schemas.WebhookMessageQuery) -> web.Response:
    """Delete a message that was sent with this token; `@original` is the response.

    Emits MESSAGE_DELETE.
    """
    webhook = await _webhook(request)
    await webhook.delete(_message_id(request))
    return no_content()
