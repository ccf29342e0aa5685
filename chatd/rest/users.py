"""Users, and the caller's own account."""

from __future__ import annotations

from aiohttp import web

from chatd.core.ids import GuildId, UserId
from chatd.ratelimit.window import Limit
from chatd.rest.request import MAX_IMAGE_BODY, JsonBody, path_id
from chatd.rest.response import json_array_response, json_response, no_content
from chatd.rest.routing import AUTHENTICATED, HUMAN, MEMBER, Routes
from chatd.services.accounts import deletion, users
from chatd.services.guilds import guilds, members
from chatd.web.keys import CONTEXT
from chatd.wire import payloads, responses
from chatd.wire.json_schema import array_of
from chatd.wire.schemas import accounts as schemas
from chatd.wire.schemas import query_strings

routes = Routes()


@routes.get("/users/@me", AUTHENTICATED, answers=responses.OWN_USER)
async def get_own(request: web.Request) -> web.Response:
    """Get the caller's own account."""
    return json_response(payloads.own_user(await users.own_account(request[CONTEXT])))


@routes.patch(
    "/users/@me",
    AUTHENTICATED,
    body=JsonBody(schemas.ProfileChangeSchema, max_bytes=MAX_IMAGE_BODY),
    answers={200: responses.OWN_USER, 401: responses.MFA_REQUIRED},
)
async def update_own(request: web.Request, change: schemas.ProfileChange) -> web.Response:
    """Change the caller's account.

    A new email address or password needs the current password, and the second factor of an account
    that has one. Emits USER_UPDATE, and GUILD_MEMBER_UPDATE in every guild if a shown field
    changes.
    """
    ctx = request[CONTEXT]
    account = await users.update_profile(ctx, change)
    return json_response(payloads.own_user(account))


@routes.patch(
    "/users/@me/profile",
    HUMAN,
    body=JsonBody(schemas.BioChangeSchema),
    answers=responses.PROFILE_METADATA,
)
async def update_own_profile(request: web.Request, change: schemas.BioChange) -> web.Response:
    """Change the caller's bio, as `PATCH /users/@me` does. Emits USER_UPDATE."""
    account = await users.update_profile(request[CONTEXT], schemas.ProfileChange(bio=change.bio))
    return json_response(payloads.profile_metadata(account.bio))


@routes.post(
    "/users/@me/delete",
    HUMAN,
    body=JsonBody(schemas.ConfirmationSchema, optional=True),
    answers={204: None, 401: responses.MFA_REQUIRED},
)
@routes.delete(
    "/users/@me",
    HUMAN,
    body=JsonBody(schemas.ConfirmationSchema, optional=True),
    answers={204: None, 401: responses.MFA_REQUIRED},
)
async def delete_own(request: web.Request, body: schemas.Confirmation) -> web.Response:
    """Delete the caller's account. Needs its password, and its second factor if it has one.

    Emits GUILD_MEMBER_REMOVE.
    """
    ctx = request[CONTEXT]
    await deletion.delete_account(ctx, body.password, body.code)
    return no_content()


@routes.get(
    "/users/@me/guilds",
    AUTHENTICATED,
    query=query_strings.GuildPageSchema,
    answers=array_of(responses.GUILD_SUMMARY),
)
async def get_own_guilds(request: web.Request, query: query_strings.GuildPage) -> web.Response:
    """List the caller's guilds, by id."""
    ctx = request[CONTEXT]
    memberships = await guilds.list_for_caller(
        ctx,
        before=query.before,
        after=query.after,
        limit=query.limit,
    )
    counted = {}
    if query.with_counts:
        counted = await guilds.counts(ctx, [each.guild.id for each in memberships])
    return json_response(
        [
            payloads.guild_summary(
                each.guild,
                is_owner=each.guild.owner_id == ctx.user.id,
                permissions=each.permissions_of(ctx.user.id),
                counts=counted.get(each.guild.id),
            )
            for each in memberships
        ]
    )


@routes.delete("/users/@me/guilds/{guild_id}", MEMBER, answers=None)
async def leave_guild(request: web.Request) -> web.Response:
    """Leave a guild.

    The owner cannot leave. Emits GUILD_MEMBER_REMOVE, GUILD_DELETE.
    """
    await members.leave(request[CONTEXT], path_id(request, GuildId, "guild_id"))
    return no_content()


@routes.get("/users/{user_id}", AUTHENTICATED, answers=responses.USER)
async def get(request: web.Request) -> web.Response:
    """Get a user."""
    ctx = request[CONTEXT]
    return json_response(payloads.user(await users.get(ctx, path_id(request, UserId, "user_id"))))


@routes.get(
    "/users/{user_id}/profile",
    HUMAN,
    query=query_strings.ProfilePartsSchema,
    answers=responses.PROFILE,
)
async def get_profile(request: web.Request, query: query_strings.ProfileParts) -> web.Response:
    """Get a user's profile, and what the user has in common with the caller.

    Needs to be the user, its friend, the recipient of its friend request, or a member of a common
    guild; everyone may see the profile of a bot.
    """
    user_id = path_id(request, UserId, "user_id")
    profile = await users.profile(request[CONTEXT], user_id, query)
    return json_response(payloads.profile(profile))


@routes.get(
    "/users/{user_id}/relationships",
    HUMAN,
    limit=Limit(10, 10.0),  # a response can have 300 kB
    answers=array_of(responses.USER),
)
async def list_mutual_friends(request: web.Request) -> web.Response:
    """List the friends that the caller shares with a user whose profile it may see."""
    user_id = path_id(request, UserId, "user_id")
    found = await users.mutual_friends(request[CONTEXT], user_id)
    return await json_array_response(found, payloads.user)
