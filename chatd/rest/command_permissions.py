"""Who may use the commands of an application in a guild."""

from __future__ import annotations

from aiohttp import web

from chatd.core.ids import GuildId, UserId
from chatd.core.permissions import Permissions as P
from chatd.rest.request import JsonBody, path_id
from chatd.rest.response import json_array_response, json_response
from chatd.rest.routing import Routes
from chatd.services.commands import permissions
from chatd.services.commands.permissions import Place
from chatd.web.keys import CONTEXT
from chatd.wire import payloads, responses
from chatd.wire.json_schema import array_of
from chatd.wire.schemas import application_commands as schemas

routes = Routes()

_COMMANDS = "/applications/{application_id}/guilds/{guild_id}/commands"


@routes.get(
    f"{_COMMANDS}/permissions", P.MANAGE_GUILD, answers=array_of(responses.COMMAND_PERMISSIONS)
)
async def list_all(request: web.Request) -> web.Response:
    """List the permissions of all commands of an application in a guild.

    Needs MANAGE_GUILD, or the bot of the application. Commands without permissions of their own are
    left out. The one with the id of the application applies to them.
    """
    found = await permissions.list_all(request[CONTEXT], _place(request))
    return await json_array_response(found, payloads.command_permissions)


@routes.get(
    f"{_COMMANDS}/{{command_id}}/permissions",
    P.MANAGE_GUILD,
    answers=responses.COMMAND_PERMISSIONS,
)
async def get(request: web.Request) -> web.Response:
    """Get the permissions of a command in a guild; 404 if it has none.

    Needs MANAGE_GUILD, or the bot of the application. The id can be that of the application.
    """
    command_id = path_id(request, int, "command_id")
    found = await permissions.get(request[CONTEXT], _place(request), command_id)
    return json_response(payloads.command_permissions(found))


@routes.put(
    f"{_COMMANDS}/{{command_id}}/permissions",
    permissions.NEEDED,
    bots=False,
    body=JsonBody(schemas.PermissionsChangeSchema),
    answers=responses.COMMAND_PERMISSIONS,
)
async def replace_all(request: web.Request, body: schemas.PermissionsChange) -> web.Response:
    """Replace the permissions of a command in a guild.

    Needs MANAGE_GUILD, MANAGE_ROLES and USE_APPLICATION_COMMANDS, and that the caller may use the
    command. Roles and members have to be below the caller; channels need MANAGE_CHANNELS. The id
    can be that of the application, for its commands without permissions of their own. The id of
    the guild means everyone (as a role), and that id minus 1 means all channels. Emits
    APPLICATION_COMMAND_PERMISSIONS_UPDATE.
    """
    command_id = path_id(request, int, "command_id")
    changed = await permissions.replace_all(
        request[CONTEXT], _place(request), command_id, body.permissions
    )
    return json_response(payloads.command_permissions(changed))


def _place(request: web.Request) -> Place:
    return Place(path_id(request, UserId, "application_id"), path_id(request, GuildId, "guild_id"))
