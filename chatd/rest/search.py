"""Searching messages.

Rule: Discord docs, Message resource, "Search Guild Messages". Its filters by thread, sticker,
poll, snapshot, embed provider, host and file name are not there.
"""

from __future__ import annotations

from aiohttp import web

from chatd.core.ids import ChannelId, GuildId
from chatd.core.permissions import Permissions as P
from chatd.ephemeral.windows import Limit
from chatd.keys import CONTEXT
from chatd.rest.parse import answer, path_id
from chatd.rest.routes import MEMBER, Routes
from chatd.services import search
from chatd.services.search import Found
from chatd.wire import payloads, shapes
from chatd.wire.schemas.searches import MessageSearch, MessageSearchSchema

routes = Routes()

_SEARCHING = Limit(10, 10.0)


@routes.get(
    "/guilds/{guild_id}/messages/search",
    MEMBER,
    limit=_SEARCHING,
    query=MessageSearchSchema,
    answers=shapes.SEARCH_RESULTS,
)
async def in_guild(request: web.Request, wanted: MessageSearch) -> web.Response:
    """Messages of a guild by what they say.

    Needs membership; finds only what stands where the caller may read the history.
    """
    guild_id = path_id(request, GuildId, "guild_id")
    return _answer(await search.in_guild(request[CONTEXT], guild_id, wanted))


@routes.get(
    "/channels/{channel_id}/messages/search",
    P.READ_MESSAGE_HISTORY,
    limit=_SEARCHING,
    query=MessageSearchSchema,
    answers=shapes.SEARCH_RESULTS,
)
async def in_channel(request: web.Request, wanted: MessageSearch) -> web.Response:
    """Messages of a channel by what they say.

    Needs VIEW_CHANNEL and READ_MESSAGE_HISTORY; other channels in `channel_id` are not searched.
    """
    channel_id = path_id(request, ChannelId, "channel_id")
    return _answer(await search.in_channel(request[CONTEXT], channel_id, wanted))


def _answer(found: Found) -> web.Response:
    return answer(payloads.search_results(found.messages, found.total, is_cut=found.is_cut))
