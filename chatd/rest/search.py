"""Search of messages.

Rule: Discord docs, Message resource, "Search Guild Messages". The filters by thread, sticker, poll,
snapshot, embed provider, host and file name are not supported.
"""

from __future__ import annotations

from aiohttp import web

from chatd.core.ids import ChannelId, GuildId
from chatd.core.permissions import Permissions as P
from chatd.ratelimit.window import Limit
from chatd.rest import message_payloads
from chatd.rest.request import path_id
from chatd.rest.response import json_response
from chatd.rest.routing import MEMBER, Routes
from chatd.services.messages import search
from chatd.web.keys import CONTEXT
from chatd.wire import responses
from chatd.wire.schemas.search import MessageSearch, MessageSearchSchema

routes = Routes()

_SEARCHING = Limit(10, 10.0)  # it may occupy a database connection for long: see `search_slots`


@routes.get(
    "/guilds/{guild_id}/messages/search",
    MEMBER,
    limit=_SEARCHING,
    query=MessageSearchSchema,
    answers=responses.SEARCH_RESULTS,
)
async def in_guild(request: web.Request, query: MessageSearch) -> web.Response:
    """Search the messages of a guild.

    Needs membership; searches the channels whose history the caller may read. An account can run
    one search at a time. `doing_deep_historical_index` means that the search ran out of time: the
    response contains the results until then.
    """
    guild_id = path_id(request, GuildId, "guild_id")
    found = await search.in_guild(request[CONTEXT], guild_id, query)
    return json_response(await message_payloads.search_results(request, found))


@routes.get(
    "/channels/{channel_id}/messages/search",
    P.READ_MESSAGE_HISTORY,
    limit=_SEARCHING,
    query=MessageSearchSchema,
    answers=responses.SEARCH_RESULTS,
)
async def in_channel(request: web.Request, query: MessageSearch) -> web.Response:
    """Search the messages of a channel.

    Needs VIEW_CHANNEL and READ_MESSAGE_HISTORY; other channels in `channel_id` are not searched.
    """
    channel_id = path_id(request, ChannelId, "channel_id")
    found = await search.in_channel(request[CONTEXT], channel_id, query)
    return json_response(await message_payloads.search_results(request, found))
