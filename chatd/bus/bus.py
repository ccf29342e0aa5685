"""Publishing to and reading from the other instances, through one Redis stream for each.

An instance appends to its own stream and reads all others, with one connection each way. Its own
events it delivers to itself directly, so that they need no Redis; while Redis is away, that goes
on, and what the others miss is found by the numbers of the events.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from redis import asyncio as aioredis  # the aioredis of old, moved into redis-py by its authors
from redis.exceptions import RedisError

from chatd.bus import entries
from chatd.bus.outgoing import KEPT, Kept, Outgoing
from chatd.events.event import Event

log = logging.getLogger(__name__)

WORKERS = 32

_BATCH = 500
_READ_BYTES = 8 * 2**20  # of events in one answer, before fewer are asked for
_BLOCK_MS = 1_000
_GATHER_S = 0.001  # before an entry is made: those here are served first, and more may come
_SOCKET_TIMEOUT_S = 5.0
_RETRY_S = 0.5
_FLUSH_S = 2.0


@dataclass(frozen=True, slots=True)
class Arrived:
    """Events, in the order in which their instance published them."""

    events: Sequence[Event]
    dealt_with: asyncio.Future[None] | None = None

    def done(self) -> None:
        """Say that they have been dealt with."""
        if self.dealt_with is not None and not self.dealt_with.done():
            self.dealt_with.set_result(None)


class NotHeard(Exception):
    """The instances cannot be told, or could not; the text is one line for a person."""


@dataclass(frozen=True, slots=True)
class Interrupted:
    """The link to the other instances was cut and is back: something may have been missed."""


@dataclass(frozen=True, slots=True)
class History:
    """Events of before this instance was there."""

    events: Sequence[Event]


Delivery = Arrived | History | Interrupted


def _release(delivery: Delivery) -> None:
    if isinstance(delivery, Arrived):
        delivery.done()


class Subscription:
    """What arrives, in order, for the one who delivers it."""

    def __init__(self) -> None:
        self._queue: asyncio.Queue[Delivery] = asyncio.Queue()
        self._is_open = True

    def put(self, delivery: Delivery) -> None:
        """Let a delivery be dealt with after those before it; when closed, by nobody."""
        if self._is_open:
            self._queue.put_nowait(delivery)
        else:
            _release(delivery)

    def close(self) -> None:
        """Nobody deals with deliveries any more: let go of all who wait for that."""
        self._is_open = False
        while not self._queue.empty():
            _release(self._queue.get_nowait())

    async def get(self) -> Delivery:
        """The next delivery."""
        return await self._queue.get()

    @property
    def waiting(self) -> int:
        """How many deliveries nobody has dealt with yet."""
        return self._queue.qsize()

    async def caught_up(self) -> None:
        """Wait until all that has arrived by now has been dealt with."""
        dealt_with: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.put(Arrived((), dealt_with))
        await dealt_with


class Bus:
    """This instance's place on the bus."""

    def __init__(self, redis_url: str, *, worker_id: int, history_s: float = 0.0) -> None:
        self._redis_url = redis_url
        self._history_s = history_s
        self._own_key = _key(worker_id)
        self._others = [_key(other) for other in range(WORKERS) if other != worker_id]
        self._subscription: Subscription | None = None
        self._outgoing = Outgoing()
        self._pending = asyncio.Event()
        self._flushed = asyncio.Event()
        self._flushed.set()
        self._reads = False
        self._writes = True
        self.lag_s = 0.0
        """How long the last event of another instance was under way, by the clocks of this host
        and of Redis."""

    @property
    def unpublished(self) -> int:
        """How many events the other instances are still to be given."""
        return len(self._outgoing)

    @property
    def connected(self) -> bool:
        """Whether this instance hears the others, and they can hear it."""
        return self._reads and self._writes

    async def publish(self, events: Sequence[Event]) -> None:
        """Bring committed events to every session that may see them.

        Returns when this instance's sessions have them in their outboxes. Never fails: Redis
        being away keeps the events for later. Cancelling it loses nothing.
        """
        if not events:
            return
        # What stands outside of the order is about this moment only: it is not kept for later.
        self._outgoing.add(event for event in events if event.seq or self.connected)
        self._pending.set()
        self._flushed.clear()
        if self._subscription is not None:
            dealt_with: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._subscription.put(Arrived(events, dealt_with))
            await dealt_with

    @asynccontextmanager
    async def subscribe(self) -> AsyncIterator[Subscription]:
        """Hear the events of every instance, for as long as the context is open."""
        subscription = self._subscription = Subscription()
        async with asyncio.TaskGroup() as tasks:
            reading = tasks.create_task(self._read(subscription), name="bus reader")
            writing = tasks.create_task(self._write(), name="bus writer")
            try:
                yield subscription
                await self._flush()
            finally:
                self._subscription = None
                subscription.close()
                await _stop(reading, writing)

    @asynccontextmanager
    async def publishing(self) -> AsyncIterator[None]:
        """Publish without hearing the others, for as long as the context is open: for a command.

        Raises NotHeard: at the start when Redis cannot be reached, at the end when it could not.
        """
        client = self._client()
        try:
            await client.ping()
        except (RedisError, OSError, TimeoutError) as error:
            raise NotHeard(f"cannot reach Redis: {_short(error)}") from error
        finally:
            await _close(client)
        writing = asyncio.create_task(self._write(), name="bus writer")
        try:
            yield
            try:
                async with asyncio.timeout(_FLUSH_S):
                    await self._flushed.wait()
            except TimeoutError:
                raise NotHeard(
                    "it is done, but Redis went away: running instances may not know of it yet"
                ) from None
        finally:
            await _stop(writing)

    async def _write(self) -> None:
        """Append what is published to this instance's stream, many events in an entry."""
        client = self._client()
        kept = Kept()
        try:
            while True:
                if not self._pending.is_set():
                    await self._pending.wait()
                    await asyncio.sleep(_GATHER_S)
                batch = self._outgoing.batch()
                if not batch:
                    self._pending.clear()
                    self._flushed.set()
                    continue
                packed = entries.pack(batch)
                try:
                    entry_id: Any = await client.xadd(
                        self._own_key, {entries.FIELD: packed}, maxlen=KEPT, approximate=True
                    )
                    kept.add(entry_id.decode(), len(packed))
                    if oldest := kept.trim():
                        await client.xtrim(self._own_key, minid=oldest, approximate=False)
                except (RedisError, OSError, TimeoutError) as error:
                    if self._writes:
                        log.error("cannot publish to the other instances: %s", _short(error))
                    self._writes = False
                    # Sent again when Redis is back: the readers know duplicates by their numbers.
                    await asyncio.sleep(_RETRY_S)
                    continue
                if not self._writes:
                    log.info("publishing to the other instances again")
                self._writes = True
                self._outgoing.forget(batch)
        finally:
            await _close(client)

    async def _flush(self) -> None:
        """Let the others have what is still to be appended, if they can be reached."""
        if self.connected:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_FLUSH_S):
                    await self._flushed.wait()

    async def _read(self, subscription: Subscription) -> None:
        """Read the streams of the other instances, each from where it was read to."""
        client = self._client()
        positions: dict[str, str] = {}
        count = _BATCH
        dealt_with: asyncio.Future[None] | None = None
        try:
            while True:
                try:
                    if not self._reads:
                        is_first = not positions
                        positions = await self._resume_positions(client, positions)
                        if is_first and self._history_s:
                            await self._look_back(client, positions, subscription)
                        self._link_is_back(subscription)
                    streams: dict[Any, Any] = {**positions}
                    found: Any = await client.xread(streams, count=count, block=_BLOCK_MS)
                except (RedisError, OSError, TimeoutError) as error:
                    self._link_is_cut(error)
                    await asyncio.sleep(_RETRY_S)
                    continue
                if not found:
                    self.lag_s = 0.0
                    continue
                if dealt_with is not None:
                    await dealt_with  # whoever is slow reads less, and keeps no more in memory
                dealt_with = asyncio.get_running_loop().create_future()
                arrived: list[Event] = []
                for key, new in found:
                    last = positions[key.decode()] = new[-1][0].decode()
                    self.lag_s = max(0.0, time.time() - _order(last)[0] / 1000)
                    arrived += _events(new)
                subscription.put(Arrived(arrived, dealt_with))
                count = _count_next(count, arrived)
        finally:
            self._reads = False
            await _close(client)

    async def _resume_positions(
        self, client: aioredis.Redis, known: dict[str, str]
    ) -> dict[str, str]:
        """Where to read each stream on: where it was read to, if it still reaches that far."""
        pipeline = client.pipeline(transaction=False)
        for key in self._others:
            pipeline.xrevrange(key, count=1)
        newest = await pipeline.execute()
        positions = {}
        for key, found in zip(self._others, newest, strict=True):
            last = found[0][0].decode() if found else "0-0"
            before = known.get(key, last)
            # An emptied Redis begins its ids anew; then all that it holds is unread.
            positions[key] = before if _order(before) <= _order(last) else "0-0"
        return positions

    async def _look_back(
        self, client: aioredis.Redis, positions: dict[str, str], subscription: Subscription
    ) -> None:
        """Hand over what was published in the last minutes, by this instance's last life too."""
        seconds, microseconds = await client.time()
        since = max(int(seconds * 1000 + microseconds / 1000 - self._history_s * 1000), 0)
        for key in (self._own_key, *self._others):
            at = f"{since}"
            end = positions.get(key, "+")
            while True:
                found: Any = await client.xrange(key, min=at, max=end, count=_BATCH)
                if not found:
                    break
                subscription.put(History([each for each in _events(found) if each.seq]))
                await subscription.caught_up()
                at = f"({found[-1][0].decode()}"

    def _link_is_back(self, subscription: Subscription) -> None:
        self._reads = True
        subscription.put(Interrupted())
        log.info("connected to Redis")

    def _link_is_cut(self, error: BaseException) -> None:
        if self._reads:
            log.error("Redis is away: %s", _short(error))
        self._reads = False

    def _client(self) -> aioredis.Redis:
        return aioredis.Redis.from_url(
            self._redis_url,
            protocol=2,
            socket_timeout=_SOCKET_TIMEOUT_S,
            socket_connect_timeout=_SOCKET_TIMEOUT_S,
            retry_on_timeout=False,
        )


async def _stop(*tasks: asyncio.Task[None]) -> None:
    """Cancel until it helps: redis-py swallows a cancellation that comes while it connects."""
    running: Iterable[asyncio.Task[None]] = tasks
    while running:
        for task in running:
            task.cancel()
        _, running = await asyncio.wait(running, timeout=0.1)


async def _close(client: aioredis.Redis) -> None:
    with contextlib.suppress(RedisError, OSError):
        await client.aclose()


def _short(error: BaseException) -> str:
    lines = str(error).splitlines()
    return lines[0] if lines else type(error).__name__


def _count_next(count: int, arrived: Sequence[Event]) -> int:
    """How many entries of each stream to ask for, after an answer with these events."""
    size = sum(len(event.body) for event in arrived)
    return max(1, count // 2) if size > _READ_BYTES else min(_BATCH, count * 2)


def _key(worker_id: int) -> str:
    return f"chatd:events:{worker_id}"


def _order(entry_id: str) -> tuple[int, int]:
    milliseconds, _, sequence = entry_id.partition("-")
    return int(milliseconds), int(sequence)


def _events(found: Sequence[tuple[bytes, dict[bytes, bytes]]]) -> list[Event]:
    """The events of entries, in their order."""
    events = []
    for entry_id, fields in found:
        try:
            events += entries.unpack(fields[entries.FIELD])
        except (KeyError, ValueError):
            log.warning("skipped an entry that holds no events: %s", entry_id.decode())
    return events
