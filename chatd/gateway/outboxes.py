"""Outboxes: what is queued for many connections at once leaves in few writes.

A write to a socket costs more than all else that is done for a delivery. So while events are being
delivered, the connections only collect; then each writes once what it has. When there is much to
write, others get their turn in between.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

_BUDGET_S = 0.004  # of writing in one go
_AT_ONCE = 32  # outboxes between two looks at the clock


class Outbox(Protocol):
    """A connection that has something to write."""

    def flush(self) -> None:
        """Write it. Never waits, never raises."""


class Outboxes:
    """The outboxes that are not empty. One that is added once is flushed once."""

    def __init__(self) -> None:
        self._full: deque[Outbox] = deque()
        self._held = False
        self._scheduled = False

    def add(self, outbox: Outbox) -> None:
        """Flush this soon: at the end of this turn of the loop, or when no longer held."""
        self._full.append(outbox)
        if not self._held:
            self._schedule()

    @contextmanager
    def held(self) -> Iterator[None]:
        """Collect until the end of the context. It does not nest."""
        self._held = True
        try:
            yield
        finally:
            self._held = False
            self._schedule()

    def _schedule(self) -> None:
        if self._full and not self._held and not self._scheduled:
            self._scheduled = True
            asyncio.get_running_loop().call_soon(self._flush)

    def _flush(self) -> None:
        clock = asyncio.get_running_loop().time
        end = clock() + _BUDGET_S
        while self._full and clock() < end:
            for _ in range(min(len(self._full), _AT_ONCE)):
                self._full.popleft().flush()
        self._scheduled = False
        self._schedule()
