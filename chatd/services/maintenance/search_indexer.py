"""Search indexer: adds messages to the index of the message search. One instance works at a time.

A round adds one segment for each stream with enough messages, so that a large guild does not delay
others. If a segment fails, the next round takes half as many messages. A single message that fails
is marked as not indexed, and searches read it instead. So no attempt repeats without end.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from chatd.core.errors import DatabaseUnavailable, RowLocked, ServiceUnavailable
from chatd.core.ids import StreamId
from chatd.db.cursor import Cursor
from chatd.db.pool import Database
from chatd.queries import search_index, search_upkeep

log = logging.getLogger(__name__)

_INTERVAL_S = 30.0  # between two runs; a search reads messages that are not indexed yet
_STREAMS = 1000  # queried at once
_EDITS = 200  # in one transaction
# Pause after a step, in durations of the step: a fifth of a core indexes 3,000 messages a second.
_IDLE_FACTOR = 4.0
_REPORT_S = 60.0  # between two log lines about progress

Step = Callable[[Cursor], Awaitable[object]]


async def run(database: Database) -> None:
    """Index new messages until cancelled."""
    sizes = BatchSizes()
    while True:
        try:
            await catch_up(database, sizes)
        except ServiceUnavailable as error:
            log.info("indexing postponed: %s", error)
        await asyncio.sleep(_INTERVAL_S)


class BatchSizes:
    """Messages per step: half as many after a failure, twice as many after a success.

    Kept in memory, so an instance that takes over begins with whole segments again.
    """

    def __init__(self) -> None:
        self._halvings: dict[StreamId | None, int] = {}

    def of(self, stream_id: StreamId | None, most: int) -> int:
        """Return the size for a stream, or for edits (None)."""
        return max(1, most >> self._halvings.get(stream_id, 0))

    def failed(self, stream_id: StreamId | None) -> None:
        """Halve the size for a stream."""
        self._halvings[stream_id] = self._halvings.get(stream_id, 0) + 1

    def succeeded(self, stream_id: StreamId | None) -> None:
        """Double the size for a stream, up to the full one."""
        if (halvings := self._halvings.pop(stream_id, 0)) > 1:
            self._halvings[stream_id] = halvings - 1


async def catch_up(database: Database, sizes: BatchSizes | None = None) -> None:
    """Index all streams with enough messages, unless another instance is doing it."""
    sizes = sizes or BatchSizes()
    clock = asyncio.get_running_loop().time
    began = reported = clock()
    segments = 0
    async with database.cursor() as cur:
        waiting = await search_index.streams_to_index(cur, limit=_STREAMS)
    while waiting:
        waiting = [each for each in waiting if await _extend_once(database, each, sizes)]
        segments += len(waiting)
        await _index_edits(database, sizes)
        if clock() - reported > _REPORT_S:
            reported = clock()
            log.info(
                "indexing: %d segments in %.0f s, %d streams left",
                segments,
                clock() - began,
                len(waiting),
            )
    if segments:
        log.info("indexed %d segments in %.0f s", segments, clock() - began)
    await _index_edits(database, sizes)
    await _run_until_done(database, search_upkeep.delete_orphans)
    await _run_until_done(database, search_upkeep.delete_orphaned_marks)


async def _extend_once(database: Database, stream_id: StreamId, sizes: BatchSizes) -> bool:
    """Add one segment of a stream. Return False if the stream has no further one for now."""
    size = sizes.of(stream_id, search_index.SEGMENT_MESSAGES)
    try:
        has_more = await _run_once(
            database, lambda cur: search_index.extend(cur, stream_id, size=size)
        )
    except DatabaseUnavailable:
        raise
    except RowLocked as locked:  # not because of its messages
        log.info("indexing of stream %d postponed: %s", stream_id, locked)
        return False
    except ServiceUnavailable as failed:
        if size > 1:
            log.warning("indexing %d messages of stream %d failed: %s", size, stream_id, failed)
            sizes.failed(stream_id)
            return True
        log.warning("cannot index a message of stream %d; searches read it: %s", stream_id, failed)
        return await _run_once(
            database,
            lambda cur: search_index.extend(cur, stream_id, size=1, unindexed=True),
        )
    sizes.succeeded(stream_id)
    return has_more


async def _index_edits(database: Database, sizes: BatchSizes) -> None:
    """Index all edited messages again."""
    while await _index_some_edits(database, sizes, sizes.of(None, _EDITS)):
        pass


async def _index_some_edits(database: Database, sizes: BatchSizes, size: int) -> bool:
    try:
        has_more = await _run_once(database, lambda cur: search_upkeep.apply_edits(cur, limit=size))
    except DatabaseUnavailable:
        raise
    except RowLocked as locked:
        log.info("indexing of edits postponed: %s", locked)
        return False
    except ServiceUnavailable as failed:
        if size > 1:
            log.warning("indexing %d edits failed: %s", size, failed)
            sizes.failed(None)
            return True
        log.warning("cannot index an edited message; searches read it: %s", failed)
        return await _run_once(
            database, lambda cur: search_upkeep.apply_edits(cur, limit=1, unindexed=True)
        )
    sizes.succeeded(None)
    return has_more


async def extend(
    database: Database, stream_id: StreamId, *, size: int = search_index.SEGMENT_MESSAGES
) -> None:
    """Add segments of `size` messages while a stream has enough that are not indexed."""
    await _run_until_done(database, lambda cur: search_index.extend(cur, stream_id, size=size))


async def _run_until_done(database: Database, step: Step) -> None:
    """Run a step in one transaction after the other, until it has nothing to do."""
    while await _run_once(database, step):
        pass


async def _run_once(database: Database, step: Step) -> bool:
    """Run a step in a transaction, and pause. Return False if it has nothing to do."""
    clock = asyncio.get_running_loop().time
    started = clock()
    transaction = await database.begin()
    try:
        has_more = await search_index.try_lock(transaction.cur) and await step(transaction.cur)
    except BaseException:
        await transaction.rollback()
        raise
    await transaction.commit()
    # Also if there is nothing to do: each stream is looked at once an hour, and whether it has
    # enough messages for a segment takes 7 ms and more to find out.
    await asyncio.sleep((clock() - started) * _IDLE_FACTOR)
    return bool(has_more)
