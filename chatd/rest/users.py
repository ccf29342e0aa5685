"""Users, and one's own account."""

from __future__ import annotations

from aiohttp import web

from chatd.core import permissions
from chatd.core.ids import GuildId, UserId
from chatd.core.permissions import Permissions
from chatd.keys import CALLERS, CONTEXT
from chatd.rest.parse import (
    MAX_IMAGE_BODY,
    NEWEST,
    answer,
    body,
    no_content,
    optional_body,
    path_id,
    query_id,
    query_int,
)
from chatd.rest.routes import MEMBER, USER, Routes
from chatd.services import deletion, guilds, members, users
from chatd.wire import payloads
from chatd.wire.schemas import accounts as schemas

routes = Routes()


@routes.get("/users/@me", USER)
async def get_own(request: web.Request) -> web.Response:
    """The caller's own account."""
    return answer(payloads.own_user(await users.own_account(request[CONTEXT])))


@routes.patch("/users/@me", USER)
async def update_own(request: web.Request) -> web.Response:
    """Changes the caller's own. Emits USER_UPDATE; of names GUILD_MEMBER_UPDATE in every guild."""
    ctx = request[CONTEXT]
    change = await body(request, schemas.ProfileChangeSchema, most=MAX_IMAGE_BODY)
    account = await users.update_profile(ctx, change)
    request.app[CALLERS].forget(ctx.user.id)
    return answer(payloads.own_user(account))


@routes.post("/users/@me/delete", USER)
@routes.delete("/users/@me", USER)
async def delete_own(request: web.Request) -> web.Response:
    """Deletes the caller's account, given its password. Emits GUILD_MEMBER_REMOVE."""
    ctx = request[CONTEXT]
    wanted = await optional_body(request, schemas.ConfirmationSchema)
    await deletion.delete_account(ctx, wanted.password)
    request.app[CALLERS].forget(ctx.user.id)
    return no_content()


@routes.get("/users/@me/guilds", USER)
async def get_own_guilds(request: web.Request) -> web.Response:
    """The caller's guilds, in the order of ids."""
    ctx = request[CONTEXT]
    memberships = await guilds.of_caller(
        ctx,
        before=query_id(request, "before") or NEWEST,
        after=query_id(request, "after") or 0,
        limit=query_int(request, "limit", 200, low=1, high=200),
    )
    return answer(
        [
            payloads.guild_summary(
                each.guild,
                is_owner=each.guild.owner_id == ctx.user.id,
                permissions=permissions.in_guild(
                    is_owner=each.guild.owner_id == ctx.user.id,
                    roles=[Permissions(bits) for bits in each.role_permissions],
                ),
            )
            for each in memberships
        ]
    )


@routes.delete("/users/@me/guilds/{guild_id}", MEMBER)
async def leave_guild(request: web.Request) -> web.Response:
    """Any member but the owner may leave. Emits GUILD_MEMBER_REMOVE, GUILD_DELETE."""
    await members.leave(request[CONTEXT], path_id(request, GuildId, "guild_id"))
    return no_content()


@routes.get("/users/{user_id}", USER)
async def get(request: web.Request) -> web.Response:
    """Any user, to anyone who is logged in."""
    ctx = request[CONTEXT]
    return answer(payloads.user(await users.get(ctx, path_id(request, UserId, "user_id"))))


@routes.get("/users/{user_id}/profile", USER)
async def get_profile(request: web.Request) -> web.Response:
    """A user's profile, to itself and to those who share a guild with it."""
    ctx = request[CONTEXT]
    profile = await users.profile(ctx, path_id(request, UserId, "user_id"))
    return answer(payloads.profile(profile))
