"""The flush scheduler: flushes the send queues of connections, each in one write.

A write to a socket costs more than all other steps of a delivery. So a connection queues the frames
of one tick of the event loop, or those sent while the scheduler is corked. Then the scheduler makes
the connection write them in one call. It does so in time slices, so that other tasks can run.

Most dispatches are TYPING_START or PRESENCE_UPDATE, which may be late. A connection with no other
queued frames waits: until it writes for another reason, or for `_WAIT_TICKS` ticks of one timer.

The scheduler also bounds the backlog: the bytes in the write buffers of all connections. Each
connection has a limit of its own, but many slow consumers together could exhaust the memory.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import takewhile
from typing import Protocol

log = logging.getLogger(__name__)

_SLICE_S = 0.004
"""The length of a time slice in seconds: other tasks wait for no longer than this."""

_CONNECTIONS_PER_CLOCK_CHECK = 32
"""Connections that are flushed between two looks at the clock."""

_TICK_S = 0.05
"""The time in seconds between two looks at the connections that wait."""

_WAIT_TICKS = 10
"""How many ticks a connection waits: half a second in all.

It was measured with 1,000 sessions: per second, each received 1.5 messages and 2.2 dispatches that
can wait. Half a second saves 40 % of the writes, a quarter 30 %, and a whole one 50 %. But users
notice a delay of a second: a short message is often written within it, so its author would be shown
as typing only when the message arrives.
"""

_LOW_WATER = 0.75
"""The fraction of `max_bytes` to which load shedding reduces the backlog. If it were 1, the next
write would exceed the maximum again."""


class Flushable(Protocol):
    """A connection with a send queue."""

    @property
    def write_buffer_bytes(self) -> int:
        """The bytes that were written and that the client has not read."""

    def flush(self) -> None:
        """Write the send queue. Does not block. An error aborts the connection, and is raised."""

    def abort_slow_consumer(self) -> None:
        """Drop the write buffer and close the connection."""


class FlushScheduler:
    """The connections with a non-empty send queue. Each `add` leads to one flush.

    When the backlog of all connections exceeds `max_bytes`, the slowest consumers are disconnected.
    """

    def __init__(self, *, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._backlogs: dict[Flushable, int] = {}
        self._backlog_bytes = 0
        """The sum of `_backlogs`. It is an upper bound: reads are not reported."""
        self._dirty: deque[Flushable] = deque()
        self._waiting: dict[Flushable, int] = {}
        """The connections that wait, in the order in which they began, each with its first tick."""
        self._tick = 0
        self._is_ticking = False
        self._corked = False
        self._scheduled = False
        self.is_write_through = False
        """Whether a connection with an empty send queue should write at once, because nothing will
        follow in this tick."""
        self.is_draining = False
        """Whether the scheduler is still flushing what was queued while it was corked."""

    def add(self, connection: Flushable) -> None:
        """Flush a connection at the end of this tick, or after `uncork`."""
        self._dirty.append(connection)
        self._schedule()

    def add_waiting(self, connection: Flushable) -> None:
        """Flush a connection after `_WAIT_TICKS`, unless `remove_waiting` comes first."""
        self._waiting[connection] = self._tick
        if not self._is_ticking:
            self._start_timer()

    def remove_waiting(self, connection: Flushable) -> None:
        """Note that a connection has written its frames, or will at the end of this tick."""
        self._waiting.pop(connection, None)

    def cork(self) -> None:
        """Flush nothing until `uncork`."""
        self._corked, self.is_write_through = True, False

    def uncork(self) -> None:
        """Flush what was added while corked."""
        self.is_draining = bool(self._dirty) and (self._corked or self.is_draining)
        self._corked = False
        self._schedule()

    @contextmanager
    def write_through(self) -> Iterator[None]:
        """In this context connections write at once, unless the scheduler is corked."""
        self.is_write_through = not self._corked
        try:
            yield
        finally:
            self.is_write_through = False

    def record_backlog(self, connection: Flushable, size: int) -> None:
        """Note how many bytes a connection has in its write buffer."""
        self._backlog_bytes += size - self._backlogs.get(connection, 0)
        self._backlogs[connection] = size
        if self._backlog_bytes > self._max_bytes:
            self._shed_load()

    def remove(self, connection: Flushable) -> None:
        """Remove the backlog of a connection that is closed."""
        self._backlog_bytes -= self._backlogs.pop(connection, 0)
        self.remove_waiting(connection)

    def _shed_load(self) -> None:
        """Measure the backlog, and disconnect the slowest consumers if it exceeds the maximum."""
        sizes = {connection: connection.write_buffer_bytes for connection in self._backlogs}
        self._backlogs = {connection: size for connection, size in sizes.items() if size}
        self._backlog_bytes = sum(self._backlogs.values())
        if self._backlog_bytes <= self._max_bytes:
            return
        log.warning("send queues exceed SEND_QUEUE_MAX_BYTES; disconnecting the slowest clients")
        for connection in sorted(sizes, key=sizes.__getitem__, reverse=True):
            if self._backlog_bytes <= self._max_bytes * _LOW_WATER:
                return
            self.remove(connection)
            connection.abort_slow_consumer()

    def _start_timer(self) -> None:
        self._is_ticking = True
        asyncio.get_running_loop().call_later(_TICK_S, self._on_tick)

    def _on_tick(self) -> None:
        """Flush the connections that have waited long enough. The timer ends when none waits."""
        self._is_ticking = False
        self._tick += 1
        last = self._tick - _WAIT_TICKS
        due = list(takewhile(lambda each: self._waiting[each] <= last, self._waiting))
        for connection in due:
            del self._waiting[connection]
        self._dirty += due
        self._schedule()
        if self._waiting:
            self._start_timer()

    def _schedule(self) -> None:
        if self._dirty and not self._corked and not self._scheduled:
            self._scheduled = True
            asyncio.get_running_loop().call_soon(self._flush)

    def _flush(self) -> None:
        clock = asyncio.get_running_loop().time
        end = clock() + _SLICE_S
        try:
            while self._dirty and clock() < end:
                for _ in range(min(len(self._dirty), _CONNECTIONS_PER_CLOCK_CHECK)):
                    self._dirty.popleft().flush()
        finally:  # an error in one connection must not stop the others
            self._scheduled = False
            self.is_draining = self.is_draining and bool(self._dirty)
            self._schedule()
