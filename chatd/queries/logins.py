"""Logins and their refresh tokens. Only hashes of the tokens are stored."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Set
from dataclasses import dataclass

from chatd.core.ids import LoginId, StreamId, UserId
from chatd.core.models import Account, Caller, Login
from chatd.db.cursor import Cursor, PreparedStatement, many, one
from chatd.queries import users


@dataclass(frozen=True, slots=True)
class RefreshTokenState:
    """The state of a presented refresh token, and its login."""

    login_id: LoginId
    user_id: UserId
    revoked: bool
    expired: bool
    used: bool


_HASH = "encode(sha256(convert_to('login ' || logins.id, 'UTF8')), 'hex')"
"""The name of a login in requests. Its id is not used: it reveals the time of the login, and is a
claim of its tokens."""


def hash_of(login_id: LoginId) -> str:
    """Return the name of a login in requests, as `Login.hash`."""
    return hashlib.sha256(f"login {login_id}".encode()).hexdigest()


async def insert(
    cur: Cursor,
    login_id: LoginId,
    user_id: UserId,
    user_agent: str | None,
    *,
    lifetime_s: int | None,
) -> None:
    """Add a login. Its client token is valid for `lifetime_s` seconds; None is for no token."""
    await cur.execute(
        """
        INSERT INTO logins (id, user_id, user_agent, token_expires_at)
        VALUES (%(id)s, %(user_id)s, %(agent)s, now() + make_interval(secs => %(token_s)s))
        """,
        {"id": login_id, "user_id": user_id, "agent": user_agent, "token_s": lifetime_s},
    )


async def list_active(cur: Cursor, user_id: UserId, *, current: LoginId, limit: int) -> list[Login]:
    """Return the usable logins of a user: `current` first, then by last use."""
    await cur.execute(
        f"""
        SELECT id, {_HASH}, user_agent, last_used_at FROM logins
         WHERE user_id = %(user_id)s AND revoked_at IS NULL
           AND (id = %(current)s OR token_expires_at > now()
                OR EXISTS (SELECT FROM refresh_tokens
                            WHERE login_id = logins.id AND expires_at > now()))
      ORDER BY id = %(current)s DESC, last_used_at DESC, id DESC
         LIMIT %(limit)s
        """,
        {"user_id": user_id, "current": current, "limit": limit},
    )
    return await many(cur, Login)


async def list_oldest(cur: Cursor, user_id: UserId, *, keep: int, limit: int) -> list[LoginId]:
    """Return the active logins of a user, except the `keep` most recently used ones."""
    await cur.execute(
        """
        SELECT id FROM logins
         WHERE user_id = %(user_id)s AND revoked_at IS NULL
      ORDER BY last_used_at DESC, id DESC
        OFFSET %(keep)s
         LIMIT %(limit)s
        """,
        {"user_id": user_id, "keep": keep, "limit": limit},
    )
    return await many(cur, LoginId)


async def count_since(cur: Cursor, user_id: UserId, since: LoginId, *, limit: int) -> int:
    """Return how many logins of a user are newer than an id, ended ones included."""
    await cur.execute(
        """
        SELECT count(*) FROM (SELECT FROM logins
                               WHERE user_id = %(user_id)s AND id > %(since)s
                               LIMIT %(limit)s) AS recent
        """,
        {"user_id": user_id, "since": since, "limit": limit},
    )
    return await one(cur, int) or 0


async def ids_by_hashes(cur: Cursor, user_id: UserId, hashes: Iterable[str]) -> list[LoginId]:
    """Return the active logins of a user with these hashes, see `Login.hash`."""
    await cur.execute(
        f"""
        SELECT id FROM logins
         WHERE user_id = %(user_id)s AND revoked_at IS NULL AND {_HASH} = ANY(%(hashes)s::text[])
        """,
        {"user_id": user_id, "hashes": list(hashes)},
    )
    return await many(cur, LoginId)


async def id_by_refresh_token(cur: Cursor, user_id: UserId, token_hash: bytes) -> LoginId | None:
    """Return the login of a user that a refresh token belongs to."""
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
    """Add a refresh token to a login."""
    await cur.execute(
        """
        INSERT INTO refresh_tokens (token_hash, login_id, expires_at)
        VALUES (%(token_hash)s, %(login_id)s, now() + make_interval(secs => %(lifetime_s)s))
        """,
        {"token_hash": token_hash, "login_id": login_id, "lifetime_s": lifetime_s},
    )


async def lock_refresh_token(cur: Cursor, token_hash: bytes) -> RefreshTokenState | None:
    """Return the state of a refresh token, and lock its login so that only one use succeeds."""
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
    """Record the single use of a refresh token, and the use of its login."""
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
    """Revoke these logins of a user. Return those that were active."""
    await cur.execute(
        """
        UPDATE logins SET revoked_at = now(), user_agent = NULL
         WHERE user_id = %(user_id)s AND id = ANY(%(ids)s::bigint[]) AND revoked_at IS NULL
        RETURNING id
        """,
        {"user_id": user_id, "ids": list(login_ids)},
    )
    return await many(cur, LoginId)


async def revoke_all(cur: Cursor, user_id: UserId, *, except_id: LoginId | None) -> list[LoginId]:
    """Revoke all logins of a user except one. Return those that were active."""
    await cur.execute(
        """
        UPDATE logins SET revoked_at = now(), user_agent = NULL
         WHERE user_id = %(user_id)s AND id IS DISTINCT FROM %(except_id)s AND revoked_at IS NULL
        RETURNING id
        """,
        {"user_id": user_id, "except_id": except_id},
    )
    return await many(cur, LoginId)


_FROM_CALLER = """
      FROM logins JOIN users ON users.id = logins.user_id
     WHERE logins.id = %(login_id)s AND users.id = %(user_id)s AND revoked_at IS NULL
       AND users.disabled_at IS NULL
"""

_CALLER = f"SELECT {users.COLUMNS} {_FROM_CALLER}"


_FIND_CALLER = PreparedStatement(_CALLER, login_id="bigint", user_id="bigint")


async def find_caller(cur: Cursor, login_id: LoginId, user_id: UserId) -> Caller | None:
    """Return the caller that uses a login; None if it is revoked or the account disabled."""
    await cur.run(_FIND_CALLER, {"login_id": login_id, "user_id": user_id})
    return await one(cur, lambda *row: Caller(users.split_row(row)[0], login_id))


_ACCOUNT_AND_POSITION = PreparedStatement(
    f"""
    SELECT coalesce((SELECT seq FROM streams WHERE id = users.id), 0), {users.ACCOUNT_COLUMNS}
      FROM ({_CALLER}) AS caller JOIN users USING (id)
     WHERE users.deleted_at IS NULL
    """,
    login_id="bigint",
    user_id="bigint",
)


async def account_and_position(
    cur: Cursor, login_id: LoginId, user_id: UserId
) -> tuple[Account, int] | None:
    """Return the account of a login, and the position of its stream.

    Returns None if the login is revoked, or the account disabled or deleted.
    """
    await cur.run(_ACCOUNT_AND_POSITION, {"login_id": login_id, "user_id": user_id})
    return await one(cur, lambda seq, *row: (users.make_account(*row), int(seq)))


_USED = """
    last_used_at = now(),
    token_expires_at = CASE WHEN token_expires_at > now()
                            THEN now() + make_interval(secs => %(lifetime_s)s)
                            ELSE token_expires_at END
"""
"""What a use changes: it moves the end of a client token that has not expired."""

_IS_DUE = """
    revoked_at IS NULL
    AND (last_used_at < now() - interval '1 hour'
         OR (token_expires_at > now()
             AND token_expires_at < now() + make_interval(secs => 0.9 * %(lifetime_s)s)))
"""
"""Whether a use is recorded: at most once an hour, or in a tenth of the life of a client token."""

_FIND_CALLER_OF_TOKEN = PreparedStatement(
    f"""
    SELECT {users.COLUMNS}, {_IS_DUE} AND current_setting('transaction_read_only') = 'off'
    {_FROM_CALLER} AND (token_expires_at > now() OR NOT %(may_expire)s)
    """,
    login_id="bigint",
    user_id="bigint",
    may_expire="boolean",
    lifetime_s="double precision",
)


async def find_caller_of_token(
    cur: Cursor, login_id: LoginId, user_id: UserId, *, may_expire: bool, lifetime_s: int
) -> tuple[Caller, bool] | None:
    """Return the same as `find_caller`, and whether a use of the login is to be recorded.

    With `may_expire` it returns None, too, if the client token of the login has expired.
    `lifetime_s` is the lifetime of client tokens in seconds. A read-only database records no use.
    """
    values = {"login_id": login_id, "user_id": user_id}
    tokens = {"may_expire": may_expire, "lifetime_s": lifetime_s}
    await cur.run(_FIND_CALLER_OF_TOKEN, {**values, **tokens})
    if (row := await cur.fetchone()) is None:
        return None
    user, (is_due,) = users.split_row(row)
    return Caller(user, login_id), is_due


async def record_uses(cur: Cursor, login_ids: Iterable[LoginId], *, lifetime_s: int) -> None:
    """Record the use of these logins from time to time. Logins that are locked are left out."""
    await cur.execute(
        f"""
        WITH due AS (
            SELECT id AS due_id FROM logins
             WHERE id = ANY(%(login_ids)s::bigint[]) AND {_IS_DUE}
               FOR NO KEY UPDATE SKIP LOCKED
        )
        UPDATE logins SET {_USED} FROM due WHERE id = due_id
        """,
        {"login_ids": list(login_ids), "lifetime_s": lifetime_s},
    )


_VALID_LOGINS_AND_POSITIONS = PreparedStatement(
    """
    SELECT true, logins.id, (token_expires_at <= now())::int
      FROM logins JOIN users ON users.id = logins.user_id
     WHERE logins.id = ANY(%(login_ids)s)
       AND logins.revoked_at IS NULL AND users.disabled_at IS NULL
     UNION ALL
    SELECT false, id, seq FROM streams WHERE id = ANY(%(stream_ids)s)
    """,
    login_ids="bigint[]",
    stream_ids="bigint[]",
)


@dataclass(frozen=True, slots=True)
class ValidLogins:
    """Logins that have not ended."""

    ids: Set[LoginId]
    without_client_token: Set[LoginId]
    """Those of them whose client token has expired."""


async def valid_logins_and_positions(
    cur: Cursor, login_ids: Iterable[LoginId], stream_ids: Iterable[StreamId]
) -> tuple[ValidLogins, dict[StreamId, int]]:
    """Return which of these logins are valid, and the `seq` of the newest event of each stream."""
    await cur.run(
        _VALID_LOGINS_AND_POSITIONS, {"login_ids": list(login_ids), "stream_ids": list(stream_ids)}
    )
    valid, expired, positions = set(), set(), {}
    for is_login, id_, number in await cur.fetchall():
        if not is_login:
            positions[StreamId(id_)] = int(number)
            continue
        valid.add(LoginId(id_))
        if number:
            expired.add(LoginId(id_))
    return ValidLogins(valid, expired), positions


async def delete_expired_tokens(cur: Cursor, *, limit: int) -> int:
    """Delete some refresh tokens that expired a day ago. Return their number.

    The last one of a login without a client token is kept: by it `delete_expired` finds the login.
    """
    await cur.execute(
        """
        DELETE FROM refresh_tokens
         WHERE token_hash = ANY (ARRAY (
                   SELECT token_hash FROM refresh_tokens AS old
                    WHERE expires_at < now() - interval '1 day'
                      AND (EXISTS (SELECT FROM refresh_tokens AS newer
                                    WHERE newer.login_id = old.login_id
                                      AND (newer.expires_at, newer.token_hash)
                                          > (old.expires_at, old.token_hash))
                           OR EXISTS (SELECT FROM logins
                                       WHERE logins.id = old.login_id
                                         AND token_expires_at IS NOT NULL))
                    LIMIT %(limit)s))
        """,
        {"limit": limit},
    )
    return cur.rowcount


async def delete_expired(cur: Cursor, *, limit: int) -> int:
    """Delete some logins whose client token expired a day ago, with their refresh tokens.

    Return their number. `delete_expired_tokens` must have deleted their older tokens before.
    """
    await cur.execute(
        """
        DELETE FROM logins
         WHERE id = ANY (ARRAY (
                   SELECT id FROM logins AS old
                    WHERE token_expires_at < now() - interval '1 day'
                      AND NOT EXISTS (SELECT FROM refresh_tokens
                                       WHERE login_id = old.id
                                         AND expires_at >= now() - interval '1 day')
                    LIMIT %(limit)s))
        """,
        {"limit": limit},
    )
    return cur.rowcount


async def delete_expired_without_client_token(cur: Cursor, *, limit: int) -> int:
    """Delete some logins without a client token whose last refresh token expired a day ago.

    Return their number. `delete_expired_tokens` must have deleted their older tokens before.
    """
    await cur.execute(
        """
        DELETE FROM logins
         WHERE token_expires_at IS NULL AND id = ANY (ARRAY (
                   SELECT DISTINCT login_id
                     FROM (SELECT login_id FROM refresh_tokens AS old
                            WHERE expires_at < now() - interval '1 day'
                              AND NOT EXISTS (SELECT FROM refresh_tokens AS newer
                                               WHERE newer.login_id = old.login_id
                                                 AND (newer.expires_at, newer.token_hash)
                                                     > (old.expires_at, old.token_hash))
                            LIMIT %(limit)s) AS last))
        """,
        {"limit": limit},
    )
    return cur.rowcount
