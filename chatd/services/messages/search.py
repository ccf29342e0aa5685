"""Message search: authorization, and the scan of a stream until enough hits are found.

Hits are ordered by id. A search from newest to oldest first scans the messages that are not indexed
yet. Then it scans the segments of the index one after the other. From oldest to newest, it is the
reverse. A search ends with the 10,000th hit, since clients cannot page further. This limit, a
timeout and the number of search slots bound the cost. A search may time out if much is not indexed
yet, or if its terms consist of very common n-grams (see `core.search`). Then it returns the hits so
far, and reports that they are incomplete.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, fields
from functools import partial
from itertools import pairwise
from typing import TypeVar

from chatd.context.context import Context
from chatd.core import search as core
from chatd.core.errors import DatabaseUnavailable, InvalidForm, ServiceUnavailable
from chatd.core.ids import ChannelId, GuildId, MessageId, RoleId, StreamId, UserId
from chatd.core.models import ApplicationFlags, Message
from chatd.core.permissions import Permissions
from chatd.core.search import Filter, Group, Has
from chatd.db.cursor import Cursor
from chatd.queries import channels
from chatd.queries import search as queries
from chatd.queries.search import Hit, IndexState, SearchQuery
from chatd.queries.search_index import SEGMENT_MESSAGES
from chatd.services.access import access, privileged
from chatd.services.access.access import ChannelAccess
from chatd.wire.schemas.search import MessageSearch, Sorting

_WITHOUT_CONTENT = frozenset(
    {
        "author_id",
        "channel_id",
        "mentions",
        "min_id",
        "max_id",
        "limit",
        "offset",
        "sort_by",
        "sort_order",
        "pinned",
        "mention_everyone",
        "author_type",
        "mentions_role_id",
        "replied_to_user_id",
        "replied_to_message_id",
        "include_nsfw",
    }
)
"""Parameters of a search that do not depend on the content of messages."""

MAX_RESULTS = 10_000
"""The maximum of hits: up to the end of the last page, with offset 9975 and 25 messages."""

MAX_TERMS = 32
"""The maximum of different words and phrases in a search. Each is compared with every message that
is read."""

# The maximum of letters in all terms after normalization (NFKC), which can make a word 18 times as
# long.
_MAX_LENGTH = 4096
# A search that takes longer returns the hits so far.
_TIMEOUT_S = 3.0
# While accounts wait for a slot, the timeout of a search is divided by 1 + their number. It is at
# least this.
_MIN_TIMEOUT_S = 0.5
_SLOT_TIMEOUT_S = 5.0  # for a slot to become free
# About how many messages a statement scans.
_SCAN_SIZE = 2 * SEGMENT_MESSAGES
# The first scans are smaller: a statement that times out returns nothing.
_FIRST_SCANS = (256, 1024, 4096)  # messages
# The maximum of index keys that are read to find the end of a range. Searches of many channels
# would read more, so they do without small ranges.
_MAX_COUNTED_KEYS = 200_000
# Share of the remaining time for edited messages, which are searched first, by statements that
# return nothing if they time out. The rest is for the messages in the index.
_EDITED_SHARE = 0.3
# The maximum of segments in one statement. The first searches one, each next one twice as many.
_MAX_SEGMENTS = 32
# A search of more channels does not look up their keys in the index, which are too many to read. It
# compares the channel of each message that it reads.
_FEW_CHANNELS = 50


T = TypeVar("T")
Step = Callable[[int], Awaitable[list[Hit]]]
"""A part of a scan: takes the number of hits wanted, and returns that many at most."""


@dataclass(frozen=True, slots=True)
class SearchPage:
    """A page of hits."""

    messages: Sequence[Message]
    total: int
    """The number of all hits, at most MAX_RESULTS."""
    timed_out: bool
    """Whether the search timed out before it had read all messages."""


async def in_guild(ctx: Context, guild_id: GuildId, wanted: MessageSearch) -> SearchPage:
    """Search the channels of a guild in which the caller may read the history.

    Relevance is the share of a message's letters that match, so it ranks short messages first. It
    orders the newest (or oldest) MAX_RESULTS hits. Age-restricted channels are searched only with
    `include_nsfw`.

    Raises UnknownGuild, MissingAccess, InvalidForm, SearchRunning, ServiceUnavailable.
    """
    async with _search_transaction(ctx) as transaction:
        granted = await access.guild(transaction.cur, ctx.user.id, guild_id)
        await _require_content(transaction.cur, ctx, wanted)
        readable = [
            channel.id
            for channel in await channels.overwrites_for_member(
                transaction.cur, [guild_id], granted.targets
            )
            if Permissions.READ_MESSAGE_HISTORY in granted.in_channel(channel)
        ]
        if not wanted.include_nsfw:
            readable = sorted(
                {*readable} - {*await channels.age_restricted_ids(transaction.cur, guild_id)}
            )
        if wanted.channel_id:
            readable = sorted({*readable} & {*wanted.channel_id})
        return await _find(transaction, ctx, StreamId(guild_id), readable, wanted)


async def in_channel(ctx: Context, channel_id: ChannelId, wanted: MessageSearch) -> SearchPage:
    """Search one channel. Needs READ_MESSAGE_HISTORY.

    Raises UnknownChannel, MissingAccess, MissingPermissions, InvalidForm, SearchRunning,
    ServiceUnavailable.
    """
    async with _search_transaction(ctx) as transaction:
        granted = await access.channel(transaction.cur, ctx.user.id, channel_id)
        granted.require(Permissions.READ_MESSAGE_HISTORY)
        if isinstance(granted, ChannelAccess):
            await _require_content(transaction.cur, ctx, wanted)
        stream = granted.guild.id if isinstance(granted, ChannelAccess) else channel_id
        return await _find(transaction, ctx, StreamId(stream), [channel_id], wanted)


async def _require_content(cur: Cursor, ctx: Context, wanted: MessageSearch) -> None:
    """Raise MissingAccess for an application without MESSAGE_CONTENT that searches by content.

    The response would omit the content, but which messages match would reveal it.
    """
    by_content = (
        getattr(wanted, each.name)
        for each in fields(wanted)
        if each.name not in _WITHOUT_CONTENT and getattr(wanted, each.name) != each.default
    )
    if any(by_content):
        await privileged.require(cur, ctx, ApplicationFlags.MESSAGE_CONTENT)


@dataclass(frozen=True, slots=True)
class _SearchTransaction:
    """A read-only transaction for one search, with its deadline on the clock of the event loop."""

    cur: Cursor
    deadline: float


@asynccontextmanager
async def _search_transaction(ctx: Context) -> AsyncIterator[_SearchTransaction]:
    """Wait for a search slot, and yield a transaction on one snapshot.

    With one snapshot, each hit that is counted can be loaded, even if it was deleted in between.
    Raises SearchRunning, ServiceUnavailable.
    """
    searches = ctx.dependencies.searches
    async with searches.slot(ctx.user.id, timeout_s=_SLOT_TIMEOUT_S):
        timeout_s = max(min(_MIN_TIMEOUT_S, _TIMEOUT_S), _TIMEOUT_S / (1 + searches.waiting))
        deadline = asyncio.get_running_loop().time() + timeout_s
        snapshot = await ctx.database.begin(snapshot=True)
        try:
            yield _SearchTransaction(snapshot.cur, deadline)
        finally:
            await snapshot.rollback()


async def _find(
    transaction: _SearchTransaction,
    ctx: Context,
    stream: StreamId,
    readable: Sequence[ChannelId],
    wanted: MessageSearch,
) -> SearchPage:
    normal = await _terms(transaction.cur, wanted.content)
    scored = wanted.sort_by == Sorting.RELEVANCE
    newest_first = wanted.sort_order == "desc"
    query = SearchQuery(_filter(wanted, readable, normal), newest_first=newest_first, scored=scored)
    scan = _StreamScan(transaction, query, stream)
    await scan.run()
    hits = sorted(scan.hits.values(), key=lambda hit: hit.id, reverse=newest_first)
    hits = hits[:MAX_RESULTS]
    if scored:
        hits.sort(key=lambda hit: hit.score, reverse=newest_first)
    page = hits[wanted.offset : wanted.offset + wanted.limit]
    messages = await queries.load(transaction.cur, ctx.viewer, page) if page else []
    return SearchPage(messages, len(hits), scan.timed_out)


async def _terms(cur: Cursor, content: str) -> list[str]:
    """Return the distinct terms of a search, normalized for comparison. Raises InvalidForm."""
    terms = list(dict.fromkeys(core.terms(content)))
    if not terms:
        return []
    normal = await queries.normalize_terms(cur, terms)
    if len(normal) > MAX_TERMS:
        raise InvalidForm.of(
            "content",
            "BASE_TYPE_MAX_LENGTH",
            f"Must be {MAX_TERMS} or fewer different words and phrases.",
        )
    if sum(map(len, normal)) > _MAX_LENGTH:
        raise InvalidForm.of(
            "content",
            "BASE_TYPE_MAX_LENGTH",
            f"Must be {_MAX_LENGTH} or fewer letters in Unicode's form NFKC.",
        )
    return normal


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
        author_types=core.author_types(wanted.author_type),
        mention_roles=[RoleId(each) for each in wanted.mentions_role_id],
        replied_to_users=[UserId(each) for each in wanted.replied_to_user_id],
        replied_to=[MessageId(each) for each in wanted.replied_to_message_id],
        link_hosts=wanted.link_hostname,
        embed_providers=wanted.embed_provider,
        embed_types=wanted.embed_type,
        filenames=wanted.attachment_filename,
        extensions=wanted.attachment_extension,
    )


class _TimedOut(Exception):
    """A search has reached its deadline."""


class _StreamScan:
    """Scans a stream from one end until it has MAX_RESULTS hits or reaches its deadline."""

    def __init__(
        self, transaction: _SearchTransaction, query: SearchQuery, stream: StreamId
    ) -> None:
        self._cur = transaction.cur
        self._query = query
        self._stream = stream
        self._deadline = transaction.deadline
        self._remaining = MAX_RESULTS
        self.hits: dict[MessageId, Hit] = {}
        self.timed_out = False

    async def run(self) -> None:
        """Scan until the deadline, and keep the hits of the statements that ended before it."""
        try:
            await self._scan()
        except _TimedOut:
            self.timed_out = True

    async def _scan(self) -> None:
        if not self._query.filter.channels:
            return
        if self._query.filter.pinned:  # few messages, with an index of their own
            pinned = partial(queries.pinned, self._cur, self._query, limit=self._remaining)
            self._add_hits(await self._run_with_timeout(pinned))
            return
        state = await queries.state(self._cur, self._stream)
        if state.indexed_to:
            await self._add_edited(state)
        segments = await self._segment_steps()
        if not self._query.newest_first:
            for step in segments:
                await self._run_step(step)
        async for low, high in self._unindexed_ranges(state):
            await self._run_step(partial(self._scan_range, low, high))
        if self._query.newest_first:
            for step in segments[::-1]:
                await self._run_step(step)

    async def _add_edited(self, state: IndexState) -> None:
        """Search messages that were edited after they were indexed, in a share of the time."""
        edited = partial(queries.edited, self._cur, self._query, limit=MAX_RESULTS)
        try:
            changed = await self._run_with_timeout(edited, share=_EDITED_SHARE)
        except _TimedOut:
            self.timed_out = True
            return
        self.hits |= {hit.id: hit for hit in changed if hit.id <= state.indexed_to}

    async def _run_step(self, step: Step) -> None:
        if self._remaining > 0:
            self._add_hits(await self._run_with_timeout(partial(step, self._remaining)))

    async def _run_with_timeout(self, step: Callable[[], Awaitable[T]], *, share: float = 1.0) -> T:
        """Run a step in a share of the remaining time. Raises _TimedOut."""
        remaining_s = (self._deadline - asyncio.get_running_loop().time()) * share
        if remaining_s <= 0:
            raise _TimedOut
        await queries.begin_step(self._cur, within_s=remaining_s)
        try:
            found = await step()
        except DatabaseUnavailable:
            raise
        except ServiceUnavailable as timeout:
            await queries.undo_step(self._cur)
            raise _TimedOut from timeout
        await queries.end_step(self._cur)
        return found

    def _add_hits(self, found: Sequence[Hit]) -> None:
        self._remaining -= len(found)
        self.hits |= {hit.id: hit for hit in found}

    def _filter_admits(self, low: int, high: int) -> bool:
        """Return whether the filter admits any id from `low` to `high`."""
        return high > self._query.filter.min_id and low < self._query.filter.max_id

    async def _unindexed_ranges(self, state: IndexState) -> AsyncIterator[tuple[int, int]]:
        """Yield the ids that are not indexed as ranges, from the end where the scan begins.

        The first ranges have few messages: a statement that times out returns nothing, so an early
        one that reads much could leave the search without any hit.
        """
        low = max(state.indexed_to, self._query.filter.min_id)
        high = min(state.last_message_id, self._query.filter.max_id - 1)
        for count in _FIRST_SCANS:
            if low >= high or self._remaining <= 0:
                return
            if count * len(self._query.filter.channels) > _MAX_COUNTED_KEYS:
                break
            end = await self._run_with_timeout(
                partial(queries.nth_id, self._cur, self._query, low, high, count=count)
            )
            if end is None:
                break
            if self._query.newest_first:
                yield end - 1, high
                high = end - 1
            else:
                yield low, end
                low = end
        start = max(low, self._stream)
        span = max(high - start, 0) // max(state.backlog // _SCAN_SIZE, 1) + 1
        bounds = list(pairwise([low, *range(start + span, high, span), high]))
        for each in reversed(bounds) if self._query.newest_first else bounds:
            if each[0] < each[1]:
                yield each

    async def _scan_range(self, low: int, high: int, limit: int) -> list[Hit]:
        return await queries.between(self._cur, self._query, low, high, limit=limit)

    async def _segment_steps(self) -> list[Step]:
        """Return steps that search the segments, oldest first. Those that run first are small."""
        numbers = [
            each.number
            for each in await queries.segments(self._cur, self._stream)
            if self._filter_admits(each.first_id, each.last_id)
        ]
        groups = core.groups(self._query.filter, few_channels=_FEW_CHANNELS)
        if self._query.newest_first:
            numbers.reverse()
        steps: list[Step] = []
        size, done = 1, 0
        while done < len(numbers):
            steps.append(partial(self._search_segments, numbers[done : done + size], groups))
            size, done = min(size * 2, _MAX_SEGMENTS), done + size
        return steps[::-1] if self._query.newest_first else steps

    async def _search_segments(
        self, numbers: Sequence[int], groups: Sequence[Group], limit: int
    ) -> list[Hit]:
        return await queries.indexed(
            self._cur, self._query, self._stream, numbers, groups, limit=limit
        )
