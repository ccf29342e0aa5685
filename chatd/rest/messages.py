"""Messages of a channel."""

from __future__ import annotations

from aiohttp import web

from chatd.core.ids import ChannelId, MessageId
from chatd.core.permissions import Permissions as P
from chatd.ephemeral.windows import Limit
from chatd.keys import CONTEXT, READER, SENDER
from chatd.rest.parse import Json, answer, no_content, path_id
from chatd.rest.routes import Routes
from chatd.rest.uploads import Incoming, MessageBody
from chatd.services import messages
from chatd.wire import payloads, shapes
from chatd.wire.schemas import messages as schemas
from chatd.wire.schemas import queries
from chatd.wire.shape import array_of

routes = Routes()


@routes.get(
    "/channels/{channel_id}/messages",
    P.VIEW_CHANNEL,
    query=queries.MessagePageSchema,
    answers=array_of(shapes.MESSAGE),
)
async def page(request: web.Request, wanted: queries.MessagePage) -> web.Response:
    """A page of the messages of a channel.

    Needs VIEW_CHANNEL; shows nothing without READ_MESSAGE_HISTORY. Newest first.
    """
    found = await request.app[READER].page(
        request[CONTEXT],
        path_id(request, ChannelId, "channel_id"),
        limit=wanted.limit,
        before=wanted.before,
        after=wanted.after,
        around=wanted.around,
    )
    return answer(payloads.messages(found))


@routes.post(
    "/channels/{channel_id}/messages",
    P.SEND_MESSAGES,
    limit=Limit(5, 5.0),
    body=MessageBody(schemas.NewMessageSchema),
    answers=shapes.MESSAGE,
)
async def create(request: web.Request, incoming: Incoming[schemas.NewMessage]) -> web.Response:
    """Write a message.

    Needs SEND_MESSAGES, ATTACH_FILES for files, EMBED_LINKS for embeds, and READ_MESSAGE_HISTORY
    to reply. Emits MESSAGE_CREATE.
    """
    channel_id = path_id(request, ChannelId, "channel_id")
    async with incoming as (wanted, uploads):
        files = uploads.described(wanted.attachments)
        message = await request.app[SENDER].send(request[CONTEXT], channel_id, wanted, files)
    payload = payloads.message(message)
    if wanted.nonce is not None:
        payload["nonce"] = wanted.nonce
    return answer(payload)


@routes.post(
    "/channels/{channel_id}/messages/bulk-delete",
    P.MANAGE_MESSAGES,
    limit=Limit(1, 1.0),
    body=Json(schemas.BulkDeleteSchema),
    answers=None,
)
async def delete_many(request: web.Request, wanted: schemas.BulkDelete) -> web.Response:
    """Delete many messages at once. Needs MANAGE_MESSAGES. Emits MESSAGE_DELETE_BULK."""
    channel_id = path_id(request, ChannelId, "channel_id")
    await messages.delete_many(request[CONTEXT], channel_id, wanted.messages)
    return no_content()


@routes.post("/channels/{channel_id}/typing", P.SEND_MESSAGES, limit=Limit(5, 5.0), answers=None)
async def start_typing(request: web.Request) -> web.Response:
    """Show that the caller types, for ten seconds. Needs SEND_MESSAGES. Emits TYPING_START."""
    await messages.start_typing(request[CONTEXT], path_id(request, ChannelId, "channel_id"))
    return no_content()


@routes.get(
    "/channels/{channel_id}/messages/{message_id}", P.READ_MESSAGE_HISTORY, answers=shapes.MESSAGE
)
async def get(request: web.Request) -> web.Response:
    """One message. Needs VIEW_CHANNEL and READ_MESSAGE_HISTORY."""
    channel_id = path_id(request, ChannelId, "channel_id")
    message_id = path_id(request, MessageId, "message_id")
    return answer(payloads.message(await messages.get(request[CONTEXT], channel_id, message_id)))


@routes.patch(
    "/channels/{channel_id}/messages/{message_id}",
    P.MANAGE_MESSAGES,
    limit=Limit(5, 5.0),
    body=MessageBody(schemas.MessageChangeSchema),
    answers=shapes.MESSAGE,
)
async def update(request: web.Request, incoming: Incoming[schemas.MessageChange]) -> web.Response:
    """Change a message.

    The author may edit; MANAGE_MESSAGES may change the flags. Emits MESSAGE_UPDATE.
    """
    channel_id = path_id(request, ChannelId, "channel_id")
    message_id = path_id(request, MessageId, "message_id")
    async with incoming as (change, uploads):
        changed = await messages.update(request[CONTEXT], channel_id, message_id, change, uploads)
    return answer(payloads.message(changed))


@routes.delete(
    "/channels/{channel_id}/messages/{message_id}",
    P.MANAGE_MESSAGES,
    limit=Limit(5, 1.0),
    answers=None,
)
async def delete(request: web.Request) -> web.Response:
    """Delete a message. The author may delete, and MANAGE_MESSAGES. Emits MESSAGE_DELETE."""
    channel_id = path_id(request, ChannelId, "channel_id")
    message_id = path_id(request, MessageId, "message_id")
    await messages.delete(request[CONTEXT], channel_id, message_id)
    return no_content()
