"""Limits of HTTP connections, and a timeout for request heads.

A connection holds a file descriptor, and Postgres, Redis and stored files need descriptors too. So
the unauthenticated connections of an address are limited, and all connections together stay below
the process's limit. Only accepting and closing a connection costs time here; a request on an open
connection does not.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import time
from collections import Counter
from typing import Protocol

from chatd.core import addresses
from chatd.core.addresses import UNKNOWN, Networks
from chatd.core.errors import ServiceUnavailable
from chatd.core.ids import UserId
from chatd.core.rate_limit_errors import TooManySockets

log = logging.getLogger(__name__)

HEAD_TIMEOUT_S = 20.0
"""How long a request head may take, from its first byte and from the accept."""

_PER_ACCOUNT = 100
"""Connections of one account that do not count for their address. Without this limit, a client with
an account could hold as many descriptors as one without."""

_MAX_SCANNED = 64
"""Connections that an accept examines to find one to close. It bounds the time of an accept."""

_RETRY_S = 5.0  # Retry-After of a refused connection

_LOG_INTERVAL_S = 60.0
"""Interval between log lines about the same address, so that a flood does not fill the log."""

_MAX_LOGGED_KEYS = 1000  # addresses whose last log line is remembered
_CHECK_INTERVAL_S = 1.0  # between two looks: a head is closed this much late at most


class LimitedConnection(Protocol):
    """The interface of a connection that the limiter needs."""

    network: str | None
    """The client's network, as `addresses` names it; None while the connection is not counted."""
    account_id: UserId | None

    @property
    def is_waiting(self) -> bool:
        """Whether no request is being handled."""

    @property
    def is_idle(self) -> bool:
        """Whether it is kept alive after a request, and no data of another one has arrived."""

    @property
    def has_partial_head(self) -> bool:
        """Whether a part of a request head has arrived."""

    def time_out(self) -> None:
        """Close it, because the request head did not arrive in time."""

    def drop(self) -> None:
        """Close it without a response."""


class ConnectionLimiter:
    """Limits the open HTTP connections of a process.

    `per_address` limits the unauthenticated connections of an address; 0 is unlimited. Trusted
    proxies and Unix sockets carry many clients, so they are exempt. `max_connections` limits all
    connections.
    """

    def __init__(self, *, per_address: int, max_connections: int, trusted: Networks) -> None:
        self.open = 0
        self.refused = 0
        self._per_address = per_address
        self._max_connections = max_connections
        self._trusted = trusted
        self._head_timeout_s = HEAD_TIMEOUT_S
        # Dicts serve as ordered sets: the oldest connection comes first.
        self._unauthenticated: dict[LimitedConnection, None] = {}
        self._of_address: dict[str, dict[LimitedConnection, None]] = {}
        self._of_account: Counter[UserId] = Counter()
        self._heads: dict[LimitedConnection, float] = {}
        """Deadline of each request head. All have the same timeout, so the first is due first."""
        self._logged: dict[str, float] = {}

    def admit(self, connection: LimitedConnection, peer: str) -> None:
        """Count a connection that was accepted. Raises TooManySockets, ServiceUnavailable."""
        if self.open >= self._max_connections and not self._close_waiting():
            self.refused += 1
            if self._should_log(""):
                log.error(
                    "connections refused: open=%d, the other descriptors are reserved for Postgres,"
                    " Redis and files; raise the limit of open files (LimitNOFILE)",
                    self.open,
                )
            raise ServiceUnavailable
        network = self._counted(peer)
        if network != UNKNOWN and self._per_address:
            self._count(connection, network)
        connection.network = network
        self._unauthenticated[connection] = None
        self.open += 1

    def release(self, connection: LimitedConnection) -> None:
        """Stop counting a connection. Does nothing if it is not counted."""
        if connection.network is None:
            return
        self.open -= 1
        if connection.account_id is not None:
            self._of_account[connection.account_id] -= 1
            if self._of_account[connection.account_id] <= 0:
                del self._of_account[connection.account_id]
        self._uncount(connection)
        self._heads.pop(connection, None)
        connection.network = None

    def mark_authenticated(self, connection: LimitedConnection, user_id: UserId) -> None:
        """Count a connection for an account instead of its address, within the account's limit."""
        if connection.network is None or self._of_account[user_id] >= _PER_ACCOUNT:
            return
        self._of_account[user_id] += 1
        connection.account_id = user_id
        self._uncount(connection)

    def expect_head(self, connection: LimitedConnection) -> None:
        """Start the timeout of a request head."""
        self._heads[connection] = asyncio.get_running_loop().time() + self._head_timeout_s

    def head_arrived(self, connection: LimitedConnection) -> None:
        """Stop the timeout of a request head."""
        self._heads.pop(connection, None)

    async def close_overdue(self) -> None:
        """Close connections whose request heads are overdue, until cancelled."""
        clock = asyncio.get_running_loop().time
        while True:
            await asyncio.sleep(min(_CHECK_INTERVAL_S, self._head_timeout_s / 4))
            self._check_descriptors()
            now = clock()
            while self._heads:
                connection, due = next(iter(self._heads.items()))
                if due > now:
                    break
                del self._heads[connection]
                self._time_out(connection)

    def _time_out(self, connection: LimitedConnection) -> None:
        network = connection.network
        if (
            connection.has_partial_head
            and network is not None
            and self._should_log(f"head {network}")
        ):
            log.info(
                "connection closed: address=%s sent an incomplete request head within %g s",
                network,
                self._head_timeout_s,
            )
        connection.time_out()

    def _count(self, connection: LimitedConnection, network: str) -> None:
        own = self._of_address.setdefault(network, {})
        if len(own) >= self._per_address and not self._close_idle(own):
            self.refused += 1
            if self._should_log(network):
                log.warning(
                    "connections refused: address=%s has %d without a login; see"
                    " CONNECTIONS_PER_ADDRESS, or TRUSTED_PROXIES if it is a proxy",
                    network,
                    len(own),
                )
            raise TooManySockets(_RETRY_S)
        self._of_address.setdefault(network, own)[connection] = None

    def _uncount(self, connection: LimitedConnection) -> None:
        self._unauthenticated.pop(connection, None)
        own = self._of_address.get(connection.network or "")
        if own is not None:
            own.pop(connection, None)
            if not own:
                del self._of_address[connection.network or ""]

    def _counted(self, peer: str) -> str:
        """Return the network that a connection counts for; UNKNOWN if it is exempt."""
        if addresses.is_trusted(peer, self._trusted):
            return UNKNOWN
        return addresses.client_network(peer, "", ())

    def _close_idle(self, own: dict[LimitedConnection, None]) -> bool:
        """Close an idle keep-alive connection of the address. False if there is none."""
        for connection in _oldest(own):
            if connection.is_idle:
                self._drop(connection)
                return True
        return False

    def _close_waiting(self) -> bool:
        """Close an unauthenticated connection that handles no request. False if there is none.

        Web servers do the same with keep-alive connections when descriptors run out.
        """
        for connection in _oldest(self._unauthenticated):
            if connection.is_waiting:
                self._drop(connection)
                return True
        return False

    def _drop(self, connection: LimitedConnection) -> None:
        self.release(connection)
        connection.drop()

    def _check_descriptors(self) -> None:
        """Log that descriptors have run out: the event loop then drops connections silently."""
        try:
            os.close(os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC))
        except OSError as error:
            if error.errno in (errno.EMFILE, errno.ENFILE) and self._should_log("descriptors"):
                log.error("no file descriptors left; raise the limit of open files (LimitNOFILE)")

    def _should_log(self, what: str) -> bool:
        """Return whether a line about this has not been logged within _LOG_INTERVAL_S."""
        now = time.monotonic()
        if now < self._logged.get(what, 0.0):
            return False
        if len(self._logged) >= _MAX_LOGGED_KEYS:
            self._logged.clear()
        self._logged[what] = now + _LOG_INTERVAL_S
        return True


def _oldest(connections: dict[LimitedConnection, None]) -> list[LimitedConnection]:
    """Return the first few connections, and move them to the end: the next call returns others."""
    found = [connection for connection, _ in zip(connections, range(_MAX_SCANNED), strict=False)]
    for connection in found:
        del connections[connection]
        connections[connection] = None
    return found
