"""Registration codes, for administrators of the server."""

from __future__ import annotations

from aiohttp import web

from chatd.core.errors import UnknownInvitation
from chatd.rest.request import JsonBody
from chatd.rest.response import json_array_response, json_response, no_content
from chatd.rest.routing import ADMINISTRATOR, Routes
from chatd.services.accounts import registration_invites
from chatd.web.keys import CONTEXT
from chatd.wire import payloads, responses
from chatd.wire.json_schema import array_of
from chatd.wire.schemas import accounts as schemas

routes = Routes()


@routes.post(
    "/auth/invitations",
    ADMINISTRATOR,
    body=JsonBody(schemas.NewInvitationSchema, optional=True),
    answers={201: responses.INVITATION},
)
async def create(request: web.Request, body: schemas.NewInvitation) -> web.Response:
    """Create a registration code. Needs an administrator of the server."""
    made = await registration_invites.create(request[CONTEXT], body)
    return json_response(payloads.invitation(made), status=201)


@routes.get("/auth/invitations", ADMINISTRATOR, answers=array_of(responses.INVITATION))
async def list_active(request: web.Request) -> web.Response:
    """List the active registration codes. Needs an administrator of the server."""
    found = await registration_invites.list_active(request[CONTEXT])
    return await json_array_response(found, payloads.invitation)


@routes.delete("/auth/invitations/{code}", ADMINISTRATOR, answers=None)
async def delete(request: web.Request) -> web.Response:
    """Revoke a registration code. Needs an administrator of the server."""
    code = request.match_info["code"]
    if not (code.isascii() and code.isalnum() and len(code) <= 32):
        raise UnknownInvitation  # not one of our codes; Postgres refuses NUL
    await registration_invites.delete(request[CONTEXT], code)
    return no_content()
