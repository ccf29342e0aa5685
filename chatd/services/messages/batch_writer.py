"""Group commit: messages that arrive while a commit is running are committed together.

Creating a message is the most frequent write. Its cost is the round trip to Postgres and the flush
of the write-ahead log, not the row. So a request does not open a transaction. It queues its row and
waits for the outcome. One statement inserts a batch of rows and is a transaction of its own: it
locks the streams, checks the permission version that each row was authorized at, numbers the
events, and commits. Rows of one stream are never in two batches at once, which keeps their order.

A batch does not wait for locks: it skips a stream that another transaction has locked. The rows of
that stream follow in a batch of their own, with a blocking lock. So a stream that stays locked
delays only its own messages.

A stream is in flight while a running batch contains rows of it.
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
from typing import TypeAlias

from chatd.bus.bus import Bus
from chatd.core.errors import RowLocked, ServiceUnavailable
from chatd.core.ids import MessageId, StreamId
from chatd.core.snowflake import SnowflakeGenerator
from chatd.db.pool import Database
from chatd.events.event import Event
from chatd.observability.metrics import Metrics
from chatd.queries import message_inserts, streams
from chatd.queries.message_inserts import InsertResult, NewRow

log = logging.getLogger(__name__)

# Batches that run at the same time: one is sent while another is flushed to disk. Each occupies a
# database connection, which other requests then lack.
_MAX_BATCHES = 2
# Batches that wait for a lock, each with the rows of one locked stream. Each occupies a database
# connection for up to LOCK_TIMEOUT_S, 4 s. So locked streams occupy at most 2 of the pool's
# connections (20 by default), and the rows of further locked streams stay in the queue. The limit
# is separate from _MAX_BATCHES, so that locked streams cannot stop the batches of all others.
_MAX_BLOCKING_BATCHES = 2
_MAX_ROWS = 256  # in one statement, which locks the streams of all of them until it ends
# The longest time in seconds for which a batch lingers: under load, it waits for further rows. It
# usually waits less, until _IDLE_TICKS. With 16 requests in flight, lingering raised the messages
# per second by a third. While each tick queues another row, a batch would wait for _MAX_ROWS, so
# this bounds the delay of its first message.
_LINGER_S = 0.005
# A batch waits no longer once this many ticks of the event loop have queued no row. A request that
# the server has read needs that many to queue its row.
_IDLE_TICKS = 3
# Rows in all queues: 32 full statements. Above it, `insert` raises at once instead of queuing.
_MAX_QUEUED_ROWS = 8192
_MAX_QUEUED_PER_STREAM = 1024  # one stream must not fill the queue for all others
# A new lease of ids takes one round trip. The writer checks for it this often, for 0.4 s in all.
_LEASE_CHECKS = 20
_LEASE_CHECK_S = 0.02
# Further attempts to insert a row. An attempt fails if another instance, whose clock is ahead, has
# written a higher id to the stream.
_MAX_ATTEMPTS = 5


class StaleAuthorization(Exception):
    """The stream's permission version has changed since the row was authorized."""


class RejectedByGuard(Exception):
    """The author has to wait (slow mode), or has used the nonce before."""


@dataclass(slots=True, eq=False)
class _Pending:
    """A queued row, the event to publish once it is inserted, and the future of its id."""

    row: NewRow
    event: Callable[[MessageId], Event]
    done: asyncio.Future[MessageId]
    attempts: int = 0


_RowsById: TypeAlias = dict[MessageId, tuple[_Pending, Event]]


class MessageBatchWriter:
    """Inserts messages in batches and publishes their events."""

    def __init__(
        self, database: Database, bus: Bus, snowflakes: SnowflakeGenerator, metrics: Metrics
    ) -> None:
        self._metrics = metrics
        self._database = database
        self._bus = bus
        self._snowflakes = snowflakes
        self._queues: dict[StreamId, deque[_Pending]] = {}
        self._queued_rows = 0
        self._batch_scheduled = False
        # Whether the last batch had more than one row: then the next one lingers.
        self._under_load = False
        self._in_flight: set[StreamId] = set()
        # Streams that a batch has found locked.
        self._locked_streams: set[StreamId] = set()
        self._batches: set[asyncio.Task[None]] = set()
        self._blocking: set[asyncio.Task[None]] = set()

    async def insert(self, row: NewRow, event: Callable[[MessageId], Event]) -> MessageId:
        """Commit a message, publish `event(its id)`, and return the id.

        Cancelling the caller does not undo the insert. Raises StaleAuthorization,
        RejectedByGuard, ServiceUnavailable, DatabaseUnavailable (then the message may or
        may not be stored).
        """
        queue = self._queues.get(row.stream_id, ())
        if self._queued_rows >= _MAX_QUEUED_ROWS or len(queue) >= _MAX_QUEUED_PER_STREAM:
            raise ServiceUnavailable
        pending = _Pending(row, event, asyncio.get_running_loop().create_future())
        self._queues.setdefault(row.stream_id, deque()).append(pending)
        self._queued_rows += 1
        self._start_batches()
        return await pending.done

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Finish all batches before the context ends."""
        try:
            yield
        finally:
            while running := self._batches | self._blocking:
                await asyncio.wait(running)

    def _start_batches(self) -> None:
        """Start batches for queued rows, within the limits."""
        if (
            self._queues
            and not self._batch_scheduled
            and len(self._batches) < _MAX_BATCHES
            and self._has_unlocked_stream()
        ):
            self._batch_scheduled = True
            self._spawn(self._run_batch(), self._batches)
        while (
            self._locked_streams
            and len(self._blocking) < _MAX_BLOCKING_BATCHES
            and (batch := self._next_locked_stream_batch())
        ):
            streams = self._mark_in_flight(batch)
            self._spawn(self._commit_in_flight(batch, streams, wait=True), self._blocking)

    async def _run_batch(self) -> None:
        """Commit one batch of queued rows; under load, linger first.

        Without lingering, Postgres is so fast that each batch would have few rows. That costs
        Postgres and this process much more per row.
        """
        if self._under_load:
            await self._linger()
        self._batch_scheduled = False
        batch = self._next_batch()
        self._under_load = len(batch) > 1
        streams = self._mark_in_flight(batch)
        self._start_batches()
        await self._commit_in_flight(batch, streams, wait=False)

    async def _linger(self) -> None:
        """Wait until a few ticks of the event loop have queued no further row."""
        clock = asyncio.get_running_loop().time
        end, seen, idle_ticks = clock() + _LINGER_S, 0, 0
        while self._queued_rows < _MAX_ROWS and idle_ticks < _IDLE_TICKS and clock() < end:
            idle_ticks = 0 if self._queued_rows > seen else idle_ticks + 1
            seen = self._queued_rows
            await asyncio.sleep(0)

    def _has_unlocked_stream(self) -> bool:
        """Return whether a queued row is of a stream that is neither in flight nor locked."""
        return any(
            stream not in self._in_flight and stream not in self._locked_streams
            for stream in self._queues
        )

    def _next_batch(self) -> list[_Pending]:
        """Dequeue rows of the streams that are neither in flight nor known to be locked."""
        batch: list[_Pending] = []
        for stream in list(self._queues):
            if stream not in self._in_flight and stream not in self._locked_streams:
                batch += self._dequeue(stream, _MAX_ROWS - len(batch))
            if len(batch) >= _MAX_ROWS:
                break
        return batch

    def _next_locked_stream_batch(self) -> list[_Pending]:
        """Dequeue rows of one stream that a batch has found locked."""
        for stream in self._locked_streams - self._in_flight:
            if stream in self._queues:
                return self._dequeue(stream, _MAX_ROWS)
            self._locked_streams.discard(stream)
        return []

    def _dequeue(self, stream: StreamId, max_rows: int) -> list[_Pending]:
        queue = self._queues[stream]
        rows = [queue.popleft() for _ in range(min(max_rows, len(queue)))]
        if not queue:
            del self._queues[stream]
        self._queued_rows -= len(rows)
        return rows

    def _requeue(self, rows: Iterable[_Pending]) -> None:
        """Put rows back at the heads of their queues, in their order."""
        for pending in reversed(list(rows)):
            self._queues.setdefault(pending.row.stream_id, deque()).appendleft(pending)
            self._queued_rows += 1

    def _mark_in_flight(self, batch: list[_Pending]) -> set[StreamId]:
        """Mark the streams of a batch as in flight, and return them."""
        streams = {pending.row.stream_id for pending in batch}
        self._in_flight |= streams
        return streams

    def _spawn(self, batch: Coroutine[None, None, None], running: set[asyncio.Task[None]]) -> None:
        # An empty context: the log lines of a batch do not belong to the request that started it.
        task = asyncio.create_task(batch, name="group commit", context=Context())
        running.add(task)
        task.add_done_callback(partial(self._on_batch_done, running))

    def _on_batch_done(self, running: set[asyncio.Task[None]], task: asyncio.Task[None]) -> None:
        running.discard(task)
        if not task.cancelled() and (error := task.exception()):
            log.error("group commit failed", exc_info=error)
        self._start_batches()

    async def _commit_in_flight(
        self, batch: list[_Pending], streams: set[StreamId], *, wait: bool
    ) -> None:
        try:
            await self._commit_all(batch, wait=wait)
        finally:
            self._in_flight -= streams

    async def _commit_all(self, batch: list[_Pending], *, wait: bool) -> None:
        """Commit a batch. If the statement fails because of a row, commit each row by itself."""
        try:
            await self._commit(batch, wait=wait)
        except ServiceUnavailable as error:
            # With `wait` the locked row may be that of the stream, for which each row would wait.
            if isinstance(error, RowLocked) and not (wait and await self._is_locked(batch)):
                await self._commit_each(batch, error, wait=wait)
            else:
                _fail(batch, error)
        except Exception as error:
            await self._commit_each(batch, error, wait=wait)
        except asyncio.CancelledError:
            _fail(batch, ServiceUnavailable())
            raise

    async def _commit_each(self, batch: list[_Pending], error: Exception, *, wait: bool) -> None:
        """Commit rows one by one, since one bad row must not fail the others."""
        if len(batch) == 1:
            _fail(batch, error)
            return
        log.warning("a batch of %d messages failed; inserting one by one", len(batch))
        for pending in batch:
            await self._commit_all([pending], wait=wait)

    async def _is_locked(self, batch: list[_Pending]) -> bool:
        """Return whether the stream of a batch is locked; true if Postgres does not answer."""
        try:
            async with self._database.cursor() as cur:
                await streams.lock(cur, [batch[0].row.stream_id], wait=False)
        except (streams.StreamLocked, ServiceUnavailable):
            return True
        return False

    async def _commit(self, batch: list[_Pending], *, wait: bool) -> None:
        """Insert rows, publish the events of those that were inserted, and resolve the futures.

        Raises only if no row was committed.
        """
        await self._wait_for_id_lease()
        by_id = self._with_ids(batch)
        if not by_id:
            return
        rows = [pending.row for pending, _ in by_id.values()]
        began = time.monotonic()
        async with self._database.cursor() as cur:
            outcomes = await message_inserts.insert_many(cur, list(by_id), rows, wait=wait)
        committed = [
            by_id[outcome.id][1].numbered(outcome.seq)
            for outcome in outcomes
            if outcome.seq is not None
        ]
        if committed:
            self._metrics.observe_commit(len(committed), time.monotonic() - began)
        # Clients rely on this order: first the event, then the response to its sender.
        await self._bus.publish(committed)
        self._apply_outcomes(by_id, outcomes, wait=wait)
        if wait:
            self._locked_streams -= {row.stream_id for row in rows}

    def _with_ids(self, batch: list[_Pending]) -> _RowsById:
        """Give each row an id, and make its event. A row whose event cannot be made fails alone."""
        by_id: _RowsById = {}
        for pending in batch:
            message_id = MessageId(self._snowflakes.next())
            try:
                by_id[message_id] = (pending, pending.event(message_id))
            except Exception as error:
                _fail([pending], error)
        return by_id

    async def _wait_for_id_lease(self) -> None:
        """Wait until ids are leased again, after `observe` has raised them above the lease."""
        for _ in range(_LEASE_CHECKS):
            if self._snowflakes.is_leased or not self._snowflakes.needs_renewal.is_set():
                return
            await asyncio.sleep(_LEASE_CHECK_S)

    def _apply_outcomes(
        self, by_id: _RowsById, outcomes: Iterable[InsertResult], *, wait: bool
    ) -> None:
        """Resolve the futures of all rows but those that have to be inserted again."""
        again = []
        for outcome in outcomes:
            pending = by_id[outcome.id][0]
            if not self._apply_outcome(pending, outcome, wait=wait):
                again.append(pending)
        self._requeue(again)

    def _apply_outcome(self, pending: _Pending, outcome: InsertResult, *, wait: bool) -> bool:
        """Resolve the future of a row. Return False if the row has to be inserted again."""
        if outcome.seq is not None:
            _resolve(pending, outcome.id)
        elif outcome.version is None and not wait:
            self._locked_streams.add(pending.row.stream_id)
            return False
        elif outcome.version != pending.row.version:
            _fail([pending], StaleAuthorization())
        elif outcome.last_message_id < outcome.id:
            _fail([pending], RejectedByGuard())
        elif pending.attempts >= _MAX_ATTEMPTS:
            _fail([pending], ServiceUnavailable())
        else:
            # An instance whose clock is ahead has written to this stream. Use a higher id next.
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
