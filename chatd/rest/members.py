"""Members of guilds."""

from __future__ import annotations

from aiohttp import web

from chatd.core.ids import GuildId, UserId
from chatd.core.permissions import Permissions as P
from chatd.ephemeral.windows import Limit
from chatd.keys import CONTEXT
from chatd.rest.parse import Json, answer, no_content, path_id
from chatd.rest.routes import MEMBER, Routes
from chatd.services import members
from chatd.wire import payloads, shapes
from chatd.wire.schemas import members as schemas
from chatd.wire.schemas import queries
from chatd.wire.shape import array_of

routes = Routes()


@routes.get(
    "/guilds/{guild_id}/members",
    MEMBER,
    query=queries.MemberPageSchema,
    answers=array_of(shapes.MEMBER),
)
async def page(request: web.Request, wanted: queries.MemberPage) -> web.Response:
    """A page of the members of a guild.

    Needs membership. In the order of user ids, from above `after`.
    """
    found = await members.page(
        request[CONTEXT],
        path_id(request, GuildId, "guild_id"),
        after=wanted.after,
        limit=wanted.limit,
    )
    return answer([payloads.member(member) for member in found])


@routes.get(
    "/guilds/{guild_id}/members/search",
    MEMBER,
    limit=Limit(10, 10.0),
    query=queries.MemberSearchSchema,
    answers=array_of(shapes.MEMBER),
)
async def search(request: web.Request, wanted: queries.MemberSearch) -> web.Response:
    """Members by their names.

    Needs membership. Members whose nickname or username begins with `query`.
    """
    found = await members.search(
        request[CONTEXT],
        path_id(request, GuildId, "guild_id"),
        wanted.query,
        limit=wanted.limit,
    )
    return answer([payloads.member(member) for member in found])


@routes.get("/guilds/{guild_id}/members/@me", MEMBER, answers=shapes.MEMBER)
async def get_own(request: web.Request) -> web.Response:
    """The caller as a member. Needs membership."""
    ctx = request[CONTEXT]
    guild_id = path_id(request, GuildId, "guild_id")
    return answer(payloads.member(await members.get(ctx, guild_id, ctx.user.id)))


@routes.get("/guilds/{guild_id}/members/{user_id}", MEMBER, answers=shapes.MEMBER)
async def get(request: web.Request) -> web.Response:
    """One member. Needs membership."""
    guild_id = path_id(request, GuildId, "guild_id")
    user_id = path_id(request, UserId, "user_id")
    return answer(payloads.member(await members.get(request[CONTEXT], guild_id, user_id)))


@routes.patch(
    "/guilds/{guild_id}/members/@me",
    P.CHANGE_NICKNAME,
    body=Json(schemas.OwnMemberChangeSchema),
    answers=shapes.MEMBER,
)
async def update_own(request: web.Request, change: schemas.OwnMemberChange) -> web.Response:
    """Change one's own nickname. Needs CHANGE_NICKNAME. Emits GUILD_MEMBER_UPDATE."""
    guild_id = path_id(request, GuildId, "guild_id")
    return answer(payloads.member(await members.update_own(request[CONTEXT], guild_id, change)))


@routes.patch(
    "/guilds/{guild_id}/members/{user_id}",
    P.MANAGE_NICKNAMES,
    body=Json(schemas.MemberChangeSchema),
    answers=shapes.MEMBER,
)
async def update(request: web.Request, change: schemas.MemberChange) -> web.Response:
    """Change a member.

    Needs MANAGE_NICKNAMES, MANAGE_ROLES, MODERATE_MEMBERS, for what it changes, and a higher role.
    Emits GUILD_MEMBER_UPDATE.
    """
    guild_id = path_id(request, GuildId, "guild_id")
    user_id = path_id(request, UserId, "user_id")
    changed = await members.update(request[CONTEXT], guild_id, user_id, change)
    return answer(payloads.member(changed))


@routes.delete("/guilds/{guild_id}/members/{user_id}", P.KICK_MEMBERS, answers=None)
async def kick(request: web.Request) -> web.Response:
    """Remove a member, who may come back.

    Needs KICK_MEMBERS and a higher role. Emits GUILD_MEMBER_REMOVE, GUILD_DELETE.
    """
    guild_id = path_id(request, GuildId, "guild_id")
    await members.kick(request[CONTEXT], guild_id, path_id(request, UserId, "user_id"))
    return no_content()
