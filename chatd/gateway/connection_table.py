"""The connection table: all open sockets of this instance, with limits per address and account.

A client that reconnects after each disconnect for abuse costs more than any other client. So after
`_MAX_ABUSES` such disconnects in a minute the gateway blocks the client until the minute ends. If
the client has sent a valid token, the disconnect counts for its account, because many users can
share one address. Otherwise it counts for the address.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from typing import Protocol

from chatd.core.addresses import UNKNOWN
from chatd.core.ids import UserId
from chatd.core.rate_limit_errors import TooManySockets

# Disconnects for abuse per window; then the client is blocked until the window ends. A faulty
# client that waits 2 s before it reconnects can connect each time.
_MAX_ABUSES = 30
_WINDOW_S = 60.0  # a fixed window, after which all counts of abuse are 0
_RETRY_AFTER_S = 5.0  # suggested to a client whose address has too many sockets
_CHECKS_PER_SLICE = 1000  # connections checked before other tasks may run


class ManagedConnection(Protocol):
    """The methods of a connection that the table and the shutdown call."""

    def check_heartbeat(self, now: float) -> None:
        """Request an overdue heartbeat, or disconnect. `now` is in s of the loop's clock."""

    def reconnect(self) -> None:
        """Send RECONNECT and disconnect."""

    @property
    def send_queue_bytes(self) -> int:
        """The bytes that the client has not read yet."""


class ConnectionTable:
    """All open sockets. `per_address` limits those of one address; 0 disables all limits.

    Sockets of unknown addresses are not counted, since these cannot be distinguished.
    """

    def __init__(self, *, per_address: int) -> None:
        self.connections: set[ManagedConnection] = set()
        self._per_address = per_address
        self._of_address: Counter[str] = Counter()
        self._abuses: Counter[str | UserId] = Counter()
        self._window_ends = 0.0

    async def check_heartbeats(self, *, every_s: float) -> None:
        """Check the heartbeats of all connections every `every_s` seconds, until cancelled.

        One loop checks all, because a timer for each connection would take 0.5 kB.
        """
        clock = asyncio.get_running_loop().time
        while True:
            started = clock()
            await asyncio.sleep(every_s)
            if clock() - started > 2 * every_s:
                continue  # the event loop was blocked, and heartbeats may not have been read
            for number, connection in enumerate(tuple(self.connections), 1):
                connection.check_heartbeat(clock())
                if number % _CHECKS_PER_SLICE == 0:
                    await asyncio.sleep(0)

    def acquire(self, address: str) -> None:
        """Count a socket that is opened from this address. Raises TooManySockets."""
        self._require_slot(address)
        if address != UNKNOWN:
            self._of_address[address] += 1

    def release(self, address: str) -> None:
        """Subtract a closed socket from the count of this address."""
        self._of_address[address] -= 1
        if self._of_address[address] <= 0:
            del self._of_address[address]

    def record_abuse(self, address: str, user_id: UserId | None) -> None:
        """Record a disconnect for abuse, by account if there is one."""
        self._expire()
        if user_id is not None:
            self._abuses[user_id] += 1
        elif address != UNKNOWN:
            self._abuses[address] += 1

    def is_blocked(self, user_id: UserId) -> bool:
        """Return whether an account had too many disconnects for abuse in this minute."""
        self._expire()
        return bool(self._per_address) and self._abuses[user_id] >= _MAX_ABUSES

    def _expire(self) -> None:
        now = time.monotonic()
        if now >= self._window_ends:
            self._abuses.clear()
            self._window_ends = now + _WINDOW_S

    def _require_slot(self, address: str) -> None:
        self._expire()
        if not self._per_address:
            return
        if self._of_address[address] >= self._per_address:
            raise TooManySockets(_RETRY_AFTER_S)
        if self._abuses[address] >= _MAX_ABUSES:
            raise TooManySockets(self._window_ends - time.monotonic())
