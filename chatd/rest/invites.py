"""Invites to channels of guilds."""

from __future__ import annotations

from aiohttp import web

from chatd.core.errors import UnknownInvite
from chatd.core.ids import ChannelId, GuildId
from chatd.core.permissions import Permissions as P
from chatd.rest.request import JsonBody, path_id
from chatd.rest.response import json_array_response, json_response
from chatd.rest.routing import HUMAN, PUBLIC, Routes
from chatd.services.guilds import invites
from chatd.web.keys import CONTEXT, DEPENDENCIES
from chatd.wire import payloads, responses
from chatd.wire.json_schema import array_of
from chatd.wire.schemas import invites as schemas
from chatd.wire.schemas import query_strings

routes = Routes()


@routes.post(
    "/channels/{channel_id}/invites",
    P.CREATE_INSTANT_INVITE,
    body=JsonBody(schemas.NewInviteSchema, optional=True),
    answers=responses.INVITE_WITH_USES,
)
async def create(request: web.Request, body: schemas.NewInvite) -> web.Response:
    """Create an invite to a channel. Needs CREATE_INSTANT_INVITE. Emits INVITE_CREATE."""
    channel_id = path_id(request, ChannelId, "channel_id")
    invite = await invites.create(request[CONTEXT], channel_id, body)
    return json_response(payloads.invite_with_uses(invite))


@routes.get(
    "/channels/{channel_id}/invites",
    P.MANAGE_CHANNELS,
    answers=array_of(responses.INVITE_WITH_USES),
)
async def list_for_channel(request: web.Request) -> web.Response:
    """List the invites to a channel. Needs MANAGE_CHANNELS."""
    channel_id = path_id(request, ChannelId, "channel_id")
    found = await invites.list_for_channel(request[CONTEXT], channel_id)
    return await json_array_response(found, payloads.invite_with_uses)


@routes.get(
    "/guilds/{guild_id}/invites", P.MANAGE_GUILD, answers=array_of(responses.INVITE_WITH_USES)
)
async def list_for_guild(request: web.Request) -> web.Response:
    """List the invites to the channels of a guild.

    Needs MANAGE_GUILD. Invites to channels that the caller may not see are left out.
    """
    guild_id = path_id(request, GuildId, "guild_id")
    found = await invites.list_for_guild(request[CONTEXT], guild_id)
    return await json_array_response(found, payloads.invite_with_uses)


@routes.get(
    "/invites/{code}", PUBLIC, query=query_strings.InviteQuerySchema, answers=responses.INVITE
)
async def get(request: web.Request, query: query_strings.InviteQuery) -> web.Response:
    """Get an invite by its code."""
    invite, counts = await invites.get(request.app[DEPENDENCIES], _code(request))
    payload = payloads.invite(invite)
    if query.with_counts:
        payload |= payloads.counts(counts)
    return json_response(payload)


@routes.post(
    "/invites/{code}",
    HUMAN,
    body=JsonBody(schemas.EmptySchema, optional=True),
    answers={200: responses.INVITE, 403: responses.INVITES_PAUSED},
)
async def accept(request: web.Request, _: schemas.Nothing) -> web.Response:
    """Join the guild of an invite.

    Bots cannot join by invites, and banned users cannot join. An invite without remaining uses is
    answered with 404. While invites of the guild are paused, by a moderator or because many
    accounts have joined in a short time, the answer is 403 with the code 40006. Emits
    GUILD_MEMBER_ADD, GUILD_CREATE.
    """
    return json_response(payloads.invite(await invites.accept(request[CONTEXT], _code(request))))


@routes.delete("/invites/{code}", P.MANAGE_CHANNELS, answers=responses.INVITE)
async def delete(request: web.Request) -> web.Response:
    """Delete an invite.

    Needs to be its inviter, MANAGE_CHANNELS in its channel, or MANAGE_GUILD and a channel that the
    caller may see. Emits INVITE_DELETE.
    """
    return json_response(payloads.invite(await invites.delete(request[CONTEXT], _code(request))))


def _code(request: web.Request) -> str:
    code = request.match_info["code"]
    if not (code.isascii() and code.isalnum() and len(code) <= 32):
        raise UnknownInvite  # not one of our codes; Postgres refuses NUL
    return code
