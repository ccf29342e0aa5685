"""The bus of one instance: it publishes events to the other instances, and receives theirs.

Each instance has one Redis stream. It appends to its own and reads all others, over one connection
each. Its own events bypass Redis. While Redis is unavailable, local delivery continues, and the
other instances detect missing events by their sequence numbers.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

from redis import asyncio as aioredis

from chatd.bus import codec
from chatd.bus.codec import Mark
from chatd.bus.interest import FOR_EVERYONE, LABELS, labels_of, pack_labels
from chatd.bus.publish_queue import STREAM_MAX_ENTRIES, PublishQueue, StreamTrimmer
from chatd.bus.redis_client import REDIS_FAULTS, cancel_and_wait, close, connect
from chatd.bus.stream_reader import MIN_INTERVAL_S, StreamReader
from chatd.bus.subscription import EventBatch, Subscription
from chatd.bus.wakeups import Wakeups
from chatd.core.retry import retried
from chatd.core.text import first_line
from chatd.events.event import Event

log = logging.getLogger(__name__)

WORKERS = 32
"""The number of WORKER_IDs, and so the maximum number of instances."""

_LINGER_S = 0.001
"""Seconds that the writer waits for more events before it appends an entry, if the last one is
`MIN_INTERVAL_S` old; after a later one it waits for the rest of that interval. An entry with many
events costs Redis and each reader about as much time as an entry with one, and this process less:
64 us of CPU for an event alone, 12 us for one of 50 (measured). The pause delays events on their
way to other instances, so it is as short as a few ticks of the event loop."""

_LINGER_ALONE_S = 0.05
"""The same while no other instance is connected: then no reader waits for the entry."""

_SOCKET_TIMEOUT_S = 5.0
"""Time for Redis to accept a connection or to answer a command."""

_MAX_SEND_TIMEOUT_S = 60.0
"""The limit to which the timeout of an append grows when attempts time out: the entry may be large,
or the network slow."""

_DISCARD_AFTER_S = 120.0
"""An entry that Redis refuses for this long is discarded. Allows for one attempt at the maximum
timeout."""

_RETRY_S = 0.5
"""Time between two attempts to append an entry."""

_ANNOUNCE_S = 0.05
"""Seconds from a newly followed stream to its announcement, so that the clients of a reconnect
cause few entries. Events of the stream are read at most 0.25 s late until then."""

_FIRST_ATTEMPT_S = 5.0
"""How long in seconds the start of a server waits for Redis at most. Without an answer it starts as
during an outage."""

_FLUSH_TIMEOUT_S = 2.0
"""How long a shutdown or a command waits until Redis has all events."""


class BusUnavailable(Exception):
    """Redis is unavailable. The message is one line for the operator."""


class Bus:
    """Publishes this instance's events, and receives those of all instances."""

    def __init__(self, redis_url: str, *, worker_id: int, history_s: float = 0.0) -> None:
        self._redis_url = redis_url
        self._own_key = stream_key(worker_id)
        others = [stream_key(other) for other in range(WORKERS) if other != worker_id]
        self._wakeups = Wakeups(worker_id, on_change=self._announce_soon)
        self._reader = StreamReader(
            self._client, self._own_key, others, wakeups=self._wakeups, history_s=history_s
        )
        self._must_announce = False
        self._subscription: Subscription | None = None
        self._queue = PublishQueue()
        self._pending = asyncio.Event()
        self._flush_now = asyncio.Event()
        self._flushed = asyncio.Event()
        self._flushed.set()
        self._can_write = True
        self._can_trim = True
        # `codec.Mark` of the last entry: readers recognize an entry that was appended twice by it.
        self._run_id = secrets.token_hex(8)
        self._number = 0
        self._wrote_at = 0.0  # by the event loop's clock

    @property
    def unpublished(self) -> int:
        """The number of events that are not yet published to the other instances."""
        return len(self._queue)

    @property
    def connected(self) -> bool:
        """Whether this instance can read from Redis and append to its stream."""
        return self._reader.connected and self._can_write

    @property
    def lag_s(self) -> float:
        """Seconds from the append of the last received entry to its receipt.

        The clock of Redis and that of this host are compared, so their offset is included.
        """
        return self._reader.lag_s

    def publish(self, events: Sequence[Event]) -> asyncio.Future[None]:
        """Publish committed events to all instances, this one included.

        The returned future completes when this instance has delivered the events to its sessions.
        Never fails: while Redis is unavailable the events are queued. Cancelling the future does
        not stop the delivery.
        """
        processed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if events:
            # Events without a sequence number, such as TYPING_START, are of no use after an outage.
            self._queue.add(event for event in events if event.seq or self.connected)
            self._pending.set()
            self._flushed.clear()
        if events and self._subscription is not None:
            self._subscription.put(EventBatch(events, processed))
        else:
            processed.set_result(None)
        return processed

    @asynccontextmanager
    async def subscribe(self) -> AsyncIterator[Subscription]:
        """Receive the events of all instances, and publish, while the context is open."""
        subscription = self._subscription = Subscription()
        subscription.on_new_bit = self._announce_soon
        async with asyncio.TaskGroup() as tasks:
            read = partial(self._reader.run, subscription)
            reading = tasks.create_task(retried("bus reader", read), name="bus reader")
            writing = tasks.create_task(retried("bus writer", self._write), name="bus writer")
            try:
                yield subscription
                await self._flush()
            finally:
                self._subscription = None
                subscription.close()
                await cancel_and_wait(reading, writing)

    async def wait_for_first_attempt(self) -> None:
        """Wait until the reader has connected to Redis, or has failed for the first time.

        A session that starts before would miss events which are published until then.
        """
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_FIRST_ATTEMPT_S):
                await self._reader.has_tried.wait()

    @asynccontextmanager
    async def publish_only(self) -> AsyncIterator[None]:
        """Publish without receiving, while the context is open: for a command of the CLI.

        Raises BusUnavailable: on entry when Redis cannot be reached, on exit when the events could
        not be published.
        """
        client = self._client()
        try:
            await client.ping()
        except REDIS_FAULTS as error:
            raise BusUnavailable(f"cannot reach Redis: {first_line(error)}") from error
        finally:
            await close(client)
        writing = asyncio.create_task(retried("bus writer", self._write), name="bus writer")
        try:
            yield
            try:
                async with asyncio.timeout(_FLUSH_TIMEOUT_S):
                    await self._flushed.wait()
            except TimeoutError:
                raise BusUnavailable(
                    "done, but Redis is unavailable; running instances may not have the change yet"
                ) from None
        finally:
            await cancel_and_wait(writing)

    async def _write(self) -> None:
        """Append queued events to this instance's Redis stream, many events in an entry."""
        client = connect(
            self._redis_url, timeout_s=_MAX_SEND_TIMEOUT_S, connect_timeout_s=_SOCKET_TIMEOUT_S
        )
        trimmer = StreamTrimmer()
        trim_to: str | None = None
        try:
            while True:
                if not self._pending.is_set():
                    await self._pending.wait()
                    await self._linger()
                batch = self._queue.batch()
                if not batch and not self._must_announce:
                    self._pending.clear()
                    self._flushed.set()
                    continue
                labels = labels_of(batch) if batch else [FOR_EVERYONE]
                fields = self._fields(batch, labels)
                entry_id = await self._append(client, fields, self._wakeups.keys_for(labels))
                self._queue.discard_sent(batch)
                if entry_id is not None:
                    trimmer.add(entry_id, sum(map(len, fields.values())))
                trim_to = trimmer.trim() or trim_to
                if trim_to is not None and await self._trim(client, trim_to):
                    trim_to = None
        finally:
            await close(client)

    def _fields(self, batch: Sequence[Event], labels: Sequence[int]) -> dict[Any, Any]:
        """Return the fields of the next entry, with these events."""
        self._number += 1
        self._must_announce = False
        followed = None if self._subscription is None else self._subscription.followed
        return {
            codec.FIELD: codec.pack(batch),
            codec.MARK: Mark(self._run_id, self._number).packed(),
            LABELS: pack_labels(labels),
            **self._wakeups.fields(followed),
        }

    def _announce_soon(self) -> None:
        """Announce to the other instances which streams this one follows, if it is polling."""
        if not self._must_announce and self._wakeups.is_polling:
            self._must_announce = True
            asyncio.get_running_loop().call_later(_ANNOUNCE_S, self._pending.set)

    async def _append(
        self, client: aioredis.Redis, fields: dict[Any, Any], wakeups: Sequence[str]
    ) -> str | None:
        """Append an entry, and retry until Redis has it. Return its id.

        `wakeups` are the keys of the instances that it wakes.

        An attempt without an answer may have appended the entry. Readers recognize a second copy by
        its mark. An entry that a responsive Redis refuses is discarded after `_DISCARD_AFTER_S`,
        since later entries wait for it; then this returns None, and readers detect the gap.
        """
        clock = asyncio.get_running_loop().time
        timeout_s, refused_since = _SOCKET_TIMEOUT_S, None
        while True:
            try:
                async with asyncio.timeout(timeout_s):
                    entry_id = await self._append_once(client, fields, wakeups)
            except REDIS_FAULTS as error:
                if self._can_write:
                    log.error("cannot publish events to other instances: %s", first_line(error))
                self._can_write = False
            else:
                if not self._can_write:
                    log.info("publishing to other instances restored")
                self._can_write = True
                return entry_id
            await asyncio.sleep(_RETRY_S)
            if not await _is_responsive(client):
                timeout_s, refused_since = _SOCKET_TIMEOUT_S, None
                continue
            timeout_s = min(2 * timeout_s, _MAX_SEND_TIMEOUT_S)
            refused_since = refused_since or clock()
            if clock() - refused_since > _DISCARD_AFTER_S:
                size = len(fields[codec.FIELD])
                log.error("discarded an entry of %d bytes that Redis refuses", size)
                return None

    async def _append_once(
        self, client: aioredis.Redis, fields: dict[Any, Any], wakeups: Sequence[str]
    ) -> str:
        """Append an entry, and send wakeups, whose failure does not matter. Return its id."""
        pipeline = client.pipeline(transaction=False)
        pipeline.xadd(self._own_key, fields, maxlen=STREAM_MAX_ENTRIES, approximate=True)
        for key in wakeups:
            pipeline.xadd(key, {b"by": self._own_key}, maxlen=1, approximate=False)
        entry_id, *_ = await pipeline.execute(raise_on_error=False)
        if isinstance(entry_id, Exception):
            raise entry_id
        return str(entry_id.decode())

    async def _trim(self, client: aioredis.Redis, oldest: str) -> bool:
        """Delete the entries before `oldest` from the stream. Return whether that succeeded."""
        try:
            async with asyncio.timeout(_SOCKET_TIMEOUT_S):
                await client.xtrim(self._own_key, minid=oldest, approximate=False)
        except REDIS_FAULTS as error:
            if self._can_trim:
                log.warning("cannot trim the Redis stream: %s", first_line(error))
            self._can_trim = False
        else:
            self._can_trim = True
        return self._can_trim

    async def _linger(self) -> None:
        """Wait briefly for more events of the same entry; longer while no other instance runs."""
        now = asyncio.get_running_loop().time()
        is_alone = self._subscription is not None and not self._reader.has_peers
        pause_s = (
            _LINGER_ALONE_S if is_alone else max(_LINGER_S, self._wrote_at + MIN_INTERVAL_S - now)
        )
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(pause_s):
                await self._flush_now.wait()
        self._wrote_at = now + pause_s

    async def _flush(self) -> None:
        """Append all queued events now, if Redis is connected; wait `_FLUSH_TIMEOUT_S` at most."""
        self._flush_now.set()
        if self.connected:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_FLUSH_TIMEOUT_S):
                    await self._flushed.wait()

    def _client(self) -> aioredis.Redis:
        return connect(self._redis_url, timeout_s=_SOCKET_TIMEOUT_S)


async def _is_responsive(client: aioredis.Redis) -> bool:
    """Return whether Redis answers a PING."""
    try:
        async with asyncio.timeout(_SOCKET_TIMEOUT_S):
            await client.ping()
    except REDIS_FAULTS:
        return False
    return True


def stream_key(worker_id: int) -> str:
    """Return the key of the Redis stream to which an instance appends its events."""
    return f"chatd:events:{worker_id}"
