"""One-time codes with which persons claim placeholder accounts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from chatd.core.ids import UserId
from chatd.db.cursor import Cursor, one


@dataclass(frozen=True, slots=True)
class Placeholder:
    """An account that can be claimed."""

    id: UserId
    avatar: str | None
    global_name: str | None


async def replace(
    cur: Cursor, user_id: UserId, code_hash: bytes, *, lifetime_s: int
) -> datetime | None:
    """Set the code of a placeholder, in place of the one before. Return when it expires.

    Returns None unless the account is a placeholder of a person.
    """
    await cur.execute(
        """
        INSERT INTO account_claims (user_id, code_hash, expires_at)
        SELECT id, %(code_hash)s, now() + make_interval(secs => %(lifetime_s)s)
          FROM users
         WHERE id = %(user_id)s AND is_placeholder AND NOT bot AND deleted_at IS NULL
        ON CONFLICT (user_id)
        DO UPDATE SET code_hash = excluded.code_hash, expires_at = excluded.expires_at
        RETURNING expires_at
        """,
        {"user_id": user_id, "code_hash": code_hash, "lifetime_s": lifetime_s},
    )
    row = await cur.fetchone()
    return None if row is None else row[0]


async def find(cur: Cursor, code_hash: bytes) -> UserId | None:
    """Return the account of a valid code."""
    await cur.execute(
        """
        SELECT user_id FROM account_claims
         WHERE code_hash = %(code_hash)s AND expires_at > now()
        """,
        {"code_hash": code_hash},
    )
    return await one(cur, UserId)


async def consume(cur: Cursor, user_id: UserId, code_hash: bytes) -> Placeholder | None:
    """Use up a valid code. Return its account if it still is a placeholder."""
    await cur.execute(
        """
        WITH used AS (
            DELETE FROM account_claims
             WHERE user_id = %(user_id)s AND code_hash = %(code_hash)s AND expires_at > now()
            RETURNING user_id
        )
        SELECT id, avatar, global_name FROM users JOIN used ON used.user_id = users.id
         WHERE is_placeholder AND NOT bot AND deleted_at IS NULL
        """,
        {"user_id": user_id, "code_hash": code_hash},
    )
    return await one(cur, Placeholder)


async def complete(
    cur: Cursor,
    user_id: UserId,
    *,
    username: str,
    username_key: str,
    global_name: str | None,
    email: str,
    email_key: str,
    password_hash: str,
) -> None:
    """Turn a placeholder into the account of a person.

    Raises UniqueViolation when the name or the address is taken.
    """
    await cur.execute(
        """
        UPDATE users
           SET is_placeholder = false, username = %(username)s, username_key = %(username_key)s,
               global_name = %(global_name)s, email = %(email)s, email_key = %(email_key)s,
               password_hash = %(password_hash)s
         WHERE id = %(user_id)s
        """,
        {
            "user_id": user_id,
            "username": username,
            "username_key": username_key,
            "global_name": global_name,
            "email": email,
            "email_key": email_key,
            "password_hash": password_hash,
        },
    )


async def delete_expired(cur: Cursor, *, limit: int) -> int:
    """Delete some codes that have expired. Return their number."""
    await cur.execute(
        """
        DELETE FROM account_claims
         WHERE user_id IN (SELECT user_id FROM account_claims
                            WHERE expires_at < now() - interval '1 day'
                            LIMIT %(limit)s)
        """,
        {"limit": limit},
    )
    return cur.rowcount
