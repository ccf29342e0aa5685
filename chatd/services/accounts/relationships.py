"""Relationships of people: friend requests, friends, blocks.

Every change locks the streams of both people first. So changes of one pair are serialized, counts
are exact, and each message between the two is before or after a block. A blocked person is never
informed of the block. It sees the end of a friendship or request. Later it gets the same errors as
any person whose messages or requests the other one does not accept.
Rule: Discord's API for user accounts, which its documentation does not describe.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from chatd.context.context import Context
from chatd.context.unit_of_work import UnitOfWork
from chatd.core import names
from chatd.core.errors import (
    AlreadyFriends,
    BotsHaveNoFriends,
    CannotBefriendSelf,
    FriendRequestBlocked,
    FriendRequestsDisabled,
    NotFriends,
    TooManyBlocks,
    TooManyFriendRequests,
    TooManyFriends,
    UnknownTag,
    UnknownUser,
)
from chatd.core.ids import UserId
from chatd.core.json import JsonObject
from chatd.core.models import User
from chatd.core.relationships import Relationship, RelationshipType
from chatd.core.unset import UNSET, Maybe
from chatd.db.pool import Database
from chatd.events import relationships as events
from chatd.queries import relationships, users
from chatd.services.access import access
from chatd.wire import payloads
from chatd.wire.schemas.relationships import FriendRequest

MAX_FRIENDS = 1000
"""Friends of one person. Rule: Discord's limit."""

MAX_REQUESTS = 200
"""Pending requests in one direction. READY contains all of them."""

MAX_BLOCKS = 1000
"""Blocked users of one person, so that READY is bounded."""

_RENDER_BATCH = 200  # takes less than 1 ms

FRIEND, BLOCKED, INCOMING, OUTGOING = RelationshipType


async def list_for_caller(ctx: Context) -> list[Relationship]:
    """Return the relationships of the caller."""
    async with ctx.database.cursor() as cur:
        return await relationships.list_for_user(cur, ctx.user.id)


async def friends_of(
    database: Database, user_ids: Iterable[UserId]
) -> Mapping[UserId, Sequence[UserId]]:
    """Return the friends of those of these users that have any. Raises DatabaseUnavailable."""
    async with database.cursor() as cur:
        return await relationships.friends_of(cur, user_ids)


async def rendered(
    found: Sequence[Relationship],
    render: Callable[[Relationship], JsonObject] = payloads.relationship,
) -> list[JsonObject]:
    """Render relationships for a client, and yield to the event loop in between.

    A person has up to 2,400. Rendering all of them without a break takes 10 ms.
    """
    shown: list[JsonObject] = []
    for start in range(0, len(found), _RENDER_BATCH):
        shown += map(render, found[start : start + _RENDER_BATCH])
        await asyncio.sleep(0)
    return shown


async def request_by_name(ctx: Context, wanted: FriendRequest) -> None:
    """Send a friend request to a person by name. Raises UnknownTag, and all errors of `request`."""
    async with ctx.database.cursor() as cur:
        user_id = await users.id_by_name(cur, names.key(wanted.username))
    if user_id is None or wanted.discriminator not in (None, 0):  # every account has the "0"
        raise UnknownTag
    await request(ctx, user_id)


async def request(ctx: Context, user_id: UserId) -> None:
    """Send a friend request, or accept the pending request of the other person.

    A repeated request changes nothing. Raises UnknownUser, CannotBefriendSelf, BotsHaveNoFriends,
    AlreadyFriends, FriendRequestBlocked, FriendRequestsDisabled, TooManyFriends,
    TooManyFriendRequests.
    """
    if user_id == ctx.user.id:
        raise CannotBefriendSelf
    async with ctx.begin() as work:
        other = await _lock(ctx, work, user_id)
        if other.bot:
            raise BotsHaveNoFriends
        own = await relationships.get(work.cur, ctx.user.id, user_id)
        match None if own is None else own.type:
            case RelationshipType.FRIEND:
                raise AlreadyFriends
            case RelationshipType.BLOCKED:
                raise FriendRequestBlocked
            case RelationshipType.INCOMING_REQUEST:
                await _accept(ctx, work, other)
            case None:
                await _request(ctx, work, other)


async def _request(ctx: Context, work: UnitOfWork, other: User) -> None:
    theirs = await relationships.get(work.cur, other.id, ctx.user.id)
    if theirs is not None:  # a block: every other relationship has two sides
        raise FriendRequestsDisabled
    if not await relationships.accepts_requests(work.cur, ctx.user.id, other.id):
        raise FriendRequestsDisabled
    counts = await relationships.counts(work.cur, [ctx.user.id, other.id])
    if counts[ctx.user.id, FRIEND] >= MAX_FRIENDS:
        raise TooManyFriends
    if counts[ctx.user.id, OUTGOING] >= MAX_REQUESTS:
        raise TooManyFriendRequests
    if counts[other.id, INCOMING] >= MAX_REQUESTS:
        raise FriendRequestsDisabled
    await _relate(work, ctx.user, other, OUTGOING)
    await _relate(work, other, ctx.user, INCOMING, notify=True)


async def _accept(ctx: Context, work: UnitOfWork, other: User) -> None:
    counts = await relationships.counts(work.cur, [ctx.user.id, other.id])
    if counts[ctx.user.id, FRIEND] >= MAX_FRIENDS:
        raise TooManyFriends
    if counts[other.id, FRIEND] >= MAX_FRIENDS:
        raise TooManyFriends("The other person has as many friends as it can have.")
    await _relate(work, ctx.user, other, FRIEND)
    await _relate(work, other, ctx.user, FRIEND, notify=True)


async def block(ctx: Context, user_id: UserId) -> None:
    """Block a person or a bot, and end a friendship or request. Blocking again changes nothing.

    Raises UnknownUser, CannotBefriendSelf, TooManyBlocks.
    """
    if user_id == ctx.user.id:
        raise CannotBefriendSelf
    async with ctx.begin() as work:
        other = await _lock(ctx, work, user_id)
        own = await relationships.get(work.cur, ctx.user.id, user_id)
        if own is not None and own.type == BLOCKED:
            return
        counts = await relationships.counts(work.cur, [ctx.user.id])
        if counts[ctx.user.id, BLOCKED] >= MAX_BLOCKS:
            raise TooManyBlocks
        await _relate(work, ctx.user, other, BLOCKED)
        await _end_theirs(ctx, work, user_id)


async def remove(ctx: Context, user_id: UserId) -> None:
    """End a friendship, decline or cancel a request, or unblock a user.

    Without a relationship, nothing changes. Raises UnknownUser.
    """
    async with ctx.begin() as work:
        await _lock(ctx, work, user_id, even_deleted=True)
        own = await relationships.get(work.cur, ctx.user.id, user_id)
        if own is None:
            return
        await relationships.delete(work.cur, ctx.user.id, user_id)
        work.emit(events.relationship_removed(ctx.user.id, user_id, own.type))
        if own.type != BLOCKED:
            await _end_theirs(ctx, work, user_id)


async def name(ctx: Context, user_id: UserId, nickname: Maybe[str | None]) -> None:
    """Set or remove the caller's nickname for a friend. Raises UnknownUser, NotFriends."""
    async with ctx.begin() as work:
        await work.ensure_and_lock(ctx.user.id)
        await access.require_account(work.cur, ctx.user.id)
        own = await relationships.get(work.cur, ctx.user.id, user_id)
        if own is None and await users.get(work.cur, user_id) is None:
            raise UnknownUser
        if own is None or own.type != FRIEND:
            raise NotFriends
        if nickname is UNSET or own.nickname == nickname:
            return
        await relationships.set_nickname(work.cur, ctx.user.id, user_id, nickname)
        work.emit(events.relationship_updated(ctx.user.id, replace(own, nickname=nickname)))


async def end_all(work: UnitOfWork, user_id: UserId) -> None:
    """End all relationships of a deleted account. The streams of its `counterparts` are locked."""
    for other_id, kind in await relationships.delete_of_deleted(work.cur, user_id):
        work.emit(events.relationship_removed(other_id, user_id, kind))


async def _lock(
    ctx: Context, work: UnitOfWork, user_id: UserId, *, even_deleted: bool = False
) -> User:
    """Lock the streams of the caller and another user. Returns the other. Raises UnknownUser."""
    if (
        await users.get(work.cur, user_id) is None
    ):  # checked first: other kinds of streams are not locked after a user's
        raise UnknownUser
    await work.ensure_and_lock(ctx.user.id, user_id)
    await access.require_account(work.cur, ctx.user.id)
    found = await users.by_ids(work.cur, [user_id], skip_deleted=not even_deleted)
    if not found:
        raise UnknownUser
    return found[0]


async def _relate(
    work: UnitOfWork, owner: User, other: User, kind: RelationshipType, *, notify: bool = False
) -> None:
    await relationships.put(work.cur, owner.id, other.id, kind)
    relationship = await relationships.get(work.cur, owner.id, other.id)
    assert relationship is not None
    work.emit(events.relationship_added(owner.id, relationship, notify=notify))


async def _end_theirs(ctx: Context, work: UnitOfWork, user_id: UserId) -> None:
    """Remove the other side of a relationship, unless it is a block of the caller."""
    theirs = await relationships.get(work.cur, user_id, ctx.user.id)
    if theirs is not None and theirs.type != BLOCKED:
        await relationships.delete(work.cur, user_id, ctx.user.id)
        work.emit(events.relationship_removed(user_id, ctx.user.id, theirs.type))
