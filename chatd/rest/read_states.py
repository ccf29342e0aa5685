"""What one has read."""

from __future__ import annotations

from aiohttp import web

from chatd.core.ids import ChannelId, MessageId
from chatd.core.permissions import Permissions as P
from chatd.keys import CONTEXT
from chatd.rest.parse import Json, answer, path_id
from chatd.rest.routes import USER, Routes
from chatd.services import read_states
from chatd.wire import payloads, shapes
from chatd.wire.schemas import private_channels as schemas
from chatd.wire.shape import array_of

routes = Routes()


@routes.post(
    "/channels/{channel_id}/messages/{message_id}/ack",
    P.VIEW_CHANNEL,
    body=Json(schemas.AcknowledgementSchema, optional=True),
    answers=shapes.ACKNOWLEDGED,
)
async def acknowledge(request: web.Request, wanted: schemas.Acknowledgement) -> web.Response:
    """Mark a channel as read up to a message.

    Needs VIEW_CHANNEL. Emits MESSAGE_ACK to the caller's own sessions.
    """
    await read_states.acknowledge(
        request[CONTEXT],
        path_id(request, ChannelId, "channel_id"),
        path_id(request, MessageId, "message_id"),
        back=wanted.manual,
    )
    return answer({"token": None})


@routes.get("/users/@me/read-states", USER, answers=array_of(shapes.READ_STATE))
async def of_caller(request: web.Request) -> web.Response:
    """How far the caller has read each channel that it may see, and how much it has not."""
    found = await read_states.of_caller(request[CONTEXT])
    return answer([payloads.read_state(each) for each in found])
