"""Pinned messages, under Discord's new and old paths: libraries use both."""

from __future__ import annotations

from aiohttp import web
from orjson import Fragment

from chatd.core.ids import ChannelId, MessageId
from chatd.core.permissions import Permissions as P
from chatd.rest import message_payloads
from chatd.rest.request import path_id
from chatd.rest.response import encoded_json_response, json_response, no_content
from chatd.rest.routing import Routes
from chatd.services.messages import pins
from chatd.services.messages.pins import MAX_PINS
from chatd.web.keys import CONTEXT
from chatd.wire import responses
from chatd.wire.json_schema import array_of
from chatd.wire.schemas import query_strings

routes = Routes()


@routes.get(
    "/channels/{channel_id}/messages/pins",
    P.VIEW_CHANNEL,
    query=query_strings.PinPageSchema,
    answers=responses.PINS,
)
async def page(request: web.Request, query: query_strings.PinPage) -> web.Response:
    """List a page of the pins of a channel, newest pin first.

    Needs VIEW_CHANNEL. Without READ_MESSAGE_HISTORY the list is empty.
    """
    found = await pins.page(
        request[CONTEXT],
        path_id(request, ChannelId, "channel_id"),
        before=query.before,
        limit=query.limit + 1,
    )
    shown = [(pin.pinned_at, pin.message) for pin in found[: query.limit]]
    items = Fragment(await message_payloads.pins(request, shown))
    return json_response({"items": items, "has_more": len(found) > query.limit})


@routes.get("/channels/{channel_id}/pins", P.VIEW_CHANNEL, answers=array_of(responses.MESSAGE))
async def all_pins(request: web.Request) -> web.Response:
    """List all pinned messages of a channel, newest pin first.

    Needs VIEW_CHANNEL. Without READ_MESSAGE_HISTORY the list is empty.
    """
    channel_id = path_id(request, ChannelId, "channel_id")
    found = await pins.page(request[CONTEXT], channel_id, before=None, limit=MAX_PINS)
    return encoded_json_response(
        await message_payloads.page(request, [pin.message for pin in found])
    )


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
