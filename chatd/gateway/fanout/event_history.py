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
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from chatd.bus import codec
from chatd.bus.interest import pack_labels
from chatd.core.ids import StreamId
from chatd.core.time_slices import TimeSlices, run_in_slices
from chatd.events.event import Event

log = logging.getLogger(__name__)

MAX_BYTES = 64 * 2**20
"""The maximum of bytes that are kept. A client whose session needs an older event has to identify
again."""

_ENTRIES_AT_ONCE = 1000
"""Entries that are searched without a pause: comparing their labels takes 0.3 ms."""

_OVERHEAD = 500
"""Bytes of memory that an event needs in addition to its body."""


@dataclass(slots=True)
class _StreamHistory:
    """The kept events of one stream, by sequence number."""

    events: dict[int, Event] = field(default_factory=dict)
    newest: int = 0
    """The highest sequence number that was ever added."""


class _Entry(NamedTuple):
    """An entry of the bus that is not decoded."""

    at: float
    packed: bytes
    labels: bytes
    """The streams of its events, as `interest.pack_labels` packs them."""


class EventHistory:
    """Keeps references to numbered events for `retention_s` seconds, and finds them by stream."""

    def __init__(self, *, retention_s: float) -> None:
        self._retention_s = retention_s
        self._all: deque[tuple[float, Event]] = deque()
        self._by_stream: dict[StreamId, _StreamHistory] = {}
        self._entries: deque[_Entry] = deque()
        """The entries that were kept and not decoded yet."""
        self._bytes = 0
        self._progress: asyncio.Event | None = None  # created when a caller first waits
        self.backfilled = asyncio.Event()
        """Set when the events from before this instance started have been read."""

    def keep(self, packed: bytes, labels: bytes) -> None:
        """Keep the events of an entry, as `codec` packs it, with its labels."""
        now = time.monotonic()
        self._entries.append(_Entry(now, packed, labels))
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
            if self._entries and self._entries[0].at == oldest:
                self._bytes -= len(self._entries.popleft().packed) + _OVERHEAD
            else:
                self._drop_oldest_event()

    def _oldest(self) -> float:
        """Return the time of the oldest event or entry; infinity without any."""
        event = self._all[0][0] if self._all else math.inf
        return min(event, self._entries[0].at) if self._entries else event

    def after(self, stream: StreamId, seq: int) -> list[Event]:
        """Return the kept events of a stream with a number above `seq`, in order.

        It decodes entries without a pause: `wait_for` has decoded most of them before.
        """
        wanted = list(_with_events_after(self._entries, stream, seq))
        if wanted:
            decoded = set(map(id, wanted))
            self._entries = deque([each for each in self._entries if id(each) not in decoded])
        for entry in wanted:
            self._decode(entry)
        return self._decoded_after(stream, seq)

    async def search_after(self, stream: StreamId, seq: int) -> list[Event]:
        """Return what `after` returns, in any order, and search in time slices.

        The entries stay undecoded: a user that joins a busy guild needs few of its events.
        """
        found = self._decoded_after(stream, seq)
        entries = list(self._entries)
        slices = TimeSlices()
        for start in range(0, len(entries), _ENTRIES_AT_ONCE):
            part = entries[start : start + _ENTRIES_AT_ONCE]
            for entry in _with_events_after(part, stream, seq):
                events = _events_of(entry)
                found += [each for each in events if each.stream == stream and each.seq > seq]
                await slices.step()
            await slices.step()
        return found

    def _decoded_after(self, stream: StreamId, seq: int) -> list[Event]:
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
            self._decode(self._entries.popleft())
            yield

    def _decode(self, entry: _Entry) -> None:
        self._bytes -= len(entry.packed) + _OVERHEAD
        for event in _events_of(entry):
            self._add(event, entry.at)

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


def _with_events_after(entries: Iterable[_Entry], stream: StreamId, seq: int) -> Iterator[_Entry]:
    """Yield the entries that have events of a stream with a number above `seq`."""
    label = pack_labels([stream])
    number = re.compile(b",%d,([0-9]+)," % stream)  # in the head of each such event
    for entry in [each for each in entries if label in each.labels]:
        if any(int(digits) > seq for digits in number.findall(entry.packed)):
            yield entry


def _events_of(entry: _Entry) -> list[Event]:
    """Decode an entry. Its events are dropped if one is malformed."""
    try:
        return codec.unpack(entry.packed)
    except ValueError:
        log.warning("event history dropped an entry without valid events")
        return []
