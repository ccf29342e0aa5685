"""Pinned messages, under the new paths and the old ones: libraries use both."""

from __future__ import annotations

from aiohttp import web

from chatd.core.ids import ChannelId, MessageId
from chatd.core.permissions import Permissions as P
from chatd.keys import CONTEXT
from chatd.rest.parse import answer, no_content, path_id
from chatd.rest.routes import Routes
from chatd.services import pins
from chatd.services.pins import MAX_PINS
from chatd.wire import payloads, shapes
from chatd.wire.schemas import queries
from chatd.wire.shape import array_of

routes = Routes()


@routes.get(
    "/channels/{channel_id}/messages/pins",
    P.VIEW_CHANNEL,
    query=queries.PinPageSchema,
    answers=shapes.PINS,
)
async def page(request: web.Request, wanted: queries.PinPage) -> web.Response:
    """A page of the pins of a channel.

    Needs VIEW_CHANNEL; shows nothing without READ_MESSAGE_HISTORY. Newest pin first.
    """
    found = await pins.page(
        request[CONTEXT],
        path_id(request, ChannelId, "channel_id"),
        before=wanted.before,
        limit=wanted.limit + 1,
    )
    return answer(
        {
            "items": [
                {
                    "pinned_at": payloads.timestamp(pin.pinned_at),
                    "message": payloads.message(pin.message),
                }
                for pin in found[: wanted.limit]
            ],
            "has_more": len(found) > wanted.limit,
        }
    )


@routes.get("/channels/{channel_id}/pins", P.VIEW_CHANNEL, answers=array_of(shapes.MESSAGE))
async def all_pins(request: web.Request) -> web.Response:
    """All pinned messages of a channel.

    Needs VIEW_CHANNEL; shows nothing without READ_MESSAGE_HISTORY. Newest pin first.
    """
    channel_id = path_id(request, ChannelId, "channel_id")
    found = await pins.page(request[CONTEXT], channel_id, before=None, limit=MAX_PINS)
    return answer(payloads.messages(pin.message for pin in found))


@routes.put("/channels/{channel_id}/messages/pins/{message_id}", P.PIN_MESSAGES, answers=None)
@routes.put("/channels/{channel_id}/pins/{message_id}", P.PIN_MESSAGES, answers=None)
async def add(request: web.Request) -> web.Response:
    """Pin a message.

    Needs PIN_MESSAGES. Emits CHANNEL_PINS_UPDATE, MESSAGE_UPDATE, MESSAGE_CREATE.
    """
    channel_id = path_id(request, ChannelId, "channel_id")
    await pins.add(request[CONTEXT], channel_id, path_id(request, MessageId, "message_id"))
    return no_content()


@routes.delete("/channels/{channel_id}/messages/pins/{message_id}", P.PIN_MESSAGES, answers=None)
@routes.delete("/channels/{channel_id}/pins/{message_id}", P.PIN_MESSAGES, answers=None)
async def remove(request: web.Request) -> web.Response:
    """Unpin a message. Needs PIN_MESSAGES. Emits CHANNEL_PINS_UPDATE, MESSAGE_UPDATE."""
    channel_id = path_id(request, ChannelId, "channel_id")
    await pins.remove(request[CONTEXT], channel_id, path_id(request, MessageId, "message_id"))
    return no_content()
