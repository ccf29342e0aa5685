"""Leases of WORKER_IDs: one process creates ids with each.

An advisory lock, which ends with its connection, excludes other processes.
"""

from __future__ import annotations

from dataclasses import dataclass

from chatd.db.cursor import Cursor, one

LOCK_CLASS = 0x63686174  # "chat": the class of these advisory locks


@dataclass(frozen=True, slots=True)
class Lease:
    """The lease of a WORKER_ID."""

    holder: str
    process: str
    left_s: float
    """Seconds until it ends unless it is renewed, by the clock of Postgres; 0 when it has ended."""


async def try_lock(cur: Cursor, worker_id: int) -> bool:
    """Lock a WORKER_ID for the life of the cursor's connection. False when it is locked."""
    await cur.execute(
        "SELECT pg_try_advisory_lock(%(class)s, %(worker_id)s)",
        {"class": LOCK_CLASS, "worker_id": worker_id},
    )
    return await cur.fetchone() == (True,)


async def terminate_holder(cur: Cursor, worker_id: int) -> None:
    """Terminate the connection that holds a lock: one that this process has lost."""
    await cur.execute(
        """
        SELECT pg_terminate_backend(pid) FROM pg_locks
         WHERE locktype = 'advisory' AND granted
           AND classid = %(class)s AND objid = %(worker_id)s AND pid <> pg_backend_pid()
           AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
        """,
        {"class": LOCK_CLASS, "worker_id": worker_id},
    )


async def get_lease(cur: Cursor, worker_id: int) -> Lease | None:
    """Return the last lease of a WORKER_ID."""
    await cur.execute(
        """
        SELECT holder, process,
               coalesce(greatest(extract(epoch FROM leased_until - clock_timestamp()), 0), 0)::float
          FROM workers WHERE id = %(id)s
        """,
        {"id": worker_id},
    )
    return await one(cur, Lease)


async def acquire(cur: Cursor, worker_id: int, holder: str, process: str) -> int:
    """Make `holder` the holder of a locked WORKER_ID. Other holders can no longer renew it.

    Return the millisecond (since the snowflake epoch) up to which ids may have been created.
    """
    await cur.execute(
        """
        INSERT INTO workers (id, holder, process, reserved_ms)
        VALUES (%(id)s, %(holder)s, %(process)s, 0)
        ON CONFLICT (id) DO UPDATE SET holder = excluded.holder, process = excluded.process
        RETURNING reserved_ms
        """,
        {"id": worker_id, "holder": holder, "process": process},
    )
    row = await cur.fetchone()
    return int(row[0]) if row else 0


async def renew(cur: Cursor, worker_id: int, holder: str, *, until_ms: int, lease_s: float) -> bool:
    """Renew a lease for `lease_s` from now, and reserve ids up to the millisecond `until_ms`.

    False when another process has become the holder.
    """
    await cur.execute(
        """
        UPDATE workers
           SET reserved_ms = greatest(reserved_ms, %(until_ms)s),
               leased_until = clock_timestamp() + make_interval(secs => %(lease_s)s)
         WHERE id = %(id)s AND holder = %(holder)s
        """,
        {"id": worker_id, "holder": holder, "until_ms": until_ms, "lease_s": lease_s},
    )
    return cur.rowcount == 1


async def release(cur: Cursor, worker_id: int, holder: str, *, last_ms: int) -> None:
    """End a lease. The last id was created in the millisecond `last_ms`."""
    await cur.execute(
        """
        UPDATE workers SET reserved_ms = %(last_ms)s, leased_until = NULL
         WHERE id = %(id)s AND holder = %(holder)s
        """,
        {"id": worker_id, "holder": holder, "last_ms": last_ms},
    )


async def register(
    cur: Cursor,
    worker_id: int,
    holder: str,
    *,
    host: str,
    version: str,
    url: str,
    metrics_url: str | None,
) -> None:
    """Record the addresses at which the holder of a WORKER_ID serves."""
    await cur.execute(
        """
        INSERT INTO instances (worker_id, holder, host, version, url, metrics_url)
        VALUES (%(id)s, %(holder)s, %(host)s, %(version)s, %(url)s, %(metrics_url)s)
        ON CONFLICT (worker_id) DO UPDATE
           SET holder = excluded.holder, host = excluded.host, version = excluded.version,
               url = excluded.url, metrics_url = excluded.metrics_url
        """,
        {
            "id": worker_id,
            "holder": holder,
            "host": host,
            "version": version,
            "url": url,
            "metrics_url": metrics_url,
        },
    )
