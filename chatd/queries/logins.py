"""Logins and their refresh tokens, of which only hashes are kept."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from chatd.core.ids import LoginId, UserId
from chatd.core.models import Caller, Login
from chatd.db import Cursor, Prepared, many, one
from chatd.queries import users


@dataclass(frozen=True, slots=True)
class RefreshTokenState:
    """What is known of a refresh token that somebody presents."""

    login_id: LoginId
    user_id: UserId
    revoked: bool
    expired: bool
    used: bool


_HASH = "encode(sha256(convert_to('login ' || logins.id, 'UTF8')), 'hex')"
"""What a login is called in requests: its id would tell when it was made, and stands in tokens."""


async def insert(cur: Cursor, login_id: LoginId, user_id: UserId, user_agent: str | None) -> None:
    """Note a login."""
    await cur.execute(
        "INSERT INTO logins (id, user_id, user_agent) VALUES (%(id)s, %(user_id)s, %(agent)s)",
        {"id": login_id, "user_id": user_id, "agent": user_agent},
    )


async def living(cur: Cursor, user_id: UserId, *, besides: LoginId, limit: int) -> list[Login]:
    """The logins of a user that can still be used, or are `besides`; the last used come first."""
    await cur.execute(
        f"""
        SELECT id, {_HASH}, user_agent, last_used_at FROM logins
         WHERE user_id = %(user_id)s AND revoked_at IS NULL
           AND (id = %(besides)s
                OR EXISTS (SELECT FROM refresh_tokens
                            WHERE login_id = logins.id AND expires_at > now()))
      ORDER BY id = %(besides)s DESC, last_used_at DESC, id DESC
         LIMIT %(limit)s
        """,
        {"user_id": user_id, "besides": besides, "limit": limit},
    )
    return await many(cur, Login)


async def of_hashes(cur: Cursor, user_id: UserId, hashes: Iterable[str]) -> list[LoginId]:
    """The logins of a user that have not ended and go by these names."""
    await cur.execute(
        f"""
        SELECT id FROM logins
         WHERE user_id = %(user_id)s AND revoked_at IS NULL AND {_HASH} = ANY(%(hashes)s::text[])
        """,
        {"user_id": user_id, "hashes": list(hashes)},
    )
    return await many(cur, LoginId)


async def of_refresh_token(cur: Cursor, user_id: UserId, token_hash: bytes) -> LoginId | None:
    """The login of a user that this refresh token belongs to."""
    await cur.execute(
        """
        SELECT logins.id
          FROM refresh_tokens JOIN logins ON logins.id = refresh_tokens.login_id
         WHERE refresh_tokens.token_hash = %(token_hash)s AND logins.user_id = %(user_id)s
        """,
        {"user_id": user_id, "token_hash": token_hash},
    )
    return await one(cur, LoginId)


async def insert_refresh_token(
    cur: Cursor, login_id: LoginId, token_hash: bytes, *, lifetime_s: int
) -> None:
    """Note a refresh token of a login."""
    await cur.execute(
        """
        INSERT INTO refresh_tokens (token_hash, login_id, expires_at)
        VALUES (%(token_hash)s, %(login_id)s, now() + make_interval(secs => %(lifetime_s)s))
        """,
        {"token_hash": token_hash, "login_id": login_id, "lifetime_s": lifetime_s},
    )


async def lock_refresh_token(cur: Cursor, token_hash: bytes) -> RefreshTokenState | None:
    """What a refresh token is worth; its login stays locked, so that one use is the first."""
    await cur.execute(
        """
        SELECT logins.id, logins.user_id, logins.revoked_at IS NOT NULL,
               refresh_tokens.expires_at <= now(), refresh_tokens.used_at IS NOT NULL
          FROM refresh_tokens JOIN logins ON logins.id = refresh_tokens.login_id
         WHERE refresh_tokens.token_hash = %(token_hash)s
           FOR NO KEY UPDATE
        """,
        {"token_hash": token_hash},
    )
    return await one(cur, RefreshTokenState)


async def mark_used(cur: Cursor, token_hash: bytes) -> None:
    """Note that a refresh token has had its one use, and its login another one."""
    await cur.execute(
        """
        WITH used AS (
            UPDATE refresh_tokens SET used_at = now() WHERE token_hash = %(token_hash)s
            RETURNING login_id
        )
        UPDATE logins SET last_used_at = now() FROM used WHERE logins.id = used.login_id
        """,
        {"token_hash": token_hash},
    )


async def revoke(cur: Cursor, user_id: UserId, login_ids: Iterable[LoginId]) -> list[LoginId]:
    """End these logins of a user; returns those that had not ended before."""
    await cur.execute(
        """
        UPDATE logins SET revoked_at = now(), user_agent = NULL
         WHERE user_id = %(user_id)s AND id = ANY(%(ids)s::bigint[]) AND revoked_at IS NULL
        RETURNING id
        """,
        {"user_id": user_id, "ids": list(login_ids)},
    )
    return await many(cur, LoginId)


async def revoke_all(cur: Cursor, user_id: UserId, *, besides: LoginId | None) -> list[LoginId]:
    """End all logins of a user but one; returns those that had not ended before."""
    await cur.execute(
        """
        UPDATE logins SET revoked_at = now(), user_agent = NULL
         WHERE user_id = %(user_id)s AND id IS DISTINCT FROM %(besides)s AND revoked_at IS NULL
        RETURNING id
        """,
        {"user_id": user_id, "besides": besides},
    )
    return await many(cur, LoginId)


_CALLER = f"""
    SELECT {users.COLUMNS}
      FROM logins JOIN users ON users.id = logins.user_id
     WHERE logins.id = %(login_id)s AND users.id = %(user_id)s AND revoked_at IS NULL
       AND users.disabled_at IS NULL
"""


async def caller(cur: Cursor, login_id: LoginId, user_id: UserId) -> Caller | None:
    """Who uses this login of this user, unless it has been revoked."""
    await cur.execute(
        _CALLER,
        {"login_id": login_id, "user_id": user_id},
    )
    return await one(cur, lambda *row: Caller(users.split(row)[0], login_id))


_USE = Prepared(
    f"""
    WITH used AS (
        UPDATE logins SET last_used_at = now()
         WHERE id = %(login_id)s AND user_id = %(user_id)s AND revoked_at IS NULL
           AND last_used_at < now() - interval '1 hour'
    )
    {_CALLER}
    """,
    login_id="bigint",
    user_id="bigint",
)


async def use(cur: Cursor, login_id: LoginId, user_id: UserId) -> Caller | None:
    """The same as `caller`, and notes that the login is used, once an hour at the most."""
    await cur.run(_USE, {"login_id": login_id, "user_id": user_id})
    return await one(cur, lambda *row: Caller(users.split(row)[0], login_id))


async def delete_expired(cur: Cursor) -> int:
    """Forget refresh tokens that expired a day ago, and logins that have none left."""
    await cur.execute(
        """
        WITH old AS (
            DELETE FROM refresh_tokens WHERE expires_at < now() - interval '1 day'
            RETURNING login_id
        )
        DELETE FROM logins
         WHERE id IN (SELECT login_id FROM old)
           AND NOT EXISTS (SELECT FROM refresh_tokens
                            WHERE login_id = logins.id
                              AND expires_at >= now() - interval '1 day')
        """
    )
    return cur.rowcount
