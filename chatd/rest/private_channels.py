"""Private channels: between two, and of groups."""

from __future__ import annotations

from aiohttp import web

from chatd.core.ids import ChannelId, UserId
from chatd.ephemeral.windows import Limit
from chatd.keys import CONTEXT
from chatd.rest.parse import answer, body, no_content, path_id
from chatd.rest.routes import RECIPIENT, USER, Routes
from chatd.services import private_channels
from chatd.wire import payloads
from chatd.wire.schemas import private_channels as schemas

routes = Routes()


@routes.get("/users/@me/channels", USER)
async def of_caller(request: web.Request) -> web.Response:
    """The caller's private channels, the liveliest first."""
    ctx = request[CONTEXT]
    found = await private_channels.of_caller(ctx)
    return answer([payloads.private_channel(channel, ctx.user.id) for channel in found])


@routes.post("/users/@me/channels", USER, Limit(10, 10.0))
async def create(request: web.Request) -> web.Response:
    """The one channel with somebody, or a new group. Emits CHANNEL_CREATE."""
    ctx = request[CONTEXT]
    wanted = await body(request, schemas.NewPrivateChannelSchema)
    channel = await private_channels.open_for(ctx, wanted)
    return answer(payloads.private_channel(channel, ctx.user.id))


@routes.put("/channels/{channel_id}/recipients/{user_id}", RECIPIENT)
async def add_recipient(request: web.Request) -> web.Response:
    """Everyone in the group may add. Emits CHANNEL_RECIPIENT_ADD, CHANNEL_CREATE."""
    channel_id = path_id(request, ChannelId, "channel_id")
    user_id = path_id(request, UserId, "user_id")
    await private_channels.add_recipient(request[CONTEXT], channel_id, user_id)
    return no_content()


@routes.delete("/channels/{channel_id}/recipients/{user_id}", RECIPIENT)
async def remove_recipient(request: web.Request) -> web.Response:
    """Who leads the group may, and everyone for itself. Emits CHANNEL_RECIPIENT_REMOVE."""
    channel_id = path_id(request, ChannelId, "channel_id")
    user_id = path_id(request, UserId, "user_id")
    await private_channels.remove_recipient(request[CONTEXT], channel_id, user_id)
    return no_content()
