"""Private channels: direct messages and groups."""

from __future__ import annotations

from aiohttp import web

from chatd.core.ids import ChannelId, UserId
from chatd.ratelimit.window import Limit
from chatd.rest.request import JsonBody, path_id
from chatd.rest.response import json_array_response, json_response, no_content
from chatd.rest.routing import AUTHENTICATED, RECIPIENT, Routes
from chatd.services.messages import private_channels
from chatd.web.keys import CONTEXT
from chatd.wire import payloads, responses
from chatd.wire.json_schema import array_of
from chatd.wire.schemas import private_channels as schemas
from chatd.wire.schemas.members import NewMember, NewMemberSchema

routes = Routes()


@routes.get("/users/@me/channels", AUTHENTICATED, answers=array_of(responses.PRIVATE_CHANNEL))
async def list_for_caller(request: web.Request) -> web.Response:
    """List the caller's private channels, most recently active first."""
    ctx = request[CONTEXT]
    found = await private_channels.list_for_caller(ctx)
    return await json_array_response(
        found, lambda channel: payloads.private_channel(channel, ctx.user.id)
    )


@routes.post(
    "/users/@me/channels",
    AUTHENTICATED,
    limit=Limit(10, 10.0),
    body=JsonBody(schemas.NewPrivateChannelSchema),
    answers={200: responses.PRIVATE_CHANNEL, 403: responses.ERROR},
)
async def create(request: web.Request, body: schemas.NewPrivateChannel) -> web.Response:
    """Open the direct message with a user, or create a group. Emits CHANNEL_CREATE.

    A recipient must accept messages from the caller; by default it must be a friend or share a
    guild with it. Otherwise 403 with code 50007. A user can be in 100 groups.
    """
    ctx = request[CONTEXT]
    channel = await private_channels.create(ctx, body)
    return json_response(payloads.private_channel(channel, ctx.user.id))


@routes.put(
    "/channels/{channel_id}/recipients/{user_id}",
    RECIPIENT,
    body=JsonBody(NewMemberSchema, optional=True),
    answers=None,
)
async def add_recipient(request: web.Request, _: NewMember) -> web.Response:
    """Add a user to a group.

    Needs to be in the group; the new recipient must accept messages from the caller. Emits
    CHANNEL_RECIPIENT_ADD, CHANNEL_CREATE.
    """
    channel_id = path_id(request, ChannelId, "channel_id")
    user_id = path_id(request, UserId, "user_id")
    await private_channels.add_recipient(request[CONTEXT], channel_id, user_id)
    return no_content()


@routes.delete("/channels/{channel_id}/recipients/{user_id}", RECIPIENT, answers=None)
async def remove_recipient(request: web.Request) -> web.Response:
    """Remove a user from a group.

    Needs ownership of the group; any recipient can remove itself. Emits CHANNEL_RECIPIENT_REMOVE.
    """
    channel_id = path_id(request, ChannelId, "channel_id")
    user_id = path_id(request, UserId, "user_id")
    await private_channels.remove_recipient(request[CONTEXT], channel_id, user_id)
    return no_content()
