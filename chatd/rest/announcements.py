"""Announcement channels: following them, and publishing their messages."""

from __future__ import annotations

from aiohttp import web

from chatd.core.ids import ChannelId, MessageId
from chatd.core.permissions import Permissions as P
from chatd.ratelimit.window import Limit
from chatd.rest import message_payloads
from chatd.rest.request import JsonBody, path_id
from chatd.rest.response import json_response
from chatd.rest.routing import Routes
from chatd.services.webhooks import crossposts, followers
from chatd.web.keys import CONTEXT
from chatd.wire import responses
from chatd.wire.schemas import webhooks as schemas

routes = Routes()

_CROSSPOSTS = Limit(10, 3600.0)
"""Rule: Discord's limit. Followers cannot opt out of single messages."""


@routes.post(
    "/channels/{channel_id}/followers",
    P.MANAGE_WEBHOOKS,
    body=JsonBody(schemas.NewFollowerSchema),
    answers=responses.FOLLOWED_CHANNEL,
)
async def follow(request: web.Request, body: schemas.NewFollower) -> web.Response:
    """Let another channel follow an announcement channel.

    Needs VIEW_CHANNEL in the announcement channel, and MANAGE_WEBHOOKS in the channel that follows.
    Emits WEBHOOKS_UPDATE, MESSAGE_CREATE.
    """
    channel_id = path_id(request, ChannelId, "channel_id")
    webhook_id = await followers.follow(request[CONTEXT], channel_id, body.webhook_channel_id)
    return json_response({"channel_id": str(channel_id), "webhook_id": str(webhook_id)})


@routes.post(
    "/channels/{channel_id}/messages/{message_id}/crosspost",
    P.SEND_MESSAGES | P.MANAGE_MESSAGES,
    limit=_CROSSPOSTS,
    answers=responses.MESSAGE,
)
async def publish(request: web.Request) -> web.Response:
    """Publish a message of an announcement channel to the channels that follow it.

    Needs SEND_MESSAGES; for messages of others, MANAGE_MESSAGES as well. Later edits and the
    deletion are published, too. Emits MESSAGE_UPDATE, and MESSAGE_CREATE in each channel.
    """
    published = await crossposts.publish(
        request[CONTEXT],
        path_id(request, ChannelId, "channel_id"),
        path_id(request, MessageId, "message_id"),
    )
    return json_response(await message_payloads.message(request, published))
