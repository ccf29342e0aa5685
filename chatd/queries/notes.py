"""Notes of people about other users."""

from __future__ import annotations

from chatd.core.ids import UserId
from chatd.db.cursor import Cursor, Row, one


async def list_for_user(cur: Cursor, user_id: UserId) -> dict[UserId, str]:
    """Return all notes of a user, by the user that each is about."""
    await cur.execute(
        "SELECT target_id, note FROM user_notes WHERE user_id = %(user_id)s ORDER BY target_id",
        {"user_id": user_id},
    )
    rows: list[Row] = await cur.fetchall()
    return {UserId(row[0]): str(row[1]) for row in rows}


async def get(cur: Cursor, user_id: UserId, target_id: UserId) -> str | None:
    """Return the note of a user about another; None without one."""
    await cur.execute(
        "SELECT note FROM user_notes WHERE user_id = %(user_id)s AND target_id = %(target_id)s",
        {"user_id": user_id, "target_id": target_id},
    )
    return await one(cur, str)


async def count(cur: Cursor, user_id: UserId) -> int:
    """Return the number of notes of a user."""
    await cur.execute(
        "SELECT count(*) FROM user_notes WHERE user_id = %(user_id)s", {"user_id": user_id}
    )
    return await one(cur, int) or 0


async def put(cur: Cursor, user_id: UserId, target_id: UserId, note: str) -> None:
    """Set the note of a user about another."""
    await cur.execute(
        """
        INSERT INTO user_notes (user_id, target_id, note)
        VALUES (%(user_id)s, %(target_id)s, %(note)s)
        ON CONFLICT (user_id, target_id) DO UPDATE SET note = EXCLUDED.note
        """,
        {"user_id": user_id, "target_id": target_id, "note": note},
    )


async def delete(cur: Cursor, user_id: UserId, target_id: UserId) -> None:
    """Delete the note of a user about another."""
    await cur.execute(
        "DELETE FROM user_notes WHERE user_id = %(user_id)s AND target_id = %(target_id)s",
        {"user_id": user_id, "target_id": target_id},
    )


async def delete_all(cur: Cursor, user_id: UserId) -> None:
    """Delete all notes of a user."""
    await cur.execute("DELETE FROM user_notes WHERE user_id = %(user_id)s", {"user_id": user_id})
