"""Messages of a channel."""

from __future__ import annotations

from aiohttp import web

from chatd.core.ids import ChannelId, MessageId
from chatd.core.permissions import Permissions as P
from chatd.ratelimit.window import Limit
from chatd.rest import message_payloads
from chatd.rest.message_body import IncomingMessage, MessageBody, PlainOrMessageBody
from chatd.rest.request import JsonBody, path_id
from chatd.rest.response import encoded_json_response, json_response, no_content
from chatd.rest.routing import Routes
from chatd.services.messages import deletion, edit, typing_indicator
from chatd.web.keys import ACCESS_CACHE, CONTEXT, MESSAGE_READER, MESSAGE_SENDER
from chatd.wire import responses
from chatd.wire.json_schema import array_of
from chatd.wire.schemas import messages as schemas
from chatd.wire.schemas import query_strings

routes = Routes()


@routes.get(
    "/channels/{channel_id}/messages",
    P.VIEW_CHANNEL,
    query=query_strings.MessagePageSchema,
    answers=array_of(responses.MESSAGE),
)
async def page(request: web.Request, query: query_strings.MessagePage) -> web.Response:
    """List messages of a channel, newest first.

    Needs VIEW_CHANNEL. Without READ_MESSAGE_HISTORY the list is empty.
    """
    found = await request.app[MESSAGE_READER].page(
        request[CONTEXT],
        path_id(request, ChannelId, "channel_id"),
        limit=query.limit,
        before=query.before,
        after=query.after,
        around=query.around,
    )
    return encoded_json_response(await message_payloads.page(request, found))


@routes.post(
    "/channels/{channel_id}/messages",
    P.SEND_MESSAGES,
    limit=Limit(5, 5.0),
    body=PlainOrMessageBody(schemas.NewMessageSchema, schemas.read_plain),
    answers=responses.MESSAGE,
)
async def create(
    request: web.Request,
    incoming: schemas.NewMessage | IncomingMessage[schemas.NewMessage],
) -> web.Response:
    """Send a message.

    Needs SEND_MESSAGES, ATTACH_FILES for files, EMBED_LINKS for embeds, and READ_MESSAGE_HISTORY to
    reply. Emits MESSAGE_CREATE.
    """
    channel_id = path_id(request, ChannelId, "channel_id")
    ctx, sender = request[CONTEXT], request.app[MESSAGE_SENDER]
    if isinstance(incoming, schemas.NewMessage):
        body = incoming
        sent = await sender.send(ctx, channel_id, body)
    else:
        async with incoming as (body, uploads):
            files = uploads.in_order_with_metadata(body.attachments)
            sent = await sender.send(ctx, channel_id, body, files)
    if isinstance(sent, bytes):
        return encoded_json_response(sent)
    payload = await message_payloads.message(request, sent)
    if body.nonce is not None:
        payload["nonce"] = body.nonce
    return json_response(payload)


@routes.post(
    "/channels/{channel_id}/messages/bulk-delete",
    P.MANAGE_MESSAGES,
    limit=Limit(1, 1.0),
    body=JsonBody(schemas.BulkDeleteSchema),
    answers=None,
)
async def delete_many(request: web.Request, body: schemas.BulkDelete) -> web.Response:
    """Delete many messages at once. Needs MANAGE_MESSAGES. Emits MESSAGE_DELETE_BULK."""
    channel_id = path_id(request, ChannelId, "channel_id")
    await deletion.delete_many(request[CONTEXT], channel_id, body.messages)
    return no_content()


@routes.post("/channels/{channel_id}/typing", P.SEND_MESSAGES, limit=Limit(5, 5.0), answers=None)
async def start_typing(request: web.Request) -> web.Response:
    """Show for ten seconds that the caller is typing. Needs SEND_MESSAGES. Emits TYPING_START."""
    channel_id = path_id(request, ChannelId, "channel_id")
    await typing_indicator.start_typing(request[CONTEXT], request.app[ACCESS_CACHE], channel_id)
    return no_content()


@routes.get(
    "/channels/{channel_id}/messages/{message_id}",
    P.READ_MESSAGE_HISTORY,
    answers=responses.MESSAGE,
)
async def get(request: web.Request) -> web.Response:
    """Get a message. Needs VIEW_CHANNEL and READ_MESSAGE_HISTORY."""
    channel_id = path_id(request, ChannelId, "channel_id")
    message_id = path_id(request, MessageId, "message_id")
    found = await edit.get(request[CONTEXT], channel_id, message_id)
    return json_response(await message_payloads.message(request, found))


@routes.patch(
    "/channels/{channel_id}/messages/{message_id}",
    P.MANAGE_MESSAGES,
    limit=Limit(5, 5.0),
    body=MessageBody(schemas.MessageChangeSchema),
    answers=responses.MESSAGE,
)
async def update(
    request: web.Request, incoming: IncomingMessage[schemas.MessageChange]
) -> web.Response:
    """Change a message.

    The author needs SEND_MESSAGES. Others can change only the flags, with MANAGE_MESSAGES and
    READ_MESSAGE_HISTORY. Emits MESSAGE_UPDATE.
    """
    channel_id = path_id(request, ChannelId, "channel_id")
    message_id = path_id(request, MessageId, "message_id")
    async with incoming as (change, uploads):
        changed = await edit.update(request[CONTEXT], channel_id, message_id, change, uploads)
    return json_response(await message_payloads.message(request, changed))


@routes.delete(
    "/channels/{channel_id}/messages/{message_id}",
    P.MANAGE_MESSAGES,
    limit=Limit(5, 1.0),
    answers=None,
)
async def delete(request: web.Request) -> web.Response:
    """Delete a message. Needs to be its author, or MANAGE_MESSAGES. Emits MESSAGE_DELETE."""
    channel_id = path_id(request, ChannelId, "channel_id")
    message_id = path_id(request, MessageId, "message_id")
    await deletion.delete(request[CONTEXT], channel_id, message_id)
    return no_content()
