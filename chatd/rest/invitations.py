"""Invitations to register, for administrators of the server."""

from __future__ import annotations

from aiohttp import web

from chatd.core.errors import UnknownInvitation
from chatd.keys import CONTEXT
from chatd.rest.parse import Json, answer, no_content
from chatd.rest.routes import ADMINISTRATOR, Routes
from chatd.services import invitations
from chatd.wire import payloads, shapes
from chatd.wire.schemas import accounts as schemas
from chatd.wire.shape import array_of

routes = Routes()


@routes.post(
    "/auth/invitations",
    ADMINISTRATOR,
    body=Json(schemas.NewInvitationSchema, optional=True),
    answers={201: shapes.INVITATION},
)
async def create(request: web.Request, wanted: schemas.NewInvitation) -> web.Response:
    """Invite to register. Needs an administrator of the server."""
    made = await invitations.create(request[CONTEXT], wanted)
    return answer(payloads.invitation(made), status=201)


@routes.get("/auth/invitations", ADMINISTRATOR, answers=array_of(shapes.INVITATION))
async def living(request: web.Request) -> web.Response:
    """The invitations that can still be used. Needs an administrator of the server."""
    found = await invitations.living(request[CONTEXT])
    return answer([payloads.invitation(each) for each in found])


@routes.delete("/auth/invitations/{code}", ADMINISTRATOR, answers=None)
async def delete(request: web.Request) -> web.Response:
    """Take an invitation back. Needs an administrator of the server."""
    code = request.match_info["code"]
    if not (code.isascii() and code.isalnum() and len(code) <= 32):
        raise UnknownInvitation  # no code of ours looks like that, and Postgres takes no NUL
    await invitations.delete(request[CONTEXT], code)
    return no_content()
