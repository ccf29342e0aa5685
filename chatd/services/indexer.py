"""Keeps the index of the message search up: every instance tries, one at a time does it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from chatd.core.errors import Busy, DatabaseAway
from chatd.core.ids import StreamId
from chatd.db import Cursor, Database
from chatd.queries import search_index, search_upkeep

log = logging.getLogger(__name__)

_EVERY_S = 30.0
_STREAMS = 1000  # looked at in one go
_EDITS = 200  # in one transaction
_REST = 4.0  # times as long as a step takes: a fifth of a core indexes 3,000 messages a second

Step = Callable[[Cursor], Awaitable[object]]


async def run(database: Database) -> None:
    """Index for ever what has gathered."""
    while True:
        try:
            await catch_up(database)
        except (Busy, DatabaseAway) as missed:
            log.info("indexing waits: %s", missed)
        await asyncio.sleep(_EVERY_S)


async def catch_up(database: Database) -> None:
    """Index all there is, unless another instance is at it."""
    async with database.cursor() as cur:
        streams = await search_index.due(cur, limit=_STREAMS)
    for stream_id in streams:
        try:
            await extend(database, stream_id)
        except Busy as missed:  # the others need not wait for it
            log.info("indexing %d waits: %s", stream_id, missed)
    await _repeat(database, lambda cur: search_upkeep.take_edits(cur, limit=_EDITS))
    await _repeat(database, search_upkeep.forget)


async def extend(
    database: Database, stream_id: StreamId, *, size: int = search_index.SEGMENT
) -> None:
    """Make segments of `size` messages as long as a stream has enough that are in none."""
    await _repeat(database, lambda cur: search_index.extend(cur, stream_id, size=size))


async def _repeat(database: Database, step: Step) -> None:
    """Run a step in transactions of its own, until it has nothing to do."""
    clock = asyncio.get_running_loop().time
    while True:
        started = clock()
        transaction = await database.begin()
        try:
            goes_on = await search_index.alone(transaction.cur) and await step(transaction.cur)
        except BaseException:
            await transaction.rollback()
            raise
        await transaction.commit()
        if not goes_on:
            return
        await asyncio.sleep((clock() - started) * _REST)
