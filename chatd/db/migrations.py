"""Schema migrations: numbered SQL files, applied in order under a lock, each in one transaction.

yoyo reads the files and records which are applied. Three of its behaviors are replaced here:

- Its lock is a row, which outlives a killed process. Here it is an advisory lock.
- It records a migration in another transaction than the one that applied it.
- Its log needs the names of the system's user and host, which some systems do not have.

The previous version of chatd serves requests while a migration runs. A statement that waits for a
lock on a table blocks all later statements on that table. A migration therefore gives up after
`_LOCK_TIMEOUT_MS` and tries again. A change that takes long, such as an index on a large table,
needs a file of its own: it begins with `-- transactional: false` and works CONCURRENTLY, so that it
can run again after it was interrupted.
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

import chatd
from chatd.core.text import first_line

log = logging.getLogger(__name__)

LOCK_ID = 0x63686174_6D696772
"""The advisory lock that a process holds while it changes the schema: "chatmigr"."""
_TABLE = "_chatd_migrations"
_CONNECT_TIMEOUT_S = 5  # longer than that of the pool: a start may wait, a request may not

_LOCK_TIMEOUT_MS = 300
"""How long a migration waits for a lock. Statements that need the same table wait as long."""

_PAUSE_S = 1.0
"""Between two attempts: other statements are then blocked for less than a quarter of the time."""

_TIMEOUT_S = 600.0
"""How long a migration is tried before it fails."""


class SchemaError(Exception):
    """The schema cannot be used as it is. The message is one line for the operator."""


@dataclass(frozen=True, slots=True)
class Migration:
    """A migration, and when it was applied (UTC); None while it is pending."""

    name: str
    applied_at: datetime | None


def apply(
    url: str,
    *,
    up_to: str | None = None,
    on_start: Callable[[list[str]], None] | None = None,
    on_applied: Callable[[str], None] | None = None,
) -> list[str]:
    """Apply all pending migrations, or those up to `up_to`. Return the names of the applied ones.

    While another process applies migrations, this waits. `on_start` is called with the names of
    all migrations that will be applied, `on_applied` with the name of each applied one.

    Raises SchemaError.
    """
    last = None if up_to is None else find(up_to)
    with _backend(url) as backend, backend.lock():
        _refuse_newer(backend)
        to_apply = backend.to_apply(_read_files())
        if last is not None:
            to_apply = to_apply.filter(lambda migration: migration.id <= last)
        names = [migration.id for migration in to_apply]
        if on_start is not None:
            on_start(names)
        backend.on_applied = on_applied
        try:
            backend.apply_migrations(to_apply)
        except psycopg2.Error as error:
            raise SchemaError(f"a migration failed: {first_line(error)}") from error
    return names


def find(text: str) -> str:
    """Return the name of the migration with a number, or whose name starts with `text`.

    Raises SchemaError when there is none, or several.
    """
    names = sorted(str(migration.id) for migration in _read_files())
    number = text.zfill(4) if text.isdecimal() else text
    found = [name for name in names if name.startswith(number)]
    if len(found) != 1:
        raise SchemaError(f"there is no migration {text!r}; they go up to {names[-1]}")
    return found[0]


def names() -> frozenset[str]:
    """Return the names of all migrations of this version of chatd."""
    return frozenset(str(migration.id) for migration in _read_files())


def newest() -> str:
    """Return the name of the newest migration of this version of chatd."""
    return max(str(migration.id) for migration in _read_files())


def status(url: str) -> list[Migration]:
    """Return all migrations, in order. Raises SchemaError, also for a newer schema."""
    with _backend(url) as backend:
        _refuse_newer(backend)
        times = backend.applied_times()
        return [
            Migration(each.id, times.get(each.id))
            for each in sorted(_read_files(), key=lambda each: str(each.id))
        ]


def pending(url: str) -> list[str]:
    """Return the names of pending migrations. Raises SchemaError, also for a newer schema."""
    with _backend(url) as backend:
        _refuse_newer(backend)
        return [migration.id for migration in backend.to_apply(_read_files())]


def _refuse_newer(backend: _Backend) -> None:
    known = {migration.id for migration in _read_files()}
    if newer := sorted(set(backend.applied_ids()) - known):
        raise SchemaError(
            f"the database has a newer schema ({newer[-1]}) than this version of chatd knows"
        )


class _Backend(PostgresqlBackend):  # type: ignore[misc]  # yoyo has no types
    """yoyo's backend for Postgres, changed to be safe when the process is killed."""

    _is_locked: bool

    def __init__(self, url: str) -> None:
        self.on_applied: Callable[[str], None] | None = None
        self._url = url
        super().__init__(parse_uri(url), _TABLE)

    def connect(self, dburi: object) -> Any:
        """Connect with psycopg2, so that every URL that the rest of chatd accepts works."""
        connection = psycopg2.connect(self._url, connect_timeout=_CONNECT_TIMEOUT_S)
        connection.autocommit = True
        return connection

    @contextmanager
    def lock(self, timeout: float = 0) -> Iterator[None]:
        """Exclude other processes. The lock ends with the context, or with this process."""
        if self._is_locked:
            yield
            return
        self.execute(f"SELECT pg_advisory_lock({LOCK_ID})")
        self._is_locked = True
        try:
            yield
        finally:
            self._is_locked = False
            self.execute(f"SELECT pg_advisory_unlock({LOCK_ID})")

    def apply_one(self, migration: Any, force: bool = False, mark: bool = True) -> None:
        """Apply a migration and record it, in one transaction."""
        self.ensure_internal_schema_updated()
        if migration.use_transactions:
            self._apply_with_retries(migration)
        else:
            migration.process_steps(self, "apply")
            self.mark_one(migration)
        if self.on_applied is not None:
            self.on_applied(migration.id)

    def _apply_with_retries(self, migration: Any) -> None:
        """Apply a migration; retry until it gets each of its locks within `_LOCK_TIMEOUT_MS`."""
        deadline = time.monotonic() + _TIMEOUT_S
        is_logged = False
        while True:
            try:
                with self.transaction():
                    self.execute(f"SET LOCAL lock_timeout = {_LOCK_TIMEOUT_MS}")
                    migration.process_steps(self, "apply")
                    self.mark_one(migration)
            except psycopg2.errors.LockNotAvailable:
                if time.monotonic() > deadline:
                    raise
                if not is_logged:
                    log.warning(
                        "migration %s is waiting for locks%s",
                        migration.id,
                        self._oldest_transaction(),
                    )
                is_logged = True
            else:
                return
            time.sleep(_PAUSE_S)

    def _oldest_transaction(self) -> str:
        """Describe the oldest transaction, which may hold the locks that a migration needs."""
        row = self.execute(_OLDEST_TRANSACTION).fetchone()
        if row is None:
            return ""
        pid, name, took_s = row
        return (
            f"; the oldest transaction is of {name or 'a client'}"
            f" (process {pid} of Postgres, {took_s} s)"
        )

    def log_migration(self, migration: Any, operation: str) -> None:
        """Write no log entry: the table of applied migrations is enough."""

    def applied_ids(self) -> list[str]:
        """Return the names of applied migrations."""
        self.ensure_internal_schema_updated()
        rows = self.execute(f"SELECT migration_id FROM {self.migration_table_quoted}").fetchall()
        return [str(row[0]) for row in rows]

    def applied_times(self) -> dict[str, datetime]:
        """Return when each applied migration was applied, in UTC."""
        self.ensure_internal_schema_updated()
        rows = self.execute(
            f"SELECT migration_id, applied_at_utc FROM {self.migration_table_quoted}"
        ).fetchall()
        return {str(name): moment.replace(tzinfo=UTC) for name, moment in rows}


_OLDEST_TRANSACTION = """
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
        raise SchemaError(f"cannot reach the database: {first_line(error)}") from error
    try:
        with backend:
            yield backend
    except psycopg2.Error as error:
        # For example a standby, a role that may not create tables, or a lost connection.
        raise SchemaError(f"the database refuses: {first_line(error)}") from error


def _read_files() -> Any:
    return read_migrations(str(_folder()))


def _folder() -> Path:
    """Return the folder of SQL files: in an installed package, or beside it in a checkout."""
    package = Path(chatd.__file__).parent
    installed = package / "sql"
    return installed if installed.is_dir() else package.parent / "sql"
