"""What an instance has to tell the others, and how much of what it told Redis keeps: bounded in
number and in bytes, for events can be large (a guild with hundreds of channels is one)."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from chatd.events.event import Event

BACKLOG = 10_000  # events kept for Redis while it is away
BACKLOG_BYTES = 64 * 2**20
KEPT = 50_000  # entries in each instance's stream; a reader that falls behind more sees a gap
KEPT_BYTES = 64 * 2**20

_BATCH = 500  # events in an entry
_BATCH_BYTES = 2**16  # and how large it is, unless a single event is larger


class Outgoing:
    """Events on their way to Redis, in order. Of too many, the oldest are given up: whoever
    misses them finds out by the numbers of the others."""

    def __init__(self) -> None:
        self._events: deque[Event] = deque()
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._events)

    def add(self, events: Iterable[Event]) -> None:
        """Take events, each after those before it."""
        for event in events:
            self._events.append(event)
            self._bytes += len(event.body)
        while len(self._events) > BACKLOG or self._bytes > BACKLOG_BYTES:
            self._drop_oldest()

    def batch(self) -> list[Event]:
        """The oldest, as many as go well in one entry."""
        batch: list[Event] = []
        size = 0
        for event in self._events:
            if batch and (len(batch) >= _BATCH or size + len(event.body) > _BATCH_BYTES):
                break
            batch.append(event)
            size += len(event.body)
        return batch

    def forget(self, batch: Iterable[Event]) -> None:
        """These are with Redis."""
        for event in batch:
            # Some of the oldest may have been given up meanwhile.
            if self._events and self._events[0] is event:
                self._drop_oldest()

    def _drop_oldest(self) -> None:
        self._bytes -= len(self._events.popleft().body)


class Kept:
    """How much of this instance's stream is in Redis. Redis itself can only bound the number."""

    def __init__(self) -> None:
        self._entries: deque[tuple[str, int]] = deque()
        self._bytes = 0

    def add(self, entry_id: str, size: int) -> None:
        """Redis has taken an entry."""
        self._entries.append((entry_id, size))
        self._bytes += size

    def trim(self) -> str | None:
        """The id of the oldest entry that is to stay; None when all may."""
        while len(self._entries) > KEPT:
            self._bytes -= self._entries.popleft()[1]
        if self._bytes <= KEPT_BYTES:
            return None
        while len(self._entries) > 1 and self._bytes > KEPT_BYTES:
            self._bytes -= self._entries.popleft()[1]
        return self._entries[0][0]
