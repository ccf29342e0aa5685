"""Users, and one's own account."""

from __future__ import annotations

from aiohttp import web

from chatd.core import permissions
from chatd.core.ids import GuildId, UserId
from chatd.core.permissions import Permissions
from chatd.keys import CALLERS, CONTEXT
from chatd.rest.parse import MAX_IMAGE_BODY, Json, answer, no_content, path_id
from chatd.rest.routes import MEMBER, PERSON, USER, Routes
from chatd.services import deletion, guilds, members, users
from chatd.wire import payloads, shapes
from chatd.wire.schemas import accounts as schemas
from chatd.wire.schemas import queries
from chatd.wire.shape import array_of

routes = Routes()


@routes.get("/users/@me", USER, answers=shapes.OWN_USER)
async def get_own(request: web.Request) -> web.Response:
    """The caller's own account."""
    return answer(payloads.own_user(await users.own_account(request[CONTEXT])))


@routes.patch(
    "/users/@me",
    USER,
    body=Json(schemas.ProfileChangeSchema, most=MAX_IMAGE_BODY),
    answers=shapes.OWN_USER,
)
async def update_own(request: web.Request, change: schemas.ProfileChange) -> web.Response:
    """Change what the caller tells of itself; address and password need the current password.

    Emits USER_UPDATE, and GUILD_MEMBER_UPDATE in every guild for what is shown there.
    """
    ctx = request[CONTEXT]
    account = await users.update_profile(ctx, change)
    request.app[CALLERS].forget(ctx.user.id)
    return answer(payloads.own_user(account))


@routes.post(
    "/users/@me/delete",
    PERSON,
    body=Json(schemas.ConfirmationSchema, optional=True),
    answers=None,
)
@routes.delete(
    "/users/@me", PERSON, body=Json(schemas.ConfirmationSchema, optional=True), answers=None
)
async def delete_own(request: web.Request, wanted: schemas.Confirmation) -> web.Response:
    """Delete the caller's account, given its password. Emits GUILD_MEMBER_REMOVE."""
    ctx = request[CONTEXT]
    await deletion.delete_account(ctx, wanted.password)
    request.app[CALLERS].forget(ctx.user.id)
    return no_content()


@routes.get(
    "/users/@me/guilds", USER, query=queries.GuildPageSchema, answers=array_of(shapes.GUILD_SUMMARY)
)
async def get_own_guilds(request: web.Request, wanted: queries.GuildPage) -> web.Response:
    """The caller's guilds, in the order of ids."""
    ctx = request[CONTEXT]
    memberships = await guilds.of_caller(
        ctx,
        before=wanted.before,
        after=wanted.after,
        limit=wanted.limit,
    )
    counted = {}
    if wanted.with_counts:
        counted = await guilds.counts(ctx, [each.guild.id for each in memberships])
    return answer(
        [
            payloads.guild_summary(
                each.guild,
                is_owner=each.guild.owner_id == ctx.user.id,
                permissions=permissions.in_guild(
                    is_owner=each.guild.owner_id == ctx.user.id,
                    roles=[Permissions(bits) for bits in each.role_permissions],
                ),
                counts=counted.get(each.guild.id),
            )
            for each in memberships
        ]
    )


@routes.delete("/users/@me/guilds/{guild_id}", MEMBER, answers=None)
async def leave_guild(request: web.Request) -> web.Response:
    """Leave a guild.

    Any member but the owner may leave. Emits GUILD_MEMBER_REMOVE, GUILD_DELETE.
    """
    await members.leave(request[CONTEXT], path_id(request, GuildId, "guild_id"))
    return no_content()


@routes.get("/users/{user_id}", USER, answers=shapes.USER)
async def get(request: web.Request) -> web.Response:
    """Any user, to anyone who is logged in."""
    ctx = request[CONTEXT]
    return answer(payloads.user(await users.get(ctx, path_id(request, UserId, "user_id"))))


@routes.get("/users/{user_id}/profile", USER, answers=shapes.PROFILE)
async def get_profile(request: web.Request) -> web.Response:
    """A user's profile, to itself and to those who share a guild with it."""
    ctx = request[CONTEXT]
    profile = await users.profile(ctx, path_id(request, UserId, "user_id"))
    return answer(payloads.profile(profile))
