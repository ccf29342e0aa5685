"""The queue of events to publish, and the bounds of the Redis stream that receives them.

Both are bounded in number and in bytes: an event can be large, such as GUILD_CREATE of a guild with
hundreds of channels.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from chatd.events.event import Event

MAX_BACKLOG_EVENTS = 10_000
"""Events that are queued while Redis is unavailable, at most."""

MAX_BACKLOG_BYTES = 64 * 2**20
"""Bytes of their bodies."""

STREAM_MAX_ENTRIES = 50_000
"""Entries in the Redis stream of an instance, at most. A reader further behind sees a gap."""

STREAM_MAX_BYTES = 64 * 2**20
"""Bytes of these entries."""

_MAX_BATCH_EVENTS = 500
"""Events in an entry, at most."""

_MAX_BATCH_BYTES = 2**16
"""Bytes of the bodies in an entry, at most, unless it is a single larger event."""


class PublishQueue:
    """Bounded queue of events for Redis. When it is full, the oldest are dropped.

    Readers detect the gap by the sequence numbers of later events.
    """

    def __init__(self) -> None:
        self._events: deque[Event] = deque()
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._events)

    def add(self, events: Iterable[Event]) -> None:
        """Append events, in order; drop the oldest ones beyond the bounds."""
        for event in events:
            self._events.append(event)
            self._bytes += len(event.body)
        while len(self._events) > MAX_BACKLOG_EVENTS or self._bytes > MAX_BACKLOG_BYTES:
            self._drop_oldest()

    def batch(self) -> list[Event]:
        """Return the oldest events: as many as fit into one entry."""
        batch: list[Event] = []
        size = 0
        for event in self._events:
            if batch and (
                len(batch) >= _MAX_BATCH_EVENTS or size + len(event.body) > _MAX_BATCH_BYTES
            ):
                break
            batch.append(event)
            size += len(event.body)
        return batch

    def discard_sent(self, batch: Iterable[Event]) -> None:
        """Remove the events of a batch that Redis has."""
        for event in batch:
            # `add` may have dropped some of them since `batch`.
            if self._events and self._events[0] is event:
                self._drop_oldest()

    def _drop_oldest(self) -> None:
        self._bytes -= len(self._events.popleft().body)


class StreamTrimmer:
    """Bounds this instance's Redis stream in bytes. Redis itself can only bound the number."""

    def __init__(self) -> None:
        self._entries: deque[tuple[str, int]] = deque()
        self._bytes = 0

    def add(self, entry_id: str, size: int) -> None:
        """Record an entry that was appended."""
        self._entries.append((entry_id, size))
        self._bytes += size

    def trim(self) -> str | None:
        """Return the id of the oldest entry to keep; None when nothing needs to be deleted."""
        while len(self._entries) > STREAM_MAX_ENTRIES:
            self._bytes -= self._entries.popleft()[1]
        if self._bytes <= STREAM_MAX_BYTES:
            return None
        while len(self._entries) > 1 and self._bytes > STREAM_MAX_BYTES:
            self._bytes -= self._entries.popleft()[1]
        return self._entries[0][0]
