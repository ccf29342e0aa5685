"""Numbers of the whole server, and what its Postgres says of itself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from chatd.db import Cursor, many, one

_WORKER_LOCKS = 0x63686174  # as in queries/workers
_COUNTED = 100_000


@dataclass(frozen=True, slots=True)
class Counts:
    """How much there is. Many `messages` are Postgres's estimate, which costs nothing."""

    people: int
    bots: int
    administrators: int
    disabled: int
    logins: int
    active_day: int
    active_month: int
    guilds: int
    channels: int
    private_channels: int
    messages: int
    attachments: int
    attachment_bytes: int
    database_bytes: int


@dataclass(frozen=True, slots=True)
class Instance:
    """A process that holds a WORKER_ID, and up to which millisecond it may have made ids."""

    worker_id: int
    holder: str
    reserved_ms: int


@dataclass(frozen=True, slots=True)
class Postgres:
    """What a server says of itself."""

    version: int
    encoding: str
    max_connections: int
    now: datetime
    may_create: bool
    """Whether we may make tables: `migrate` needs that."""


async def counts(cur: Cursor) -> Counts:
    """How much there is of everything."""
    await cur.execute(
        """
        SELECT (SELECT count(*) FROM users WHERE NOT bot AND deleted_at IS NULL),
               (SELECT count(*) FROM users WHERE bot AND deleted_at IS NULL),
               (SELECT count(*) FROM users WHERE is_administrator),
               (SELECT count(*) FROM users WHERE disabled_at IS NOT NULL),
               (SELECT count(*) FROM logins WHERE revoked_at IS NULL),
               (SELECT count(DISTINCT user_id) FROM logins
                 WHERE last_used_at > now() - interval '1 day'),
               (SELECT count(DISTINCT user_id) FROM logins
                 WHERE last_used_at > now() - interval '30 days'),
               (SELECT count(*) FROM guilds),
               (SELECT count(*) FROM channels WHERE guild_id IS NOT NULL),
               (SELECT count(*) FROM channels WHERE guild_id IS NULL),
               (SELECT CASE WHEN counted <= %(most)s THEN counted
                            ELSE greatest(reltuples::bigint, counted) END
                  FROM pg_class, (SELECT count(*) AS counted
                                    FROM (SELECT FROM messages LIMIT %(most)s + 1) AS first) AS few
                 WHERE oid = 'messages'::regclass),
               (SELECT count(*) FROM attachments),
               (SELECT coalesce(sum(size), 0)::bigint FROM attachments),
               pg_database_size(current_database())
        """,
        {"most": _COUNTED},
    )
    found = await one(cur, Counts)
    assert found is not None
    return found


async def instances(cur: Cursor) -> list[Instance]:
    """Who makes ids at this moment."""
    await cur.execute(
        """
        SELECT id, holder, reserved_ms
          FROM workers JOIN pg_locks ON pg_locks.objid = workers.id
         WHERE locktype = 'advisory' AND granted AND classid = %(class)s
           AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
      ORDER BY id
        """,
        {"class": _WORKER_LOCKS},
    )
    return await many(cur, Instance)


async def newest_reserved_ms(cur: Cursor) -> int:
    """The latest millisecond (since the epoch of snowflakes) for which anybody reserved ids."""
    await cur.execute("SELECT coalesce(max(reserved_ms), 0) FROM workers")
    row = await cur.fetchone()
    return 0 if row is None else int(row[0])


async def postgres(cur: Cursor) -> Postgres:
    """What the server says of itself."""
    await cur.execute(
        """
        SELECT current_setting('server_version_num')::int, current_setting('server_encoding'),
               current_setting('max_connections')::int, clock_timestamp(),
               has_schema_privilege(current_schema(), 'CREATE')
        """
    )
    found = await one(cur, Postgres)
    assert found is not None
    return found


async def setting(cur: Cursor, name: str) -> str:
    """A setting of the server, as this connection has it."""
    await cur.execute("SELECT current_setting(%(name)s)", {"name": name})
    row = await cur.fetchone()
    return "" if row is None else str(row[0])
