"""Private channels: between two, and of groups."""

from __future__ import annotations

from aiohttp import web

from chatd.core.ids import ChannelId, UserId
from chatd.ephemeral.windows import Limit
from chatd.keys import CONTEXT
from chatd.rest.parse import Json, answer, no_content, path_id
from chatd.rest.routes import RECIPIENT, USER, Routes
from chatd.services import private_channels
from chatd.wire import payloads, shapes
from chatd.wire.schemas import private_channels as schemas
from chatd.wire.shape import array_of

routes = Routes()


@routes.get("/users/@me/channels", USER, answers=array_of(shapes.PRIVATE_CHANNEL))
async def of_caller(request: web.Request) -> web.Response:
    """The caller's private channels, the liveliest first."""
    ctx = request[CONTEXT]
    found = await private_channels.of_caller(ctx)
    return answer([payloads.private_channel(channel, ctx.user.id) for channel in found])


@routes.post(
    "/users/@me/channels",
    USER,
    limit=Limit(10, 10.0),
    body=Json(schemas.NewPrivateChannelSchema),
    answers=shapes.PRIVATE_CHANNEL,
)
async def create(request: web.Request, wanted: schemas.NewPrivateChannel) -> web.Response:
    """Open the one channel with somebody, or a new group. Emits CHANNEL_CREATE."""
    ctx = request[CONTEXT]
    channel = await private_channels.open_for(ctx, wanted)
    return answer(payloads.private_channel(channel, ctx.user.id))


@routes.put("/channels/{channel_id}/recipients/{user_id}", RECIPIENT, answers=None)
async def add_recipient(request: web.Request) -> web.Response:
    """Add somebody to a group.

    Everyone in the group may. Emits CHANNEL_RECIPIENT_ADD, CHANNEL_CREATE.
    """
    channel_id = path_id(request, ChannelId, "channel_id")
    user_id = path_id(request, UserId, "user_id")
    await private_channels.add_recipient(request[CONTEXT], channel_id, user_id)
    return no_content()


@routes.delete("/channels/{channel_id}/recipients/{user_id}", RECIPIENT, answers=None)
async def remove_recipient(request: web.Request) -> web.Response:
    """Remove somebody from a group.

    Who leads it may, and everyone for itself. Emits CHANNEL_RECIPIENT_REMOVE.
    """
    channel_id = path_id(request, ChannelId, "channel_id")
    user_id = path_id(request, UserId, "user_id")
    await private_channels.remove_recipient(request[CONTEXT], channel_id, user_id)
    return no_content()
