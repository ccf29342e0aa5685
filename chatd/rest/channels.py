"""Channels of guilds."""

from __future__ import annotations

from aiohttp import web

from chatd.core.ids import ChannelId, GuildId
from chatd.core.models import Channel, PrivateChannel
from chatd.core.permissions import Permissions as P
from chatd.ephemeral.windows import Limit
from chatd.keys import CONTEXT
from chatd.rest.parse import answer, body, body_list, no_content, path_id
from chatd.rest.routes import MEMBER, Routes
from chatd.services import channels
from chatd.services.channels import MAX_CHANNELS
from chatd.wire import payloads
from chatd.wire.schemas import channels as schemas

routes = Routes()


@routes.get("/guilds/{guild_id}/channels", MEMBER)
async def of_guild(request: web.Request) -> web.Response:
    """Needs membership; shows the channels that the caller may see."""
    found = await channels.of_guild(request[CONTEXT], path_id(request, GuildId, "guild_id"))
    return answer([payloads.channel(channel) for channel in found])


@routes.post("/guilds/{guild_id}/channels", P.MANAGE_CHANNELS)
async def create(request: web.Request) -> web.Response:
    """Needs MANAGE_CHANNELS. Emits CHANNEL_CREATE."""
    guild_id = path_id(request, GuildId, "guild_id")
    wanted = await body(request, schemas.NewChannelSchema)
    channel = await channels.create(request[CONTEXT], guild_id, wanted)
    return answer(payloads.channel(channel), status=201)


@routes.patch("/guilds/{guild_id}/channels", P.MANAGE_CHANNELS)
async def move(request: web.Request) -> web.Response:
    """Needs MANAGE_CHANNELS. Emits CHANNEL_UPDATE for each channel that moves."""
    guild_id = path_id(request, GuildId, "guild_id")
    moves = await body_list(request, schemas.ChannelMoveSchema, longest=MAX_CHANNELS)
    await channels.move(request[CONTEXT], guild_id, moves)
    return no_content()


@routes.get("/channels/{channel_id}", P.VIEW_CHANNEL)
async def get(request: web.Request) -> web.Response:
    """Needs VIEW_CHANNEL, or to be in the private channel."""
    channel = await channels.get(request[CONTEXT], path_id(request, ChannelId, "channel_id"))
    return answer(_payload(request, channel))


@routes.patch("/channels/{channel_id}", P.MANAGE_CHANNELS, Limit(5, 15.0))
async def update(request: web.Request) -> web.Response:
    """Needs MANAGE_CHANNELS, or to be in the private group. Emits CHANNEL_UPDATE."""
    channel_id = path_id(request, ChannelId, "channel_id")
    change = await body(request, schemas.ChannelChangeSchema)
    return answer(_payload(request, await channels.update(request[CONTEXT], channel_id, change)))


@routes.delete("/channels/{channel_id}", P.MANAGE_CHANNELS)
async def delete(request: web.Request) -> web.Response:
    """Needs MANAGE_CHANNELS. Emits CHANNEL_DELETE, and CHANNEL_UPDATE for what it held.

    Whoever is in a private channel closes it for itself, or leaves the group.
    """
    channel = await channels.delete(request[CONTEXT], path_id(request, ChannelId, "channel_id"))
    return answer(_payload(request, channel))


@routes.put("/channels/{channel_id}/permissions/{target_id}", P.MANAGE_ROLES)
async def set_overwrite(request: web.Request) -> web.Response:
    """Needs MANAGE_ROLES in the channel. Emits CHANNEL_UPDATE."""
    channel_id = path_id(request, ChannelId, "channel_id")
    target_id = path_id(request, int, "target_id")
    change = await body(request, schemas.OverwriteChangeSchema)
    await channels.set_overwrite(request[CONTEXT], channel_id, target_id, change)
    return no_content()


@routes.delete("/channels/{channel_id}/permissions/{target_id}", P.MANAGE_ROLES)
async def delete_overwrite(request: web.Request) -> web.Response:
    """Needs MANAGE_ROLES in the channel. Emits CHANNEL_UPDATE."""
    channel_id = path_id(request, ChannelId, "channel_id")
    await channels.delete_overwrite(
        request[CONTEXT], channel_id, path_id(request, int, "target_id")
    )
    return no_content()


def _payload(request: web.Request, channel: Channel | PrivateChannel) -> payloads.Json:
    if isinstance(channel, PrivateChannel):
        return payloads.private_channel(channel, request[CONTEXT].user.id)
    return payloads.channel(channel)
