"""Tokens in the links of mails."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from chatd.core.ids import LoginId, UserId
from chatd.core.mail import TokenPurpose, email_key
from chatd.db.cursor import Cursor, one


@dataclass(frozen=True, slots=True)
class MailToken:
    """What a link does: its account, and an address.

    The address is the one that it verifies, that it was sent to, or that it returns to the account.
    """

    id: bytes = field(repr=False)
    user_id: UserId
    email: str = field(repr=False)
    login_id: LoginId | None
    """The login that asked for a new address."""


_COLUMNS = "mail_tokens.id, mail_tokens.user_id, mail_tokens.email, mail_tokens.login_id"


def _token(token_id: memoryview, *rest: Any) -> MailToken:
    return MailToken(bytes(token_id), *rest)


async def insert(
    cur: Cursor, purpose: TokenPurpose, token: MailToken, *, lifetime_s: float
) -> None:
    """Add a token that expires in `lifetime_s` seconds."""
    await cur.execute(
        """
        INSERT INTO mail_tokens (id, user_id, purpose, email, email_key, login_id, expires_at)
        VALUES (%(id)s, %(user_id)s, %(purpose)s, %(email)s, %(email_key)s, %(login_id)s,
                now() + make_interval(secs => %(lifetime_s)s))
        """,
        {
            "id": token.id,
            "user_id": token.user_id,
            "purpose": purpose.value,
            "email": token.email,
            "email_key": email_key(token.email),
            "login_id": token.login_id,
            "lifetime_s": lifetime_s,
        },
    )


_USABLE = """
    mail_tokens.id = %(id)s AND expires_at > now() AND users.id = user_id AND deleted_at IS NULL
    AND (disabled_at IS NULL OR (purpose = 'verify' AND mail_tokens.email = users.email))
"""
"""The token can be used. One of a disabled account can only verify the address that it has: the
account may wait for approval."""


async def get(cur: Cursor, purpose: TokenPurpose, token_id: bytes) -> MailToken | None:
    """Return a token that can be used."""
    await cur.execute(
        f"""
        SELECT {_COLUMNS} FROM mail_tokens, users
         WHERE {_USABLE} AND purpose = %(purpose)s
        """,
        {"id": token_id, "purpose": purpose.value},
    )
    return await one(cur, _token)


async def newest(cur: Cursor, purpose: TokenPurpose, user_id: UserId) -> MailToken | None:
    """Return the newest token of an account for a purpose; None if it has expired."""
    await cur.execute(
        f"""
        SELECT {_COLUMNS} FROM mail_tokens
         WHERE user_id = %(user_id)s AND purpose = %(purpose)s AND expires_at > now()
      ORDER BY created_at DESC, id
         LIMIT 1
        """,
        {"user_id": user_id, "purpose": purpose.value},
    )
    return await one(cur, _token)


async def prolong(cur: Cursor, token_id: bytes, *, lifetime_s: float) -> bool:
    """Let a token expire in `lifetime_s` seconds from now. False if it has expired or was used."""
    await cur.execute(
        """
        UPDATE mail_tokens SET expires_at = now() + make_interval(secs => %(lifetime_s)s)
         WHERE id = %(id)s AND expires_at > now()
        """,
        {"id": token_id, "lifetime_s": lifetime_s},
    )
    return cur.rowcount == 1


async def use_up(cur: Cursor, token: MailToken) -> bool:
    """Delete a token that can be used. Return False if it cannot, or not any more.

    The caller has locked the stream of the account, so it cannot be disabled until the commit.
    """
    await cur.execute(f"DELETE FROM mail_tokens USING users WHERE {_USABLE}", {"id": token.id})
    return cur.rowcount == 1


async def revoke(
    cur: Cursor, user_id: UserId, purposes: Collection[TokenPurpose], *, after: bytes | None = None
) -> None:
    """Delete the tokens of an account for these purposes.

    With `after`, only those that were made after that token, or together with it.
    """
    await cur.execute(
        """
        DELETE FROM mail_tokens
         WHERE user_id = %(user_id)s AND purpose = ANY(%(purposes)s)
           AND (%(after)s::bytea IS NULL
                OR (id <> %(after)s::bytea
                    AND created_at >= (SELECT created_at FROM mail_tokens
                                        WHERE id = %(after)s::bytea)))
        """,
        {"user_id": user_id, "purposes": [each.value for each in purposes], "after": after},
    )


async def is_reserved(cur: Cursor, key: str, *, except_id: UserId | None) -> bool:
    """Return whether another account can return to this address by undoing a change."""
    await cur.execute(
        """
        SELECT EXISTS (SELECT FROM mail_tokens
                        WHERE email_key = %(key)s AND purpose = %(purpose)s
                          AND expires_at > now() AND user_id IS DISTINCT FROM %(except_id)s)
        """,
        {"key": key, "purpose": TokenPurpose.UNDO.value, "except_id": except_id},
    )
    return bool(await one(cur, bool))


async def delete_expired(cur: Cursor, *, limit: int) -> int:
    """Delete some expired tokens. Return their number."""
    await cur.execute(
        """
        DELETE FROM mail_tokens
         WHERE id = ANY (ARRAY (SELECT id FROM mail_tokens WHERE expires_at <= now()
                                LIMIT %(limit)s))
        """,
        {"limit": limit},
    )
    return cur.rowcount


async def delete_all(cur: Cursor, user_id: UserId) -> None:
    """Delete all tokens and waiting mails of an account."""
    await cur.execute(
        """
        WITH waiting AS (DELETE FROM mails WHERE user_id = %(user_id)s)
        DELETE FROM mail_tokens WHERE user_id = %(user_id)s
        """,
        {"user_id": user_id},
    )
