"""The files of an archive, on disk: there may be more of them than fit into memory."""

from __future__ import annotations

import os
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

_BATCH = 5000  # rows read at once


@dataclass(frozen=True, slots=True)
class TableFile:
    """A stored file, and the archive that has it."""

    key: str
    size: int
    sha256: str
    archive: str


class FileTable:
    """Files by their keys."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        connection.execute(
            "CREATE TABLE files (key text PRIMARY KEY, size int, sha256 text, archive text,"
            " seen int DEFAULT 0) WITHOUT ROWID"
        )

    def add(self, file: TableFile) -> bool:
        """Add a file. Return False if there is one with this key."""
        added = self._connection.execute(
            "INSERT OR IGNORE INTO files (key, size, sha256, archive) VALUES (?, ?, ?, ?)",
            (file.key, file.size, file.sha256, file.archive),
        )
        return added.rowcount == 1

    def get(self, key: str) -> TableFile | None:
        """Return a file."""
        row = self._connection.execute(
            "SELECT key, size, sha256, archive FROM files WHERE key = ?", (key,)
        ).fetchone()
        return None if row is None else TableFile(*row)

    def mark(self, key: str) -> None:
        """Note that an archive really has the file."""
        self._connection.execute("UPDATE files SET seen = 1 WHERE key = ?", (key,))

    def unmarked(self) -> tuple[int, str]:
        """Return how many files no archive has, and the id of one archive that should."""
        count, archive = self._connection.execute(
            "SELECT count(*), min(archive) FROM files WHERE NOT seen"
        ).fetchone()
        return int(count), archive or ""

    def totals(self) -> tuple[int, int]:
        """Return the number of files and their bytes."""
        count, total = self._connection.execute(
            "SELECT count(*), coalesce(sum(size), 0) FROM files"
        ).fetchone()
        return int(count), int(total)

    def archives(self) -> set[str]:
        """Return the ids of the archives that have files."""
        rows = self._connection.execute("SELECT DISTINCT archive FROM files").fetchall()
        return {str(row[0]) for row in rows}

    def __iter__(self) -> Iterator[TableFile]:
        last = ""
        while rows := self._connection.execute(
            "SELECT key, size, sha256, archive FROM files WHERE key > ? ORDER BY key LIMIT ?",
            (last, _BATCH),
        ).fetchall():
            yield from (TableFile(*row) for row in rows)
            last = rows[-1][0]


@contextmanager
def file_table() -> Iterator[FileTable]:
    """Provide an empty table, which is deleted at the end. Raises sqlite3.Error, OSError."""
    handle, name = tempfile.mkstemp(prefix="chatd-backup-", suffix=".sqlite")
    os.close(handle)
    try:
        with closing(sqlite3.connect(name, isolation_level=None)) as connection:
            # The table is of no use after a crash, so nothing is flushed to disk.
            connection.execute("PRAGMA journal_mode = OFF")
            connection.execute("PRAGMA synchronous = OFF")
            yield FileTable(connection)
    finally:
        Path(name).unlink(missing_ok=True)
