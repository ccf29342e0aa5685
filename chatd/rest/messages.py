"""Messages of a channel."""

from __future__ import annotations

from aiohttp import web

from chatd.core.errors import InvalidForm
from chatd.core.ids import ChannelId, MessageId
from chatd.core.permissions import Permissions as P
from chatd.ephemeral.windows import Limit
from chatd.keys import CONTEXT, SENDER, UPLOAD_MAX_BYTES
from chatd.rest.parse import answer, body, no_content, path_id, query_id, query_int
from chatd.rest.routes import Routes
from chatd.rest.uploads import is_form, receive
from chatd.services import messages
from chatd.services.uploads import Uploads
from chatd.wire import payloads
from chatd.wire.fields import Schema, T
from chatd.wire.schemas import messages as schemas

routes = Routes()


@routes.get("/channels/{channel_id}/messages", P.VIEW_CHANNEL)
async def page(request: web.Request) -> web.Response:
    """Needs VIEW_CHANNEL; shows nothing without READ_MESSAGE_HISTORY. Newest first."""
    cursors = {name: query_id(request, name) for name in ("before", "after", "around")}
    if sum(cursor is not None for cursor in cursors.values()) > 1:
        text = "Only one of before, after and around can be given."
        raise InvalidForm.of("before", "BASE_TYPE_CHOICES", text)
    found = await messages.page(
        request[CONTEXT],
        path_id(request, ChannelId, "channel_id"),
        limit=query_int(request, "limit", 50, low=1, high=100),
        **cursors,
    )
    return answer([payloads.message(message) for message in found])


@routes.post("/channels/{channel_id}/messages", P.SEND_MESSAGES, Limit(5, 5.0))
async def create(request: web.Request) -> web.Response:
    """Needs SEND_MESSAGES, and READ_MESSAGE_HISTORY to reply. Emits MESSAGE_CREATE."""
    ctx, channel_id = request[CONTEXT], path_id(request, ChannelId, "channel_id")
    sender = request.app[SENDER]
    async with _uploads(request, channel_id) as uploads:
        if is_form(request):
            await sender.require_upload(ctx, channel_id)
        wanted = await _said(request, uploads, schemas.NewMessageSchema)
        files = uploads.described(wanted.attachments)
        message = await sender.send(ctx, channel_id, wanted, files)
    payload = payloads.message(message)
    if wanted.nonce is not None:
        payload["nonce"] = wanted.nonce
    return answer(payload)


@routes.post("/channels/{channel_id}/messages/bulk-delete", P.MANAGE_MESSAGES, Limit(1, 1.0))
async def delete_many(request: web.Request) -> web.Response:
    """Needs MANAGE_MESSAGES. Emits MESSAGE_DELETE_BULK."""
    channel_id = path_id(request, ChannelId, "channel_id")
    wanted = await body(request, schemas.BulkDeleteSchema)
    await messages.delete_many(request[CONTEXT], channel_id, wanted.messages)
    return no_content()


@routes.post("/channels/{channel_id}/typing", P.SEND_MESSAGES, Limit(5, 5.0))
async def start_typing(request: web.Request) -> web.Response:
    """Needs SEND_MESSAGES. Emits TYPING_START."""
    await messages.start_typing(request[CONTEXT], path_id(request, ChannelId, "channel_id"))
    return no_content()


@routes.get("/channels/{channel_id}/messages/{message_id}", P.READ_MESSAGE_HISTORY)
async def get(request: web.Request) -> web.Response:
    """Needs VIEW_CHANNEL and READ_MESSAGE_HISTORY."""
    channel_id = path_id(request, ChannelId, "channel_id")
    message_id = path_id(request, MessageId, "message_id")
    return answer(payloads.message(await messages.get(request[CONTEXT], channel_id, message_id)))


@routes.patch("/channels/{channel_id}/messages/{message_id}", P.MANAGE_MESSAGES, Limit(5, 5.0))
async def update(request: web.Request) -> web.Response:
    """The author may edit; MANAGE_MESSAGES may change the flags. Emits MESSAGE_UPDATE."""
    channel_id = path_id(request, ChannelId, "channel_id")
    message_id = path_id(request, MessageId, "message_id")
    ctx = request[CONTEXT]
    async with _uploads(request, channel_id) as uploads:
        if is_form(request):
            await request.app[SENDER].require_upload(ctx, channel_id)
        change = await _said(request, uploads, schemas.MessageChangeSchema)
        changed = await messages.update(ctx, channel_id, message_id, change, uploads)
    return answer(payloads.message(changed))


@routes.delete("/channels/{channel_id}/messages/{message_id}", P.MANAGE_MESSAGES, Limit(5, 1.0))
async def delete(request: web.Request) -> web.Response:
    """The author may delete, and MANAGE_MESSAGES. Emits MESSAGE_DELETE."""
    channel_id = path_id(request, ChannelId, "channel_id")
    message_id = path_id(request, MessageId, "message_id")
    await messages.delete(request[CONTEXT], channel_id, message_id)
    return no_content()


def _uploads(request: web.Request, channel_id: ChannelId) -> Uploads:
    return Uploads(request[CONTEXT], channel_id, max_bytes=request.app[UPLOAD_MAX_BYTES])


async def _said(request: web.Request, uploads: Uploads, schema: type[Schema[T]]) -> T:
    """The message in a request: its JSON body, or that of a form whose files go to `uploads`."""
    if not is_form(request):
        return await body(request, schema)
    form = await receive(request, uploads, max_bytes=request.app[UPLOAD_MAX_BYTES])
    return schema().read(form.payload)
