"""A connection for COPY, which loads rows faster than INSERT.

It is synchronous, because psycopg2 has no COPY on asynchronous connections. All calls block, so
they run in a thread.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any

import psycopg2

from chatd.core.errors import DatabaseUnavailable
from chatd.core.text import first_line
from chatd.db.cursor import Row
from chatd.db.maintenance import LONG_OPTIONS, StatementFailed
from chatd.db.pool import connection_parameters


class BulkConnection:
    """One connection, used by one thread at a time.

    All methods raise DatabaseUnavailable when the server is gone, and StatementFailed when it
    refuses a statement.
    """

    def __init__(self, url: str, *, name: str) -> None:
        parameters = connection_parameters(url)
        parameters["options"] += LONG_OPTIONS
        try:
            self._raw = psycopg2.connect(url, application_name=name, **parameters)
        except psycopg2.Error as error:
            raise DatabaseUnavailable(first_line(error)) from error

    def execute(self, sql: str, parameters: Mapping[str, object] | None = None) -> list[Row]:
        """Run a statement in the current transaction, which it begins if there is none."""
        try:
            with self._raw.cursor() as cur:
                cur.execute(sql, parameters)
                return cur.fetchall() if cur.description is not None else []
        except psycopg2.Error as error:
            raise self._translated(error) from error

    def copy(self, table: str, columns: Sequence[str], lines: Sequence[str]) -> None:
        """Load rows in the current transaction. Each line is a row of `copy_line`."""
        if not lines:
            return
        data = io.BytesIO("".join(lines).encode())
        try:
            with self._raw.cursor() as cur:
                cur.copy_expert(f"COPY {table} ({', '.join(columns)}) FROM STDIN", data)
        except psycopg2.Error as error:
            raise self._translated(error) from error

    def commit(self) -> None:
        """Commit the current transaction."""
        try:
            self._raw.commit()
        except psycopg2.Error as error:
            raise self._translated(error) from error

    def rollback(self) -> None:
        """Roll back the current transaction, if the connection is not lost."""
        if not self._raw.closed:
            self._raw.rollback()

    def close(self) -> None:
        """Close the connection, which rolls back and gives up its locks."""
        self._raw.close()

    def _translated(self, error: psycopg2.Error) -> Exception:
        if self._raw.closed or isinstance(error, psycopg2.OperationalError):
            return DatabaseUnavailable(first_line(error))
        return StatementFailed(first_line(error))


_ESCAPES = str.maketrans({"\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"})


def copy_line(values: Sequence[Any]) -> str:
    """Return a row in the text format of COPY. Texts must not contain NUL."""
    return "\t".join(map(_field, values)) + "\n"


def _field(value: Any) -> str:
    if value is None:
        return "\\N"
    if type(value) is str:
        return value.translate(_ESCAPES) if _needs_escape(value) else value
    if type(value) is bool:
        return "t" if value else "f"
    return str(value)


def _needs_escape(text: str) -> bool:
    return "\\" in text or "\n" in text or "\t" in text or "\r" in text
