"""The schema: numbered SQL files, applied in order under a lock, each whole or not at all.

Reading the files and remembering which are applied is yoyo's work. Three of its ways do not fit
and are replaced here: its lock is a row that outlives a killed process, it notes a migration as
applied in another transaction than the one that applied it, and its log asks for the names of the
system's user and of the host, which some systems cannot tell.

The version before serves while a migration runs, so nobody is kept waiting for one. Who waits for
a lock on a table makes all who come later wait behind it: a migration gives up after a moment,
lets the others by, and begins again. What takes long (an index on a large table) belongs into a
file of its own that begins with `-- transactional: false` and does it CONCURRENTLY, so that it can
be run again when it was cut off.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg2
import psycopg2.errors
from yoyo import read_migrations
from yoyo.backends.core.postgresql import PostgresqlBackend
from yoyo.connections import parse_uri

log = logging.getLogger(__name__)

_LOCK = 0x63686174_6D696772  # "chatmigr"
_TABLE = "_chatd_migrations"
_CONNECT_S = 5
_IN_LINE_MS = 300  # for so long, those who come after a migration wait behind it
_PAUSE_S = 1.0  # between two attempts, so that they are held up for a part of the time only
_PATIENCE_S = 600.0


class SchemaError(Exception):
    """The schema cannot be used as it is; the text is one line for the person who runs chatd."""


@dataclass(frozen=True, slots=True)
class Migration:
    """One of ours, and when it was applied, in UTC; None while it waits."""

    name: str
    applied_at: datetime | None


def apply(
    url: str,
    *,
    up_to: str | None = None,
    begun: Callable[[list[str]], None] | None = None,
    applied: Callable[[str], None] | None = None,
) -> list[str]:
    """Bring a database up to date, or up to a migration; returns the names of what was applied.

    When another process is at it, waits until that is done. `begun` hears what will be applied,
    `applied` of each that was. Raises SchemaError.
    """
    last = None if up_to is None else find(up_to)
    with _backend(url) as backend, backend.lock():
        _refuse_newer(backend)
        waiting = backend.to_apply(_files())
        if last is not None:
            waiting = waiting.filter(lambda migration: migration.id <= last)
        names = [migration.id for migration in waiting]
        if begun is not None:
            begun(names)
        backend.applied = applied
        try:
            backend.apply_migrations(waiting)
        except psycopg2.Error as error:
            raise SchemaError(f"a migration failed: {_first_line(error)}") from error
    return names


def find(text: str) -> str:
    """The name of the migration that a number or the beginning of a name means.

    Raises SchemaError when it is none, or several.
    """
    names = sorted(str(migration.id) for migration in _files())
    number = text.zfill(4) if text.isdecimal() else text
    found = [name for name in names if name.startswith(number)]
    if len(found) != 1:
        raise SchemaError(f"there is no migration {text!r}; they go up to {names[-1]}")
    return found[0]


def newest() -> str:
    """The last of our migrations."""
    return max(str(migration.id) for migration in _files())


def status(url: str) -> list[Migration]:
    """All migrations, in their order. Raises SchemaError, also for a newer schema."""
    with _backend(url) as backend:
        _refuse_newer(backend)
        times = backend.applied_times()
        return [
            Migration(each.id, times.get(each.id))
            for each in sorted(_files(), key=lambda each: str(each.id))
        ]


def pending(url: str) -> list[str]:
    """The names of what is still to be applied. Raises SchemaError, also for a newer schema."""
    with _backend(url) as backend:
        _refuse_newer(backend)
        return [migration.id for migration in backend.to_apply(_files())]


def _refuse_newer(backend: _Backend) -> None:
    known = {migration.id for migration in _files()}
    if newer := sorted(set(backend.applied_ids()) - known):
        raise SchemaError(
            f"the database has a newer schema ({newer[-1]}) than this version of chatd knows"
        )


class _Backend(PostgresqlBackend):  # type: ignore[misc]  # yoyo has no types
    """yoyo's way to Postgres, made safe against being killed."""

    _is_locked: bool

    def __init__(self, url: str) -> None:
        self.applied: Callable[[str], None] | None = None
        self._url = url
        super().__init__(parse_uri(url), _TABLE)

    def connect(self, dburi: object) -> Any:
        """Connect as the rest of chatd does, whatever the URL holds."""
        connection = psycopg2.connect(self._url, connect_timeout=_CONNECT_S)
        connection.autocommit = True
        return connection

    @contextmanager
    def lock(self, timeout: float = 0) -> Iterator[None]:
        """Keep others out until the end, or until this process is gone."""
        if self._is_locked:
            yield
            return
        self.execute(f"SELECT pg_advisory_lock({_LOCK})")
        self._is_locked = True
        try:
            yield
        finally:
            self._is_locked = False
            self.execute(f"SELECT pg_advisory_unlock({_LOCK})")

    def apply_one(self, migration: Any, force: bool = False, mark: bool = True) -> None:
        """Apply a migration and note it, in one transaction."""
        self.ensure_internal_schema_updated()
        if migration.use_transactions:
            self._apply_when_free(migration)
        else:
            migration.process_steps(self, "apply")
            self.mark_one(migration)
        if self.applied is not None:
            self.applied(migration.id)

    def _apply_when_free(self, migration: Any) -> None:
        """Apply a migration as soon as it gets every lock that it needs at once, or nearly so."""
        deadline = time.monotonic() + _PATIENCE_S
        told = False
        while True:
            try:
                with self.transaction():
                    self.execute(f"SET LOCAL lock_timeout = {_IN_LINE_MS}")
                    migration.process_steps(self, "apply")
                    self.mark_one(migration)
            except psycopg2.errors.LockNotAvailable:
                if time.monotonic() > deadline:
                    raise
                if not told:
                    log.warning("%s waits for others to be done%s", migration.id, self._oldest())
                told = True
            else:
                return
            time.sleep(_PAUSE_S)

    def _oldest(self) -> str:
        """Who has been at work for the longest, and so may hold what a migration needs."""
        row = self.execute(_OLDEST).fetchone()
        if row is None:
            return ""
        pid, name, took_s = row
        return f"; the oldest is {name or 'a client'} (process {pid} of Postgres, {took_s} s)"

    def log_migration(self, migration: Any, operation: str) -> None:
        """No log besides the table of what is applied."""

    def applied_ids(self) -> list[str]:
        """The names of what is applied."""
        self.ensure_internal_schema_updated()
        rows = self.execute(f"SELECT migration_id FROM {self.migration_table_quoted}").fetchall()
        return [str(row[0]) for row in rows]

    def applied_times(self) -> dict[str, datetime]:
        """When each that is applied was, in UTC."""
        self.ensure_internal_schema_updated()
        rows = self.execute(
            f"SELECT migration_id, applied_at_utc FROM {self.migration_table_quoted}"
        ).fetchall()
        return {str(name): moment.replace(tzinfo=UTC) for name, moment in rows}


_OLDEST = """
    SELECT pid, application_name, extract(epoch FROM now() - xact_start)::int
      FROM pg_stat_activity
     WHERE xact_start IS NOT NULL AND datname = current_database()
       AND pid <> pg_backend_pid()
  ORDER BY xact_start
     LIMIT 1
"""


@contextmanager
def _backend(url: str) -> Iterator[_Backend]:
    try:
        backend = _Backend(url)
    except psycopg2.OperationalError as error:
        raise SchemaError(f"cannot reach the database: {_first_line(error)}") from error
    with backend:
        yield backend


def _files() -> Any:
    return read_migrations(str(_folder()))


def _folder() -> Path:
    """The SQL files: inside the package when it is installed, beside it in a checkout."""
    installed = Path(__file__).parent / "sql"
    return installed if installed.is_dir() else Path(__file__).parents[1] / "sql"


def _first_line(error: psycopg2.Error) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
