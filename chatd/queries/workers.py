"""Who makes ids: one process for each worker id, by a lock that ends with its connection."""

from __future__ import annotations

from chatd.db import Cursor

_LOCKS = 0x63686174  # the class of our advisory locks: "chat"


async def claim(cur: Cursor, worker_id: int, holder: str) -> bool:
    """Claim a worker id for as long as the cursor's connection lives. False when it is taken."""
    await cur.execute(
        "SELECT pg_try_advisory_lock(%(class)s, %(worker_id)s)",
        {"class": _LOCKS, "worker_id": worker_id},
    )
    if await cur.fetchone() != (True,):
        return False
    await cur.execute(
        """
        INSERT INTO workers (id, holder, reserved_ms) VALUES (%(id)s, %(holder)s, 0)
        ON CONFLICT (id) DO UPDATE SET holder = excluded.holder
        """,
        {"id": worker_id, "holder": holder},
    )
    return True


async def holder(cur: Cursor, worker_id: int) -> str:
    """Who claimed a worker id last."""
    await cur.execute("SELECT holder FROM workers WHERE id = %(id)s", {"id": worker_id})
    row = await cur.fetchone()
    return str(row[0]) if row else "another process"


async def reserved_ms(cur: Cursor, worker_id: int) -> int:
    """The milliseconds (since the epoch of snowflakes) up to which ids may have been made."""
    await cur.execute("SELECT reserved_ms FROM workers WHERE id = %(id)s", {"id": worker_id})
    row = await cur.fetchone()
    return int(row[0]) if row else 0


async def reserve(cur: Cursor, worker_id: int, until_ms: int) -> None:
    """Note that ids up to this millisecond may have been made."""
    await cur.execute(
        "UPDATE workers SET reserved_ms = %(until_ms)s WHERE id = %(id)s",
        {"id": worker_id, "until_ms": until_ms},
    )
