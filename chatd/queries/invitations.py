"""Invitations to register. One that has expired, is used up, or whose maker may no longer invite
is as good as not there."""

from __future__ import annotations

from chatd.core.ids import UserId
from chatd.core.models import Invitation
from chatd.db import Cursor, many, one

_COLUMNS = "code, created_by, created_at, max_uses, uses, expires_at"  # in the order of Invitation
_ALIVE = """
    (expires_at IS NULL OR expires_at > now())
    AND (max_uses = 0 OR uses < max_uses)
    AND (created_by IS NULL OR EXISTS (SELECT FROM users
                                        WHERE users.id = created_by AND is_administrator
                                          AND disabled_at IS NULL))
"""


async def insert(
    cur: Cursor, code: str, created_by: UserId | None, *, max_uses: int, max_age_s: int
) -> Invitation:
    """Add an invitation; 0 uses are without end, and so are 0 seconds."""
    await cur.execute(
        f"""
        INSERT INTO registration_invitations (code, created_by, max_uses, expires_at)
        VALUES (%(code)s, %(created_by)s, %(max_uses)s,
                CASE WHEN %(max_age_s)s > 0 THEN now() + make_interval(secs => %(max_age_s)s) END)
        RETURNING {_COLUMNS}
        """,
        {"code": code, "created_by": created_by, "max_uses": max_uses, "max_age_s": max_age_s},
    )
    made = await one(cur, Invitation)
    assert made is not None
    return made


async def living(cur: Cursor, *, limit: int) -> list[Invitation]:
    """Those that somebody can still register with, the newest first."""
    await cur.execute(
        f"""
        SELECT {_COLUMNS} FROM registration_invitations
         WHERE {_ALIVE}
      ORDER BY created_at DESC, code
         LIMIT %(limit)s
        """,
        {"limit": limit},
    )
    return await many(cur, Invitation)


async def is_living(cur: Cursor, code: str) -> bool:
    """Whether somebody can register with this code."""
    await cur.execute(
        f"SELECT FROM registration_invitations WHERE code = %(code)s AND {_ALIVE}", {"code": code}
    )
    return await cur.fetchone() is not None


async def use(cur: Cursor, code: str) -> bool:
    """Use an invitation once. False when there is none."""
    await cur.execute(
        f"""
        UPDATE registration_invitations SET uses = uses + 1
         WHERE code = %(code)s AND {_ALIVE}
        """,
        {"code": code},
    )
    return cur.rowcount == 1


async def delete(cur: Cursor, code: str) -> bool:
    """Take an invitation back. False when there is none."""
    await cur.execute(
        f"DELETE FROM registration_invitations WHERE code = %(code)s AND {_ALIVE}", {"code": code}
    )
    return cur.rowcount == 1


async def delete_dead(cur: Cursor) -> int:
    """Forget those that expired or were used up."""
    await cur.execute(
        """
        DELETE FROM registration_invitations
         WHERE expires_at < now() - interval '1 day' OR (max_uses > 0 AND uses >= max_uses)
        """
    )
    return cur.rowcount
