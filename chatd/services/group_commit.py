"""Group commit: messages that arrive while others are being committed are committed together.

Creating a message is the hottest write there is, and its cost is the round trip and the flush of
the log to disk, not the row. So a handler does not open a transaction; it hands over its row and
waits. One statement inserts all rows that have gathered and is a transaction of its own: it locks
their streams, checks the version that each row was authorised at, numbers their events and
commits. Rows of one stream are never in two statements at once, so their order is kept.

A batch waits for nobody: it passes over a stream that somebody else has locked. The rows of that
stream then go on their own, in a statement that waits, so that a guild whose stream is locked for
long holds up only itself.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable
from contextlib import asynccontextmanager
from contextvars import Context
from dataclasses import dataclass
from functools import partial

from chatd.bus.bus import Bus
from chatd.core.errors import Busy, DatabaseAway
from chatd.core.ids import MessageId, StreamId
from chatd.core.snowflake import SnowflakeGenerator
from chatd.db import Database
from chatd.events.event import Event
from chatd.metrics import Metrics
from chatd.queries import messages
from chatd.queries.messages import NewRow, Outcome

log = logging.getLogger(__name__)

_BATCHES = 2  # batches under way; each takes a connection
_PATIENT = 2  # statements that wait for a locked stream; likewise
_BATCH = 256  # rows in one statement
_GATHER_S = 0.005  # for a batch, where many write
_IDLE_TURNS = 3  # of the loop: a request that has been read takes so many to come here
_QUEUE = 8192  # rows that may wait; beyond that the answer is "busy" at once
_STREAM_QUEUE = 1024  # of them for one stream
_ATTEMPTS = 5  # for a row whose id another instance's clock has overtaken


class Outdated(Exception):
    """What the row was authorised on has changed since: decide anew."""


class Held(Exception):
    """Slow mode or a nonce that has been used already keeps the row out."""


@dataclass(slots=True, eq=False)
class _Pending:
    row: NewRow
    event: Callable[[MessageId], Event]
    done: asyncio.Future[MessageId]
    attempts: int = 0


class MessageWriter:
    """Inserts messages and publishes their events."""

    def __init__(
        self, database: Database, bus: Bus, snowflakes: SnowflakeGenerator, metrics: Metrics
    ) -> None:
        self._metrics = metrics
        self._database = database
        self._bus = bus
        self._snowflakes = snowflakes
        self._waiting: dict[StreamId, deque[_Pending]] = {}
        self._count = 0
        self._is_departing = False
        self._is_crowded = False
        self._under_way: set[StreamId] = set()
        self._contended: set[StreamId] = set()
        self._batches: set[asyncio.Task[None]] = set()
        self._patient: set[asyncio.Task[None]] = set()

    async def insert(self, row: NewRow, event: Callable[[MessageId], Event]) -> MessageId:
        """Commit a message and publish `event(its id)`; returns the id.

        Cancelling the caller does not take the message back. Raises Outdated when the stream's
        version has moved on, Held, Busy, DatabaseAway (then the message may or may not be stored).
        """
        queue = self._waiting.get(row.stream_id, ())
        if self._count >= _QUEUE or len(queue) >= _STREAM_QUEUE:
            raise Busy
        pending = _Pending(row, event, asyncio.get_running_loop().create_future())
        self._waiting.setdefault(row.stream_id, deque()).append(pending)
        self._count += 1
        self._take_off()
        return await pending.done

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Owns the statements under way: all are finished when the context ends."""
        try:
            yield
        finally:
            while under_way := self._batches | self._patient:
                await asyncio.wait(under_way)

    def _take_off(self) -> None:
        """Start statements for what waits, unless enough are under way."""
        if not self._is_departing and len(self._batches) < _BATCHES and self._is_any_free():
            self._is_departing = True
            self._start(self._depart(), self._batches)
        while len(self._patient) < _PATIENT and (batch := self._next_contended()):
            streams = self._board(batch)
            self._start(self._fly(batch, streams, patient=True), self._patient)

    async def _depart(self) -> None:
        """Commit a batch of what has gathered.

        Where many write, it goes when a few turns of the loop have brought nothing more: Postgres
        answers so fast that else it would be asked for every few messages, which costs it and us
        much more for each.
        """
        if self._is_crowded:
            await self._gather()
        self._is_departing = False
        batch = self._next_batch()
        self._is_crowded = len(batch) > 1
        streams = self._board(batch)
        self._take_off()
        await self._fly(batch, streams, patient=False)

    async def _gather(self) -> None:
        clock = asyncio.get_running_loop().time
        end, seen, idle_turns = clock() + _GATHER_S, 0, 0
        while self._count < _BATCH and idle_turns < _IDLE_TURNS and clock() < end:
            idle_turns = 0 if self._count > seen else idle_turns + 1
            seen = self._count
            await asyncio.sleep(0)

    def _is_any_free(self) -> bool:
        return any(
            stream not in self._under_way and stream not in self._contended
            for stream in self._waiting
        )

    def _next_batch(self) -> list[_Pending]:
        """Rows of all streams that are free, as far as we know."""
        batch: list[_Pending] = []
        for stream in list(self._waiting):
            if stream not in self._under_way and stream not in self._contended:
                batch += self._take(stream, _BATCH - len(batch))
            if len(batch) >= _BATCH:
                break
        return batch

    def _next_contended(self) -> list[_Pending]:
        """Rows of one stream that a batch has found locked."""
        for stream in self._contended - self._under_way:
            if stream in self._waiting:
                return self._take(stream, _BATCH)
            self._contended.discard(stream)
        return []

    def _take(self, stream: StreamId, most: int) -> list[_Pending]:
        queue = self._waiting[stream]
        taken = [queue.popleft() for _ in range(min(most, len(queue)))]
        if not queue:
            del self._waiting[stream]
        self._count -= len(taken)
        return taken

    def _put_back(self, rows: Iterable[_Pending]) -> None:
        """Let rows wait again, before those that came later."""
        for pending in reversed(list(rows)):
            self._waiting.setdefault(pending.row.stream_id, deque()).appendleft(pending)
            self._count += 1

    def _board(self, batch: list[_Pending]) -> set[StreamId]:
        """The streams of a batch, which are under way from here on."""
        streams = {pending.row.stream_id for pending in batch}
        self._under_way |= streams
        return streams

    def _start(self, flight: Coroutine[None, None, None], flights: set[asyncio.Task[None]]) -> None:
        # What it logs is not about the request that happened to start it: it has its own context.
        task = asyncio.create_task(flight, name="group commit", context=Context())
        flights.add(task)
        task.add_done_callback(partial(self._land, flights))

    def _land(self, flights: set[asyncio.Task[None]], task: asyncio.Task[None]) -> None:
        flights.discard(task)
        if not task.cancelled() and (error := task.exception()):
            log.error("a group commit failed", exc_info=error)
        self._take_off()

    async def _fly(self, batch: list[_Pending], streams: set[StreamId], *, patient: bool) -> None:
        try:
            await self._commit_all(batch, patient=patient)
        finally:
            self._under_way -= streams

    async def _commit_all(self, batch: list[_Pending], *, patient: bool) -> None:
        """Commit a batch; when it fails as a whole, each row on its own."""
        try:
            await self._commit(batch, patient=patient)
        except (Busy, DatabaseAway) as refused:
            _fail(batch, refused)
        except Exception as error:
            if len(batch) == 1:
                _fail(batch, error)
                return
            log.warning("a batch of %d messages failed: trying one by one", len(batch))
            for pending in batch:  # one bad row must not fail its neighbours
                await self._commit_all([pending], patient=patient)
        except asyncio.CancelledError:
            _fail(batch, Busy())
            raise

    async def _commit(self, batch: list[_Pending], *, patient: bool) -> None:
        """Insert these rows, publish those that went in, and tell every one what became of it.

        Raises only as long as nothing has been committed.
        """
        flying = {}
        for pending in batch:
            message_id = MessageId(self._snowflakes.next())
            try:
                flying[message_id] = (pending, pending.event(message_id))
            except Exception as error:
                _fail([pending], error)
        if not flying:
            return
        rows = [pending.row for pending, _ in flying.values()]
        began = time.monotonic()
        async with self._database.cursor() as cur:
            outcomes = await messages.insert_many(cur, list(flying), rows, patient=patient)
        committed = [outcome for outcome in outcomes if outcome.seq is not None]
        if committed:
            self._metrics.committed(len(committed), time.monotonic() - began)
        # The event is on its way before the answer to its writer is: clients rely on that.
        await self._bus.publish(
            [
                flying[outcome.id][1].numbered(outcome.seq)
                for outcome in committed
                if outcome.seq is not None
            ]
        )
        again = []
        for outcome in outcomes:
            pending = flying[outcome.id][0]
            if not self._settle(pending, outcome, patient=patient):
                again.append(pending)
        self._put_back(again)
        if patient:
            self._contended -= {row.stream_id for row in rows}

    def _settle(self, pending: _Pending, outcome: Outcome, *, patient: bool) -> bool:
        """Tell what became of a row. False when it has to be tried again."""
        if outcome.seq is not None:
            _resolve(pending, outcome.id)
        elif outcome.version is None and not patient:
            self._contended.add(pending.row.stream_id)
            return False
        elif outcome.version != pending.row.version:
            _fail([pending], Outdated())
        elif outcome.last_message_id < outcome.id:
            _fail([pending], Held())
        elif pending.attempts >= _ATTEMPTS:
            _fail([pending], Busy())
        else:
            # Another instance, whose clock is ahead, has written to this stream: go above it.
            self._snowflakes.observe(outcome.last_message_id)
            pending.attempts += 1
            return False
        return True


def _resolve(pending: _Pending, message_id: MessageId) -> None:
    if not pending.done.done():
        pending.done.set_result(message_id)


def _fail(batch: list[_Pending], error: Exception) -> None:
    for pending in batch:
        if not pending.done.done():
            pending.done.set_exception(error)
