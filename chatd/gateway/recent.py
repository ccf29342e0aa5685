"""The events of the last minutes, of all instances, for sessions that come from another one."""

from __future__ import annotations

import asyncio
import time
from collections import deque

from chatd.core.ids import StreamId
from chatd.events.event import Event

MAX_BYTES = 64 * 2**20
"""How much is remembered at the most; a session that needs more has to identify anew."""

_OVERHEAD = 500  # bytes that an event takes up besides its body


class Recent:
    """Remembers numbered events for a while, by reference, to be asked for by their stream."""

    def __init__(self, *, lasting_s: float) -> None:
        self._lasting_s = lasting_s
        self._all: deque[tuple[float, Event]] = deque()
        self._of_stream: dict[StreamId, deque[Event]] = {}
        self._bytes = 0
        self.complete = asyncio.Event()
        """Set when what happened before this instance was there has been looked up."""

    def add(self, event: Event) -> None:
        """Remember an event, and forget those that are too old or too many."""
        if not event.seq:
            return
        now = time.monotonic()
        self._all.append((now, event))
        self._of_stream.setdefault(event.stream, deque()).append(event)
        self._bytes += len(event.body) + _OVERHEAD
        while self._all and (self._all[0][0] < now - self._lasting_s or self._bytes > MAX_BYTES):
            self._forget_oldest()

    def after(self, stream: StreamId, seq: int) -> list[Event]:
        """What is remembered of a stream with a number above `seq`, in order, each once."""
        found = {event.seq: event for event in self._of_stream.get(stream, ()) if event.seq > seq}
        return [found[number] for number in sorted(found)]

    def _forget_oldest(self) -> None:
        _, event = self._all.popleft()
        self._bytes -= len(event.body) + _OVERHEAD
        of_stream = self._of_stream[event.stream]
        of_stream.popleft()
        if not of_stream:
            del self._of_stream[event.stream]
