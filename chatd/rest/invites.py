"""Invites."""

from __future__ import annotations

from aiohttp import web

from chatd.core.errors import UnknownInvite
from chatd.core.ids import ChannelId, GuildId
from chatd.core.permissions import Permissions as P
from chatd.keys import CONTEXT, RESOURCES
from chatd.rest.parse import Json, answer, path_id
from chatd.rest.routes import ANYONE, USER, Routes
from chatd.services import invites
from chatd.wire import payloads, shapes
from chatd.wire.schemas import invites as schemas
from chatd.wire.schemas import queries
from chatd.wire.shape import array_of

routes = Routes()


@routes.post(
    "/channels/{channel_id}/invites",
    P.CREATE_INSTANT_INVITE,
    body=Json(schemas.NewInviteSchema, optional=True),
    answers=shapes.INVITE_WITH_USES,
)
async def create(request: web.Request, wanted: schemas.NewInvite) -> web.Response:
    """Invite to a channel. Needs CREATE_INSTANT_INVITE. Emits INVITE_CREATE."""
    channel_id = path_id(request, ChannelId, "channel_id")
    invite = await invites.create(request[CONTEXT], channel_id, wanted)
    return answer(payloads.invite_with_uses(invite))


@routes.get(
    "/channels/{channel_id}/invites", P.MANAGE_CHANNELS, answers=array_of(shapes.INVITE_WITH_USES)
)
async def of_channel(request: web.Request) -> web.Response:
    """The invites to a channel. Needs MANAGE_CHANNELS."""
    channel_id = path_id(request, ChannelId, "channel_id")
    found = await invites.of_channel(request[CONTEXT], channel_id)
    return answer([payloads.invite_with_uses(invite) for invite in found])


@routes.get("/guilds/{guild_id}/invites", P.MANAGE_GUILD, answers=array_of(shapes.INVITE_WITH_USES))
async def of_guild(request: web.Request) -> web.Response:
    """The living invites to all channels of a guild. Needs MANAGE_GUILD."""
    guild_id = path_id(request, GuildId, "guild_id")
    found = await invites.of_guild(request[CONTEXT], guild_id)
    return answer([payloads.invite_with_uses(invite) for invite in found])


@routes.get("/invites/{code}", ANYONE, query=queries.CountsSchema, answers=shapes.INVITE)
async def get(request: web.Request, wanted: queries.Counts) -> web.Response:
    """One invite. Anyone who knows the code may see where it leads."""
    invite, counts = await invites.get(request.app[RESOURCES], _code(request))
    payload = payloads.invite(invite)
    if wanted.with_counts:
        payload |= payloads.counts(counts)
    return answer(payload)


@routes.post(
    "/invites/{code}", USER, body=Json(schemas.NothingSchema, optional=True), answers=shapes.INVITE
)
async def accept(request: web.Request, _: schemas.Nothing) -> web.Response:
    """Join the guild of an invite.

    Anyone who knows the code and is not banned may join. Emits GUILD_MEMBER_ADD, GUILD_CREATE.

    An invite with no uses left is as unknown as one that never was.
    """
    return answer(payloads.invite(await invites.accept(request[CONTEXT], _code(request))))


@routes.delete("/invites/{code}", P.MANAGE_CHANNELS, answers=shapes.INVITE)
async def delete(request: web.Request) -> web.Response:
    """Delete an invite.

    Its maker may, and MANAGE_CHANNELS or MANAGE_GUILD. Emits INVITE_DELETE.
    """
    return answer(payloads.invite(await invites.delete(request[CONTEXT], _code(request))))


def _code(request: web.Request) -> str:
    code = request.match_info["code"]
    if not (code.isascii() and code.isalnum() and len(code) <= 32):
        raise UnknownInvite  # no code of ours looks like that, and Postgres takes no NUL
    return code
