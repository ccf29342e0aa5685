"""The open sockets of this instance, and what each address may do with them."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from typing import Protocol

from chatd.core.addresses import UNKNOWN
from chatd.core.errors import TooManySockets

_BLAMES = 30  # in _PER_S seconds: who is cut off and comes back at once costs more than any other
_PER_S = 60.0
_A_WHILE_S = 5.0
_LOOKED_AFTER = 1000  # in one go, before others get their turn


class Served(Protocol):
    """A connection, as far as all of them are alike."""

    def look_after(self, now: float) -> None:
        """See whether its client is still there. `now` is of the loop's clock."""

    def reconnect(self) -> None:
        """Ask the client to come back, to this or another instance."""

    @property
    def waiting_bytes(self) -> int:
        """How much waits to be read by the client."""


class Connections:
    """All open sockets. `per_address` bounds those of one address; 0 does not.

    Clients whose address is not known cannot be told apart, and are not counted.
    """

    def __init__(self, *, per_address: int) -> None:
        self.served: set[Served] = set()
        self._per_address = per_address
        self._of_address: Counter[str] = Counter()
        self._blamed: Counter[str] = Counter()
        self._window_ends = 0.0

    async def look_after(self, *, every_s: float) -> None:
        """Look after all of them for ever: a timer for each would take half a kilobyte."""
        clock = asyncio.get_running_loop().time
        while True:
            began = clock()
            await asyncio.sleep(every_s)
            if clock() - began > 2 * every_s:
                continue  # nothing was read meanwhile: clients may have said what nobody heard
            for number, connection in enumerate(tuple(self.served), 1):
                connection.look_after(clock())
                if number % _LOOKED_AFTER == 0:
                    await asyncio.sleep(0)

    def admit(self, address: str) -> None:
        """A socket from this address is opened. Raises TooManySockets."""
        self._require_room(address)
        if address != UNKNOWN:
            self._of_address[address] += 1

    def leave(self, address: str) -> None:
        """A socket that was admitted is closed."""
        self._of_address[address] -= 1
        if self._of_address[address] <= 0:
            del self._of_address[address]

    def blame(self, address: str) -> None:
        """A client from there was cut off for what it sent."""
        if address != UNKNOWN:
            self._blamed[address] += 1

    def _require_room(self, address: str) -> None:
        now = time.monotonic()
        if now >= self._window_ends:
            self._blamed.clear()
            self._window_ends = now + _PER_S
        if not self._per_address:
            return
        if self._of_address[address] >= self._per_address:
            raise TooManySockets(_A_WHILE_S)
        if self._blamed[address] >= _BLAMES:
            raise TooManySockets(self._window_ends - now)
