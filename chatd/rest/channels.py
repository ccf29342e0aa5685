"""Channels of guilds."""

from __future__ import annotations

from aiohttp import web

from chatd.core.ids import ChannelId, GuildId
from chatd.core.json import JsonObject
from chatd.core.models import Channel, PrivateChannel
from chatd.core.permissions import Permissions as P
from chatd.ratelimit.window import Limit
from chatd.rest.request import JsonBody, JsonListBody, path_id
from chatd.rest.response import json_array_response, json_response, no_content
from chatd.rest.routing import MEMBER, Routes
from chatd.services.guilds import channel_overwrites, channels
from chatd.services.guilds.channels import MAX_CHANNELS
from chatd.web.keys import CONTEXT
from chatd.wire import payloads, responses
from chatd.wire.json_schema import array_of
from chatd.wire.schemas import channels as schemas

routes = Routes()

_MAX_CHANNEL_BODY = 2**17  # bytes; an overwrite takes about 110, and there can be 1,000


@routes.get("/guilds/{guild_id}/channels", MEMBER, answers=array_of(responses.CHANNEL))
async def list_for_guild(request: web.Request) -> web.Response:
    """List the channels of a guild that the caller may see. Needs membership."""
    found = await channels.list_for_guild(request[CONTEXT], path_id(request, GuildId, "guild_id"))
    return await json_array_response(found, payloads.listed_channel)


@routes.post(
    "/guilds/{guild_id}/channels",
    P.MANAGE_CHANNELS,
    body=JsonBody(schemas.NewChannelSchema, max_bytes=_MAX_CHANNEL_BODY),
    answers={201: responses.CHANNEL},
)
async def create(request: web.Request, body: schemas.NewChannel) -> web.Response:
    """Create a channel in a guild.

    Needs MANAGE_CHANNELS in the guild, or in the category if it has one. Emits CHANNEL_CREATE.
    """
    guild_id = path_id(request, GuildId, "guild_id")
    channel = await channels.create(request[CONTEXT], guild_id, body)
    return json_response(payloads.channel(channel), status=201)


@routes.patch(
    "/guilds/{guild_id}/channels",
    P.MANAGE_CHANNELS,
    body=JsonListBody(schemas.ChannelMoveSchema, max_items=MAX_CHANNELS, max_bytes=2**16),
    answers=None,
)
async def move(request: web.Request, moves: list[schemas.ChannelMove]) -> web.Response:
    """Move channels of a guild.

    Needs MANAGE_CHANNELS in each channel and in each new category, and MANAGE_ROLES in a channel
    that gets the overwrites of its category. Emits CHANNEL_UPDATE for each channel that moves.
    """
    guild_id = path_id(request, GuildId, "guild_id")
    await channels.move(request[CONTEXT], guild_id, moves)
    return no_content()


@routes.get("/channels/{channel_id}", P.VIEW_CHANNEL, answers=responses.ANY_CHANNEL)
async def get(request: web.Request) -> web.Response:
    """Get a channel. Needs VIEW_CHANNEL; for a private channel, to be a recipient."""
    channel = await channels.get(request[CONTEXT], path_id(request, ChannelId, "channel_id"))
    return json_response(_payload(request, channel))


@routes.patch(
    "/channels/{channel_id}",
    P.MANAGE_CHANNELS,
    limit=Limit(5, 15.0),
    body=JsonBody(schemas.ChannelChangeSchema, max_bytes=_MAX_CHANNEL_BODY),
    answers=responses.ANY_CHANNEL,
)
async def update(request: web.Request, change: schemas.ChannelChange) -> web.Response:
    """Change a channel.

    Needs MANAGE_CHANNELS, also in a new category; for a private group, to be a recipient. Emits
    CHANNEL_UPDATE, also for channels that are synchronized with a changed category.
    """
    channel_id = path_id(request, ChannelId, "channel_id")
    return json_response(
        _payload(request, await channels.update(request[CONTEXT], channel_id, change))
    )


@routes.delete("/channels/{channel_id}", P.MANAGE_CHANNELS, answers=responses.ANY_CHANNEL)
async def delete(request: web.Request) -> web.Response:
    """Delete a channel.

    Needs MANAGE_CHANNELS. Emits CHANNEL_DELETE, and CHANNEL_UPDATE for the channels of a deleted
    category. A recipient closes a direct message for itself, or leaves a group.
    """
    channel = await channels.delete(request[CONTEXT], path_id(request, ChannelId, "channel_id"))
    return json_response(_payload(request, channel))


@routes.put(
    "/channels/{channel_id}/permissions/{target_id}",
    P.MANAGE_ROLES,
    body=JsonBody(schemas.OverwriteChangeSchema),
    answers=None,
)
async def set_overwrite(request: web.Request, change: schemas.OverwriteChange) -> web.Response:
    """Set the permissions that a channel allows and denies to a role or member.

    Needs MANAGE_ROLES in the channel. Emits CHANNEL_UPDATE, also for channels that are synchronized
    with a category.
    """
    channel_id = path_id(request, ChannelId, "channel_id")
    target_id = path_id(request, int, "target_id")
    await channel_overwrites.put(request[CONTEXT], channel_id, target_id, change)
    return no_content()


@routes.delete("/channels/{channel_id}/permissions/{target_id}", P.MANAGE_ROLES, answers=None)
async def delete_overwrite(request: web.Request) -> web.Response:
    """Delete an overwrite of a channel.

    Needs MANAGE_ROLES in the channel. Emits CHANNEL_UPDATE, also for channels that are synchronized
    with a category.
    """
    channel_id = path_id(request, ChannelId, "channel_id")
    await channel_overwrites.delete(
        request[CONTEXT], channel_id, path_id(request, int, "target_id")
    )
    return no_content()


def _payload(request: web.Request, channel: Channel | PrivateChannel) -> JsonObject:
    if isinstance(channel, PrivateChannel):
        return payloads.private_channel(channel, request[CONTEXT].user.id)
    return payloads.channel(channel)
