"""Stub endpoints, which clients request at startup, for objects that chatd does not have.

They only list: there are no such objects, and the routes that would create them do not exist.
"""

from __future__ import annotations

from aiohttp import web

from chatd.core.errors import WidgetDisabled
from chatd.core.ids import GuildId
from chatd.core.permissions import NONE
from chatd.core.permissions import Permissions as P
from chatd.rest.request import JsonBody, path_id
from chatd.rest.response import json_response
from chatd.rest.routing import AUTHENTICATED, HUMAN, MEMBER, PUBLIC, Routes
from chatd.services.guilds import guilds
from chatd.web.keys import CONTEXT, DEPENDENCIES
from chatd.wire import responses
from chatd.wire.schemas import guilds as schemas
from chatd.wire.schemas import query_strings

routes = Routes()


@routes.get("/soundboard-default-sounds", AUTHENTICATED, answers=responses.EMPTY_ARRAY)
async def sounds(request: web.Request) -> web.Response:
    """List soundboard sounds; always empty, since there are no voice channels."""
    return json_response([])


@routes.get("/voice/regions", AUTHENTICATED, answers=responses.EMPTY_ARRAY)
async def regions(request: web.Request) -> web.Response:
    """List voice regions; always empty, since there are no voice channels."""
    return json_response([])


@routes.get("/sticker-packs", AUTHENTICATED, answers=responses.STICKER_PACKS)
async def sticker_packs(request: web.Request) -> web.Response:
    """List sticker packs; always empty, since there are no stickers."""
    return json_response({"sticker_packs": []})


@routes.get("/gifs", AUTHENTICATED, answers=responses.EMPTY_ARRAY)
@routes.get("/gifs/search", AUTHENTICATED, answers=responses.EMPTY_ARRAY)
@routes.get("/gifs/suggest", AUTHENTICATED, answers=responses.EMPTY_ARRAY)
@routes.get("/gifs/trending-gifs", AUTHENTICATED, answers=responses.EMPTY_ARRAY)
@routes.get("/gifs/trending-search", AUTHENTICATED, answers=responses.EMPTY_ARRAY)
async def gifs(request: web.Request) -> web.Response:
    """List GIFs of other services, or words to search for; always empty, since none is used."""
    return json_response([])


@routes.get("/gifs/trending", AUTHENTICATED, answers=responses.TRENDING_GIFS)
async def trending_gifs(request: web.Request) -> web.Response:
    """List categories of GIFs; always empty, since no service for them is used."""
    return json_response({"categories": [], "gifs": []})


@routes.get(
    "/discoverable-guilds",
    AUTHENTICATED,
    query=query_strings.DirectoryPageSchema,
    answers=responses.DISCOVERABLE_GUILDS,
)
async def discoverable_guilds(
    request: web.Request, page: query_strings.DirectoryPage
) -> web.Response:
    """List guilds that anyone may join; always empty, since every guild needs an invite."""
    return json_response({"guilds": [], "total": 0, "limit": page.limit, "offset": page.offset})


@routes.get("/teams", HUMAN, answers=responses.EMPTY_ARRAY)
async def teams(request: web.Request) -> web.Response:
    """List the teams of the caller; always empty, since a person owns an application."""
    return json_response([])


@routes.get("/users/@me/affinities/users", AUTHENTICATED, answers=responses.USER_AFFINITIES)
async def user_affinities(request: web.Request) -> web.Response:
    """List whom the caller writes to most; always empty, since this is not observed."""
    return json_response({"user_affinities": [], "inverse_user_affinities": []})


@routes.get("/users/@me/affinities/guilds", AUTHENTICATED, answers=responses.GUILD_AFFINITIES)
async def guild_affinities(request: web.Request) -> web.Response:
    """List the guilds that the caller uses most; always empty, since this is not observed."""
    return json_response({"guild_affinities": []})


@routes.get("/users/@me/affinities/channels", AUTHENTICATED, answers=responses.CHANNEL_AFFINITIES)
async def channel_affinities(request: web.Request) -> web.Response:
    """List the channels that the caller uses most; always empty, since this is not observed."""
    return json_response({"channel_affinities": []})


@routes.get("/users/@me/connections", AUTHENTICATED, answers=responses.EMPTY_ARRAY)
async def connections(request: web.Request) -> web.Response:
    """List accounts at other services; always empty, since accounts cannot be connected."""
    return json_response([])


@routes.get("/connections", AUTHENTICATED, answers=responses.CONNECTION_KINDS)
async def connection_kinds(request: web.Request) -> web.Response:
    """List the services whose accounts can be connected, as at Spacebar; always empty."""
    return json_response({})


@routes.get(
    "/oauth2/applications/{application_id}/assets", AUTHENTICATED, answers=responses.EMPTY_ARRAY
)
async def assets(request: web.Request) -> web.Response:
    """List pictures for rich presence; always empty, since applications have none."""
    return json_response([])


@routes.get("/guilds/{guild_id}/emojis", MEMBER, answers=responses.EMPTY_ARRAY)
@routes.get("/guilds/{guild_id}/stickers", MEMBER, answers=responses.EMPTY_ARRAY)
@routes.get("/guilds/{guild_id}/regions", MEMBER, answers=responses.EMPTY_ARRAY)
async def of_guild(request: web.Request) -> web.Response:
    """List custom emojis, stickers or voice regions; always empty. Needs membership."""
    await guilds.require(request[CONTEXT], path_id(request, GuildId, "guild_id"), NONE)
    return json_response([])


@routes.get(
    "/guilds/{guild_id}/scheduled-events",
    MEMBER,
    query=query_strings.UserCountsSchema,
    answers=responses.EMPTY_ARRAY,
)
async def scheduled_events(request: web.Request, _: query_strings.UserCounts) -> web.Response:
    """List scheduled events; always empty. Needs membership."""
    await guilds.require(request[CONTEXT], path_id(request, GuildId, "guild_id"), NONE)
    return json_response([])


@routes.get("/guilds/{guild_id}/soundboard-sounds", MEMBER, answers=responses.SOUNDS)
async def sounds_of_guild(request: web.Request) -> web.Response:
    """List soundboard sounds of a guild; always empty. Needs membership."""
    await guilds.require(request[CONTEXT], path_id(request, GuildId, "guild_id"), NONE)
    return json_response({"items": []})


@routes.get("/guilds/{guild_id}/welcome-screen", MEMBER, answers=responses.WELCOME_SCREEN)
async def welcome_screen(request: web.Request) -> web.Response:
    """Get the welcome screen of a guild; always empty. Needs membership."""
    await guilds.require(request[CONTEXT], path_id(request, GuildId, "guild_id"), NONE)
    return json_response({"description": None, "welcome_channels": []})


@routes.get("/guilds/{guild_id}/threads/active", MEMBER, answers=responses.THREADS)
async def active_threads(request: web.Request) -> web.Response:
    """List active threads of a guild; always empty. Needs membership."""
    await guilds.require(request[CONTEXT], path_id(request, GuildId, "guild_id"), NONE)
    return json_response({"threads": [], "members": [], "has_more": False})


@routes.get("/guilds/{guild_id}/templates", P.MANAGE_GUILD, answers=responses.EMPTY_ARRAY)
async def templates(request: web.Request) -> web.Response:
    """List templates; always empty. Needs MANAGE_GUILD."""
    guild_id = path_id(request, GuildId, "guild_id")
    await guilds.require(request[CONTEXT], guild_id, P.MANAGE_GUILD)
    return json_response([])


@routes.get("/guilds/{guild_id}/vanity-url", P.MANAGE_GUILD, answers=responses.VANITY_URL)
async def vanity_url(request: web.Request) -> web.Response:
    """Get the vanity URL of a guild; always null, since there are none. Needs MANAGE_GUILD."""
    guild_id = path_id(request, GuildId, "guild_id")
    await guilds.require(request[CONTEXT], guild_id, P.MANAGE_GUILD)
    return json_response({"code": None, "uses": 0})


@routes.get("/guilds/{guild_id}/widget", P.MANAGE_GUILD, answers=responses.WIDGET_SETTINGS)
async def widget_settings(request: web.Request) -> web.Response:
    """Get the settings of a guild's widget; always disabled. Needs MANAGE_GUILD."""
    guild_id = path_id(request, GuildId, "guild_id")
    await guilds.require(request[CONTEXT], guild_id, P.MANAGE_GUILD)
    return json_response(_WIDGET_SETTINGS)


@routes.patch(
    "/guilds/{guild_id}/widget",
    P.MANAGE_GUILD,
    body=JsonBody(schemas.WidgetChangeSchema, optional=True),
    answers=responses.WIDGET_SETTINGS,
)
async def update_widget(request: web.Request, _: schemas.WidgetChange) -> web.Response:
    """Change the settings of a guild's widget, which can only stay disabled.

    Needs MANAGE_GUILD.
    """
    guild_id = path_id(request, GuildId, "guild_id")
    await guilds.require(request[CONTEXT], guild_id, P.MANAGE_GUILD)
    return json_response(_WIDGET_SETTINGS)


@routes.get("/guilds/{guild_id}/widget.json", PUBLIC, answers={403: responses.ERROR})
async def widget(request: web.Request) -> web.Response:
    """Get the widget of a guild: 403 with code 50004, since all are disabled."""
    await guilds.require_existing(request.app[DEPENDENCIES], path_id(request, GuildId, "guild_id"))
    raise WidgetDisabled


_WIDGET_SETTINGS = {"enabled": False, "channel_id": None}
