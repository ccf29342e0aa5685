"""Backups: a snapshot for `pg_dump`, facts about the schema, and what a restore changes."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime

from chatd.core.errors import ServiceUnavailable
from chatd.db.cursor import Cursor, many, one
from chatd.db.migrations import LOCK_ID

_FILES_LOCK = 0x63686174_66696C65  # "chatfile": held while a backup copies files
_LOCK_TIMEOUT_S = 3  # a statement of the janitor holds it for milliseconds
_FETCH_ROWS = 10_000

NOT_DUMPED = ("instances", "yoyo_lock")
"""Tables whose rows are about running processes. A backup has these tables without their rows."""

_BOOKKEEPING = (*NOT_DUMPED, "workers", "_chatd_migrations", "_yoyo_log", "_yoyo_version")
"""Tables that have rows although the database has no users."""

FILES_NOT_HELD = f"(SELECT pg_try_advisory_xact_lock_shared({_FILES_LOCK}))"
"""A condition: no backup is copying files. The snapshot of its statement is older than the check.
So a backup that begins after the check does not name the files that the statement can see."""


_FILE_COLUMNS = {
    "attachments.id": "SELECT 'attachments/' || id, size FROM attachments",
    "ephemeral_attachments.id": "SELECT 'attachments/' || id, size FROM ephemeral_attachments",
    "reserved_uploads.file_id": "SELECT 'attachments/' || file_id, coalesce(size, 0)"
    " FROM reserved_uploads WHERE file_id IS NOT NULL",
    "users.avatar": "SELECT 'avatars/' || id || '/' || avatar, 0 FROM users"
    " WHERE avatar IS NOT NULL",
    "webhooks.avatar": "SELECT 'avatars/' || id || '/' || avatar, 0 FROM webhooks"
    " WHERE avatar IS NOT NULL",
    "guilds.icon": "SELECT 'icons/' || id || '/' || icon, 0 FROM guilds WHERE icon IS NOT NULL",
    "applications.icon": "SELECT 'app-icons/' || id || '/' || icon, 0 FROM applications"
    " WHERE icon IS NOT NULL",
}
"""The columns that name stored files, and the statement that returns their keys and sizes."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The state of the database that a backup has."""

    name: str
    """What `pg_dump --snapshot` takes."""
    taken_at: datetime
    database_bytes: int
    postgres: int


@dataclass(frozen=True, slots=True)
class ReferencedFile:
    """A stored file that the database names. The size of images is not known: 0."""

    key: str
    size: int


@dataclass(frozen=True, slots=True)
class Contents:
    """What a database contains, before a restore."""

    has_tables: bool
    is_migrated: bool
    """Whether `chatd migrate` made the tables."""
    used: list[str]
    """The tables that have rows, other than those that every server has."""


async def hold_files(cur: Cursor) -> bool:
    """Keep all stored files until the connection ends. False while another backup does."""
    await cur.execute(f"SET lock_timeout = '{_LOCK_TIMEOUT_S}s'")
    try:
        await cur.execute(f"SELECT pg_advisory_lock({_FILES_LOCK})")
    except ServiceUnavailable:
        return False
    await cur.execute("SET lock_timeout = 0")
    return True


async def release_files(cur: Cursor) -> None:
    """Let files be deleted again."""
    await cur.execute(f"SELECT pg_advisory_unlock({_FILES_LOCK})")


async def hold_off_migrations(cur: Cursor) -> bool:
    """Let migrations wait until `release_migrations`. False while one is running."""
    await cur.execute(f"SELECT pg_try_advisory_lock_shared({LOCK_ID})")
    return await cur.fetchone() == (True,)


async def release_migrations(cur: Cursor) -> None:
    """Let migrations run again."""
    await cur.execute(f"SELECT pg_advisory_unlock_shared({LOCK_ID})")


async def lock_schema(cur: Cursor) -> bool:
    """Exclude migrations, backups and other restores. False while one of them is running."""
    await cur.execute(f"SELECT pg_try_advisory_lock({LOCK_ID})")
    return await cur.fetchone() == (True,)


async def unlock_schema(cur: Cursor) -> None:
    """End `lock_schema`."""
    await cur.execute(f"SELECT pg_advisory_unlock({LOCK_ID})")


async def require_connection(cur: Cursor) -> None:
    """Raise DatabaseUnavailable if the connection was lost, and its locks with it."""
    await cur.execute("SELECT 1")


async def take_snapshot(cur: Cursor) -> Snapshot:
    """Begin a transaction whose snapshot `pg_dump` can use until it ends."""
    await cur.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
    await cur.execute(
        """
        SELECT pg_export_snapshot(), clock_timestamp(), pg_database_size(current_database()),
               current_setting('server_version_num')::int
        """
    )
    found = await one(cur, Snapshot)
    assert found is not None
    return found


async def end_snapshot(cur: Cursor) -> None:
    """End the transaction of `take_snapshot`."""
    await cur.execute("COMMIT")


async def other_schemas(cur: Cursor) -> list[str]:
    """Return the schemas of other programs in this database, which a backup leaves out."""
    await cur.execute(
        """
        SELECT quote_ident(nspname) FROM pg_namespace
         WHERE nspname !~ '^pg_' AND nspname NOT IN ('information_schema', current_schema())
        """
    )
    return await many(cur, str)


async def table_names(cur: Cursor) -> list[str]:
    """Return the names of all tables."""
    await cur.execute(
        """
        SELECT relname::text FROM pg_class
         WHERE relkind IN ('r', 'p') AND relnamespace = current_schema()::regnamespace
           AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = pg_class.oid AND deptype = 'e')
      ORDER BY relname
        """
    )
    return await many(cur, str)


async def count_rows(cur: Cursor) -> dict[str, int]:
    """Return the number of rows of each table whose rows a backup has. Reads all of them."""
    found = {}
    for name in await table_names(cur):
        if name not in NOT_DUMPED:
            await cur.execute(f"SELECT count(*) FROM {_quoted(name)}")
            [found[name]] = await many(cur, int)
    return found


async def fingerprint(cur: Cursor) -> str:
    """Return a hash of the schema: columns, indexes, constraints, triggers and functions."""
    await cur.execute(
        """
        SELECT concat_ws(' ', 'column', relname, attname, format_type(atttypid, atttypmod),
                         attnotnull)
          FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
         WHERE relkind IN ('r', 'p') AND attnum > 0 AND NOT attisdropped
           AND relnamespace = current_schema()::regnamespace
         UNION ALL
        SELECT concat_ws(' ', 'index', tablename, indexname) FROM pg_indexes
         WHERE schemaname = current_schema()
         UNION ALL
        SELECT concat_ws(' ', 'constraint', conrelid::regclass, conname) FROM pg_constraint
         WHERE connamespace = current_schema()::regnamespace AND contype IN ('c', 'f', 'p', 'u')
         UNION ALL
        SELECT concat_ws(' ', 'trigger', tgrelid::regclass, tgname) FROM pg_trigger
         WHERE NOT tgisinternal
         UNION ALL
        SELECT concat_ws(' ', 'function', proname, pg_get_function_identity_arguments(pg_proc.oid))
          FROM pg_proc
         WHERE pronamespace = current_schema()::regnamespace
           AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = pg_proc.oid AND deptype = 'e')
        """
    )
    lines = sorted(await many(cur, str))
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


async def referenced_files(cur: Cursor) -> AsyncIterator[ReferencedFile]:
    """Yield all stored files that the database names. Needs a transaction.

    The schema may be that of an earlier version: a backup comes before the migration.
    """
    await cur.execute(
        """
        SELECT table_name || '.' || column_name FROM information_schema.columns
         WHERE table_schema = current_schema()
        """
    )
    known = set(await many(cur, str))
    selects = [select for column, select in _FILE_COLUMNS.items() if column in known]
    await cur.execute(f"DECLARE files NO SCROLL CURSOR FOR {' UNION ALL '.join(selects)}")
    while True:
        await cur.execute(f"FETCH {_FETCH_ROWS} FROM files")
        found = await many(cur, ReferencedFile)
        for each in found:
            yield each
        if not found:
            break
    await cur.execute("CLOSE files")


async def contents(cur: Cursor) -> Contents:
    """Return what the database contains."""
    names = await table_names(cur)
    used = []
    for name in names:
        if name not in _BOOKKEEPING:
            await cur.execute(f"SELECT EXISTS (SELECT FROM {_quoted(name)})")
            if await cur.fetchone() == (True,):
                used.append(name)
    return Contents(
        has_tables=any(name not in _BOOKKEEPING for name in names),
        is_migrated="_chatd_migrations" in names,
        used=used,
    )


async def data_directory(cur: Cursor) -> str:
    """Return the folder of the database; empty if this role may not know it."""
    await cur.execute(
        """
        SELECT CASE WHEN pg_has_role('pg_read_all_settings', 'USAGE')
                    THEN current_setting('data_directory') ELSE '' END
        """
    )
    [found] = await many(cur, str)
    return found


async def drop_schema(cur: Cursor) -> None:
    """Drop all tables, functions, sequences and types of the schema, in one transaction."""
    await cur.execute(
        """
        DO $$
        DECLARE
            command text;
        BEGIN
            FOR command IN
                SELECT format('DROP TABLE IF EXISTS %I CASCADE', relname) FROM pg_class
                 WHERE relkind IN ('r', 'p') AND relnamespace = current_schema()::regnamespace
                   AND NOT EXISTS (SELECT FROM pg_depend
                                    WHERE objid = pg_class.oid AND deptype = 'e')
            LOOP
                EXECUTE command;
            END LOOP;
            FOR command IN
                SELECT format('DROP ROUTINE IF EXISTS %s CASCADE', oid::regprocedure)
                  FROM pg_proc
                 WHERE pronamespace = current_schema()::regnamespace
                   AND NOT EXISTS (SELECT FROM pg_depend
                                    WHERE objid = pg_proc.oid AND deptype = 'e')
                 UNION ALL
                SELECT format('DROP SEQUENCE IF EXISTS %I CASCADE', relname) FROM pg_class
                 WHERE relkind = 'S' AND relnamespace = current_schema()::regnamespace
                   AND NOT EXISTS (SELECT FROM pg_depend
                                    WHERE objid = pg_class.oid AND deptype = 'e')
                 UNION ALL
                SELECT format('DROP TYPE IF EXISTS %s CASCADE', oid::regtype) FROM pg_type
                 WHERE typtype IN ('e', 'd') AND typnamespace = current_schema()::regnamespace
                   AND NOT EXISTS (SELECT FROM pg_depend
                                    WHERE objid = pg_type.oid AND deptype = 'e')
            LOOP
                EXECUTE command;
            END LOOP;
        END
        $$
        """
    )


async def end_leases(cur: Cursor) -> None:
    """End the leases of WORKER_IDs that a restored database has. The reserved ids stay reserved."""
    await cur.execute("UPDATE workers SET leased_until = NULL, holder = 'a restored backup'")


async def analyze(cur: Cursor) -> None:
    """Collect the statistics by which Postgres plans queries. A restore does not contain them."""
    await cur.execute("ANALYZE")


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
