"""Application commands: global ones, and those of single guilds.

Both have the same routes; those of a guild have the guild in their path.
"""

from __future__ import annotations

from aiohttp import web

from chatd.core.commands import MAX_COMMANDS, Command
from chatd.core.ids import CommandId, GuildId, UserId
from chatd.ratelimit.window import Limit
from chatd.rest.locales import locale_of
from chatd.rest.request import JsonBody, JsonListBody, path_id
from chatd.rest.response import json_array_response, json_response, no_content
from chatd.rest.routing import APPLICATION, APPLICATION_OWNER, Routes
from chatd.services.commands import application_commands as commands
from chatd.services.commands.drafts import Scope
from chatd.web.keys import CONTEXT
from chatd.wire import payloads, responses
from chatd.wire.json_schema import array_of
from chatd.wire.schemas import application_commands as schemas
from chatd.wire.schemas import query_strings

routes = Routes()

GLOBAL = "/applications/{application_id}/commands"
IN_GUILD = "/applications/{application_id}/guilds/{guild_id}/commands"

MAX_COMMAND = 2**19
"""Bytes of a command: 8,000 characters with translations into many locales."""

MAX_COMMANDS_BODY = 2**21
"""Bytes of all commands of a scope."""

_MAX_VALUES = 2**18
"""JSON values in such a body. A hundred commands with 25 options of 25 choices have fewer. A
hundred such commands with translations do not fit."""

_ONE = JsonBody(schemas.NewCommandSchema, max_bytes=MAX_COMMAND, max_values=_MAX_VALUES)
_CHANGE = JsonBody(schemas.CommandChangeSchema, max_bytes=MAX_COMMAND, max_values=_MAX_VALUES)
_LIST = JsonListBody(
    schemas.ListedCommandSchema,
    max_items=MAX_COMMANDS,
    max_bytes=MAX_COMMANDS_BODY,
    max_item_bytes=MAX_COMMAND,
    max_values=_MAX_VALUES,
)
_CREATES = Limit(20, 20.0)
"""Each creation reads and counts all commands of its scope."""

_OVERWRITES = Limit(10, 20.0)
"""Each overwrite reads and writes up to `MAX_COMMANDS_BODY`."""

_ANSWERS = {200: responses.COMMAND, 201: responses.COMMAND}


@routes.get(
    GLOBAL,
    APPLICATION_OWNER,
    query=query_strings.LocalizationsSchema,
    answers=array_of(responses.COMMAND),
)
@routes.get(
    IN_GUILD,
    APPLICATION_OWNER,
    query=query_strings.LocalizationsSchema,
    answers=array_of(responses.COMMAND),
)
async def list_all(request: web.Request, query: query_strings.Localizations) -> web.Response:
    """List the commands of an application: the global ones, or those of a guild.

    Needs the bot of the application, or its owner. Without `with_localizations`, texts are
    translated into the caller's locale (headers `X-Discord-Locale`, `Accept-Language`).
    """
    found = await commands.list_all(request[CONTEXT], _scope(request))
    if query.with_localizations:
        return await json_array_response(found, payloads.command)
    locale = locale_of(request)

    def payload(command: Command) -> object:
        return payloads.localized_command(command, locale)

    return await json_array_response(found, payload)


@routes.post(GLOBAL, APPLICATION, limit=_CREATES, body=_ONE, answers=_ANSWERS)
@routes.post(IN_GUILD, APPLICATION, limit=_CREATES, body=_ONE, answers=_ANSWERS)
async def create(request: web.Request, body: schemas.NewCommand) -> web.Response:
    """Create a command, or replace the one with the same type and name (200).

    Needs the bot of the application. An application has at most 100 commands of type CHAT_INPUT, 15
    of USER and 15 of MESSAGE, and again as many in each guild; it can create 200 a day in each. In
    a guild this emits GUILD_APPLICATION_COMMAND_INDEX_UPDATE.
    """
    command, is_new = await commands.create(request[CONTEXT], _scope(request), body)
    return json_response(payloads.command(command), status=201 if is_new else 200)


@routes.put(GLOBAL, APPLICATION, limit=_OVERWRITES, body=_LIST, answers=array_of(responses.COMMAND))
@routes.put(
    IN_GUILD, APPLICATION, limit=_OVERWRITES, body=_LIST, answers=array_of(responses.COMMAND)
)
async def replace_all(request: web.Request, body: list[schemas.ListedCommand]) -> web.Response:
    """Replace all commands: the global ones, or those of a guild.

    Needs the bot of the application. A command keeps its id if the list contains its id, or its
    type and name. Commands that are not in the list are deleted. In a guild this emits
    GUILD_APPLICATION_COMMAND_INDEX_UPDATE.
    """
    found = await commands.replace_all(request[CONTEXT], _scope(request), body)
    return await json_array_response(found, payloads.command)


@routes.get(f"{GLOBAL}/{{command_id}}", APPLICATION_OWNER, answers=responses.COMMAND)
@routes.get(f"{IN_GUILD}/{{command_id}}", APPLICATION_OWNER, answers=responses.COMMAND)
async def get(request: web.Request) -> web.Response:
    """Get a command. Needs the bot of the application, or its owner."""
    found = await commands.get(request[CONTEXT], _scope(request), _command_id(request))
    return json_response(payloads.command(found))


@routes.patch(f"{GLOBAL}/{{command_id}}", APPLICATION, body=_CHANGE, answers=responses.COMMAND)
@routes.patch(f"{IN_GUILD}/{{command_id}}", APPLICATION, body=_CHANGE, answers=responses.COMMAND)
async def update(request: web.Request, body: schemas.CommandChange) -> web.Response:
    """Change a command. Needs the bot of the application.

    A new name deletes the command's permissions in guilds. In a guild this emits
    GUILD_APPLICATION_COMMAND_INDEX_UPDATE.
    """
    changed = await commands.update(request[CONTEXT], _scope(request), _command_id(request), body)
    return json_response(payloads.command(changed))


@routes.delete(f"{GLOBAL}/{{command_id}}", APPLICATION, answers=None)
@routes.delete(f"{IN_GUILD}/{{command_id}}", APPLICATION, answers=None)
async def delete(request: web.Request) -> web.Response:
    """Delete a command, and its permissions in guilds. Needs the bot of the application.

    In a guild this emits GUILD_APPLICATION_COMMAND_INDEX_UPDATE.
    """
    await commands.delete(request[CONTEXT], _scope(request), _command_id(request))
    return no_content()


def _scope(request: web.Request) -> Scope:
    in_guild = "guild_id" in request.match_info
    return Scope(
        path_id(request, UserId, "application_id"),
        path_id(request, GuildId, "guild_id") if in_guild else None,
    )


def _command_id(request: web.Request) -> CommandId:
    return path_id(request, CommandId, "command_id")
