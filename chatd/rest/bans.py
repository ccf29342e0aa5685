"""Bans of a guild."""

from __future__ import annotations

from aiohttp import web

from chatd.core.ids import GuildId, UserId
from chatd.core.permissions import Permissions as P
from chatd.keys import CONTEXT
from chatd.rest.parse import (
    answer,
    body,
    no_content,
    optional_body,
    path_id,
    query_id,
    query_int,
)
from chatd.rest.routes import Routes
from chatd.services import bans
from chatd.wire import payloads
from chatd.wire.schemas import bans as schemas

routes = Routes()


@routes.get("/guilds/{guild_id}/bans", P.BAN_MEMBERS)
async def page(request: web.Request) -> web.Response:
    """Needs BAN_MEMBERS. In the order of user ids."""
    found = await bans.page(
        request[CONTEXT],
        path_id(request, GuildId, "guild_id"),
        before=query_id(request, "before"),
        after=query_id(request, "after") or 0,
        limit=query_int(request, "limit", 1000, low=1, high=1000),
    )
    return answer([payloads.ban(ban) for ban in found])


@routes.get("/guilds/{guild_id}/bans/{user_id}", P.BAN_MEMBERS)
async def get(request: web.Request) -> web.Response:
    """Needs BAN_MEMBERS."""
    guild_id = path_id(request, GuildId, "guild_id")
    user_id = path_id(request, UserId, "user_id")
    return answer(payloads.ban(await bans.get(request[CONTEXT], guild_id, user_id)))


@routes.put("/guilds/{guild_id}/bans/{user_id}", P.BAN_MEMBERS)
async def add(request: web.Request) -> web.Response:
    """Needs BAN_MEMBERS and a higher role. Emits GUILD_BAN_ADD, GUILD_MEMBER_REMOVE."""
    guild_id = path_id(request, GuildId, "guild_id")
    user_id = path_id(request, UserId, "user_id")
    wanted = await optional_body(request, schemas.NewBanSchema)
    await bans.add(request[CONTEXT], guild_id, user_id, wanted)
    return no_content()


@routes.delete("/guilds/{guild_id}/bans/{user_id}", P.BAN_MEMBERS)
async def lift(request: web.Request) -> web.Response:
    """Needs BAN_MEMBERS. Emits GUILD_BAN_REMOVE."""
    guild_id = path_id(request, GuildId, "guild_id")
    await bans.lift(request[CONTEXT], guild_id, path_id(request, UserId, "user_id"))
    return no_content()


@routes.post("/guilds/{guild_id}/bulk-ban", P.BAN_MEMBERS | P.MANAGE_GUILD)
async def add_many(request: web.Request) -> web.Response:
    """Needs BAN_MEMBERS, MANAGE_GUILD and a higher role. Emits as one ban each."""
    guild_id = path_id(request, GuildId, "guild_id")
    wanted = await body(request, schemas.NewBansSchema)
    banned, failed = await bans.add_many(request[CONTEXT], guild_id, wanted)
    return answer(
        {
            "banned_users": [str(user_id) for user_id in banned],
            "failed_users": [str(user_id) for user_id in failed],
        }
    )
