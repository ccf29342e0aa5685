"""Members of guilds."""

from __future__ import annotations

from aiohttp import web

from chatd.core.ids import GuildId, UserId
from chatd.keys import CONTEXT
from chatd.rest.parse import answer, path_id, query_id, query_int
from chatd.rest.routes import Routes
from chatd.services import members
from chatd.wire import payloads

routes = Routes()


@routes.get("/guilds/{guild_id}/members")
async def page(request: web.Request) -> web.Response:
    """Needs membership. In the order of user ids, from above `after`."""
    found = await members.page(
        request[CONTEXT],
        path_id(request, GuildId, "guild_id"),
        after=query_id(request, "after") or 0,
        limit=query_int(request, "limit", 1, low=1, high=1000),
    )
    return answer([payloads.member(member) for member in found])


@routes.get("/guilds/{guild_id}/members/{user_id}")
async def get(request: web.Request) -> web.Response:
    """Needs membership; `@me` is the caller."""
    ctx = request[CONTEXT]
    guild_id = path_id(request, GuildId, "guild_id")
    is_own = request.match_info["user_id"] == "@me"
    user_id = ctx.user.id if is_own else path_id(request, UserId, "user_id")
    return answer(payloads.member(await members.get(ctx, guild_id, user_id)))
