"""Channels of guilds."""

from __future__ import annotations

from aiohttp import web

from chatd.core.ids import ChannelId, GuildId
from chatd.core.models import Channel, PrivateChannel
from chatd.core.permissions import Permissions as P
from chatd.ephemeral.windows import Limit
from chatd.keys import CONTEXT
from chatd.rest.parse import Json, JsonList, answer, no_content, path_id
from chatd.rest.routes import MEMBER, Routes
from chatd.services import channels
from chatd.services.channels import MAX_CHANNELS
from chatd.wire import payloads, shapes
from chatd.wire.schemas import channels as schemas
from chatd.wire.shape import array_of

routes = Routes()


@routes.get("/guilds/{guild_id}/channels", MEMBER, answers=array_of(shapes.CHANNEL))
async def of_guild(request: web.Request) -> web.Response:
    """The channels of a guild. Needs membership; shows the channels that the caller may see."""
    found = await channels.of_guild(request[CONTEXT], path_id(request, GuildId, "guild_id"))
    return answer([payloads.channel(channel) for channel in found])


@routes.post(
    "/guilds/{guild_id}/channels",
    P.MANAGE_CHANNELS,
    body=Json(schemas.NewChannelSchema),
    answers={201: shapes.CHANNEL},
)
async def create(request: web.Request, wanted: schemas.NewChannel) -> web.Response:
    """Add a channel to a guild. Needs MANAGE_CHANNELS. Emits CHANNEL_CREATE."""
    guild_id = path_id(request, GuildId, "guild_id")
    channel = await channels.create(request[CONTEXT], guild_id, wanted)
    return answer(payloads.channel(channel), status=201)


@routes.patch(
    "/guilds/{guild_id}/channels",
    P.MANAGE_CHANNELS,
    body=JsonList(schemas.ChannelMoveSchema, longest=MAX_CHANNELS),
    answers=None,
)
async def move(request: web.Request, moves: list[schemas.ChannelMove]) -> web.Response:
    """Move channels of a guild.

    Needs MANAGE_CHANNELS. Emits CHANNEL_UPDATE for each channel that moves.
    """
    guild_id = path_id(request, GuildId, "guild_id")
    await channels.move(request[CONTEXT], guild_id, moves)
    return no_content()


@routes.get("/channels/{channel_id}", P.VIEW_CHANNEL, answers=shapes.ANY_CHANNEL)
async def get(request: web.Request) -> web.Response:
    """One channel. Needs VIEW_CHANNEL, or to be in the private channel."""
    channel = await channels.get(request[CONTEXT], path_id(request, ChannelId, "channel_id"))
    return answer(_payload(request, channel))


@routes.patch(
    "/channels/{channel_id}",
    P.MANAGE_CHANNELS,
    limit=Limit(5, 15.0),
    body=Json(schemas.ChannelChangeSchema),
    answers=shapes.ANY_CHANNEL,
)
async def update(request: web.Request, change: schemas.ChannelChange) -> web.Response:
    """Change a channel.

    Needs MANAGE_CHANNELS, or to be in the private group. Emits CHANNEL_UPDATE.
    """
    channel_id = path_id(request, ChannelId, "channel_id")
    return answer(_payload(request, await channels.update(request[CONTEXT], channel_id, change)))


@routes.delete("/channels/{channel_id}", P.MANAGE_CHANNELS, answers=shapes.ANY_CHANNEL)
async def delete(request: web.Request) -> web.Response:
    """Delete a channel.

    Needs MANAGE_CHANNELS. Emits CHANNEL_DELETE, and CHANNEL_UPDATE for what it held. Whoever is
    in a private channel closes it for itself, or leaves the group.
    """
    channel = await channels.delete(request[CONTEXT], path_id(request, ChannelId, "channel_id"))
    return answer(_payload(request, channel))


@routes.put(
    "/channels/{channel_id}/permissions/{target_id}",
    P.MANAGE_ROLES,
    body=Json(schemas.OverwriteChangeSchema),
    answers=None,
)
async def set_overwrite(request: web.Request, change: schemas.OverwriteChange) -> web.Response:
    """Set what a channel allows and denies a role or a member.

    Needs MANAGE_ROLES in the channel. Emits CHANNEL_UPDATE.
    """
    channel_id = path_id(request, ChannelId, "channel_id")
    target_id = path_id(request, int, "target_id")
    await channels.set_overwrite(request[CONTEXT], channel_id, target_id, change)
    return no_content()


@routes.delete("/channels/{channel_id}/permissions/{target_id}", P.MANAGE_ROLES, answers=None)
async def delete_overwrite(request: web.Request) -> web.Response:
    """Take back an overwrite of a channel.

    Needs MANAGE_ROLES in the channel. Emits CHANNEL_UPDATE.
    """
    channel_id = path_id(request, ChannelId, "channel_id")
    await channels.delete_overwrite(
        request[CONTEXT], channel_id, path_id(request, int, "target_id")
    )
    return no_content()


def _payload(request: web.Request, channel: Channel | PrivateChannel) -> payloads.Json:
    if isinstance(channel, PrivateChannel):
        return payloads.private_channel(channel, request[CONTEXT].user.id)
    return payloads.channel(channel)
