"""The commands that a person can use, as user clients request them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

from aiohttp import web

from chatd.core.commands import CommandOverwrite, localized
from chatd.core.ids import ChannelId, GuildId, UserId
from chatd.core.json import JsonObject
from chatd.core.permissions import Permissions as P
from chatd.ratelimit.window import Limit
from chatd.rest.locales import locale_of
from chatd.rest.request import path_id
from chatd.rest.response import encoded_json_response
from chatd.rest.routing import HUMAN, MEMBER, Routes
from chatd.services.commands import command_index
from chatd.services.commands.command_index import CommandIndex, IndexedCommand
from chatd.web.keys import CONTEXT
from chatd.wire import payloads, responses
from chatd.wire.payloads import encode
from chatd.wire.schemas import query_strings

routes = Routes()

_LIMIT = Limit(10, 10.0)
"""An index reads up to 8 MiB. Clients request it once, and again after it has changed."""

_SLICE = 16  # commands that are encoded without a pause


@routes.get(
    "/guilds/{guild_id}/application-command-index",
    MEMBER,
    bots=False,
    limit=_LIMIT,
    answers=responses.COMMAND_INDEX,
)
async def of_guild(request: web.Request) -> web.Response:
    """List the commands that the caller can use in a guild, with their applications.

    Needs to be a member. Permissions of single channels are not considered. Texts are translated
    into the caller's locale. There are at most 3,000 commands, and 8 MiB of options.
    """
    guild_id = path_id(request, GuildId, "guild_id")
    return await _response(request, await command_index.of_guild(request[CONTEXT], guild_id))


@routes.get(
    "/channels/{channel_id}/application-command-index",
    P.VIEW_CHANNEL,
    bots=False,
    limit=_LIMIT,
    answers=responses.COMMAND_INDEX,
)
async def of_channel(request: web.Request) -> web.Response:
    """List the commands that the caller can use in a channel, with their applications.

    In direct messages with a bot, these are its global commands.
    """
    channel_id = path_id(request, ChannelId, "channel_id")
    return await _response(request, await command_index.of_channel(request[CONTEXT], channel_id))


@routes.get(
    "/users/@me/application-command-index",
    HUMAN,
    limit=_LIMIT,
    answers=responses.COMMAND_INDEX,
)
async def of_caller(request: web.Request) -> web.Response:
    """List the commands of applications that the caller has installed for itself."""
    return await _response(request, await command_index.of_caller(request[CONTEXT]))


@routes.get(
    "/applications/{application_id}/application-command-index",
    HUMAN,
    limit=_LIMIT,
    answers=responses.COMMAND_INDEX,
)
async def of_application(request: web.Request) -> web.Response:
    """List the commands of an application that can be used in direct messages with its bot."""
    application_id = path_id(request, UserId, "application_id")
    index = await command_index.of_application(request[CONTEXT], application_id)
    return await _response(request, index)


@routes.get(
    "/channels/{channel_id}/application-commands/search",
    P.VIEW_CHANNEL,
    bots=False,
    limit=_LIMIT,
    query=query_strings.CommandSearchSchema,
    answers=responses.COMMAND_SEARCH,
)
async def search(request: web.Request, query: query_strings.CommandSearch) -> web.Response:
    """Search the commands that the caller can use in a channel. Older clients use it.

    `cursor.next` is null on the last page.
    """
    channel_id = path_id(request, ChannelId, "channel_id")
    index = await command_index.of_channel(request[CONTEXT], channel_id)
    locale = locale_of(request)
    found = [each for each in index.commands if _matches(each, query, locale)]
    end = query.cursor + query.limit
    page = found[query.cursor : end]
    named = {each.command.application_id for each in page}
    applications = [each for each in index.applications if each.application.bot.id in named]
    cursor = {
        "previous": str(max(0, query.cursor - query.limit)) if query.cursor else None,
        "next": str(end) if end < len(found) else None,
        "repaired": None,
    }
    return await _response(
        request,
        CommandIndex(applications if query.include_applications else (), page, index.version),
        cursor=cursor,
    )


def _matches(each: IndexedCommand, query: query_strings.CommandSearch, locale: str) -> bool:
    command = each.command
    if command.type != query.type:
        return False
    if query.application_id is not None and command.application_id != query.application_id:
        return False
    if query.command_ids and command.id not in query.command_ids:
        return False
    names = (command.name, localized(command.name_localizations, locale) or "")
    return any(query.query.casefold() in name.casefold() for name in names)


async def _response(request: web.Request, index: CommandIndex, **more: Any) -> web.Response:
    locale = locale_of(request)
    encoded = []
    for number, each in enumerate(index.commands, 1):
        permissions = _permissions(each.overwrites)
        encoded.append(encode(payloads.indexed_command(each.command, locale, permissions)))
        if number % _SLICE == 0:
            await asyncio.sleep(0)
    applications = [
        payloads.indexed_application(each.application, _permissions(each.overwrites))
        for each in index.applications
    ]
    head = encode({"applications": applications, "version": str(index.version), **more})
    commands = b",".join(encoded)
    return encoded_json_response(b'%b,"application_commands":[%b]}' % (head[:-1], commands))


def _permissions(overwrites: Iterable[CommandOverwrite] | None) -> JsonObject | None:
    return None if overwrites is None else payloads.index_permissions(overwrites)
