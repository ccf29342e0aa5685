"""Read states: the last message that a user has read in each channel."""

from __future__ import annotations

import asyncio

from aiohttp import web

from chatd.core.ids import ChannelId, MessageId
from chatd.core.permissions import Permissions as P
from chatd.ratelimit.window import Limit
from chatd.rest.request import JsonBody, path_id
from chatd.rest.response import encoded_json_response, json_response, no_content
from chatd.rest.routing import HUMAN, Routes
from chatd.services.messages import read_states
from chatd.web.keys import CONTEXT, MESSAGE_ACKNOWLEDGER
from chatd.wire import payloads, responses
from chatd.wire.json_schema import array_of
from chatd.wire.schemas import private_channels as schemas

routes = Routes()

_MAX_BULK = 64 * 1024  # bytes; 500 read states take 50 KiB


@routes.post(
    "/channels/{channel_id}/messages/{message_id}/ack",
    P.VIEW_CHANNEL,
    bots=False,
    body=JsonBody(schemas.AcknowledgementSchema, optional=True),
    answers=responses.ACKNOWLEDGED,
)
async def acknowledge(request: web.Request, body: schemas.Acknowledgement) -> web.Response:
    """Mark a channel as read up to a message.

    Needs VIEW_CHANNEL. Emits MESSAGE_ACK to the caller's own sessions.
    """
    await request.app[MESSAGE_ACKNOWLEDGER].acknowledge(
        request[CONTEXT],
        path_id(request, ChannelId, "channel_id"),
        path_id(request, MessageId, "message_id"),
        back=body.manual,
    )
    return json_response({"token": None})


@routes.post(
    "/read-states/ack-bulk",
    HUMAN,
    limit=Limit(10, 10.0),
    body=JsonBody(schemas.BulkAcknowledgementSchema, max_bytes=_MAX_BULK),
    answers=None,
)
async def acknowledge_all(request: web.Request, body: schemas.BulkAcknowledgement) -> web.Response:
    """Mark several channels as read, each up to a message.

    Ignores channels that the caller cannot see. Emits MESSAGE_ACK for each read state that moves,
    to the caller's own sessions.
    """
    positions = {each.channel_id: each.message_id for each in body.read_states if each.message_id}
    await read_states.acknowledge_all(request[CONTEXT], positions)
    return no_content()


@routes.get("/users/@me/read-states", HUMAN, answers=array_of(responses.READ_STATE))
async def list_for_caller(request: web.Request) -> web.Response:
    """List the read states of all channels that the caller may see, with unread counts."""
    encoded = []
    async for part in read_states.list_for_caller(request[CONTEXT]):
        encoded += [payloads.encode([payloads.read_state(each) for each in part])] if part else []
        await asyncio.sleep(0)
    return encoded_json_response(payloads.join_arrays(encoded))
