"""Logins by OpenID providers: attempts, the codes that end them, and ending them from there."""

from __future__ import annotations

from dataclasses import dataclass, field

from chatd.core.ids import LoginId, UserId
from chatd.db.cursor import Cursor, many, one


@dataclass(frozen=True, slots=True)
class Attempt:
    """What a browser at a provider was sent with."""

    nonce: str = field(repr=False)
    code_verifier: str = field(repr=False)
    user_id: UserId | None
    """The account that links another one at the provider; None for a login."""
    login_id: LoginId | None


@dataclass(frozen=True, slots=True)
class Handoff:
    """A browser that is back from a provider."""

    user_id: UserId
    issuer: str
    subject: str
    session_id: str | None
    has_mfa: bool


async def insert_attempt(
    cur: Cursor,
    state_hash: bytes,
    browser_hash: bytes,
    issuer: str,
    attempt: Attempt,
    *,
    lifetime_s: int,
) -> None:
    """Add an attempt to log in at a provider."""
    await cur.execute(
        """
        INSERT INTO oidc_attempts (state_hash, browser_hash, issuer, nonce, code_verifier, user_id,
                                   login_id, expires_at)
        VALUES (%(state)s, %(browser)s, %(issuer)s, %(nonce)s, %(verifier)s, %(user_id)s,
                %(login_id)s, now() + make_interval(secs => %(lifetime_s)s))
        """,
        {
            "state": state_hash,
            "browser": browser_hash,
            "issuer": issuer,
            "nonce": attempt.nonce,
            "verifier": attempt.code_verifier,
            "user_id": attempt.user_id,
            "login_id": attempt.login_id,
            "lifetime_s": lifetime_s,
        },
    )


async def consume_attempt(
    cur: Cursor, state_hash: bytes, browser_hash: bytes, issuer: str
) -> Attempt | None:
    """Return an attempt of a browser, once; None if there is none or it has expired."""
    await cur.execute(
        """
        DELETE FROM oidc_attempts
         WHERE state_hash = %(state)s AND browser_hash = %(browser)s AND issuer = %(issuer)s
           AND expires_at > now()
        RETURNING nonce, code_verifier, user_id, login_id
        """,
        {"state": state_hash, "browser": browser_hash, "issuer": issuer},
    )
    return await one(cur, Attempt)


async def insert_handoff(
    cur: Cursor, code_hash: bytes, browser_hash: bytes, handoff: Handoff, *, lifetime_s: int
) -> None:
    """Add a code that a browser exchanges for a login."""
    await cur.execute(
        """
        INSERT INTO oidc_handoffs (code_hash, browser_hash, user_id, issuer, subject, session_id,
                                   has_mfa, expires_at)
        VALUES (%(code)s, %(browser)s, %(user_id)s, %(issuer)s, %(subject)s, %(session_id)s,
                %(has_mfa)s, now() + make_interval(secs => %(lifetime_s)s))
        """,
        {
            "code": code_hash,
            "browser": browser_hash,
            "user_id": handoff.user_id,
            "issuer": handoff.issuer,
            "subject": handoff.subject,
            "session_id": handoff.session_id,
            "has_mfa": handoff.has_mfa,
            "lifetime_s": lifetime_s,
        },
    )


async def user_of_handoff(cur: Cursor, code_hash: bytes, browser_hash: bytes) -> UserId | None:
    """Return the account that a code is for."""
    await cur.execute(
        """
        SELECT user_id FROM oidc_handoffs
         WHERE code_hash = %(code)s AND browser_hash = %(browser)s AND expires_at > now()
        """,
        {"code": code_hash, "browser": browser_hash},
    )
    return await one(cur, UserId)


async def consume_handoff(cur: Cursor, code_hash: bytes, browser_hash: bytes) -> Handoff | None:
    """Return what a code of a browser is for, once; None if there is none or it has expired."""
    await cur.execute(
        """
        DELETE FROM oidc_handoffs
         WHERE code_hash = %(code)s AND browser_hash = %(browser)s AND expires_at > now()
        RETURNING user_id, issuer, subject, session_id, has_mfa
        """,
        {"code": code_hash, "browser": browser_hash},
    )
    return await one(cur, Handoff)


async def insert_login(cur: Cursor, login_id: LoginId, handoff: Handoff) -> None:
    """Record that a provider opened a login."""
    await cur.execute(
        """
        INSERT INTO oidc_logins (login_id, issuer, subject, session_id, has_mfa)
        VALUES (%(login_id)s, %(issuer)s, %(subject)s, %(session_id)s, %(has_mfa)s)
        """,
        {
            "login_id": login_id,
            "issuer": handoff.issuer,
            "subject": handoff.subject,
            "session_id": handoff.session_id,
            "has_mfa": handoff.has_mfa,
        },
    )


async def login_has_mfa(cur: Cursor, login_id: LoginId) -> bool:
    """Return whether a provider asked for a second factor when it opened this login."""
    await cur.execute(
        "SELECT FROM oidc_logins WHERE login_id = %(id)s AND has_mfa", {"id": login_id}
    )
    return await cur.fetchone() is not None


async def is_opened_by_provider(cur: Cursor, login_id: LoginId) -> bool:
    """Return whether a provider opened a login."""
    await cur.execute("SELECT FROM oidc_logins WHERE login_id = %(id)s", {"id": login_id})
    return await cur.fetchone() is not None


async def logins_of_issuer(cur: Cursor, user_id: UserId, issuer: str) -> list[LoginId]:
    """Return the active logins of a user that a provider opened."""
    await cur.execute(
        """
        SELECT login_id FROM oidc_logins JOIN logins ON logins.id = login_id
         WHERE logins.user_id = %(user_id)s AND issuer = %(issuer)s AND revoked_at IS NULL
        """,
        {"user_id": user_id, "issuer": issuer},
    )
    return await many(cur, LoginId)


_NAMED = """
    issuer = %(issuer)s
    AND (%(subject)s::text IS NULL OR subject = %(subject)s)
    AND (%(session_id)s::text IS NULL OR session_id = %(session_id)s
         OR (session_id IS NULL AND subject = %(subject)s))
"""
"""What a logout token names: a session, or all of a subject. A login whose session is unknown could
be the named one."""


async def users_to_log_out(
    cur: Cursor, issuer: str, subject: str | None, session_id: str | None
) -> list[UserId]:
    """Return the accounts with logins or codes that a logout token names."""
    await cur.execute(
        f"""
        SELECT user_id FROM oidc_logins JOIN logins ON logins.id = login_id
         WHERE {_NAMED} AND revoked_at IS NULL
         UNION
        SELECT user_id FROM oidc_handoffs WHERE {_NAMED}
      ORDER BY user_id
         LIMIT 100
        """,
        {"issuer": issuer, "subject": subject, "session_id": session_id},
    )
    return await many(cur, UserId)


async def logins_to_end(
    cur: Cursor, user_id: UserId, issuer: str, subject: str | None, session_id: str | None
) -> list[LoginId]:
    """Delete the codes of a user that a logout token names; return its active logins."""
    values = {"issuer": issuer, "subject": subject, "session_id": session_id, "user_id": user_id}
    await cur.execute(f"DELETE FROM oidc_handoffs WHERE user_id = %(user_id)s AND {_NAMED}", values)
    await cur.execute(
        f"""
        SELECT login_id FROM oidc_logins JOIN logins ON logins.id = login_id
         WHERE logins.user_id = %(user_id)s AND {_NAMED} AND revoked_at IS NULL
        """,
        values,
    )
    return await many(cur, LoginId)


async def use_logout_token(cur: Cursor, issuer: str, token_hash: bytes, *, lifetime_s: int) -> bool:
    """Record that a logout token is used. False if it was used before."""
    await cur.execute(
        """
        INSERT INTO oidc_logout_tokens (issuer, token_hash, expires_at)
        VALUES (%(issuer)s, %(hash)s, now() + make_interval(secs => %(lifetime_s)s))
        ON CONFLICT DO NOTHING
        """,
        {"issuer": issuer, "hash": token_hash, "lifetime_s": lifetime_s},
    )
    return cur.rowcount == 1


async def delete_expired(cur: Cursor, *, limit: int) -> int:
    """Delete some attempts, codes and logout tokens that have expired.

    Return the number of those deleted of one kind, at most `limit`.
    """
    await cur.execute(
        """
        WITH attempts AS (
            DELETE FROM oidc_attempts
             WHERE state_hash = ANY (ARRAY (SELECT state_hash FROM oidc_attempts
                                             WHERE expires_at <= now() LIMIT %(limit)s))
            RETURNING 1
        ), handoffs AS (
            DELETE FROM oidc_handoffs
             WHERE code_hash = ANY (ARRAY (SELECT code_hash FROM oidc_handoffs
                                            WHERE expires_at <= now() LIMIT %(limit)s))
            RETURNING 1
        ), used AS (
            DELETE FROM oidc_logout_tokens
             WHERE (issuer, token_hash) IN (SELECT issuer, token_hash FROM oidc_logout_tokens
                                             WHERE expires_at <= now() LIMIT %(limit)s)
            RETURNING 1
        )
        SELECT greatest((SELECT count(*) FROM attempts), (SELECT count(*) FROM handoffs),
                        (SELECT count(*) FROM used))
        """,
        {"limit": limit},
    )
    row = await cur.fetchone()
    return int(row[0]) if row else 0
