"""Outboxes: what is queued for many connections at once leaves in few writes.

A write to a socket costs more than all else that is done for a delivery. So connections collect
what is queued in a turn of the loop, or for as long as they are held; then each writes once what it
has. When there is much to write, others get their turn in between.

What clients do not read is kept for them, each up to a bound of its own, and all together up to
another: many who do not read would else take all memory there is.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

log = logging.getLogger(__name__)

_BUDGET_S = 0.004  # of writing in one go
_RELIEVED = 0.75  # of the bound: so that not each write is one too much
_AT_ONCE = 32  # outboxes between two looks at the clock


class Outbox(Protocol):
    """A connection that has something to write."""

    @property
    def unread_bytes(self) -> int:
        """How much of what was written waits to be read."""

    def flush(self) -> None:
        """Write it. Never waits, never raises."""

    def cut_off(self) -> None:
        """Drop what waits to be read, and the connection with it."""


class Outboxes:
    """The outboxes that are not empty. One that is added once is flushed once.

    Not more than `max_bytes` wait to be read by all clients together: past that, those are cut off
    who have most to read.
    """

    def __init__(self, *, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._unread: dict[Outbox, int] = {}
        self._unread_bytes = 0  # at the most: what has been read since is not counted yet
        self._full: deque[Outbox] = deque()
        self._held = False
        self.write_at_once = False
        """Whether nothing else will follow: who has nothing in its outbox need not use it."""
        self.is_behind = False
        """Whether what was collected while held is still being written."""
        self._scheduled = False

    def add(self, outbox: Outbox) -> None:
        """Flush this soon: at the end of this turn of the loop, or when no longer held."""
        self._full.append(outbox)
        self._schedule()

    def hold(self) -> None:
        """Collect from now on."""
        self._held, self.write_at_once = True, False

    def release(self) -> None:
        """Collect no longer."""
        self.is_behind = bool(self._full) and (self._held or self.is_behind)
        self._held = False
        self._schedule()

    @contextmanager
    def at_once(self) -> Iterator[None]:
        """Nothing else will follow what is queued in the context, unless outboxes are held."""
        self.write_at_once = not self._held
        try:
            yield
        finally:
            self.write_at_once = False

    def unread(self, outbox: Outbox, waiting: int) -> None:
        """So many bytes wait now to be read by this client."""
        self._unread_bytes += waiting - self._unread.get(outbox, 0)
        self._unread[outbox] = waiting
        if self._unread_bytes > self._max_bytes:
            self._relieve()

    def forget(self, outbox: Outbox) -> None:
        """The connection is closed."""
        self._unread_bytes -= self._unread.pop(outbox, 0)

    def _relieve(self) -> None:
        """Cut off the worst, if it is as much as it seems."""
        now = {outbox: outbox.unread_bytes for outbox in self._unread}
        self._unread = {outbox: waiting for outbox, waiting in now.items() if waiting}
        self._unread_bytes = sum(self._unread.values())
        if self._unread_bytes <= self._max_bytes:
            return
        log.warning("clients leave more unread than OUTBOX_MAX_BYTES")
        for outbox in sorted(now, key=now.__getitem__, reverse=True):
            if self._unread_bytes <= self._max_bytes * _RELIEVED:
                return
            self.forget(outbox)
            outbox.cut_off()

    def _schedule(self) -> None:
        if self._full and not self._held and not self._scheduled:
            self._scheduled = True
            asyncio.get_running_loop().call_soon(self._flush)

    def _flush(self) -> None:
        clock = asyncio.get_running_loop().time
        end = clock() + _BUDGET_S
        try:
            while self._full and clock() < end:
                for _ in range(min(len(self._full), _AT_ONCE)):
                    self._full.popleft().flush()
        finally:  # a fault with one does not keep the others waiting
            self._scheduled = False
            self.is_behind = self.is_behind and bool(self._full)
            self._schedule()
