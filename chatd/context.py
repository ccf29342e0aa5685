"""Context (who asks, with what at hand) and Work (a transaction and the events it owes)."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from types import TracebackType
from typing import Any, Protocol, Self, TypeVar

from chatd.auth.bot_tokens import BotTokens
from chatd.auth.links import Links
from chatd.auth.passwords import Passwords
from chatd.auth.tokens import AccessTokens
from chatd.bus.bus import Bus
from chatd.core.errors import Busy
from chatd.core.ids import ChannelId, StreamId
from chatd.core.models import Caller, User
from chatd.core.snowflake import SnowflakeGenerator
from chatd.db import LOCK_TIMEOUT_S, Cursor, Database, Transaction
from chatd.ephemeral.presence import PresenceTable
from chatd.ephemeral.rate_limits import RateLimits
from chatd.events.event import Event
from chatd.queries import streams
from chatd.queries.history import Viewer
from chatd.storage.storage import Storage

log = logging.getLogger(__name__)

T = TypeVar("T")
LockedT_co = TypeVar("LockedT_co", covariant=True)


class _LockStreams(Protocol[LockedT_co]):
    """Locks streams. Raises Locked, unless `patient`."""

    async def __call__(self, cur: Cursor, *, patient: bool) -> LockedT_co: ...


class Tasks:
    """Owns what must go on although the one who asked for it has left."""

    def __init__(self) -> None:
        self._running: set[asyncio.Task[Any]] = set()

    async def finish(self, work: Coroutine[Any, Any, T]) -> T:
        """Run to the end, even if the caller is cancelled meanwhile."""
        task = asyncio.create_task(work)
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return await asyncio.shield(task)

    async def drain(self) -> None:
        """Wait for all that is still running; what fails of it has been told to its caller."""
        while self._running:
            await asyncio.wait(self._running)


class Lines:
    """Who waits for a stream that somebody else has locked.

    Of each line only the first holds a connection to ask for the lock, and of all lines only so
    many: whoever has nothing to do with those streams finds connections free.
    """

    def __init__(self, at_once: int) -> None:
        self._asking = asyncio.Semaphore(at_once)
        self._lines: dict[StreamId, _Line] = {}

    def is_waited_for(self, stream_id: StreamId) -> bool:
        """Whether there is a line for this stream."""
        return stream_id in self._lines

    @asynccontextmanager
    async def head_of(self, stream_id: StreamId) -> AsyncIterator[None]:
        """Wait to be the first, and be it as long as the context is open. Raises Busy."""
        line = self._lines.setdefault(stream_id, _Line())
        line.length += 1
        try:
            async with AsyncExitStack() as stack:
                try:
                    async with asyncio.timeout(LOCK_TIMEOUT_S):
                        await stack.enter_async_context(line.first)
                        await stack.enter_async_context(self._asking)
                except TimeoutError:
                    raise Busy from None
                yield
        finally:
            line.length -= 1
            if not line.length:
                del self._lines[stream_id]


@dataclass(slots=True)
class _Line:
    first: asyncio.Lock = field(default_factory=asyncio.Lock)
    length: int = 0


@dataclass(frozen=True, slots=True)
class Resources:
    """What the server has one of, for every service to use."""

    database: Database
    bus: Bus
    snowflakes: SnowflakeGenerator
    passwords: Passwords
    access_tokens: AccessTokens
    bot_tokens: BotTokens
    rate_limits: RateLimits
    refresh_token_lifetime_s: int
    storage: Storage
    links: Links
    tasks: Tasks = field(default_factory=Tasks)
    searches: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(2))
    """Lets so many searches run at once: they must not take all connections."""
    lines: Lines = field(init=False)
    registration: str = "open"
    """Who may make an account: "open", "invitation" or "closed"."""
    presences: PresenceTable = field(default_factory=PresenceTable)
    """Who is online, for those who only count them."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "lines", Lines(max(1, self.database.size // 4)))

    def begin(self) -> Work:
        """A transaction; see Work."""
        return Work(self)

    def new_id(self, kind: Callable[[int], T]) -> T:
        """A fresh snowflake as an id of this kind."""
        return kind(self.snowflakes.next())


@dataclass(frozen=True, slots=True)
class Context:
    """Who asks, and what the services need to answer."""

    resources: Resources
    caller: Caller
    reason: str | None = None
    """Why, in the caller's words: kept with the entry in the audit log."""

    @property
    def user(self) -> User:
        """The account that asks."""
        return self.caller.user

    @property
    def database(self) -> Database:
        """Where to read from."""
        return self.resources.database

    @property
    def viewer(self) -> Viewer:
        """The caller, as the one for whom messages are read."""
        return Viewer(self.user.id, self.resources.links)

    def begin(self) -> Work:
        """A transaction; see Work."""
        return Work(self.resources)

    def new_id(self, kind: Callable[[int], T]) -> T:
        """A fresh snowflake as an id of this kind."""
        return self.resources.new_id(kind)


class Work:
    """A transaction that commits when its block ends, and then publishes what was emitted.

    Whoever writes in a guild locks its stream first: then all it reads is current, whoever else
    writes there waits, and its events have the order of the commits. Who has to wait for its first
    lock gives its connection back meanwhile. Commit and publishing are one step that cancelling
    the caller does not interrupt. An exception undoes everything.
    """

    def __init__(self, resources: Resources) -> None:
        self._resources = resources
        self._locked: dict[StreamId, int] = {}
        self._raised: set[StreamId] = set()
        self._events: list[Event] = []
        self._transaction: Transaction | None = None

    @property
    def cur(self) -> Cursor:
        """Where to run statements of this transaction."""
        assert self._transaction is not None
        return self._transaction.cur

    async def lock(self, stream_id: int) -> bool:
        """Lock one stream until the commit. False when there is none of this id."""
        return await self.lock_all([StreamId(stream_id)]) == 1

    async def lock_all(self, stream_ids: Iterable[StreamId]) -> int:
        """Lock several streams in one go; returns how many there are."""
        ids = sorted(set(stream_ids))
        found = await self._lock(ids, partial(streams.lock, ids=ids))
        self._locked |= {position.id: position.seq for position in found}
        return len(found)

    async def lock_of_channel(self, channel_id: ChannelId) -> bool:
        """Lock the stream that a channel belongs to. False when there is no such channel."""
        found = await self._lock((), partial(streams.lock_of_channel, channel_id=channel_id))
        if found is None:
            return False
        self._locked[found.id] = found.seq
        return True

    async def _lock(self, ids: Sequence[StreamId], lock: _LockStreams[T]) -> T:
        """Lock, if possible without a connection that only waits."""
        lines, transaction = self._resources.lines, self._transaction
        if transaction is None or transaction.begun:
            return await lock(self.cur, patient=True)
        in_line = next(filter(lines.is_waited_for, ids), None)
        if in_line is None:
            try:
                return await lock(self.cur, patient=False)
            except streams.Locked as locked:
                in_line = locked.ids[0]
        self._transaction = None
        await transaction.rollback()
        async with lines.head_of(in_line):
            self._transaction = await self._resources.database.begin()
            return await lock(self.cur, patient=True)

    async def open(self, *stream_ids: int) -> None:
        """Lock streams that may not exist yet."""
        ids = [StreamId(each) for each in stream_ids]
        await streams.insert(self.cur, ids)
        await self.lock_all(ids)

    def raise_version(self, stream_id: int) -> None:
        """Say that who may do what has changed here: decisions made before it are void."""
        self._raised.add(StreamId(stream_id))

    def emit(self, *events: Event) -> None:
        """Say what happened; it is published after the commit. Its streams have been locked."""
        for event in events:
            if event.stream not in self._locked:
                raise AssertionError(f"{event.name} of a stream that is not locked")
        self._events += events

    async def __aenter__(self) -> Self:
        self._transaction = await self._resources.database.begin()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if error is None:
            await self._resources.tasks.finish(self._commit_and_publish())
        elif self._transaction is not None:
            await self._transaction.rollback()

    async def _commit_and_publish(self) -> None:
        assert self._transaction is not None
        numbered = self._numbered()
        moved = {event.stream: event.seq for event in numbered}
        ids = sorted(moved.keys() | self._raised)
        if ids:
            parameters = {
                "ids": ids,
                "seqs": [moved.get(each, self._locked.get(each)) for each in ids],
                "raised": [int(each in self._raised) for each in ids],
            }
            await self._transaction.commit(streams.ADVANCE, parameters)
        else:
            await self._transaction.commit()
        await self._resources.bus.publish(numbered)

    def _numbered(self) -> list[Event]:
        numbered = []
        for event in self._events:
            self._locked[event.stream] += 1
            numbered.append(event.numbered(self._locked[event.stream]))
        return numbered
