"""Pinned messages, under the new paths and the old ones: libraries use both."""

from __future__ import annotations

from aiohttp import web

from chatd.core.ids import ChannelId, MessageId
from chatd.core.permissions import Permissions as P
from chatd.keys import CONTEXT
from chatd.rest.parse import answer, no_content, path_id, query_int, query_time
from chatd.rest.routes import Routes
from chatd.services import pins
from chatd.services.pins import MAX_PINS
from chatd.wire import payloads

routes = Routes()


@routes.get("/channels/{channel_id}/messages/pins", P.VIEW_CHANNEL)
async def page(request: web.Request) -> web.Response:
    """Needs VIEW_CHANNEL; shows nothing without READ_MESSAGE_HISTORY. Newest pin first."""
    limit = query_int(request, "limit", 50, low=1, high=50)
    found = await pins.page(
        request[CONTEXT],
        path_id(request, ChannelId, "channel_id"),
        before=query_time(request, "before"),
        limit=limit + 1,
    )
    return answer(
        {
            "items": [
                {
                    "pinned_at": payloads.timestamp(pin.pinned_at),
                    "message": payloads.message(pin.message),
                }
                for pin in found[:limit]
            ],
            "has_more": len(found) > limit,
        }
    )


@routes.get("/channels/{channel_id}/pins", P.VIEW_CHANNEL)
async def all_pins(request: web.Request) -> web.Response:
    """Needs VIEW_CHANNEL; shows nothing without READ_MESSAGE_HISTORY. Newest pin first."""
    channel_id = path_id(request, ChannelId, "channel_id")
    found = await pins.page(request[CONTEXT], channel_id, before=None, limit=MAX_PINS)
    return answer([payloads.message(pin.message) for pin in found])


@routes.put("/channels/{channel_id}/messages/pins/{message_id}", P.PIN_MESSAGES)
@routes.put("/channels/{channel_id}/pins/{message_id}", P.PIN_MESSAGES)
async def add(request: web.Request) -> web.Response:
    """Needs PIN_MESSAGES. Emits CHANNEL_PINS_UPDATE, MESSAGE_UPDATE, MESSAGE_CREATE."""
    channel_id = path_id(request, ChannelId, "channel_id")
    await pins.add(request[CONTEXT], channel_id, path_id(request, MessageId, "message_id"))
    return no_content()


@routes.delete("/channels/{channel_id}/messages/pins/{message_id}", P.PIN_MESSAGES)
@routes.delete("/channels/{channel_id}/pins/{message_id}", P.PIN_MESSAGES)
async def remove(request: web.Request) -> web.Response:
    """Needs PIN_MESSAGES. Emits CHANNEL_PINS_UPDATE, MESSAGE_UPDATE."""
    channel_id = path_id(request, ChannelId, "channel_id")
    await pins.remove(request[CONTEXT], channel_id, path_id(request, MessageId, "message_id"))
    return no_content()
