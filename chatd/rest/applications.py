"""Applications, and what a bot may know of its own."""

from __future__ import annotations

from aiohttp import web

from chatd.core.ids import GuildId, UserId
from chatd.core.permissions import Permissions as P
from chatd.ephemeral.windows import Limit
from chatd.keys import CALLERS, CONTEXT
from chatd.rest.parse import Json, answer, no_content, path_id
from chatd.rest.routes import BOT, PERSON, Routes
from chatd.services import applications
from chatd.wire import payloads, shapes
from chatd.wire.schemas import applications as schemas
from chatd.wire.schemas.invites import Nothing, NothingSchema
from chatd.wire.shape import array_of

routes = Routes()


@routes.get("/applications", PERSON, answers=array_of(shapes.APPLICATION))
async def of_caller(request: web.Request) -> web.Response:
    """The caller's applications. People may ask."""
    found = await applications.of_caller(request[CONTEXT])
    return answer([payloads.application(each) for each in found])


@routes.post(
    "/applications",
    PERSON,
    limit=Limit(5, 60.0),
    body=Json(schemas.NewApplicationSchema),
    answers={201: shapes.APPLICATION},
)
async def create(request: web.Request, wanted: schemas.NewApplication) -> web.Response:
    """Make an application with its bot. Every person may."""
    made = await applications.create(request[CONTEXT], wanted)
    return answer(payloads.application(made), status=201)


@routes.get("/applications/@me", BOT, answers=shapes.APPLICATION)
@routes.get("/oauth2/applications/@me", BOT, answers=shapes.APPLICATION)
async def of_bot(request: web.Request) -> web.Response:
    """The application that asks. For bots."""
    application, guilds = await applications.of_bot(request[CONTEXT])
    return answer(payloads.application(application, guilds=guilds))


@routes.get("/applications/{application_id}", PERSON, answers=shapes.APPLICATION)
async def get(request: web.Request) -> web.Response:
    """One application. Its owner may ask."""
    found = await applications.get(request[CONTEXT], path_id(request, UserId, "application_id"))
    return answer(payloads.application(found))


@routes.patch(
    "/applications/{application_id}",
    PERSON,
    body=Json(schemas.ApplicationChangeSchema),
    answers=shapes.APPLICATION,
)
async def update(request: web.Request, change: schemas.ApplicationChange) -> web.Response:
    """Change an application. Its owner may.

    `flags` are those of the privileged intents that it may ask for: 1<<12, 1<<13 presences,
    1<<14, 1<<15 members, 1<<18, 1<<19 message content.
    """
    application_id = path_id(request, UserId, "application_id")
    changed = await applications.update(request[CONTEXT], application_id, change)
    return answer(payloads.application(changed))


@routes.delete("/applications/{application_id}", PERSON, answers=None)
@routes.post("/applications/{application_id}/delete", PERSON, answers=None)
async def delete(request: web.Request) -> web.Response:
    """Delete an application and its bot. Its owner may. Emits GUILD_MEMBER_REMOVE."""
    application_id = path_id(request, UserId, "application_id")
    await applications.delete(request[CONTEXT], application_id)
    request.app[CALLERS].forget(application_id)
    return no_content()


@routes.post(
    "/applications/{application_id}/bot/reset",
    PERSON,
    limit=Limit(5, 60.0),
    answers=shapes.BOT_TOKEN,
)
async def replace_token(request: web.Request) -> web.Response:
    """A new token for the bot; the one before ends. The application's owner may.

    It is shown this once, and holds until the next one is asked for.
    """
    application_id = path_id(request, UserId, "application_id")
    token = await applications.replace_token(request[CONTEXT], application_id)
    request.app[CALLERS].forget(application_id)
    return answer({"token": token})


@routes.put(
    "/guilds/{guild_id}/members/{user_id}",
    P.MANAGE_GUILD,
    body=Json(NothingSchema, optional=True),
    answers={201: shapes.MEMBER, 204: None},
)
async def add_to_guild(request: web.Request, _: Nothing) -> web.Response:
    """Add a bot to a guild; 204 when it is a member already.

    Needs MANAGE_GUILD; one that is not public can be added only by its owner. People join by
    themselves. Emits GUILD_MEMBER_ADD, GUILD_CREATE.
    """
    member = await applications.add_to_guild(
        request[CONTEXT], path_id(request, GuildId, "guild_id"), path_id(request, UserId, "user_id")
    )
    return no_content() if member is None else answer(payloads.member(member), status=201)
