"""Members of guilds."""

from __future__ import annotations

from aiohttp import web

from chatd.core.errors import InvalidForm
from chatd.core.ids import GuildId, UserId
from chatd.core.permissions import Permissions as P
from chatd.ephemeral.windows import Limit
from chatd.keys import CONTEXT
from chatd.rest.parse import answer, body, no_content, path_id, query_id, query_int
from chatd.rest.routes import MEMBER, Routes
from chatd.services import members
from chatd.wire import payloads
from chatd.wire.schemas import members as schemas

routes = Routes()


@routes.get("/guilds/{guild_id}/members", MEMBER)
async def page(request: web.Request) -> web.Response:
    """Needs membership. In the order of user ids, from above `after`."""
    found = await members.page(
        request[CONTEXT],
        path_id(request, GuildId, "guild_id"),
        after=query_id(request, "after") or 0,
        limit=query_int(request, "limit", 1, low=1, high=1000),
    )
    return answer([payloads.member(member) for member in found])


@routes.get("/guilds/{guild_id}/members/search", MEMBER, Limit(10, 10.0))
async def search(request: web.Request) -> web.Response:
    """Needs membership. Members whose nickname or username begins with `query`."""
    prefix = request.query.get("query", "")
    if not 1 <= len(prefix) <= 100 or "\0" in prefix:
        text = "Must be between 1 and 100 in length."
        raise InvalidForm.of("query", "BASE_TYPE_BAD_LENGTH", text)
    found = await members.search(
        request[CONTEXT],
        path_id(request, GuildId, "guild_id"),
        prefix,
        limit=query_int(request, "limit", 1, low=1, high=1000),
    )
    return answer([payloads.member(member) for member in found])


@routes.get("/guilds/{guild_id}/members/{user_id}", MEMBER)
async def get(request: web.Request) -> web.Response:
    """Needs membership; `@me` is the caller."""
    ctx = request[CONTEXT]
    guild_id = path_id(request, GuildId, "guild_id")
    is_own = request.match_info["user_id"] == "@me"
    user_id = ctx.user.id if is_own else path_id(request, UserId, "user_id")
    return answer(payloads.member(await members.get(ctx, guild_id, user_id)))


@routes.patch("/guilds/{guild_id}/members/@me", P.CHANGE_NICKNAME)
async def update_own(request: web.Request) -> web.Response:
    """Needs CHANGE_NICKNAME. Emits GUILD_MEMBER_UPDATE."""
    guild_id = path_id(request, GuildId, "guild_id")
    change = await body(request, schemas.OwnMemberChangeSchema)
    return answer(payloads.member(await members.update_own(request[CONTEXT], guild_id, change)))


@routes.patch("/guilds/{guild_id}/members/{user_id}", P.MANAGE_NICKNAMES)
async def update(request: web.Request) -> web.Response:
    """Needs MANAGE_NICKNAMES, MANAGE_ROLES, MODERATE_MEMBERS, for what it changes, and a higher
    role. Emits GUILD_MEMBER_UPDATE."""
    guild_id = path_id(request, GuildId, "guild_id")
    user_id = path_id(request, UserId, "user_id")
    change = await body(request, schemas.MemberChangeSchema)
    changed = await members.update(request[CONTEXT], guild_id, user_id, change)
    return answer(payloads.member(changed))


@routes.delete("/guilds/{guild_id}/members/{user_id}", P.KICK_MEMBERS)
async def kick(request: web.Request) -> web.Response:
    """Needs KICK_MEMBERS and a higher role. Emits GUILD_MEMBER_REMOVE, GUILD_DELETE."""
    guild_id = path_id(request, GuildId, "guild_id")
    await members.kick(request[CONTEXT], guild_id, path_id(request, UserId, "user_id"))
    return no_content()
