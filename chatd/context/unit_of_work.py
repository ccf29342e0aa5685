"""Unit of work: a transaction, and the events to publish after its commit."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from types import TracebackType
from typing import Protocol, Self, TypeVar

from chatd.bus.bus import Bus
from chatd.context.lock_queue import LockQueues
from chatd.context.shielded_tasks import ShieldedTasks
from chatd.core.ids import ChannelId, StreamId
from chatd.db.cursor import Cursor
from chatd.db.pool import Database
from chatd.db.transaction import Transaction
from chatd.events.event import Event
from chatd.queries import streams

T = TypeVar("T")
LockedT_co = TypeVar("LockedT_co", covariant=True)


class _LockStreams(Protocol[LockedT_co]):
    """Locks streams. Raises StreamLocked, unless `wait`."""

    async def __call__(self, cur: Cursor, *, wait: bool) -> LockedT_co: ...


class UnitOfWork:
    """A transaction that commits when its block ends, and then publishes the emitted events.

    The caller locks the stream of its guild first. From then on its reads are current, and other
    writers of that guild wait. So events are numbered in the order of the commits. While a unit of
    work waits for its first lock, it holds no database connection. Commit and publishing are one
    step that a cancelled caller does not interrupt. An exception rolls the transaction back.
    """

    def __init__(
        self, database: Database, bus: Bus, lock_queues: LockQueues, tasks: ShieldedTasks
    ) -> None:
        self._database = database
        self._bus = bus
        self._lock_queues = lock_queues
        self._tasks = tasks
        self._locked: dict[StreamId, int] = {}
        self._bumped: set[StreamId] = set()
        self._events: list[Event] = []
        self._on_commit: list[Callable[[], None]] = []
        self._transaction: Transaction | None = None

    @property
    def cur(self) -> Cursor:
        """The cursor for statements of this transaction."""
        assert self._transaction is not None
        return self._transaction.cur

    async def lock(self, stream_id: int) -> bool:
        """Lock a stream until the commit. Return False if it does not exist."""
        return await self.lock_all([StreamId(stream_id)]) == 1

    async def lock_all(self, stream_ids: Iterable[StreamId]) -> int:
        """Lock several streams in one statement. Return how many of them exist."""
        ids = sorted(set(stream_ids))
        found = await self._lock(ids, partial(streams.lock, ids=ids))
        self._locked |= {position.id: position.seq for position in found}
        return len(found)

    async def lock_of_channel(self, channel_id: ChannelId) -> bool:
        """Lock the stream that a channel belongs to. Return False if the channel does not exist."""
        found = await self._lock((), partial(streams.lock_for_channel, channel_id=channel_id))
        if found is None:
            return False
        self._locked[found.id] = found.seq
        return True

    async def _lock(self, ids: Sequence[StreamId], lock: _LockStreams[T]) -> T:
        """Lock streams; before the first statement, wait for them without a connection."""
        transaction = self._transaction
        if transaction is None or transaction.has_begun:
            return await lock(self.cur, wait=True)
        queued = next(filter(self._lock_queues.has_waiters, ids), None)
        if queued is None:
            try:
                return await lock(self.cur, wait=False)
            except streams.StreamLocked as locked:
                queued = locked.ids[0]
        self._transaction = None
        await transaction.rollback()
        async with self._lock_queues.wait_turn(queued):
            self._transaction = await self._database.begin()
            return await lock(self.cur, wait=True)

    async def ensure_and_lock(self, *stream_ids: int) -> None:
        """Create the streams that do not exist, and lock all of them."""
        ids = [StreamId(each) for each in stream_ids]
        await streams.insert(self.cur, ids)
        await self.lock_all(ids)

    def bump_version(self, stream_id: int) -> None:
        """Bump a stream's permission version, which invalidates cached access decisions."""
        self._bumped.add(StreamId(stream_id))

    def emit(self, *events: Event) -> None:
        """Add events to publish after the commit. Their streams have to be locked."""
        for event in events:
            if event.stream not in self._locked:
                raise AssertionError(f"{event.name} of a stream that is not locked")
        self._events += events

    def on_commit(self, call: Callable[[], None]) -> None:
        """Call a function after the commit. It must not raise."""
        self._on_commit.append(call)

    async def __aenter__(self) -> Self:
        self._transaction = await self._database.begin()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if error is None:
            await self._tasks.run_shielded(self._commit_and_publish())
        elif self._transaction is not None:
            await self._transaction.rollback()

    async def _commit_and_publish(self) -> None:
        assert self._transaction is not None
        numbered = self._numbered()
        moved = {event.stream: event.seq for event in numbered}
        ids = sorted(moved.keys() | self._bumped)
        if ids:
            parameters = {
                "ids": ids,
                "seqs": [moved.get(each, self._locked.get(each)) for each in ids],
                "raised": [int(each in self._bumped) for each in ids],
            }
            await self._transaction.commit(streams.ADVANCE, parameters)
        else:
            await self._transaction.commit()
        for call in self._on_commit:
            call()
        await self._bus.publish(numbered)

    def _numbered(self) -> list[Event]:
        """Return the emitted events with the next numbers of their streams."""
        numbered = []
        for event in self._events:
            self._locked[event.stream] += 1
            numbered.append(event.numbered(self._locked[event.stream]))
        return numbered
