"""Authorizations: a person adds an application to a guild, or to its account.

Links to bots lead to `/oauth2/authorize`. Browsers get a page there, which calls the same route.
"""

from __future__ import annotations

from urllib.parse import urlencode

from aiohttp import web

from chatd.core.errors import InvalidConsent
from chatd.core.ids import UserId
from chatd.core.installation import Scope
from chatd.ratelimit.window import Limit
from chatd.rest import oauth2_page
from chatd.rest.request import JsonBody, path_id
from chatd.rest.response import json_array_response, json_response, no_content
from chatd.rest.routing import AUTHENTICATED, HUMAN, PUBLIC, Routes
from chatd.services.accounts import authorization
from chatd.web.client_address import http_origin
from chatd.web.keys import CONTEXT
from chatd.wire import payloads, responses
from chatd.wire.json_schema import array_of
from chatd.wire.schemas import oauth2 as schemas

routes = Routes()

_DENIED = {"error": "access_denied", "error_description": "The user has not authorized it."}
"""Rule: RFC 6749, 4.1.2.1."""


@routes.get(
    "/oauth2/authorize",
    HUMAN,
    query=schemas.AuthorizationRequestSchema,
    page=oauth2_page.authorize,
    answers={200: responses.AUTHORIZATION_PREVIEW, 404: responses.ERROR},
)
async def preview(request: web.Request, wanted: schemas.AuthorizationRequest) -> web.Response:
    """Get what an authorization would do. Browsers get a page, which needs no login.

    Without `scope`, the application's own defaults apply. Only its owner can add an application
    that is not public.
    """
    ctx = request[CONTEXT]
    found = await authorization.preview(ctx, wanted)
    return json_response(
        payloads.authorization_preview(
            found.application,
            ctx.dependencies.interaction_keys.verify_key(found.application.bot.id),
            ctx.user,
            kind=found.kind,
            has_bot=Scope.BOT in found.scopes,
            guild_count=found.guild_count,
            guilds=[(each.guild, each.permissions_of(ctx.user.id)) for each in found.guilds],
            is_authorized=found.is_authorized,
        )
    )


@routes.post(
    "/oauth2/authorize",
    HUMAN,
    limit=Limit(5, 5.0),
    query=schemas.AuthorizationRequestSchema,
    body=JsonBody(schemas.ConsentSchema),
    answers={200: responses.AUTHORIZED, 404: responses.ERROR},
)
async def authorize(
    request: web.Request, consent: schemas.Consent, wanted: schemas.AuthorizationRequest
) -> web.Response:
    """Add an application to a guild with its bot, or to the caller's account.

    A guild needs MANAGE_GUILD. The bot gets a managed role with the `permissions`, which the caller
    must have; without permissions it gets none. For a bot that is a member, this changes the role,
    which has to be below the caller. Without `authorize` nothing is changed.

    Emits GUILD_MEMBER_ADD, GUILD_ROLE_CREATE, GUILD_ROLE_UPDATE, INTEGRATION_CREATE,
    INTEGRATION_UPDATE, GUILD_INTEGRATIONS_UPDATE; USER_APPLICATION_UPDATE.
    """
    if consent.authorize:
        await authorization.authorize(request[CONTEXT], wanted, consent)
    end = "" if consent.authorize else f"?{urlencode(_DENIED)}"
    return json_response({"location": f"{http_origin(request)}/oauth2/authorized{end}"})


@routes.get("/oauth2/authorize/css", PUBLIC, answers=responses.STYLE)
async def style(request: web.Request) -> web.Response:
    """Get the style sheet of the page."""
    return oauth2_page.asset("oauth2.css", "text/css")


@routes.get("/oauth2/authorize/js", PUBLIC, answers=responses.SCRIPT)
async def script(request: web.Request) -> web.Response:
    """Get the script of the page."""
    return oauth2_page.asset("oauth2.js", "text/javascript")


@routes.get("/oauth2/authorized", PUBLIC, answers=responses.HTML)
async def authorized(request: web.Request) -> web.Response:
    """Get the page to which the location of an authorization leads."""
    return oauth2_page.authorized(request)


@routes.get("/oauth2/tokens", HUMAN, answers=array_of(responses.AUTHORIZATION))
async def list_for_caller(request: web.Request) -> web.Response:
    """List the applications that the caller has added to its account."""
    ctx = request[CONTEXT]
    key = ctx.dependencies.interaction_keys.verify_key
    found = await authorization.list_for_caller(ctx)
    return await json_array_response(
        found, lambda each: payloads.authorization(each, key(each.bot.id))
    )


@routes.delete("/oauth2/tokens/{token_id}", HUMAN, answers=None)
async def revoke(request: web.Request) -> web.Response:
    """Remove an application from the caller's account. Emits USER_APPLICATION_REMOVE."""
    await authorization.revoke(request[CONTEXT], path_id(request, UserId, "token_id"))
    return no_content()


@routes.get(
    "/oauth2/@me",
    AUTHENTICATED,
    answers={200: responses.CURRENT_AUTHORIZATION, 403: responses.ERROR},
)
async def get_own(request: web.Request) -> web.Response:
    """Get the caller's OAuth2 token; always refused, since there are none."""
    raise InvalidConsent
