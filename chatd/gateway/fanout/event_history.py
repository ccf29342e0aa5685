"""The event history: recent events of all instances, for sessions restored from a handoff.

Most events are never needed here. So an entry of the bus is kept as it is if this instance follows
none of its streams. It is decoded when a session needs one of its events.
"""

from __future__ import annotations

import asyncio
import logging
import math
import re
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from chatd.bus import codec
from chatd.core.ids import StreamId
from chatd.core.time_slices import run_in_slices
from chatd.events.event import Event

log = logging.getLogger(__name__)

MAX_BYTES = 64 * 2**20
"""The maximum of bytes that are kept. A client whose session needs an older event has to identify
again."""

_OVERHEAD = 500
"""Bytes of memory that an event needs in addition to its body."""


@dataclass(slots=True)
class _StreamHistory:
    """The kept events of one stream, by sequence number."""

    events: dict[int, Event] = field(default_factory=dict)
    newest: int = 0
    """The highest sequence number that was ever added."""


class EventHistory:
    """Keeps references to numbered events for `retention_s` seconds, and finds them by stream."""

    def __init__(self, *, retention_s: float) -> None:
        self._retention_s = retention_s
        self._all: deque[tuple[float, Event]] = deque()
        self._by_stream: dict[StreamId, _StreamHistory] = {}
        self._entries: deque[tuple[float, bytes]] = deque()
        """The entries that were kept and not decoded yet, with their times."""
        self._bytes = 0
        self._progress: asyncio.Event | None = None  # created when a caller first waits
        self.backfilled = asyncio.Event()
        """Set when the events from before this instance started have been read."""

    def keep(self, packed: bytes) -> None:
        """Keep the events of an entry, as `codec` packs it."""
        now = time.monotonic()
        self._entries.append((now, packed))
        self._bytes += len(packed) + _OVERHEAD
        self._drop(now)
        if self._progress is not None:
            self._progress.set()

    def add(self, event: Event) -> None:
        """Keep an event, and drop events that are too old or exceed `MAX_BYTES`."""
        now = time.monotonic()
        self._add(event, now)
        self._drop(now)

    def _add(self, event: Event, now: float) -> None:
        if not event.seq:
            return
        of_stream = self._by_stream.get(event.stream)
        if of_stream is None:
            of_stream = self._by_stream[event.stream] = _StreamHistory()
        if event.seq in of_stream.events:
            return
        self._all.append((now, event))
        of_stream.events[event.seq] = event
        of_stream.newest = max(of_stream.newest, event.seq)
        self._bytes += len(event.body) + _OVERHEAD
        if self._progress is not None:
            self._progress.set()

    def _drop(self, now: float) -> None:
        """Drop what is too old or exceeds `MAX_BYTES`."""
        expired = now - self._retention_s
        while (oldest := self._oldest()) < expired or self._bytes > MAX_BYTES:
            if oldest == math.inf:
                return
            if self._entries and self._entries[0][0] == oldest:
                self._bytes -= len(self._entries.popleft()[1]) + _OVERHEAD
            else:
                self._drop_oldest_event()

    def _oldest(self) -> float:
        """Return the time of the oldest event or entry; infinity without any."""
        event = self._all[0][0] if self._all else math.inf
        return min(event, self._entries[0][0]) if self._entries else event

    def after(self, stream: StreamId, seq: int) -> list[Event]:
        """Return the kept events of a stream with a number above `seq`, in order."""
        self._decode_stream(stream, seq)
        found = self._by_stream.get(stream)
        if found is None:
            return []
        if found.newest - seq > len(found.events):  # more numbers than events: sort the events
            return [found.events[each] for each in sorted(found.events) if each > seq]
        numbers = range(seq + 1, found.newest + 1)
        return [found.events[number] for number in numbers if number in found.events]

    async def wait_for(self, stream: StreamId, seq: int, up_to: int) -> None:
        """Wait until all events of a stream after `seq`, up to `up_to`, are kept.

        It may wait forever, so the caller sets a timeout: events may have been dropped, or be on an
        instance that cannot reach Redis.
        """
        while True:
            if self._progress is None:
                self._progress = asyncio.Event()
            self._progress.clear()
            await run_in_slices(self._decode_all())
            if self._has_all(stream, seq, up_to):
                return
            await self._progress.wait()

    def _decode_all(self) -> Iterator[None]:
        """Decode all entries, in steps."""
        while self._entries:
            self._decode(*self._entries.popleft())
            yield

    def _decode_stream(self, stream: StreamId, seq: int) -> None:
        """Decode the entries with events of a stream that have a number above `seq`.

        A user that joins a busy guild mostly needs none of its entries.
        """
        part = b",%d," % stream  # of the head of each such event; its number follows
        number = re.compile(part + b"([0-9]+),")
        kept: deque[tuple[float, bytes]] = deque()
        wanted: list[tuple[float, bytes]] = []
        for each in self._entries:
            found = number.findall(each[1]) if part in each[1] else ()  # the search is faster
            is_wanted = any(int(digits) > seq for digits in found)
            (wanted if is_wanted else kept).append(each)
        if wanted:
            self._entries = kept
        for at, packed in wanted:
            self._decode(at, packed)

    def _decode(self, at: float, packed: bytes) -> None:
        self._bytes -= len(packed) + _OVERHEAD
        try:
            events = codec.unpack(packed)
        except ValueError:
            log.warning("dropped an entry without valid events")
            return
        for event in events:
            self._add(event, at)

    def _has_all(self, stream: StreamId, seq: int, up_to: int) -> bool:
        if up_to <= seq:
            return True
        found = self._by_stream.get(stream)
        if found is None or up_to - seq > len(found.events):
            return False
        return all(number in found.events for number in range(seq + 1, up_to + 1))

    def _drop_oldest_event(self) -> None:
        _, event = self._all.popleft()
        self._bytes -= len(event.body) + _OVERHEAD
        of_stream = self._by_stream[event.stream]
        del of_stream.events[event.seq]
        if not of_stream.events:
            del self._by_stream[event.stream]
