"""Group commit of read states: moves of about the same time are committed together.

Clients mark a channel as read each time a user opens it. The flush of Postgres' write-ahead log
costs several times as much as the row. So a request queues its row and waits for the outcome. One
statement moves a batch of read states, numbers their events, and is a transaction of its own.

The statement does not wait for locks, and does not return why it has skipped a row. Such a row is
`CONTENDED`: its caller moves it in a unit of work. If the statement fails because of one row, all
its rows are `CONTENDED`.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from contextvars import Context
from dataclasses import dataclass
from enum import Enum, auto
from itertools import islice

from chatd.bus.bus import Bus
from chatd.core.errors import RowLocked, ServiceUnavailable
from chatd.core.ids import UserId
from chatd.core.rate_limit_errors import TooManyConcurrentRequests
from chatd.db.pool import Database
from chatd.events.private_channels import read_state_changed
from chatd.queries import read_states
from chatd.queries.read_states import Move, MoveResult

log = logging.getLogger(__name__)

# Batches that run at the same time: one is sent while another is flushed to disk. Each occupies a
# database connection, which other requests then lack.
_MAX_BATCHES = 2
_MAX_ROWS = 256  # in one statement, which locks the streams of all of them until it ends
# The shortest time between the starts of two batches, in seconds. If the last batch started longer
# ago, a read state is committed at once. Under load, each waits for half of this on average. With
# 100 requests a second, a batch has two rows, which halves what a row costs Postgres.
_INTERVAL_S = 0.01
# Rows that wait for a batch: 32 full statements. Above it, `move` raises at once.
_MAX_QUEUED_ROWS = 8192
# One user must not fill the queue for all others. A batch has one row of each user, so the last of
# these waits for 32 batches, a third of a second.
_MAX_QUEUED_PER_USER = 32


class MoveOutcome(Enum):
    """The result of moving a read state."""

    DONE = auto()
    """The read state is at the message or beyond it. If it has moved, its event was published."""
    STALE = auto()
    """The user does not have the access that was checked before, or not at this version."""
    CONTENDED = auto()
    """The statement has skipped the row, or has failed because of some row."""


@dataclass(slots=True, eq=False)
class _Pending:
    row: Move
    done: asyncio.Future[MoveOutcome]


class ReadStateWriter:
    """Moves read states in batches and publishes their events."""

    def __init__(self, database: Database, bus: Bus) -> None:
        self._database = database
        self._bus = bus
        # By user, in the order of their turns: a user with further rows goes behind all others.
        self._queues: dict[UserId, deque[_Pending]] = {}
        self._queued_rows = 0
        self._in_flight: set[UserId] = set()
        self._batches: set[asyncio.Task[None]] = set()
        self._is_scheduled = False
        # When the next batch may start, by the clock of the event loop.
        self._next_start = 0.0

    async def move(self, row: Move) -> MoveOutcome:
        """Move a read state forward, and publish the event if it has changed.

        Cancelling the caller does not undo the move. Raises TooManyConcurrentRequests,
        ServiceUnavailable, DatabaseUnavailable (then it may or may not be moved).
        """
        if len(self._queues.get(row.user_id, ())) >= _MAX_QUEUED_PER_USER:
            raise TooManyConcurrentRequests
        if self._queued_rows >= _MAX_QUEUED_ROWS:
            raise ServiceUnavailable
        pending = _Pending(row, asyncio.get_running_loop().create_future())
        self._queues.setdefault(row.user_id, deque()).append(pending)
        self._queued_rows += 1
        self._start_batch()
        return await pending.done

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Finish all batches before the context ends."""
        try:
            yield
        finally:
            while self._batches:
                await asyncio.wait(self._batches)

    def _start_batch(self) -> None:
        """Start a batch for queued rows, within the limits."""
        if self._is_scheduled or len(self._batches) >= _MAX_BATCHES or not self._has_next():
            return
        self._is_scheduled = True
        # An empty context: the log lines of a batch do not belong to the request that started it.
        task = asyncio.create_task(self._run_batch(), name="read states", context=Context())
        self._batches.add(task)
        task.add_done_callback(self._on_batch_done)

    def _has_next(self) -> bool:
        return any(user_id not in self._in_flight for user_id in self._queues)

    def _on_batch_done(self, task: asyncio.Task[None]) -> None:
        self._batches.discard(task)
        if not task.cancelled() and (error := task.exception()):
            log.error("group commit of read states failed", exc_info=error)
        self._start_batch()

    async def _run_batch(self) -> None:
        """Commit one batch of queued rows, not sooner than `_INTERVAL_S` after the one before."""
        clock = asyncio.get_running_loop().time
        try:
            if (pause_s := self._next_start - clock()) > 0:
                await asyncio.sleep(pause_s)
            self._next_start = clock() + _INTERVAL_S
        finally:
            self._is_scheduled = False
        batch = self._next_batch()
        users = batch.keys()
        self._in_flight |= users
        self._start_batch()
        try:
            await self._commit_all(batch)
        finally:
            self._in_flight -= users

    def _next_batch(self) -> dict[UserId, _Pending]:
        """Dequeue the first row of each user that has none in flight."""
        ready = (user_id for user_id in self._queues if user_id not in self._in_flight)
        batch: dict[UserId, _Pending] = {}
        for user_id in list(islice(ready, _MAX_ROWS)):
            queue = self._queues.pop(user_id)
            batch[user_id] = queue.popleft()
            if queue:
                self._queues[user_id] = queue
        self._queued_rows -= len(batch)
        return batch

    async def _commit_all(self, batch: dict[UserId, _Pending]) -> None:
        """Commit a batch, and resolve all its futures, also if the commit fails."""
        try:
            await self._commit(batch)
        except RowLocked:
            _resolve_contended(batch.values())  # only one of them may be locked
        except ServiceUnavailable as error:
            _fail(batch.values(), error)
        except Exception:
            # One row that cannot be stored must not fail the others.
            log.warning(
                "a batch of %d read states failed; moving one by one", len(batch), exc_info=True
            )
            _resolve_contended(batch.values())
        except asyncio.CancelledError:
            _fail(batch.values(), ServiceUnavailable())
            raise

    async def _commit(self, batch: dict[UserId, _Pending]) -> None:
        """Move read states, publish the events of those that have changed, resolve the futures."""
        async with self._database.cursor() as cur:
            results = await read_states.move_many(cur, [each.row for each in batch.values()])
        events = []
        for result in results:
            if result.seq is not None:
                row = batch[result.user_id].row
                event = read_state_changed(row.user_id, row.channel_id, row.message_id)
                events.append(event.numbered(result.seq))
        if events:
            self._database.counters.commits += 1
            # Clients rely on this order: first the event, then the response.
            await self._bus.publish(events)
        for result in results:
            _resolve(batch[result.user_id], _outcome(result))


def _outcome(result: MoveResult) -> MoveOutcome:
    if not result.is_authorized:
        return MoveOutcome.STALE
    return MoveOutcome.CONTENDED if result.is_skipped else MoveOutcome.DONE


def _resolve(pending: _Pending, outcome: MoveOutcome) -> None:
    if not pending.done.done():
        pending.done.set_result(outcome)


def _resolve_contended(batch: Iterable[_Pending]) -> None:
    for pending in batch:
        _resolve(pending, MoveOutcome.CONTENDED)


def _fail(batch: Iterable[_Pending], error: Exception) -> None:
    for pending in batch:
        if not pending.done.done():
            pending.done.set_exception(error)
