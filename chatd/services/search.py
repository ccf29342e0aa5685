"""Searching messages: who may find what, and the walk through a stream until enough is found.

The order of a search is that of ids, so it reads what the index does not know yet and then one
segment after the other (or the other way round), and ends with the 10,000th hit: clients cannot
page further. What it costs is bounded by that, by the time it may take, and by how many searches
run at once. One that runs out of time, because much is not indexed yet or what is looked for is
made of very common parts, answers with what it has and says that it is not all.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from itertools import pairwise

from chatd.context import Context
from chatd.core import search as core
from chatd.core.errors import Busy
from chatd.core.ids import ChannelId, GuildId, MessageId, StreamId, UserId
from chatd.core.models import Message
from chatd.core.permissions import Permissions
from chatd.core.search import Filter, Group, Has
from chatd.db import Cursor
from chatd.queries import channels
from chatd.queries import search as queries
from chatd.queries.search import Ask, Hit, State
from chatd.queries.search_index import SEGMENT
from chatd.services import access
from chatd.services.access import ChannelAccess
from chatd.wire.schemas.searches import MessageSearch, Sorting

MAX_RESULTS = 10_000
"""Where counting ends: the last page there is, an offset of 9975 and 25 messages."""

_TIME_S = 3.0  # after it the search answers with what it has found
_WAIT_S = 5.0  # for other searches to end
_WINDOW = 2 * SEGMENT  # messages that are read in a statement, about
_MOST_SEGMENTS = 32  # in a statement; the first has one, the next two, and so on
_FEW_CHANNELS = 50


Step = Callable[[int], Awaitable[list[Hit]]]
"""A part of a walk; given how many hits are wanted, finds them."""


@dataclass(frozen=True, slots=True)
class Found:
    """A page of hits."""

    messages: Sequence[Message]
    total: int
    """How many there are in all, at most MAX_RESULTS."""
    is_cut: bool
    """Whether it took so long that older (or newer) messages were left out."""


async def in_guild(ctx: Context, guild_id: GuildId, wanted: MessageSearch) -> Found:
    """Search the channels of a guild in which the caller may read the history.

    By relevance first comes what says little besides what was looked for: the share of its letters
    that are, counted over the newest (or oldest) MAX_RESULTS hits.

    Raises UnknownGuild, MissingAccess, Busy.
    """
    async with _reading(ctx) as cur:
        granted = await access.guild(cur, ctx.user.id, guild_id)
        readable = [
            channel.id
            for channel in await channels.of_guild(cur, guild_id)
            if Permissions.READ_MESSAGE_HISTORY in granted.in_channel(channel)
        ]
        if wanted.channel_id:
            readable = sorted({*readable} & {*wanted.channel_id})
        return await _find(cur, ctx, StreamId(guild_id), readable, wanted)


async def in_channel(ctx: Context, channel_id: ChannelId, wanted: MessageSearch) -> Found:
    """Search one channel. Needs READ_MESSAGE_HISTORY.

    Raises UnknownChannel, MissingAccess, MissingPermissions, Busy.
    """
    async with _reading(ctx) as cur:
        granted = await access.channel(cur, ctx.user.id, channel_id)
        granted.require(Permissions.READ_MESSAGE_HISTORY)
        stream = granted.guild.id if isinstance(granted, ChannelAccess) else channel_id
        return await _find(cur, ctx, StreamId(stream), [channel_id], wanted)


@asynccontextmanager
async def _reading(ctx: Context) -> AsyncIterator[Cursor]:
    """Read from one moment: what is counted is there to be shown, whatever is deleted meanwhile."""
    try:
        async with asyncio.timeout(_WAIT_S):
            await ctx.resources.searches.acquire()
    except TimeoutError:
        raise Busy from None
    try:
        transaction = await ctx.database.begin(snapshot=True)
        try:
            yield transaction.cur
        finally:
            await transaction.rollback()
    finally:
        ctx.resources.searches.release()


async def _find(
    cur: Cursor,
    ctx: Context,
    stream: StreamId,
    readable: Sequence[ChannelId],
    wanted: MessageSearch,
) -> Found:
    terms = core.terms(wanted.content)
    normal = await queries.normal(cur, terms) if terms else []
    scored = wanted.sort_by == Sorting.RELEVANCE
    newest_first = wanted.sort_order == "desc"
    ask = Ask(_filter(wanted, readable, normal), newest_first=newest_first, scored=scored)
    walk = _Walk(cur, ask, stream)
    await walk.run()
    hits = sorted(walk.hits.values(), key=lambda hit: hit.id, reverse=newest_first)
    hits = hits[:MAX_RESULTS]
    if scored:
        hits.sort(key=lambda hit: hit.score, reverse=newest_first)
    page = hits[wanted.offset : wanted.offset + wanted.limit]
    messages = await queries.load(cur, ctx.viewer, page) if page else []
    return Found(messages, len(hits), walk.is_cut)


def _filter(wanted: MessageSearch, channels: Sequence[ChannelId], terms: Sequence[str]) -> Filter:
    return Filter(
        channels=channels,
        terms=terms,
        authors=[UserId(each) for each in wanted.author_id],
        mentions=[UserId(each) for each in wanted.mentions],
        has=frozenset(Has(each) for each in wanted.has if not each.startswith("-")),
        has_not=frozenset(Has(each[1:]) for each in wanted.has if each.startswith("-")),
        min_id=wanted.min_id,
        max_id=wanted.max_id,
        pinned=wanted.pinned,
        mention_everyone=wanted.mention_everyone,
    )


class _Walk:
    """The hits of a search, gathered from one end until there are enough."""

    def __init__(self, cur: Cursor, ask: Ask, stream: StreamId) -> None:
        self._cur = cur
        self._ask = ask
        self._stream = stream
        self._left = MAX_RESULTS
        self.hits: dict[MessageId, Hit] = {}
        self.is_cut = False

    async def run(self) -> None:
        """Gather."""
        if not self._ask.filter.channels:
            return
        if self._ask.filter.pinned:  # which are few, and have an index of their own
            self._take(await queries.pinned(self._cur, self._ask, limit=self._left))
            return
        state = await queries.state(self._cur, self._stream)
        if state.indexed_to:
            changed = await queries.edited(self._cur, self._ask, limit=MAX_RESULTS)
            self.hits |= {hit.id: hit for hit in changed if hit.id <= state.indexed_to}
        steps = [*await self._segments(), *self._new(state)]
        clock = asyncio.get_running_loop().time
        deadline = clock() + _TIME_S
        for step in reversed(steps) if self._ask.newest_first else steps:
            if self._left <= 0:
                return
            if clock() > deadline:
                self.is_cut = True
                return
            self._take(await step(self._left))

    def _take(self, found: Sequence[Hit]) -> None:
        self._left -= len(found)
        self.hits |= {hit.id: hit for hit in found}

    def _meets(self, low: int, high: int) -> bool:
        """Whether the filter lets ids from `low` to `high` through."""
        return high > self._ask.filter.min_id and low < self._ask.filter.max_id

    def _new(self, state: State) -> list[Step]:
        """Steps that read what is not indexed, oldest first; more than one when that is a lot."""
        low, last = max(state.indexed_to, self._stream), state.last_message_id
        span = max(last - low, 0) // max(state.backlog // _WINDOW, 1) + 1
        bounds = [state.indexed_to, *range(low + span, last, span), last]
        return [
            partial(self._read, low, high)
            for low, high in pairwise(bounds)
            if low < high and self._meets(low + 1, high)
        ]

    async def _read(self, low: int, high: int, limit: int) -> list[Hit]:
        return await queries.between(self._cur, self._ask, low, high, limit=limit)

    async def _segments(self) -> list[Step]:
        """Steps that search the segments, oldest first: where the walk begins, by few at once."""
        numbers = [
            each.number
            for each in await queries.segments(self._cur, self._stream)
            if self._meets(each.first_id, each.last_id)
        ]
        groups = core.groups(self._ask.filter, few_channels=_FEW_CHANNELS)
        if self._ask.newest_first:
            numbers.reverse()
        steps: list[Step] = []
        size, done = 1, 0
        while done < len(numbers):
            steps.append(partial(self._look_up, numbers[done : done + size], groups))
            size, done = min(size * 2, _MOST_SEGMENTS), done + size
        return steps[::-1] if self._ask.newest_first else steps

    async def _look_up(
        self, numbers: Sequence[int], groups: Sequence[Group], limit: int
    ) -> list[Hit]:
        return await queries.indexed(
            self._cur, self._ask, self._stream, numbers, groups, limit=limit
        )
