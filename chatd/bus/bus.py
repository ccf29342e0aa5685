"""Publishing to and reading from the other instances, through one Redis stream for each.

An instance appends to its own stream and reads all others, with one connection each way. Its own
events it delivers to itself directly, so that they need no Redis; while Redis is away, that goes
on, and what the others miss is found by the numbers of the events.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Any

from redis import asyncio as aioredis  # the aioredis of old, moved into redis-py by its authors
from redis.exceptions import RedisError

from chatd.bus import entries
from chatd.bus.outgoing import KEPT, Kept, Outgoing
from chatd.bus.reader import PACE_S, Reader, short
from chatd.bus.subscription import Arrived, Subscription
from chatd.events.event import Event

log = logging.getLogger(__name__)

WORKERS = 32

# For so long events are gathered before an entry is made of them.
_GATHER_S = 0.001
_GATHER_ALONE_S = 0.05
_SOCKET_TIMEOUT_S = 5.0
_RETRY_S = 0.5
_FLUSH_S = 2.0


class NotHeard(Exception):
    """The instances cannot be told, or could not; the text is one line for a person."""


class Bus:
    """This instance's place on the bus."""

    def __init__(self, redis_url: str, *, worker_id: int, history_s: float = 0.0) -> None:
        self._redis_url = redis_url
        self._own_key = _key(worker_id)
        others = [_key(other) for other in range(WORKERS) if other != worker_id]
        self._reader = Reader(self._client, self._own_key, others, history_s=history_s)
        self._subscription: Subscription | None = None
        self._outgoing = Outgoing()
        self._pending = asyncio.Event()
        self._hurry = asyncio.Event()
        self._flushed = asyncio.Event()
        self._flushed.set()
        self._writes = True
        self._wrote_at = 0.0

    @property
    def unpublished(self) -> int:
        """How many events the other instances are still to be given."""
        return len(self._outgoing)

    @property
    def connected(self) -> bool:
        """Whether this instance hears the others, and they can hear it."""
        return self._reader.connected and self._writes

    @property
    def lag_s(self) -> float:
        """How long the last event of another instance was under way, by the clocks of this host
        and of Redis."""
        return self._reader.lag_s

    def publish(self, events: Sequence[Event]) -> asyncio.Future[None]:
        """Bring committed events to every session that may see them.

        They are on their way when this returns; who awaits it waits until this instance's sessions
        have them. Never fails: Redis being away keeps the events for later. Cancelling loses
        nothing.
        """
        dealt_with: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if events:
            # What stands outside of the order is about this moment only: it is not kept for later.
            self._outgoing.add(event for event in events if event.seq or self.connected)
            self._pending.set()
            self._flushed.clear()
        if events and self._subscription is not None:
            self._subscription.put(Arrived(events, dealt_with))
        else:
            dealt_with.set_result(None)
        return dealt_with

    @asynccontextmanager
    async def subscribe(self) -> AsyncIterator[Subscription]:
        """Hear the events of every instance, for as long as the context is open."""
        subscription = self._subscription = Subscription()
        async with asyncio.TaskGroup() as tasks:
            reading = tasks.create_task(self._reader.run(subscription), name="bus reader")
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
            raise NotHeard(f"cannot reach Redis: {short(error)}") from error
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
                    await self._gather()
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
                        log.error("cannot publish to the other instances: %s", short(error))
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

    async def _gather(self) -> None:
        """Wait for more to come: those here are served first, and an entry costs as much as many
        events. While nobody else is there, who may come later is in no hurry."""
        now = asyncio.get_running_loop().time()
        is_alone = self._subscription is not None and not self._reader.hears_somebody
        pause_s = _GATHER_ALONE_S if is_alone else max(_GATHER_S, self._wrote_at + PACE_S - now)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(pause_s):
                await self._hurry.wait()
        self._wrote_at = now + pause_s

    async def _flush(self) -> None:
        """Let the others have what is still to be appended, if they can be reached."""
        self._hurry.set()
        if self.connected:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_FLUSH_S):
                    await self._flushed.wait()

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


def _key(worker_id: int) -> str:
    return f"chatd:events:{worker_id}"
