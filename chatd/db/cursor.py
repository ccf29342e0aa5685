"""Cursors and prepared statements: running SQL on one connection.

Errors of the driver leave this module as `ServiceUnavailable` or `DatabaseUnavailable`, except for
what Postgres says of the data, such as `UniqueViolation`.
"""

from __future__ import annotations

import itertools
import logging
import time
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import orjson
import psycopg2
import psycopg2.errors
from psycopg2.extras import register_default_jsonb

from chatd.core.errors import DatabaseUnavailable, RowLocked, ServiceUnavailable
from chatd.core.time_slices import TimeSlices
from chatd.db.connection import PgConnection
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

_LOCKED_SQLSTATES = ("55P03", "40P01")
"""Lock timeout, deadlock: another transaction has locked a row. The client may try again."""

_ROWS_AT_ONCE = 20
"""Rows that are read from the answer of Postgres without a pause. The largest ones, messages with
embeds, take 0.1 ms each."""

_MODELS_AT_ONCE = 100
"""Models that are made of rows without a pause. One takes 10 us at most."""

_RETRYABLE_SQLSTATES = ("57014", "40001")
"""Statement timeout, serialization failure: the client may try again."""

_READ_ONLY_SQLSTATE = "25006"

_UNREACHABLE = (
    psycopg2.OperationalError,
    psycopg2.InterfaceError,
    OSError,  # TimeoutError is one
    RuntimeError,  # uvloop raises it for a closed handle
)
"""What the driver and the event loop raise when the server is gone."""

_serial = itertools.count()


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

    __slots__ = ("_connection", "_counters", "_inner", "_prefix")

    def __init__(self, connection: PgConnection, counters: Counters, prefix: str = "") -> None:
        """Open a cursor. Raises DatabaseUnavailable if the connection broke while it was idle."""
        try:
            self._inner = connection.new_cursor()
        except psycopg2.Error as closed:
            raise DatabaseUnavailable from closed
        self._connection = connection
        self._counters = counters
        # Sent with the first statement in the same round trip: BEGIN, for a transaction.
        self._prefix = prefix

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
        began = time.monotonic()
        try:
            await self._connection.execute(self._inner, prefix + sql, parameters)
        except psycopg2.errors.QueryCanceled:  # by the statement timeout
            raise ServiceUnavailable("The database took too long; try again in a moment.") from None
        except Exception as error:
            if (translated := self._translate(error)) is None:
                raise
            raise translated from error
        finally:
            if (took_s := time.monotonic() - began) > SLOW_STATEMENT_S:
                self._log_slow(label or sql, took_s)

    async def run(self, statement: PreparedStatement, parameters: Mapping[str, object]) -> None:
        """Run a prepared statement, as `execute` does.

        The first run on a connection prepares it, which is one more round trip.
        """
        prepared = self._connection.prepared
        if statement.name not in prepared:
            await self.execute(statement.prepare)
            prepared.add(statement.name)
        await self.execute(statement.execute, parameters, label=statement.prepare)

    def _translate(self, error: Exception) -> ServiceUnavailable | None:
        """Return the API error for an error of the driver; None for one about the data."""
        if isinstance(error, psycopg2.Error) and error.pgcode in _LOCKED_SQLSTATES:
            return RowLocked()
        if isinstance(error, psycopg2.Error) and error.pgcode in _RETRYABLE_SQLSTATES:
            return ServiceUnavailable()
        if isinstance(error, psycopg2.Error) and error.pgcode == _READ_ONLY_SQLSTATE:
            # The server is a standby after a failover, or its disk is full. A new connection
            # reaches the primary if the URL or a moved address leads to it.
            self._connection.close()
            return DatabaseUnavailable("The database takes no writes now; try again in a moment.")
        if isinstance(error, _UNREACHABLE):
            return DatabaseUnavailable()
        # A connection that breaks within an answer raises other errors: DatabaseError without a
        # SQLSTATE, or ValueError for a closed descriptor.
        return DatabaseUnavailable() if self._connection.is_lost else None

    def _log_slow(self, sql: str, took_s: float) -> None:
        self._counters.slow_queries += 1
        text = " ".join(sql.split())[:_LOG_MAX_CHARS]
        log.warning("slow statement (%.1f s): %s", took_s, text)

    async def fetchone(self) -> Row | None:
        """Return the next row of the last statement. Raises DatabaseUnavailable."""
        try:
            row: Row | None = self._inner.fetchone()
        except psycopg2.Error as closed:  # since the statement was answered
            raise (self._translate(closed) or closed) from closed
        return row

    async def fetchall(self) -> list[Row]:
        """Return all remaining rows of the last statement, in time slices.

        Raises DatabaseUnavailable.
        """
        try:
            rows: list[Row] = self._inner.fetchmany(_ROWS_AT_ONCE)
            if len(rows) == _ROWS_AT_ONCE:
                slices = TimeSlices()
                while part := self._inner.fetchmany(_ROWS_AT_ONCE):
                    rows += part
                    await slices.step()
        except psycopg2.Error as closed:
            raise (self._translate(closed) or closed) from closed
        return rows


async def one(cur: Cursor, make: Callable[..., T]) -> T | None:
    """Return the only row of the last statement as a model; None when there is no row."""
    row = await cur.fetchone()
    return None if row is None else make(*row)


async def many(cur: Cursor, make: Callable[..., T]) -> list[T]:
    """Return all rows of the last statement as models, made in time slices."""
    rows = await cur.fetchall()
    if len(rows) <= _MODELS_AT_ONCE:
        return [make(*row) for row in rows]
    models: list[T] = []
    slices = TimeSlices()
    for start in range(0, len(rows), _MODELS_AT_ONCE):
        models += [make(*row) for row in rows[start : start + _MODELS_AT_ONCE]]
        await slices.step()
    return models
