"""Counts of the whole server, its running instances, and properties of its Postgres."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from chatd.db.cursor import Cursor, many, one
from chatd.queries import workers

_COUNTED = 100_000
"""Messages are counted up to this number, since a count reads all of them."""

COMMAND = "chatd command"
"""The `application_name` of connections of a CLI command."""


@dataclass(frozen=True, slots=True)
class ServerCounts:
    """Counts of the whole server. Above 100,000 `messages` are an estimate of Postgres."""

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
    """A serving process with its WORKER_ID.

    Only `worker_id` and `holder` are known of an instance that has not opened its ports yet, or
    whose version registers no address.
    """

    worker_id: int
    holder: str
    host: str | None
    version: str | None
    url: str | None
    metrics_url: str | None


@dataclass(frozen=True, slots=True)
class ServerInfo:
    """Properties of a Postgres server."""

    version: int
    encoding: str
    max_connections: int
    now: datetime
    may_create: bool
    """Whether this role may create tables, which `migrate` needs."""


async def server_counts(cur: Cursor) -> ServerCounts:
    """Return counts of the whole server."""
    await cur.execute(
        """
        SELECT (SELECT count(*) FROM users WHERE NOT bot AND NOT is_placeholder
                                            AND deleted_at IS NULL),
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
    found = await one(cur, ServerCounts)
    assert found is not None
    return found


async def list_instances(cur: Cursor) -> list[Instance]:
    """Return the running instances, also when the schema is not up to date.

    A CLI command that holds a WORKER_ID is omitted, by the name of its connection (COMMAND).
    """
    await cur.execute("SELECT to_regclass('workers') IS NULL, to_regclass('instances') IS NULL")
    if (row := await cur.fetchone()) is None or row[0]:
        return []
    known = (
        "(SELECT NULL::int, ''::text, ''::text, ''::text, ''::text, ''::text)"
        if row[1]
        else "instances"
    )
    await cur.execute(
        f"""
        SELECT workers.id, workers.holder, known.host, known.version, known.url, known.metrics_url
          FROM workers
          JOIN pg_locks ON pg_locks.objid = workers.id
     LEFT JOIN pg_stat_activity AS activity ON activity.pid = pg_locks.pid
     LEFT JOIN {known} AS known (worker_id, holder, host, version, url, metrics_url)
            ON known.worker_id = workers.id AND known.holder = workers.holder
         WHERE locktype = 'advisory' AND granted AND classid = %(class)s
           AND pg_locks.database = (SELECT oid FROM pg_database WHERE datname = current_database())
           AND activity.application_name IS DISTINCT FROM %(command)s
      ORDER BY workers.id
        """,
        {"class": workers.LOCK_CLASS, "command": COMMAND},
    )
    return await many(cur, Instance)


async def newest_reserved_ms(cur: Cursor) -> int:
    """Return the latest millisecond (since the snowflake epoch) for which ids were reserved."""
    await cur.execute("SELECT coalesce(max(reserved_ms), 0) FROM workers")
    row = await cur.fetchone()
    return 0 if row is None else int(row[0])


async def server_info(cur: Cursor) -> ServerInfo:
    """Return properties of the Postgres server."""
    await cur.execute(
        """
        SELECT current_setting('server_version_num')::int, current_setting('server_encoding'),
               current_setting('max_connections')::int, clock_timestamp(),
               has_schema_privilege(current_schema(), 'CREATE')
        """
    )
    found = await one(cur, ServerInfo)
    assert found is not None
    return found


async def get_setting(cur: Cursor, name: str) -> str:
    """Return the value of a Postgres setting on this connection."""
    await cur.execute("SELECT current_setting(%(name)s)", {"name": name})
    row = await cur.fetchone()
    return "" if row is None else str(row[0])
