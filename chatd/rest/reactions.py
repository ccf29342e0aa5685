"""Reactions to messages. The emoji in the path is percent-encoded Unicode."""

from __future__ import annotations

from aiohttp import web

from chatd.core.ids import ChannelId, MessageId, UserId
from chatd.core.permissions import Permissions as P
from chatd.ratelimit.window import Limit
from chatd.rest.request import path_id
from chatd.rest.response import json_array_response, no_content
from chatd.rest.routing import Routes
from chatd.services.messages import reactions
from chatd.web.keys import ACCESS_CACHE, CONTEXT
from chatd.wire import payloads, responses
from chatd.wire.json_schema import array_of
from chatd.wire.schemas import query_strings

routes = Routes()

_REACTING = Limit(1, 0.25, "reactions")  # Rule: Discord's limit
_ALL = "/channels/{channel_id}/messages/{message_id}/reactions"


@routes.put(_ALL + "/{emoji}/@me", P.ADD_REACTIONS, limit=_REACTING, answers=None)
async def add(request: web.Request) -> web.Response:
    """React to a message.

    Needs READ_MESSAGE_HISTORY, and ADD_REACTIONS for a new emoji; a timed-out member cannot react.
    Emits MESSAGE_REACTION_ADD.
    """
    channel_id, message_id = _message(request)
    ctx, access_cache = request[CONTEXT], request.app[ACCESS_CACHE]
    await reactions.add(ctx, access_cache, channel_id, message_id, request.match_info["emoji"])
    return no_content()


@routes.delete(_ALL + "/{emoji}/@me", P.VIEW_CHANNEL, limit=_REACTING, answers=None)
async def remove_own(request: web.Request) -> web.Response:
    """Remove the caller's reaction. Needs VIEW_CHANNEL. Emits MESSAGE_REACTION_REMOVE."""
    ctx = request[CONTEXT]
    channel_id, message_id = _message(request)
    emoji = request.match_info["emoji"]
    await reactions.remove(ctx, channel_id, message_id, emoji, ctx.user.id)
    return no_content()


@routes.delete(_ALL + "/{emoji}/{user_id}", P.MANAGE_MESSAGES, limit=_REACTING, answers=None)
async def remove(request: web.Request) -> web.Response:
    """Remove a user's reaction.

    Needs MANAGE_MESSAGES, except for the caller's own. Emits MESSAGE_REACTION_REMOVE.
    """
    channel_id, message_id = _message(request)
    user_id = path_id(request, UserId, "user_id")
    emoji = request.match_info["emoji"]
    await reactions.remove(request[CONTEXT], channel_id, message_id, emoji, user_id)
    return no_content()


@routes.get(
    _ALL + "/{emoji}",
    P.READ_MESSAGE_HISTORY,
    query=query_strings.ReactionPageSchema,
    answers=array_of(responses.USER),
)
async def page(request: web.Request, query: query_strings.ReactionPage) -> web.Response:
    """List the users who reacted with an emoji, by user id. Needs READ_MESSAGE_HISTORY."""
    channel_id, message_id = _message(request)
    found = await reactions.page(
        request[CONTEXT],
        channel_id,
        message_id,
        request.match_info["emoji"],
        after=query.after,
        limit=query.limit,
        burst=query.type == 1,
    )
    return await json_array_response(found, payloads.user)


@routes.delete(_ALL + "/{emoji}", P.MANAGE_MESSAGES, limit=_REACTING, answers=None)
async def clear_emoji(request: web.Request) -> web.Response:
    """Remove all reactions with an emoji.

    Needs MANAGE_MESSAGES. Emits MESSAGE_REACTION_REMOVE_EMOJI.
    """
    channel_id, message_id = _message(request)
    emoji = request.match_info["emoji"]
    await reactions.clear_emoji(request[CONTEXT], channel_id, message_id, emoji)
    return no_content()


@routes.delete(_ALL, P.MANAGE_MESSAGES, limit=_REACTING, answers=None)
async def clear(request: web.Request) -> web.Response:
    """Remove all reactions to a message.

    Needs MANAGE_MESSAGES. Emits MESSAGE_REACTION_REMOVE_ALL.
    """
    channel_id, message_id = _message(request)
    await reactions.clear(request[CONTEXT], channel_id, message_id)
    return no_content()


def _message(request: web.Request) -> tuple[ChannelId, MessageId]:
    channel_id = path_id(request, ChannelId, "channel_id")
    return channel_id, path_id(request, MessageId, "message_id")
