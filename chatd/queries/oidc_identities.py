"""Accounts at OpenID providers that are linked with accounts here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from chatd.core.ids import UserId
from chatd.db.cursor import Cursor, many, one


@dataclass(frozen=True, slots=True)
class LinkedAccount:
    """An account here that is linked with one at a provider."""

    user_id: UserId
    is_disabled: bool
    grants_administrator: bool


@dataclass(frozen=True, slots=True)
class Identity:
    """An account at a provider that is linked with one here."""

    issuer: str
    linked_at: datetime
    last_used_at: datetime | None


@dataclass(frozen=True, slots=True)
class AddressOwner:
    """The account with an email address."""

    user_id: UserId
    email: str
    is_disabled: bool
    is_administrator: bool
    mfa_enabled: bool
    email_verified: bool


async def linked_account(cur: Cursor, issuer: str, subject: str) -> LinkedAccount | None:
    """Return the account that is linked with a subject of an issuer."""
    await cur.execute(
        """
        SELECT user_id, disabled_at IS NOT NULL, grants_administrator
          FROM oidc_identities JOIN users ON users.id = user_id
         WHERE issuer = %(issuer)s AND subject = %(subject)s AND deleted_at IS NULL
        """,
        {"issuer": issuer, "subject": subject},
    )
    return await one(cur, LinkedAccount)


async def list_identities(cur: Cursor, user_id: UserId) -> list[Identity]:
    """Return the linked accounts of a user, the first linked one first."""
    await cur.execute(
        """
        SELECT issuer, linked_at, last_used_at FROM oidc_identities
         WHERE user_id = %(user_id)s
      ORDER BY linked_at, issuer
        """,
        {"user_id": user_id},
    )
    return await many(cur, Identity)


async def link(cur: Cursor, user_id: UserId, issuer: str, subject: str) -> None:
    """Link a subject of an issuer with an account.

    Raises UniqueViolation if either is linked already.
    """
    # An instance of the version before, during an upgrade, deletes accounts but not their links.
    await cur.execute(
        """
        DELETE FROM oidc_identities USING users
         WHERE issuer = %(issuer)s AND subject = %(subject)s
           AND users.id = user_id AND deleted_at IS NOT NULL
        """,
        {"issuer": issuer, "subject": subject},
    )
    await cur.execute(
        """
        INSERT INTO oidc_identities (issuer, subject, user_id)
        VALUES (%(issuer)s, %(subject)s, %(user_id)s)
        """,
        {"user_id": user_id, "issuer": issuer, "subject": subject},
    )


async def unlink(cur: Cursor, user_id: UserId, issuer: str) -> bool:
    """Unlink an account from that of an issuer. False if it is not linked.

    The administrator rights that it had by a group of this issuer end.
    """
    await cur.execute(
        """
        WITH unlinked AS (
            DELETE FROM oidc_identities WHERE user_id = %(user_id)s AND issuer = %(issuer)s
            RETURNING grants_administrator
        ), demoted AS (
            UPDATE users SET is_administrator = false
             WHERE id = %(user_id)s AND EXISTS (SELECT FROM unlinked WHERE grants_administrator)
        )
        SELECT FROM unlinked
        """,
        {"user_id": user_id, "issuer": issuer},
    )
    return await cur.fetchone() is not None


async def delete_all(cur: Cursor, user_id: UserId) -> None:
    """Delete everything about single sign-on of an account that is being deleted."""
    await cur.execute(
        """
        WITH identities AS (DELETE FROM oidc_identities WHERE user_id = %(user_id)s),
             handoffs AS (DELETE FROM oidc_handoffs WHERE user_id = %(user_id)s)
        UPDATE users SET random_password_hash = NULL WHERE id = %(user_id)s
        """,
        {"user_id": user_id},
    )


async def record_use(cur: Cursor, issuer: str, subject: str, *, grants: bool | None) -> None:
    """Record a login, and whether a group grants administrator rights; None changes nothing."""
    await cur.execute(
        """
        UPDATE oidc_identities
           SET last_used_at = now(),
               grants_administrator = coalesce(%(grants)s, grants_administrator)
         WHERE issuer = %(issuer)s AND subject = %(subject)s
        """,
        {"issuer": issuer, "subject": subject, "grants": grants},
    )


async def address_owner(cur: Cursor, email_key: str) -> AddressOwner | None:
    """Return the account with an email address."""
    await cur.execute(
        """
        SELECT id, email, disabled_at IS NOT NULL, is_administrator, mfa_enabled, email_verified
          FROM users WHERE email_key = %(email_key)s
        """,
        {"email_key": email_key},
    )
    return await one(cur, AddressOwner)


async def set_random_password(cur: Cursor, user_id: UserId, password_hash: str) -> None:
    """Replace the password of an account by one that no one knows.

    Its address counts as verified: the provider has done so.
    """
    await cur.execute(
        """
        UPDATE users
           SET password_hash = %(hash)s, random_password_hash = %(hash)s, email_verified = true
         WHERE id = %(id)s
        """,
        {"id": user_id, "hash": password_hash},
    )


async def has_password(cur: Cursor, user_id: UserId) -> bool:
    """Return whether an account has a password that a person chose."""
    await cur.execute(
        """
        SELECT FROM users
         WHERE id = %(id)s AND password_hash IS NOT NULL
           AND password_hash IS DISTINCT FROM random_password_hash
        """,
        {"id": user_id},
    )
    return await cur.fetchone() is not None
