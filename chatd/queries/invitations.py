"""Invitations to register.

An invitation is active unless it has expired, has no uses left, or its creator may no longer
invite. Functions treat other invitations as nonexistent.
"""

from __future__ import annotations

from chatd.core.ids import UserId
from chatd.core.models import Invitation
from chatd.db.cursor import Cursor, many, one

_COLUMNS = "code, created_by, created_at, max_uses, uses, expires_at"  # in the order of Invitation
_ACTIVE = """
    (expires_at IS NULL OR expires_at > now())
    AND (max_uses = 0 OR uses < max_uses)
    AND (created_by IS NULL OR EXISTS (SELECT FROM users
                                        WHERE users.id = created_by AND is_administrator
                                          AND disabled_at IS NULL))
"""


async def insert(
    cur: Cursor, code: str, created_by: UserId | None, *, max_uses: int, max_age_s: int
) -> Invitation:
    """Add an invitation. 0 means unlimited, for uses and for seconds."""
    await cur.execute(
        f"""
        INSERT INTO registration_invitations (code, created_by, max_uses, expires_at)
        VALUES (%(code)s, %(created_by)s, %(max_uses)s,
                CASE WHEN %(max_age_s)s > 0 THEN now() + make_interval(secs => %(max_age_s)s) END)
        RETURNING {_COLUMNS}
        """,
        {"code": code, "created_by": created_by, "max_uses": max_uses, "max_age_s": max_age_s},
    )
    created = await one(cur, Invitation)
    assert created is not None
    return created


async def list_active(cur: Cursor, *, limit: int) -> list[Invitation]:
    """Return active invitations, newest first."""
    await cur.execute(
        f"""
        SELECT {_COLUMNS} FROM registration_invitations
         WHERE {_ACTIVE}
      ORDER BY created_at DESC, code
         LIMIT %(limit)s
        """,
        {"limit": limit},
    )
    return await many(cur, Invitation)


async def is_active(cur: Cursor, code: str) -> bool:
    """Return whether there is an active invitation with this code."""
    await cur.execute(
        f"SELECT FROM registration_invitations WHERE code = %(code)s AND {_ACTIVE}", {"code": code}
    )
    return await cur.fetchone() is not None


async def consume(cur: Cursor, code: str) -> bool:
    """Consume one use of an active invitation. False when there is none."""
    await cur.execute(
        f"""
        UPDATE registration_invitations SET uses = uses + 1
         WHERE code = %(code)s AND {_ACTIVE}
        """,
        {"code": code},
    )
    return cur.rowcount == 1


async def delete(cur: Cursor, code: str) -> bool:
    """Delete an active invitation. False when there is none."""
    await cur.execute(
        f"DELETE FROM registration_invitations WHERE code = %(code)s AND {_ACTIVE}", {"code": code}
    )
    return cur.rowcount == 1


async def delete_expired(cur: Cursor, *, limit: int) -> int:
    """Delete some invitations that have expired or have no uses left. Return their number."""
    await cur.execute(
        """
        DELETE FROM registration_invitations
         WHERE code IN (SELECT code FROM registration_invitations
                         WHERE expires_at < now() - interval '1 day'
                            OR (max_uses > 0 AND uses >= max_uses)
                         LIMIT %(limit)s)
        """,
        {"limit": limit},
    )
    return cur.rowcount
