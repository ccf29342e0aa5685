"""The event history: recent events of all instances, for sessions restored from a handoff."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from dataclasses import dataclass, field

from chatd.core.ids import StreamId
from chatd.events.event import Event

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
        self._bytes = 0
        self._progress: asyncio.Event | None = None  # created when a caller first waits
        self.backfilled = asyncio.Event()
        """Set when the events from before this instance started have been read."""

    def add(self, event: Event) -> None:
        """Keep an event, and drop events that are too old or exceed `MAX_BYTES`."""
        if not event.seq:
            return
        of_stream = self._by_stream.setdefault(event.stream, _StreamHistory())
        if event.seq in of_stream.events:
            return
        now = time.monotonic()
        self._all.append((now, event))
        of_stream.events[event.seq] = event
        of_stream.newest = max(of_stream.newest, event.seq)
        self._bytes += len(event.body) + _OVERHEAD
        if self._progress is not None:
            self._progress.set()
        while self._all and (self._all[0][0] < now - self._retention_s or self._bytes > MAX_BYTES):
            self._drop_oldest()

    def after(self, stream: StreamId, seq: int) -> list[Event]:
        """Return the kept events of a stream with a number above `seq`, in order."""
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
        while not self._has_all(stream, seq, up_to):
            if self._progress is None:
                self._progress = asyncio.Event()
            self._progress.clear()
            await self._progress.wait()

    def _has_all(self, stream: StreamId, seq: int, up_to: int) -> bool:
        if up_to <= seq:
            return True
        found = self._by_stream.get(stream)
        if found is None or up_to - seq > len(found.events):
            return False
        return all(number in found.events for number in range(seq + 1, up_to + 1))

    def _drop_oldest(self) -> None:
        _, event = self._all.popleft()
        self._bytes -= len(event.body) + _OVERHEAD
        of_stream = self._by_stream[event.stream]
        del of_stream.events[event.seq]
        if not of_stream.events:
            del self._by_stream[event.stream]
