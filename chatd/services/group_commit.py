"""Group commit: messages that arrive while others are being committed are committed together.

Creating a message is the hottest write there is, and its cost is the round trip and the flush of
the log to disk, not the row. So a handler does not open a transaction; it hands over its row and
waits. One statement inserts all rows that have gathered and is a transaction of its own: it locks
their streams, checks the version that each row was authorised at, numbers their events and
commits. Rows of one stream are never in two statements at once, so their order is kept; rows of
different streams may be, so that a guild whose stream is locked for long holds up only itself.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial

from chatd.bus.bus import Bus
from chatd.core.errors import Busy, DatabaseAway
from chatd.core.ids import MessageId, StreamId
from chatd.core.snowflake import SnowflakeGenerator
from chatd.db import Database
from chatd.events.event import Event
from chatd.queries import messages
from chatd.queries.messages import NewRow, Outcome

log = logging.getLogger(__name__)

_AT_ONCE = 2  # statements under way; each takes a connection
_BATCH = 256  # rows in one statement
_QUEUE = 4096  # rows that may wait; beyond that the answer is "busy" at once
_ATTEMPTS = 5  # for a row whose id another instance's clock has overtaken


class Outdated(Exception):
    """What the row was authorised on has changed since: decide anew."""


@dataclass(slots=True, eq=False)
class _Pending:
    row: NewRow
    event: Callable[[MessageId], Event]
    done: asyncio.Future[MessageId]
    attempts: int = 0


class MessageWriter:
    """Inserts messages and publishes their events."""

    def __init__(self, database: Database, bus: Bus, snowflakes: SnowflakeGenerator) -> None:
        self._database = database
        self._bus = bus
        self._snowflakes = snowflakes
        self._waiting: deque[_Pending] = deque()
        self._busy_streams: set[StreamId] = set()
        self._flights: set[asyncio.Task[None]] = set()

    async def insert(self, row: NewRow, event: Callable[[MessageId], Event]) -> MessageId:
        """Commit a message and publish `event(its id)`; returns the id.

        Cancelling the caller does not take the message back. Raises Outdated when the stream's
        version has moved on, Busy, DatabaseAway (then the message may or may not be stored).
        """
        if len(self._waiting) >= _QUEUE:
            raise Busy
        pending = _Pending(row, event, asyncio.get_running_loop().create_future())
        self._waiting.append(pending)
        self._take_off()
        return await pending.done

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Owns the statements under way: all are finished when the context ends."""
        try:
            yield
        finally:
            while self._flights:
                await asyncio.wait(self._flights)

    def _take_off(self) -> None:
        """Start a statement for what waits, unless enough are under way."""
        while len(self._flights) < _AT_ONCE and (batch := self._next_batch()):
            streams = {pending.row.stream_id for pending in batch}
            self._busy_streams |= streams
            flight = asyncio.create_task(self._fly(batch), name="group commit")
            self._flights.add(flight)
            flight.add_done_callback(partial(self._land, streams))

    def _next_batch(self) -> list[_Pending]:
        batch: list[_Pending] = []
        held: list[_Pending] = []
        while self._waiting and len(batch) < _BATCH:
            pending = self._waiting.popleft()
            (held if pending.row.stream_id in self._busy_streams else batch).append(pending)
        self._waiting.extendleft(reversed(held))
        return batch

    def _land(self, streams: set[StreamId], flight: asyncio.Task[None]) -> None:
        self._flights.discard(flight)
        self._busy_streams -= streams
        if not flight.cancelled() and (error := flight.exception()):
            log.error("a group commit failed", exc_info=error)
        self._take_off()

    async def _fly(self, batch: list[_Pending]) -> None:
        try:
            await self._commit(batch)
        except DatabaseAway as refused:
            _fail(batch, refused)
        except Exception as error:
            if len(batch) == 1:
                _fail(batch, error)
                return
            log.warning("a batch of %d messages failed: trying one by one", len(batch))
            for pending in batch:  # one bad row, or locked guild, must not fail its neighbours
                await self._fly([pending])
        except asyncio.CancelledError:
            _fail(batch, Busy())
            raise

    async def _commit(self, batch: list[_Pending]) -> None:
        """Insert these rows, publish those that went in, and tell every one what became of it."""
        ids = [MessageId(self._snowflakes.next()) for _ in batch]
        async with self._database.cursor() as cur:
            outcomes = await messages.insert_many(cur, ids, [pending.row for pending in batch])
        by_id = dict(zip(ids, batch, strict=True))
        committed = [outcome for outcome in outcomes if outcome.seq is not None]
        await self._bus.publish(
            [
                by_id[outcome.id].event(outcome.id).numbered(outcome.seq)
                for outcome in committed
                if outcome.seq is not None
            ]
        )
        for outcome in outcomes:
            self._settle(by_id[outcome.id], outcome)

    def _settle(self, pending: _Pending, outcome: Outcome) -> None:
        if outcome.seq is not None:
            _resolve(pending, outcome.id)
        elif outcome.version != pending.row.version:
            _fail([pending], Outdated())
        elif pending.attempts >= _ATTEMPTS:
            _fail([pending], Busy())
        else:
            # Another instance, whose clock is ahead, has written to this stream: go above it.
            self._snowflakes.observe(outcome.last_message_id)
            pending.attempts += 1
            self._waiting.appendleft(pending)


def _resolve(pending: _Pending, message_id: MessageId) -> None:
    if not pending.done.done():
        pending.done.set_result(message_id)


def _fail(batch: list[_Pending], error: Exception) -> None:
    for pending in batch:
        if not pending.done.done():
            pending.done.set_exception(error)
