"""Channels of guilds."""

from __future__ import annotations

from aiohttp import web

from chatd.core.ids import ChannelId, GuildId
from chatd.keys import CONTEXT
from chatd.rest.parse import answer, body, path_id
from chatd.rest.routes import Routes
from chatd.services import channels
from chatd.wire import payloads, schemas

routes = Routes()


@routes.get("/guilds/{guild_id}/channels")
async def of_guild(request: web.Request) -> web.Response:
    """Needs membership; shows the channels that the caller may see."""
    found = await channels.of_guild(request[CONTEXT], path_id(request, GuildId, "guild_id"))
    return answer([payloads.channel(channel) for channel in found])


@routes.post("/guilds/{guild_id}/channels")
async def create(request: web.Request) -> web.Response:
    """Needs MANAGE_CHANNELS. Emits CHANNEL_CREATE."""
    guild_id = path_id(request, GuildId, "guild_id")
    wanted = await body(request, schemas.NewChannelSchema)
    channel = await channels.create(request[CONTEXT], guild_id, wanted)
    return answer(payloads.channel(channel), status=201)


@routes.get("/channels/{channel_id}")
async def get(request: web.Request) -> web.Response:
    """Needs VIEW_CHANNEL."""
    channel = await channels.get(request[CONTEXT], path_id(request, ChannelId, "channel_id"))
    return answer(payloads.channel(channel))


@routes.patch("/channels/{channel_id}")
async def update(request: web.Request) -> web.Response:
    """Needs MANAGE_CHANNELS. Emits CHANNEL_UPDATE."""
    channel_id = path_id(request, ChannelId, "channel_id")
    change = await body(request, schemas.ChannelChangeSchema)
    return answer(payloads.channel(await channels.update(request[CONTEXT], channel_id, change)))


@routes.delete("/channels/{channel_id}")
async def delete(request: web.Request) -> web.Response:
    """Needs MANAGE_CHANNELS. Emits CHANNEL_DELETE, and CHANNEL_UPDATE for what it held."""
    channel = await channels.delete(request[CONTEXT], path_id(request, ChannelId, "channel_id"))
    return answer(payloads.channel(channel))
