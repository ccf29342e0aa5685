"""Applications and their bots."""

from __future__ import annotations

from aiohttp import web

from chatd.core.ids import GuildId, UserId
from chatd.core.json import JsonObject
from chatd.core.models import Application
from chatd.core.permissions import Permissions as P
from chatd.ratelimit.window import Limit
from chatd.rest.request import MAX_IMAGE_BODY, JsonBody, path_id
from chatd.rest.response import json_array_response, json_response, no_content
from chatd.rest.routing import AUTHENTICATED, BOT, HUMAN, Routes
from chatd.services.accounts import applications
from chatd.web.keys import CONTEXT, DEPENDENCIES
from chatd.wire import payloads, responses
from chatd.wire.json_schema import array_of
from chatd.wire.schemas import applications as schemas
from chatd.wire.schemas.members import NewMember, NewMemberSchema
from chatd.wire.schemas.mfa import MfaCode, MfaCodeSchema

routes = Routes()


@routes.get("/applications", HUMAN, answers=array_of(responses.APPLICATION))
async def list_for_caller(request: web.Request) -> web.Response:
    """List the caller's applications."""
    found = await applications.list_for_caller(request[CONTEXT])
    return await json_array_response(
        found, lambda each: payloads.application(each, _verify_key(request, each))
    )


@routes.post(
    "/applications",
    HUMAN,
    limit=Limit(5, 60.0),
    body=JsonBody(schemas.NewApplicationSchema),
    answers={201: responses.APPLICATION},
)
async def create(request: web.Request, body: schemas.NewApplication) -> web.Response:
    """Create an application with its bot."""
    made = await applications.create(request[CONTEXT], body)
    return json_response(_payload(request, made), status=201)


@routes.get("/applications/@me", BOT, answers=responses.APPLICATION)
@routes.get("/oauth2/applications/@me", BOT, answers=responses.APPLICATION)
async def of_bot(request: web.Request) -> web.Response:
    """Get the application of the calling bot."""
    return json_response(_payload(request, await applications.own_application(request[CONTEXT])))


@routes.patch(
    "/applications/@me",
    BOT,
    body=JsonBody(schemas.ApplicationChangeSchema, max_bytes=MAX_IMAGE_BODY),
    answers=responses.APPLICATION,
)
async def update_of_bot(request: web.Request, change: schemas.ApplicationChange) -> web.Response:
    """Change the application of the calling bot.

    Only the owner can change `name` and `bot_public`, and add `flags`.
    """
    ctx = request[CONTEXT]
    return json_response(_payload(request, await applications.update(ctx, ctx.user.id, change)))


@routes.get(
    "/applications/{application_id}/public", AUTHENTICATED, answers=responses.PUBLIC_APPLICATION
)
@routes.get(
    "/applications/{application_id}/rpc", AUTHENTICATED, answers=responses.PUBLIC_APPLICATION
)
@routes.get(
    "/oauth2/applications/{application_id}/rpc",
    AUTHENTICATED,
    answers=responses.PUBLIC_APPLICATION,
)
async def get_public(request: web.Request) -> web.Response:
    """Get what any account can see of an application."""
    found = await applications.get_any(request[CONTEXT], path_id(request, UserId, "application_id"))
    return json_response(payloads.public_application(found, _verify_key(request, found)))


@routes.get("/applications/{application_id}", AUTHENTICATED, answers=responses.APPLICATION)
async def get(request: web.Request) -> web.Response:
    """Get an application. Needs its ownership, or its bot."""
    found = await applications.get(request[CONTEXT], path_id(request, UserId, "application_id"))
    return json_response(_payload(request, found))


@routes.patch(
    "/applications/{application_id}",
    AUTHENTICATED,
    body=JsonBody(schemas.ApplicationChangeSchema, max_bytes=MAX_IMAGE_BODY),
    answers=responses.APPLICATION,
)
async def update(request: web.Request, change: schemas.ApplicationChange) -> web.Response:
    """Change an application. Needs its ownership, or its bot.

    A bot can change neither `name` nor `bot_public`, and cannot add `flags`. Kinds of installation
    that `integration_types_config` does not name stay; null removes one.
    A server at `interactions_endpoint_url` receives interactions instead of the gateway. It has to
    answer a PING with `{"type": 1}`, and one with a wrong signature with 401. The signature in
    `X-Signature-Ed25519` (by `verify_key`) covers `X-Signature-Timestamp` and the body.
    `flags` are the flags of the privileged intents that its bot may use: 1<<12 and 1<<13 presences,
    1<<14 and 1<<15 members, 1<<18 and 1<<19 message content.
    """
    application_id = path_id(request, UserId, "application_id")
    changed = await applications.update(request[CONTEXT], application_id, change)
    return json_response(_payload(request, changed))


_DELETED = {204: None, 401: responses.MFA_REQUIRED}


@routes.delete(
    "/applications/{application_id}",
    HUMAN,
    body=JsonBody(MfaCodeSchema, optional=True),
    answers=_DELETED,
)
@routes.post(
    "/applications/{application_id}/delete",
    HUMAN,
    body=JsonBody(MfaCodeSchema, optional=True),
    answers=_DELETED,
)
async def delete(request: web.Request, body: MfaCode) -> web.Response:
    """Delete an application and its bot. Needs its ownership, and the second factor of its owner.

    Emits GUILD_MEMBER_REMOVE.
    """
    application_id = path_id(request, UserId, "application_id")
    await applications.delete_confirmed(request[CONTEXT], application_id, body.code)
    return no_content()


@routes.post(
    "/applications/{application_id}/bot/reset",
    HUMAN,
    limit=Limit(5, 60.0),
    body=JsonBody(MfaCodeSchema, optional=True),
    answers={200: responses.BOT_TOKEN, 401: responses.MFA_REQUIRED},
)
async def replace_token(request: web.Request, body: MfaCode) -> web.Response:
    """Create a new token for the bot, and revoke the previous one. Needs ownership of the
    application, and the second factor of its owner.

    The token is returned only once. It is valid until the next reset.
    """
    application_id = path_id(request, UserId, "application_id")
    token = await applications.replace_token(request[CONTEXT], application_id, body.code)
    return json_response({"token": token})


@routes.put(
    "/guilds/{guild_id}/members/{user_id}",
    P.MANAGE_GUILD,
    bots=False,
    body=JsonBody(NewMemberSchema, optional=True),
    answers={201: responses.MEMBER, 204: None},
)
async def add_to_guild(request: web.Request, _: NewMember) -> web.Response:
    """Add a bot to a guild; 204 if it is a member already.

    Needs MANAGE_GUILD; bots cannot add bots. Only its owner can add a bot that is not public.
    People join by invites. Emits GUILD_MEMBER_ADD, GUILD_CREATE.
    """
    member = await applications.add_to_guild(
        request[CONTEXT], path_id(request, GuildId, "guild_id"), path_id(request, UserId, "user_id")
    )
    return no_content() if member is None else json_response(payloads.member(member), status=201)


def _payload(request: web.Request, found: applications.Installed) -> JsonObject:
    key = _verify_key(request, found.application)
    return payloads.application(found.application, key, guilds=found.guilds, users=found.users)


def _verify_key(request: web.Request, application: Application) -> str:
    return request.app[DEPENDENCIES].interaction_keys.verify_key(application.bot.id)
