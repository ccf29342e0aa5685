"""Bans of a guild."""

from __future__ import annotations

from aiohttp import web

from chatd.core.ids import GuildId, UserId
from chatd.core.permissions import Permissions as P
from chatd.keys import CONTEXT
from chatd.rest.parse import Json, answer, no_content, path_id
from chatd.rest.routes import Routes
from chatd.services import bans
from chatd.wire import payloads, shapes
from chatd.wire.schemas import bans as schemas
from chatd.wire.schemas import queries
from chatd.wire.shape import array_of

routes = Routes()


@routes.get(
    "/guilds/{guild_id}/bans",
    P.BAN_MEMBERS,
    query=queries.BanPageSchema,
    answers=array_of(shapes.BAN),
)
async def page(request: web.Request, wanted: queries.BanPage) -> web.Response:
    """A page of the bans of a guild. Needs BAN_MEMBERS. In the order of user ids."""
    found = await bans.page(
        request[CONTEXT],
        path_id(request, GuildId, "guild_id"),
        before=wanted.before,
        after=wanted.after,
        limit=wanted.limit,
    )
    return answer([payloads.ban(ban) for ban in found])


@routes.get("/guilds/{guild_id}/bans/{user_id}", P.BAN_MEMBERS, answers=shapes.BAN)
async def get(request: web.Request) -> web.Response:
    """One ban. Needs BAN_MEMBERS."""
    guild_id = path_id(request, GuildId, "guild_id")
    user_id = path_id(request, UserId, "user_id")
    return answer(payloads.ban(await bans.get(request[CONTEXT], guild_id, user_id)))


@routes.put(
    "/guilds/{guild_id}/bans/{user_id}",
    P.BAN_MEMBERS,
    body=Json(schemas.NewBanSchema, optional=True),
    answers=None,
)
async def add(request: web.Request, wanted: schemas.NewBan) -> web.Response:
    """Ban a user, who need not be a member.

    Needs BAN_MEMBERS and a higher role. Emits GUILD_BAN_ADD, GUILD_MEMBER_REMOVE.
    """
    guild_id = path_id(request, GuildId, "guild_id")
    user_id = path_id(request, UserId, "user_id")
    await bans.add(request[CONTEXT], guild_id, user_id, wanted)
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
    body=Json(schemas.NewBansSchema),
    answers=shapes.BULK_BAN,
)
async def add_many(request: web.Request, wanted: schemas.NewBans) -> web.Response:
    """Ban many users at once.

    Needs BAN_MEMBERS, MANAGE_GUILD and a higher role. Emits as one ban each.
    """
    guild_id = path_id(request, GuildId, "guild_id")
    banned, failed = await bans.add_many(request[CONTEXT], guild_id, wanted)
    return answer(
        {
            "banned_users": [str(user_id) for user_id in banned],
            "failed_users": [str(user_id) for user_id in failed],
        }
    )
