"""Recent mentions of the caller."""

from __future__ import annotations

from aiohttp import web

from chatd.core.ids import MessageId
from chatd.ratelimit.window import Limit
from chatd.rest import message_payloads
from chatd.rest.request import path_id
from chatd.rest.response import encoded_json_response, no_content
from chatd.rest.routing import HUMAN, Routes
from chatd.services.messages import recent_mentions
from chatd.web.keys import CONTEXT
from chatd.wire import responses
from chatd.wire.json_schema import array_of
from chatd.wire.schemas.query_strings import MentionPage, MentionPageSchema

routes = Routes()


@routes.get(
    "/users/@me/mentions",
    HUMAN,
    limit=Limit(10, 20.0),  # it looks into every channel of the caller
    query=MentionPageSchema,
    answers={
        200: array_of(responses.MESSAGE),
        404: responses.ERROR,
    },
)
async def list_for_caller(request: web.Request, query: MentionPage) -> web.Response:
    """List the messages of the last seven days that mention the caller, newest first.

    Only in channels whose history the caller may read.
    """
    found = await recent_mentions.list_for_caller(request[CONTEXT], query)
    return encoded_json_response(await message_payloads.page(request, found))


@routes.delete("/users/@me/mentions/{message_id}", HUMAN, answers=None)
async def remove(request: web.Request) -> web.Response:
    """Remove a message from the caller's recent mentions.

    Emits RECENT_MENTION_DELETE to the caller's own sessions.
    """
    message_id = path_id(request, MessageId, "message_id")
    await recent_mentions.remove(request[CONTEXT], message_id)
    return no_content()
