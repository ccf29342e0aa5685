"""Cursors and prepared statements: running SQL on one connection.

Errors of the driver leave this module as `ServiceUnavailable` or `DatabaseUnavailable`, except for
what Postgres says of the data, such as `UniqueViolation`.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import time
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import orjson
import psycopg2
import psycopg2.errors
from psycopg2.extras import register_default_jsonb

from chatd.core.errors import DatabaseUnavailable, ServiceUnavailable
from chatd.observability.metrics import Counters

log = logging.getLogger(__name__)

# orjson parses jsonb columns faster than psycopg2's default, the json module.
register_default_jsonb(globally=True, loads=orjson.loads)

UniqueViolation = psycopg2.errors.UniqueViolation
ForeignKeyViolation = psycopg2.errors.ForeignKeyViolation

Row = tuple[Any, ...]
T = TypeVar("T")

SLOW_STATEMENT_S = 0.5
"""Statements that take longer are logged and counted. Nearly all take a few milliseconds."""

_LOG_MAX_CHARS = 500
"""Characters of a slow statement that are logged: enough to find it in the code."""

_RETRYABLE_SQLSTATES = ("55P03", "57014", "40001", "40P01")
"""Lock timeout, statement timeout, serialization failure, deadlock: the client may try again."""

_READ_ONLY_SQLSTATE = "25006"

_UNREACHABLE = (
    psycopg2.OperationalError,
    psycopg2.InterfaceError,
    OSError,  # TimeoutError is one
    RuntimeError,  # uvloop raises it for a closed handle
)
"""What the driver and the event loop raise when the server is gone."""

_serial = itertools.count()


def _is_not_timeout(record: logging.LogRecord) -> bool:
    """Drop aiopg's report of a statement timeout to the event loop.

    `Cursor` raises ServiceUnavailable for it.
    """
    error = record.exc_info[1] if record.exc_info else None
    return not isinstance(error, psycopg2.errors.QueryCanceled)


logging.getLogger("asyncio").addFilter(_is_not_timeout)


class PreparedStatement:
    """A statement that Postgres plans once per connection.

    Planning a statement with joins costs several times as much as running it. `types` are the SQL
    types of its parameters, by name.
    """

    def __init__(self, sql: str, **types: str) -> None:
        self.name = f"statement_{next(_serial)}"
        numbers = {name: f"${number}" for number, name in enumerate(types, 1)}
        arguments = (f"%({name})s::{kind}" for name, kind in types.items())
        self.prepare = f"PREPARE {self.name} ({', '.join(types.values())}) AS {sql % numbers}"
        self.execute = f"EXECUTE {self.name} ({', '.join(arguments)})"


class Cursor:
    """Runs statements on one connection. Values are only passed as parameters, never as SQL."""

    __slots__ = ("_counters", "_inner", "_prefix", "_prepared")

    def __init__(
        self, inner: Any, counters: Counters, prefix: str = "", prepared: set[str] | None = None
    ) -> None:
        self._inner = inner
        self._counters = counters
        # Sent with the first statement in the same round trip: BEGIN, for a transaction.
        self._prefix = prefix
        # Names of the statements that this connection has prepared.
        self._prepared = set() if prepared is None else prepared

    @property
    def rowcount(self) -> int:
        """The number of rows that the last statement changed or returned."""
        return int(self._inner.rowcount)

    @property
    def has_begun(self) -> bool:
        """Whether a statement has been sent."""
        return not self._prefix

    async def execute(
        self, sql: str, parameters: Mapping[str, object] | None = None, *, label: str = ""
    ) -> None:
        """Run a statement. When cancelled, its connection is closed and its outcome unknown.

        A slow statement is logged without its parameters, as `label` if that is given.

        Raises DatabaseUnavailable, ServiceUnavailable, or what Postgres says of the data.
        """
        prefix, self._prefix = self._prefix, ""
        cancel_requests = count_cancel_requests()
        began = time.monotonic()
        try:
            await self._inner.execute(prefix + sql, parameters)
        except asyncio.CancelledError:
            if count_cancel_requests() > cancel_requests:
                raise
            # aiopg reports a statement timeout as a cancellation that no caller requested.
            raise ServiceUnavailable("The database took too long; try again in a moment.") from None
        except Exception as error:
            if (translated := self._translate(error)) is None:
                raise
            raise translated from error
        finally:
            if (took_s := time.monotonic() - began) > SLOW_STATEMENT_S:
                self._log_slow(label or sql, took_s)
        if count_cancel_requests() > cancel_requests:
            # asyncio.wait_for of Python 3.11 swallows a cancellation that comes with the answer.
            raise asyncio.CancelledError

    async def run(self, statement: PreparedStatement, parameters: Mapping[str, object]) -> None:
        """Run a prepared statement, as `execute` does.

        The first run on a connection prepares it, which is one more round trip.
        """
        if statement.name not in self._prepared:
            try:
                await self.execute(statement.prepare)
            except asyncio.CancelledError:
                self._prepared.add(statement.name)  # or the connection is closed
                raise
            self._prepared.add(statement.name)
        await self.execute(statement.execute, parameters, label=statement.prepare)

    def _translate(self, error: Exception) -> ServiceUnavailable | None:
        """Return the API error for an error of the driver; None for one about the data."""
        if isinstance(error, psycopg2.Error) and error.pgcode in _RETRYABLE_SQLSTATES:
            return ServiceUnavailable()
        if isinstance(error, psycopg2.Error) and error.pgcode == _READ_ONLY_SQLSTATE:
            # The server is a standby after a failover, or its disk is full. A new connection
            # reaches the primary if the URL or a moved address leads to it.
            self._inner.connection.close()
            return DatabaseUnavailable("The database takes no writes now; try again in a moment.")
        if isinstance(error, _UNREACHABLE):
            return DatabaseUnavailable()
        # A connection that breaks within an answer raises other errors: DatabaseError without a
        # SQLSTATE, or ValueError for a closed descriptor.
        return DatabaseUnavailable() if self._inner.connection.is_lost else None

    def _log_slow(self, sql: str, took_s: float) -> None:
        self._counters.slow_queries += 1
        text = " ".join(sql.split())[:_LOG_MAX_CHARS]
        log.warning("slow statement (%.1f s): %s", took_s, text)

    async def fetchone(self) -> Row | None:
        """Return the next row of the last statement. Raises DatabaseUnavailable."""
        try:
            row: Row | None = await self._inner.fetchone()
        except psycopg2.Error as closed:  # since the statement was answered
            raise (self._translate(closed) or closed) from closed
        return row

    async def fetchall(self) -> list[Row]:
        """Return all remaining rows of the last statement. Raises DatabaseUnavailable."""
        try:
            rows: list[Row] = await self._inner.fetchall()
        except psycopg2.Error as closed:
            raise (self._translate(closed) or closed) from closed
        return rows


async def one(cur: Cursor, make: Callable[..., T]) -> T | None:
    """Return the only row of the last statement as a model; None when there is no row."""
    row = await cur.fetchone()
    return None if row is None else make(*row)


async def many(cur: Cursor, make: Callable[..., T]) -> list[T]:
    """Return all rows of the last statement as models."""
    return [make(*row) for row in await cur.fetchall()]


def count_cancel_requests() -> int:
    """Return how many cancel() calls on the running task are pending (`Task.cancelling`)."""
    task = asyncio.current_task()
    return 0 if task is None else task.cancelling()
