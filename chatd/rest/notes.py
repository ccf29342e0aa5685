"""Notes of the caller about other users."""

from __future__ import annotations

from aiohttp import web

from chatd.core.ids import UserId
from chatd.ratelimit.window import Limit
from chatd.rest.request import JsonBody, path_id
from chatd.rest.response import json_response, no_content
from chatd.rest.routing import HUMAN, Routes
from chatd.services.accounts import notes
from chatd.web.keys import CONTEXT
from chatd.wire import responses
from chatd.wire.schemas import accounts as schemas

routes = Routes()


@routes.get(
    "/users/@me/notes",
    HUMAN,
    limit=Limit(10, 10.0),  # a response can have 1.5 MB
    answers=responses.NOTES,
)
async def list_for_caller(request: web.Request) -> web.Response:
    """Get all notes of the caller, by the id of the user that each is about."""
    found = await notes.list_for_caller(request[CONTEXT])
    return json_response({str(user_id): note for user_id, note in found.items()})


@routes.get("/users/@me/notes/{user_id}", HUMAN, answers=responses.NOTE)
async def get(request: web.Request) -> web.Response:
    """Get the caller's note about a user."""
    ctx, user_id = request[CONTEXT], path_id(request, UserId, "user_id")
    note = await notes.get(ctx, user_id)
    return json_response({"note": note, "note_user_id": str(user_id), "user_id": str(ctx.user.id)})


@routes.put(
    "/users/@me/notes/{user_id}",
    HUMAN,
    body=JsonBody(schemas.NewNoteSchema),
    answers=None,
)
async def put(request: web.Request, body: schemas.NewNote) -> web.Response:
    """Set the caller's note about a user; null or an empty note deletes it.

    No other user ever sees it. Emits USER_NOTE_UPDATE to the caller's own sessions.
    """
    user_id = path_id(request, UserId, "user_id")
    await notes.put(request[CONTEXT], user_id, body.note or "")
    return no_content()
