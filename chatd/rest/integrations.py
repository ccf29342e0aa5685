"""Integrations: the applications in a guild."""

from __future__ import annotations

from aiohttp import web

from chatd.core.ids import GuildId, UserId
from chatd.core.permissions import Permissions as P
from chatd.rest.request import path_id
from chatd.rest.response import json_response, no_content
from chatd.rest.routing import Routes
from chatd.services.guilds import integrations
from chatd.web.keys import CONTEXT
from chatd.wire import payloads, responses
from chatd.wire.json_schema import array_of
from chatd.wire.schemas import query_strings

routes = Routes()


@routes.get(
    "/guilds/{guild_id}/integrations",
    P.MANAGE_GUILD,
    query=query_strings.IntegrationFilterSchema,
    answers=array_of(responses.INTEGRATION),
)
async def list_for_guild(
    request: web.Request, query: query_strings.IntegrationFilter
) -> web.Response:
    """List the integrations of a guild: the applications in it. Needs MANAGE_GUILD."""
    guild_id = path_id(request, GuildId, "guild_id")
    found = await integrations.list_for_guild(
        request[CONTEXT], guild_id, has_commands=query.has_commands
    )
    return json_response(payloads.integrations(found))


@routes.delete("/guilds/{guild_id}/integrations/{integration_id}", P.MANAGE_GUILD, answers=None)
async def delete(request: web.Request) -> web.Response:
    """Remove an application from a guild, with its bot and the role of the bot.

    Needs MANAGE_GUILD, and a role above the bot. Emits INTEGRATION_DELETE,
    GUILD_INTEGRATIONS_UPDATE, GUILD_MEMBER_REMOVE, GUILD_ROLE_DELETE.
    """
    guild_id = path_id(request, GuildId, "guild_id")
    application_id = path_id(request, UserId, "integration_id")
    await integrations.delete(request[CONTEXT], guild_id, application_id)
    return no_content()
