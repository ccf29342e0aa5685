"""Reading the Redis streams of the other instances.

A blocking XREAD over all 31 streams costs several times as much as over one. So only streams with
an entry within the last `ACTIVE_WINDOW_S` are blocked on; running instances append one every few
seconds. The other streams are polled every `_IDLE_POLL_S`.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from typing import Any

from redis import asyncio as aioredis

from chatd.bus import codec
from chatd.bus.codec import Mark
from chatd.bus.interest import LABELS, read_labels
from chatd.bus.redis_client import REDIS_FAULTS, close
from chatd.bus.subscription import Backfill, EventBatch, LinkRestored, Subscription
from chatd.bus.wakeups import Wakeups
from chatd.core.text import first_line
from chatd.events.event import Event

log = logging.getLogger(__name__)

ACTIVE_WINDOW_S = 10.0
"""How long a stream counts as active after an entry. A running instance reports presences at least
every three seconds."""

MIN_INTERVAL_S = 0.005
"""Time from one append or read to the next, at least. Each costs as much as many events."""

_MAX_ENTRIES = 500
"""Entries of each stream in one read, at most."""

_MAX_READ_BYTES = 8 * 2**20
"""Bytes of events in one read, above which the next read asks for fewer entries."""

_IDLE_POLL_S = 0.25
"""Time between two polls of the idle streams, and the longest wait for an active one."""

_RETRY_S = 0.5
"""Time between two attempts to read while Redis is unavailable."""


class StreamReader:
    """Reads all streams of other instances, each from the position of its last read entry."""

    def __init__(
        self,
        connect: Callable[[], aioredis.Redis],
        own_key: str,
        others: Sequence[str],
        *,
        wakeups: Wakeups,
        history_s: float,
    ) -> None:
        self._wakeups = wakeups
        self._wakeup_position = "0-0"
        self._connect = connect
        self._own_key = own_key
        self._others = others
        self._history_s = history_s
        self._needs_backfill = history_s > 0
        self._positions: dict[str, str] = {}
        self._last_entry_at: dict[str, float] = {}
        self._marks: dict[str, Mark] = {}
        """The mark of the last consumed entry, by stream."""
        # Times of time.monotonic, like those in `_last_entry_at`.
        self._next_idle_poll = 0.0
        self._next_full_read = 0.0
        self._read_at = 0.0
        self._read_bytes = 0
        """The bytes of events in the last read."""
        self.connected = False
        """Whether the last read from Redis succeeded."""
        self.has_tried = asyncio.Event()
        """Set when the first attempt to connect to Redis has ended, with or without success."""
        self.lag_s = 0.0
        """Seconds from the append of the last consumed entry to its receipt. The clock of Redis and
        that of this host are compared, so their offset is included."""

    @property
    def has_peers(self) -> bool:
        """Whether another instance has published something within `ACTIVE_WINDOW_S`."""
        return bool(self._active_streams())

    async def run(self, subscription: Subscription) -> None:
        """Read until cancelled, and put what arrives into the subscription."""
        client = self._connect()
        count = _MAX_ENTRIES
        processed: asyncio.Future[None] | None = None
        try:
            while True:
                try:
                    if not self.connected:
                        await self._seek(client, subscription)
                        self._on_connect(subscription)
                    found = await self._poll(client, count)
                except REDIS_FAULTS as error:
                    self._on_disconnect(error)
                    await asyncio.sleep(_RETRY_S)
                    continue
                if not found:
                    self._wakeups.count(0, 0)
                    self.lag_s = 0.0
                    continue
                if processed is not None:
                    await processed  # backpressure: at most one batch waits in memory
                    processed = None
                arrived = self._consume(found, subscription)
                if arrived:
                    processed = asyncio.get_running_loop().create_future()
                    subscription.put(EventBatch(arrived, processed))
                count = _next_count(count, self._read_bytes)
        finally:
            self.connected = False
            await close(client)

    async def _poll(self, client: aioredis.Redis, count: int) -> Any:
        """Return new entries; None when there are none within `_IDLE_POLL_S`."""
        now = time.monotonic()
        if (too_soon_s := self._read_at + MIN_INTERVAL_S - now) > 0:
            await asyncio.sleep(too_soon_s)
        if now >= self._next_idle_poll:
            await self._poll_idle_streams(client)
            self._next_idle_poll = now + _IDLE_POLL_S
        active: dict[Any, Any] = self._active_streams()
        if not active:
            await asyncio.sleep(_IDLE_POLL_S)
            return None
        waited = {key: at for key, at in active.items() if not self._wakeups.wakes(key)}
        if len(waited) < len(active):
            return await self._poll_until_woken(client, count, active, waited)
        return await client.xread(active, count=count, block=int(_IDLE_POLL_S * 1000))

    async def _poll_until_woken(
        self, client: aioredis.Redis, count: int, active: dict[Any, Any], waited: dict[Any, Any]
    ) -> list[Any]:
        """Wait for the streams in `waited` and for a wakeup, after which all active ones are read.

        They are also read `_IDLE_POLL_S` after the last time.
        """
        own_key = self._wakeups.key
        sources = {**waited, own_key: self._wakeup_position}
        answer: Any = await client.xread(sources, count=count, block=int(_IDLE_POLL_S * 1000))
        found = [each for each in answer or () if each[0] != own_key.encode()]
        is_woken = len(found) < len(answer or ())
        if is_woken:
            [self._wakeup_position] = [
                entries[-1][0].decode() for name, entries in answer if name == own_key.encode()
            ]
        now = time.monotonic()
        if is_woken or now >= self._next_full_read:
            others: dict[Any, Any] = {key: at for key, at in active.items() if key not in waited}
            rest: Any = await client.xread(others, count=count)
            found += rest or ()
            is_complete = all(len(entries) < count for _, entries in rest or ())
            self._next_full_read = now + _IDLE_POLL_S if is_complete else now
        return found

    def _active_streams(self) -> dict[str, str]:
        """Return the positions of the streams with an entry within `ACTIVE_WINDOW_S`."""
        horizon = time.monotonic() - ACTIVE_WINDOW_S
        return {
            key: self._positions[key] for key, at in self._last_entry_at.items() if at > horizon
        }

    async def _poll_idle_streams(self, client: aioredis.Redis) -> None:
        """Find idle streams that have new entries; these become active."""
        active = self._active_streams()
        idle: dict[Any, Any] = {key: at for key, at in self._positions.items() if key not in active}
        found: Any = await client.xread(idle, count=1) if idle else ()
        self._last_entry_at |= {key.decode(): time.monotonic() for key, _ in found or ()}

    def _consume(self, found: Any, subscription: Subscription) -> list[Event]:
        """Return the needed events of an answer, in order, and advance the positions past them."""
        self._read_at = time.monotonic()
        self._read_bytes = 0
        arrived: list[Event] = []
        entries = needed = 0
        for name, new in found:
            key, last = name.decode(), new[-1][0].decode()
            self._positions[key] = last
            self._last_entry_at[key] = time.monotonic()
            self._wakeups.on_entry(key, new[-1][1])
            before = len(arrived)
            for entry_id, fields in new:
                if self._is_new(key, fields):
                    events = _needed_events(entry_id, fields, subscription)
                    arrived += events
                    needed += bool(events)
                    entries += bool(fields.get(codec.FIELD))
                    self._read_bytes += len(fields.get(codec.FIELD, b""))
            if len(arrived) > before:  # others may have waited here for a polling instance
                self.lag_s = max(0.0, time.time() - _parse_entry_id(last)[0] / 1000)
        self._wakeups.count(entries, needed)
        return arrived

    def _is_new(self, key: str, fields: dict[bytes, bytes]) -> bool:
        """Return False for a second copy of a consumed entry. Otherwise remember its mark."""
        mark, before = Mark.read(fields), self._marks.get(key)
        if mark is None:
            return True
        if before is not None and before.run == mark.run and mark.number <= before.number:
            return False
        self._marks[key] = mark
        return True

    async def _seek(self, client: aioredis.Redis, subscription: Subscription) -> None:
        """Determine the positions to read from. The first time, also read the recent past."""
        self._positions = await self._resume_positions(client)
        self._wakeup_position = "0-0"  # an emptied Redis may assign lower ids again
        self._next_idle_poll = 0.0
        if self._needs_backfill:
            await self._backfill(client, subscription)
            self._needs_backfill = False

    async def _resume_positions(self, client: aioredis.Redis) -> dict[str, str]:
        """Return the position to resume each stream from: its last, if the stream still has it."""
        pipeline = client.pipeline(transaction=False)
        for key in self._others:
            pipeline.xrevrange(key, count=1)
        newest = await pipeline.execute()
        positions = {}
        for key, found in zip(self._others, newest, strict=True):
            last = found[0][0].decode() if found else "0-0"
            before = self._positions.get(key, last)
            # A Redis that was emptied may assign lower ids again; then all its entries are new.
            positions[key] = before if _parse_entry_id(before) <= _parse_entry_id(last) else "0-0"
        return positions

    async def _backfill(self, client: aioredis.Redis, subscription: Subscription) -> None:
        """Deliver the events of the last `history_s` seconds, also those of this WORKER_ID."""
        seconds, microseconds = await client.time()
        since = max(int(seconds * 1000 + microseconds / 1000 - self._history_s * 1000), 0)
        for key in (self._own_key, *self._others):
            at = f"{since}"
            end = self._positions.get(key, "+")
            while True:
                found: Any = await client.xrange(key, min=at, max=end, count=_MAX_ENTRIES)
                if not found:
                    break
                subscription.put(Backfill([each for each in _unpack_entries(found) if each.seq]))
                await subscription.drained()
                at = f"({found[-1][0].decode()}"

    def _on_connect(self, subscription: Subscription) -> None:
        self.connected = True
        self.has_tried.set()
        subscription.put(LinkRestored())
        log.info("connected to Redis")

    def _on_disconnect(self, error: BaseException) -> None:
        if self.connected:
            log.error("Redis connection lost: %s", first_line(error))
        self.connected = False
        self.has_tried.set()


def _next_count(count: int, size: int) -> int:
    """Return how many entries of each stream the read after one of this size may ask for."""
    return max(1, count // 2) if size > _MAX_READ_BYTES else min(_MAX_ENTRIES, count * 2)


def _parse_entry_id(entry_id: str) -> tuple[int, int]:
    milliseconds, _, sequence = entry_id.partition("-")
    return int(milliseconds), int(sequence)


def _needed_events(
    entry_id: bytes, fields: dict[bytes, bytes], subscription: Subscription
) -> list[Event]:
    """Decode the events of an entry that the consumer needs. It keeps an entry with others."""
    labels = read_labels(fields)
    followed, keep = subscription.followed, subscription.keep
    if labels is None or followed is None or keep is None:
        return _unpack_entries([(entry_id, fields)])
    packed = fields.get(codec.FIELD)
    if not packed:
        return []  # only an announcement: see `wakeups`
    if followed.needs_none(labels):
        keep(packed, fields[LABELS])
        return []
    selected = followed.select(labels)
    if not all(selected):
        keep(packed, fields[LABELS])
    try:
        return codec.unpack_selected(packed, selected)
    except ValueError:
        log.warning("skipped an entry without valid events: %s", entry_id.decode())
        return []


def _unpack_entries(found: Sequence[tuple[bytes, dict[bytes, bytes]]]) -> list[Event]:
    """Decode the events of entries, in order. Entries without valid events are skipped."""
    events = []
    for entry_id, fields in found:
        try:
            events += codec.unpack(fields[codec.FIELD])
        except (KeyError, ValueError):
            log.warning("skipped an entry without valid events: %s", entry_id.decode())
    return events
