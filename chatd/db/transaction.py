"""Transactions."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from typing import Any

from chatd.core.errors import DatabaseUnavailable, ServiceUnavailable
from chatd.db.cursor import Cursor
from chatd.observability.metrics import Counters


class Transaction:
    """A transaction, which holds one connection of the pool until it ends.

    BEGIN is sent with the first statement in the same round trip.
    """

    def __init__(
        self, cur: Cursor, connection: Any, release: Callable[[Any], None], counters: Counters
    ) -> None:
        self.cur = cur
        self._connection = connection
        self._release = release
        self._counters = counters

    async def commit(self, last: str = "", parameters: Mapping[str, object] | None = None) -> None:
        """Commit, and return the connection to the pool.

        `last` is a statement to run before it, in the same round trip.
        """
        try:
            if not self.has_begun and not last:
                return
            await self.cur.execute(f"{last}; COMMIT" if last else "COMMIT", parameters)
            self._counters.commits += 1
        finally:
            self._release(self._connection)

    async def rollback(self) -> None:
        """Roll back, and return the connection to the pool.

        When cancelled, the connection is closed, which rolls back as well.
        """
        try:
            if self.has_begun and not self._connection.closed:
                with contextlib.suppress(DatabaseUnavailable, ServiceUnavailable):
                    await self.cur.execute("ROLLBACK")
        finally:
            self._release(self._connection)

    @property
    def has_begun(self) -> bool:
        """Whether a statement has been run in it."""
        return self.cur.has_begun
