"""Relationships: friends, friend requests and blocks."""

from __future__ import annotations

from aiohttp import web

from chatd.core.ids import UserId
from chatd.core.relationships import RelationshipType
from chatd.core.unset import UNSET
from chatd.ratelimit.window import Limit
from chatd.rest.request import JsonBody, path_id
from chatd.rest.response import json_response, no_content
from chatd.rest.routing import HUMAN, Routes
from chatd.services.accounts import relationships
from chatd.web.keys import CONTEXT
from chatd.wire import responses
from chatd.wire.json_schema import array_of
from chatd.wire.schemas import relationships as schemas

routes = Routes()

_REQUESTS = Limit(10, 60.0)
"""Friend requests. They reach people that do not know the sender, so there are few."""

_CHANGES = Limit(30, 60.0)
"""Answers to requests, blocks and removals: no stranger receives anything of these."""


@routes.get(
    "/users/@me/relationships",
    HUMAN,
    limit=Limit(10, 10.0),  # a response can have 1 MB, and READY already contains it
    answers=array_of(responses.RELATIONSHIP),
)
async def list_for_caller(request: web.Request) -> web.Response:
    """List the caller's friends, pending friend requests and blocks."""
    found = await relationships.list_for_caller(request[CONTEXT])
    return json_response(await relationships.rendered(found))


@routes.post(
    "/users/@me/relationships",
    HUMAN,
    limit=_REQUESTS,
    body=JsonBody(schemas.FriendRequestSchema),
    answers=None,
)
async def send_request(request: web.Request, body: schemas.FriendRequest) -> web.Response:
    """Send a friend request by username, or accept the request of that user.

    Emits RELATIONSHIP_ADD to both.
    """
    await relationships.request_by_name(request[CONTEXT], body)
    return no_content()


@routes.put(
    "/users/@me/relationships/{user_id}",
    HUMAN,
    limit=_CHANGES,
    body=JsonBody(schemas.NewRelationshipSchema, optional=True),
    answers=None,
)
async def put(request: web.Request, body: schemas.NewRelationship) -> web.Response:
    """Send or accept a friend request, or block a user.

    `type` 2 blocks; without a `type` or with 1, a friend request is sent or accepted. A request
    emits RELATIONSHIP_ADD to both. A block emits RELATIONSHIP_ADD to the caller, and
    RELATIONSHIP_REMOVE to a blocked friend or requester.
    """
    user_id = path_id(request, UserId, "user_id")
    if body.type == RelationshipType.BLOCKED:
        await relationships.block(request[CONTEXT], user_id)
    else:
        await relationships.request(request[CONTEXT], user_id)
    return no_content()


@routes.patch(
    "/users/@me/relationships/{user_id}",
    HUMAN,
    limit=_CHANGES,
    body=JsonBody(schemas.RelationshipChangeSchema),
    answers=None,
)
async def update(request: web.Request, change: schemas.RelationshipChange) -> web.Response:
    """Set the caller's own name for a friend; null or an empty name removes it.

    Emits RELATIONSHIP_UPDATE to the caller.
    """
    user_id = path_id(request, UserId, "user_id")
    nickname = UNSET if change.nickname is UNSET else change.nickname or None
    await relationships.name(request[CONTEXT], user_id, nickname)
    return no_content()


@routes.delete("/users/@me/relationships/{user_id}", HUMAN, limit=_CHANGES, answers=None)
async def remove(request: web.Request) -> web.Response:
    """End a friendship, cancel or decline a friend request, or lift a block.

    Emits RELATIONSHIP_REMOVE to the caller, and to the other user except for a block.
    """
    await relationships.remove(request[CONTEXT], path_id(request, UserId, "user_id"))
    return no_content()
