"""Members of guilds."""

from __future__ import annotations

from aiohttp import web

from chatd.core.ids import GuildId, UserId
from chatd.core.permissions import Permissions as P
from chatd.ratelimit.window import Limit
from chatd.rest.request import JsonBody, path_id
from chatd.rest.response import json_array_response, json_response, no_content
from chatd.rest.routing import MEMBER, Routes
from chatd.services.guilds import members
from chatd.web.keys import CONTEXT
from chatd.wire import payloads, responses
from chatd.wire.json_schema import array_of
from chatd.wire.schemas import members as schemas
from chatd.wire.schemas import query_strings

routes = Routes()


@routes.get(
    "/guilds/{guild_id}/members",
    MEMBER,
    query=query_strings.MemberPageSchema,
    answers=array_of(responses.MEMBER),
)
async def page(request: web.Request, query: query_strings.MemberPage) -> web.Response:
    """List the members of a guild, by user id.

    Needs membership; a bot also needs the GUILD_MEMBERS flag of its application. Starts above the
    id `after`.
    """
    found = await members.page(
        request[CONTEXT],
        path_id(request, GuildId, "guild_id"),
        after=query.after,
        limit=query.limit,
    )
    return await json_array_response(found, payloads.member)


@routes.get(
    "/guilds/{guild_id}/members/search",
    MEMBER,
    limit=Limit(10, 10.0),
    query=query_strings.MemberSearchSchema,
    answers=array_of(responses.MEMBER),
)
async def search(request: web.Request, query: query_strings.MemberSearch) -> web.Response:
    """Find members whose nickname or username begins with `query`.

    Needs membership; a bot also needs the GUILD_MEMBERS flag of its application.
    """
    found = await members.search(
        request[CONTEXT],
        path_id(request, GuildId, "guild_id"),
        query.query,
        limit=query.limit,
    )
    return await json_array_response(found, payloads.member)


@routes.get("/users/@me/guilds/{guild_id}/member", MEMBER, answers=responses.MEMBER)
@routes.get("/guilds/{guild_id}/members/@me", MEMBER, answers=responses.MEMBER)
async def get_own(request: web.Request) -> web.Response:
    """Get the caller as a member of a guild. Needs membership."""
    ctx = request[CONTEXT]
    guild_id = path_id(request, GuildId, "guild_id")
    return json_response(payloads.member(await members.get(ctx, guild_id, ctx.user.id)))


@routes.get("/guilds/{guild_id}/members/{user_id}", MEMBER, answers=responses.MEMBER)
async def get(request: web.Request) -> web.Response:
    """Get a member. Needs membership."""
    guild_id = path_id(request, GuildId, "guild_id")
    user_id = path_id(request, UserId, "user_id")
    return json_response(payloads.member(await members.get(request[CONTEXT], guild_id, user_id)))


@routes.patch(
    "/guilds/{guild_id}/members/@me",
    P.CHANGE_NICKNAME,
    body=JsonBody(schemas.OwnMemberChangeSchema),
    answers=responses.MEMBER,
)
async def update_own(request: web.Request, change: schemas.OwnMemberChange) -> web.Response:
    """Change the caller's nickname. Needs CHANGE_NICKNAME. Emits GUILD_MEMBER_UPDATE."""
    guild_id = path_id(request, GuildId, "guild_id")
    return json_response(
        payloads.member(await members.update_own(request[CONTEXT], guild_id, change))
    )


@routes.patch(
    "/guilds/{guild_id}/members/{user_id}",
    P.MANAGE_NICKNAMES,
    body=JsonBody(schemas.MemberChangeSchema),
    answers=responses.MEMBER,
)
async def update(request: web.Request, change: schemas.MemberChange) -> web.Response:
    """Change a member.

    Needs a higher role, and for each change its permission: MANAGE_NICKNAMES, MANAGE_ROLES,
    MODERATE_MEMBERS. Emits GUILD_MEMBER_UPDATE.
    """
    guild_id = path_id(request, GuildId, "guild_id")
    user_id = path_id(request, UserId, "user_id")
    changed = await members.update(request[CONTEXT], guild_id, user_id, change)
    return json_response(payloads.member(changed))


@routes.delete("/guilds/{guild_id}/members/{user_id}", P.KICK_MEMBERS, answers=None)
async def kick(request: web.Request) -> web.Response:
    """Kick a member, who can join again.

    Needs KICK_MEMBERS and a higher role. Emits GUILD_MEMBER_REMOVE, GUILD_DELETE.
    """
    guild_id = path_id(request, GuildId, "guild_id")
    await members.kick(request[CONTEXT], guild_id, path_id(request, UserId, "user_id"))
    return no_content()
