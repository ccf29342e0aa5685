"""The open sockets of this instance, and how many of them each address has."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from chatd.core.addresses import UNKNOWN
from chatd.core.errors import TooManySockets


class Leaving(Protocol):
    """A connection, as far as the end of the server is concerned."""

    def reconnect(self) -> None:
        """Ask the client to come back, to this or another instance."""


class Connections:
    """All open sockets. `per_address` bounds those of one address; 0 does not."""

    def __init__(self, *, per_address: int) -> None:
        self.served: set[Leaving] = set()
        self._per_address = per_address
        self._of_address: Counter[str] = Counter()

    @contextmanager
    def counted(self, address: str) -> Iterator[None]:
        """A socket from this address, while it is open. Raises TooManySockets.

        Clients whose address is not known cannot be told apart, and are not counted.
        """
        if self._per_address and self._of_address[address] >= self._per_address:
            raise TooManySockets
        if address != UNKNOWN:
            self._of_address[address] += 1
        try:
            yield
        finally:
            self._of_address[address] -= 1
            if self._of_address[address] <= 0:
                del self._of_address[address]
