"""Exports of accounts: which are requested, and their state. `account_rows` reads the data."""

from __future__ import annotations

from chatd.core.ids import ExportId, UserId
from chatd.core.models import UserExport
from chatd.db.cursor import Cursor, one

LIFETIME = "7 days"
"""How long an archive is kept. It is as large as all files of the account."""

_FIELDS = "id, user_id, requested_at, due_at IS NOT NULL, size, finished_at"


def key(export_id: ExportId) -> str:
    """Return the storage key of an archive."""
    return f"exports/{export_id}"


async def get(cur: Cursor, user_id: UserId) -> UserExport | None:
    """Return the last export of a user."""
    await cur.execute(
        f"SELECT {_FIELDS} FROM user_exports WHERE user_id = %(user_id)s", {"user_id": user_id}
    )
    return await one(cur, UserExport)


async def by_id(cur: Cursor, export_id: ExportId) -> UserExport | None:
    """Return an export that is kept."""
    await cur.execute(f"SELECT {_FIELDS} FROM user_exports WHERE id = %(id)s", {"id": export_id})
    return await one(cur, UserExport)


async def replace(cur: Cursor, export_id: ExportId, user_id: UserId) -> UserExport:
    """Request an export, in place of the one before. The user is locked."""
    await delete(cur, user_id)
    await cur.execute(
        f"""
        INSERT INTO user_exports (id, user_id) VALUES (%(id)s, %(user_id)s)
        RETURNING {_FIELDS}
        """,
        {"id": export_id, "user_id": user_id},
    )
    created = await one(cur, UserExport)
    assert created is not None
    return created


async def delete(cur: Cursor, user_id: UserId) -> None:
    """Delete the export of a user, and schedule the deletion of its file."""
    await cur.execute(
        """
        WITH gone AS (
            DELETE FROM user_exports WHERE user_id = %(user_id)s RETURNING id
        )
        INSERT INTO doomed_files (key) SELECT 'exports/' || id FROM gone ON CONFLICT DO NOTHING
        """,
        {"user_id": user_id},
    )


async def take(cur: Cursor, *, lease_s: float, attempts: int) -> UserExport | None:
    """Lease the export that has waited longest. Those with too many attempts fail."""
    await cur.execute(
        """
        UPDATE user_exports SET due_at = NULL, finished_at = now()
         WHERE due_at <= now() AND attempts >= %(attempts)s
        """,
        {"attempts": attempts},
    )
    await cur.execute(
        f"""
        UPDATE user_exports
           SET due_at = now() + make_interval(secs => %(lease_s)s), attempts = attempts + 1
         WHERE user_id = (SELECT user_id FROM user_exports
                           WHERE due_at <= now()
                        ORDER BY due_at
                           LIMIT 1
                             FOR UPDATE SKIP LOCKED)
        RETURNING {_FIELDS}
        """,
        {"lease_s": lease_s},
    )
    return await one(cur, UserExport)


async def extend(cur: Cursor, export_id: ExportId, *, lease_s: float) -> bool:
    """Extend a lease. False when the export was replaced or deleted."""
    await cur.execute(
        """
        UPDATE user_exports SET due_at = now() + make_interval(secs => %(lease_s)s)
         WHERE id = %(id)s AND due_at IS NOT NULL
        """,
        {"id": export_id, "lease_s": lease_s},
    )
    return cur.rowcount == 1


async def finish(cur: Cursor, export_id: ExportId, size: int) -> bool:
    """Record a finished archive. False when the export was replaced or deleted."""
    await cur.execute(
        """
        UPDATE user_exports SET size = %(size)s, finished_at = now(), due_at = NULL
         WHERE id = %(id)s AND due_at IS NOT NULL
        """,
        {"id": export_id, "size": size},
    )
    return cur.rowcount == 1


async def delete_expired(cur: Cursor, *, limit: int) -> int:
    """Delete some exports that are kept long enough, with their files. Return their number."""
    await cur.execute(
        f"""
        WITH gone AS (
            DELETE FROM user_exports
             WHERE user_id IN (SELECT user_id FROM user_exports
                                WHERE requested_at < now() - interval '{LIFETIME}'
                                LIMIT %(limit)s)
            RETURNING id
        ), scheduled AS (
            INSERT INTO doomed_files (key) SELECT 'exports/' || id FROM gone ON CONFLICT DO NOTHING
        )
        SELECT FROM gone
        """,
        {"limit": limit},
    )
    return cur.rowcount
