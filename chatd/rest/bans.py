"""Bans of a guild."""

from __future__ import annotations

from aiohttp import web

from chatd.core.ids import GuildId, UserId
from chatd.core.permissions import Permissions as P
from chatd.rest.request import JsonBody, path_id
from chatd.rest.response import json_array_response, json_response, no_content
from chatd.rest.routing import Routes
from chatd.services.guilds import bans
from chatd.web.keys import CONTEXT
from chatd.wire import payloads, responses
from chatd.wire.json_schema import array_of
from chatd.wire.schemas import bans as schemas
from chatd.wire.schemas import query_strings

routes = Routes()


@routes.get(
    "/guilds/{guild_id}/bans",
    P.BAN_MEMBERS,
    query=query_strings.BanPageSchema,
    answers=array_of(responses.BAN),
)
async def page(request: web.Request, query: query_strings.BanPage) -> web.Response:
    """List the bans of a guild, by user id. Needs BAN_MEMBERS."""
    found = await bans.page(
        request[CONTEXT],
        path_id(request, GuildId, "guild_id"),
        before=query.before,
        after=query.after,
        limit=query.limit,
    )
    return await json_array_response(found, payloads.ban)


@routes.get("/guilds/{guild_id}/bans/{user_id}", P.BAN_MEMBERS, answers=responses.BAN)
async def get(request: web.Request) -> web.Response:
    """Get a ban. Needs BAN_MEMBERS."""
    guild_id = path_id(request, GuildId, "guild_id")
    user_id = path_id(request, UserId, "user_id")
    return json_response(payloads.ban(await bans.get(request[CONTEXT], guild_id, user_id)))


@routes.put(
    "/guilds/{guild_id}/bans/{user_id}",
    P.BAN_MEMBERS,
    body=JsonBody(schemas.NewBanSchema, optional=True),
    answers=None,
)
async def add(request: web.Request, body: schemas.NewBan) -> web.Response:
    """Ban a user, who need not be a member.

    Needs BAN_MEMBERS and a higher role. Emits GUILD_BAN_ADD, GUILD_MEMBER_REMOVE, and a
    MESSAGE_DELETE_BULK for each batch of deleted messages. The ban is in effect when the response
    is sent; if there are many messages to delete, older ones may be deleted shortly after.
    """
    guild_id = path_id(request, GuildId, "guild_id")
    user_id = path_id(request, UserId, "user_id")
    await bans.add(request[CONTEXT], guild_id, user_id, body)
    return no_content()


@routes.delete("/guilds/{guild_id}/bans/{user_id}", P.BAN_MEMBERS, answers=None)
async def lift(request: web.Request) -> web.Response:
    """Lift a ban. Needs BAN_MEMBERS. Emits GUILD_BAN_REMOVE."""
    guild_id = path_id(request, GuildId, "guild_id")
    await bans.lift(request[CONTEXT], guild_id, path_id(request, UserId, "user_id"))
    return no_content()


@routes.post(
    "/guilds/{guild_id}/bulk-ban",
    P.BAN_MEMBERS | P.MANAGE_GUILD,
    body=JsonBody(schemas.NewBansSchema),
    answers=responses.BULK_BAN,
)
async def add_many(request: web.Request, body: schemas.NewBans) -> web.Response:
    """Ban many users at once.

    Needs BAN_MEMBERS, MANAGE_GUILD and a higher role. Emits the events of a single ban for each
    user.
    """
    guild_id = path_id(request, GuildId, "guild_id")
    banned, failed = await bans.add_many(request[CONTEXT], guild_id, body)
    return json_response(
        {
            "banned_users": [str(user_id) for user_id in banned],
            "failed_users": [str(user_id) for user_id in failed],
        }
    )
