"""Webhooks of channels. `webhook_messages` has the messages that are sent through them."""

from __future__ import annotations

from aiohttp import web

from chatd.auth.webhook_tokens import is_webhook_token
from chatd.context.context import Context
from chatd.core.ids import ChannelId, GuildId, WebhookId
from chatd.core.json import JsonObject
from chatd.core.permissions import Permissions as P
from chatd.core.webhooks import Webhook, WebhookType
from chatd.rest.request import MAX_IMAGE_BODY, JsonBody, audit_log_reason, path_id
from chatd.rest.response import json_array_response, json_response, no_content
from chatd.rest.routing import TOKEN, Routes
from chatd.services.interactions.tokens import resolve_token
from chatd.services.webhooks import tokens, webhooks
from chatd.web.keys import CONTEXT, DEPENDENCIES
from chatd.wire import payloads, responses
from chatd.wire.json_schema import array_of
from chatd.wire.schemas import webhooks as schemas

routes = Routes()


@routes.post(
    "/channels/{channel_id}/webhooks",
    P.MANAGE_WEBHOOKS,
    body=JsonBody(schemas.NewWebhookSchema, max_bytes=MAX_IMAGE_BODY),
    answers=responses.WEBHOOK,
)
async def create(request: web.Request, body: schemas.NewWebhook) -> web.Response:
    """Create a webhook of a channel. Needs MANAGE_WEBHOOKS. Emits WEBHOOKS_UPDATE."""
    channel_id = path_id(request, ChannelId, "channel_id")
    webhook = await webhooks.create(request[CONTEXT], channel_id, body)
    return json_response(_payload(request, webhook))


@routes.get(
    "/channels/{channel_id}/webhooks", P.MANAGE_WEBHOOKS, answers=array_of(responses.WEBHOOK)
)
async def list_for_channel(request: web.Request) -> web.Response:
    """List the webhooks of a channel. Needs MANAGE_WEBHOOKS."""
    channel_id = path_id(request, ChannelId, "channel_id")
    found = await webhooks.list_for_channel(request[CONTEXT], channel_id)
    return await json_array_response(found, lambda each: _payload(request, each))


@routes.get("/guilds/{guild_id}/webhooks", P.MANAGE_WEBHOOKS, answers=array_of(responses.WEBHOOK))
async def list_for_guild(request: web.Request) -> web.Response:
    """List the webhooks of the channels of a guild.

    Needs MANAGE_WEBHOOKS. Those of channels in which the caller does not have it are left out.
    """
    guild_id = path_id(request, GuildId, "guild_id")
    found = await webhooks.list_for_guild(request[CONTEXT], guild_id)
    return await json_array_response(found, lambda each: _payload(request, each))


@routes.get("/webhooks/{webhook_id}", P.MANAGE_WEBHOOKS, answers=responses.WEBHOOK)
async def get(request: web.Request) -> web.Response:
    """Get a webhook. Needs MANAGE_WEBHOOKS in its channel, or to be the bot that created it."""
    found = await webhooks.get(request[CONTEXT], path_id(request, WebhookId, "webhook_id"))
    return json_response(_payload(request, found))


@routes.patch(
    "/webhooks/{webhook_id}",
    P.MANAGE_WEBHOOKS,
    body=JsonBody(schemas.WebhookChangeSchema, max_bytes=MAX_IMAGE_BODY),
    answers=responses.WEBHOOK,
)
async def update(request: web.Request, change: schemas.WebhookChange) -> web.Response:
    """Change a webhook, or move it to another channel of its guild.

    Needs MANAGE_WEBHOOKS in its channel and in the new one, or for a change alone to be the bot
    that created it. Emits WEBHOOKS_UPDATE for each of these channels.
    """
    webhook_id = path_id(request, WebhookId, "webhook_id")
    changed = await webhooks.update(request[CONTEXT], webhook_id, change)
    return json_response(_payload(request, changed))


@routes.delete("/webhooks/{webhook_id}", P.MANAGE_WEBHOOKS, answers=None)
async def delete(request: web.Request) -> web.Response:
    """Delete a webhook. Its messages stay.

    Needs MANAGE_WEBHOOKS in its channel, or to be the bot that created it. Emits WEBHOOKS_UPDATE.
    """
    await webhooks.delete(request[CONTEXT], path_id(request, WebhookId, "webhook_id"))
    return no_content()


@routes.get("/webhooks/{webhook_id}/{webhook_token}", TOKEN, answers=responses.WEBHOOK)
async def get_by_token(request: web.Request) -> web.Response:
    """Get the webhook of a token, without the user who created it.

    The token of an interaction gets the webhook of its application, once there is a response.
    """
    token = request.match_info["webhook_token"]
    if not is_webhook_token(token):
        webhook_id = path_id(request, WebhookId, "webhook_id")
        application = await resolve_token(request.app[DEPENDENCIES], webhook_id, token)
        return json_response(payloads.application_webhook(application.ctx.user))
    _, webhook = await _resolve(request)
    return json_response(_own_payload(request, webhook))


@routes.patch(
    "/webhooks/{webhook_id}/{webhook_token}",
    TOKEN,
    body=JsonBody(schemas.WebhookTokenChangeSchema, max_bytes=MAX_IMAGE_BODY),
    answers=responses.WEBHOOK,
)
async def update_by_token(request: web.Request, change: schemas.WebhookTokenChange) -> web.Response:
    """Change the webhook of a token. Only an account can move it. Emits WEBHOOKS_UPDATE."""
    ctx, webhook = await _resolve(request)
    changed = await webhooks.update_by_token(ctx, webhook, change)
    return json_response(_own_payload(request, changed))


@routes.delete("/webhooks/{webhook_id}/{webhook_token}", TOKEN, answers=None)
async def delete_by_token(request: web.Request) -> web.Response:
    """Delete the webhook of a token. Its messages stay. Emits WEBHOOKS_UPDATE."""
    ctx, webhook = await _resolve(request)
    await webhooks.delete_by_token(ctx, webhook)
    return no_content()


async def _resolve(request: web.Request) -> tuple[Context, Webhook]:
    """Return the webhook of the token in the path. Raises InvalidWebhookToken, UnknownWebhook."""
    return await tokens.resolve(
        request.app[DEPENDENCIES],
        path_id(request, WebhookId, "webhook_id"),
        request.match_info["webhook_token"],
        reason=audit_log_reason(request.headers),
    )


def _own_payload(request: web.Request, webhook: Webhook) -> JsonObject:
    address = request.app[DEPENDENCIES].webhook_tokens.address(webhook.id)
    return payloads.webhook(webhook, address, with_creator=False)


def _payload(request: web.Request, webhook: Webhook) -> JsonObject:
    """Return a webhook, with its token unless that of another application or none."""
    ctx = request[CONTEXT]
    address = None
    if webhook.type == WebhookType.INCOMING and webhook.application_id in (None, ctx.user.id):
        address = ctx.dependencies.webhook_tokens.address(webhook.id)
    return payloads.webhook(webhook, address)
