"""Invites."""

from __future__ import annotations

from aiohttp import web

from chatd.core.errors import UnknownInvite
from chatd.core.ids import ChannelId
from chatd.core.permissions import Permissions as P
from chatd.keys import CONTEXT, RESOURCES
from chatd.rest.parse import answer, optional_body, path_id, query_flag
from chatd.rest.routes import ANYONE, USER, Routes
from chatd.services import invites
from chatd.wire import payloads
from chatd.wire.schemas import invites as schemas

routes = Routes()


@routes.post("/channels/{channel_id}/invites", P.CREATE_INSTANT_INVITE)
async def create(request: web.Request) -> web.Response:
    """Needs CREATE_INSTANT_INVITE. Emits INVITE_CREATE."""
    channel_id = path_id(request, ChannelId, "channel_id")
    wanted = await optional_body(request, schemas.NewInviteSchema)
    invite = await invites.create(request[CONTEXT], channel_id, wanted)
    return answer(payloads.invite_with_uses(invite))


@routes.get("/channels/{channel_id}/invites", P.MANAGE_CHANNELS)
async def of_channel(request: web.Request) -> web.Response:
    """Needs MANAGE_CHANNELS."""
    channel_id = path_id(request, ChannelId, "channel_id")
    found = await invites.of_channel(request[CONTEXT], channel_id)
    return answer([payloads.invite_with_uses(invite) for invite in found])


@routes.get("/invites/{code}", ANYONE)
async def get(request: web.Request) -> web.Response:
    """Anyone who knows the code may see where it leads."""
    invite, counts = await invites.get(request.app[RESOURCES], _code(request))
    payload = payloads.invite(invite)
    if query_flag(request, "with_counts"):
        payload |= payloads.counts(counts)
    return answer(payload)


@routes.post("/invites/{code}", USER)
async def accept(request: web.Request) -> web.Response:
    """Anyone who knows the code and is not banned may join. Emits GUILD_MEMBER_ADD, GUILD_CREATE.

    An invite with no uses left is as unknown as one that never was.
    """
    await optional_body(request, schemas.NothingSchema)
    return answer(payloads.invite(await invites.accept(request[CONTEXT], _code(request))))


@routes.delete("/invites/{code}", P.MANAGE_CHANNELS)
async def delete(request: web.Request) -> web.Response:
    """Its maker may, and MANAGE_CHANNELS or MANAGE_GUILD. Emits INVITE_DELETE."""
    return answer(payloads.invite(await invites.delete(request[CONTEXT], _code(request))))


def _code(request: web.Request) -> str:
    code = request.match_info["code"]
    if not (code.isascii() and code.isalnum() and len(code) <= 32):
        raise UnknownInvite  # no code of ours looks like that, and Postgres takes no NUL
    return code
