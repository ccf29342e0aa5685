"""Accounts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from chatd.core.ids import UserId
from chatd.core.models import Account, User
from chatd.db.cursor import Cursor, PreparedStatement, Row, many, one

COLUMNS = "users.id, users.username, users.global_name, users.avatar, users.bot"
"""In the order of User. Rows of queries that join users begin with these columns."""

COLUMN_COUNT = 5


@dataclass(frozen=True, slots=True)
class StoredCredentials:
    """The stored values that a login is checked against."""

    user_id: UserId
    password_hash: str = field(repr=False)
    is_disabled: bool


_BIOS = PreparedStatement(
    "SELECT id, bio FROM users WHERE id = ANY(%(ids)s) AND bio <> ''", ids="bigint[]"
)


async def bios(cur: Cursor, user_ids: Iterable[UserId]) -> dict[UserId, str]:
    """Return the bios of those of these users that have one."""
    await cur.run(_BIOS, {"ids": list(user_ids)})
    rows: list[Row] = await cur.fetchall()
    return {UserId(user_id): str(bio) for user_id, bio in rows}


def split_row(row: Row) -> tuple[User, Row]:
    """Split a row that begins with COLUMNS into the user and the rest."""
    return User(*row[:COLUMN_COUNT]), row[COLUMN_COUNT:]


def make_account(*row: Any) -> Account:
    """Return the account in a row of ACCOUNT_COLUMNS."""
    user, (email, bio, is_administrator, mfa_enabled, has_passkey, has_totp, verified) = split_row(
        row
    )
    return Account(
        user,
        email,
        bio,
        is_administrator,
        mfa_enabled,
        has_passkey=has_passkey,
        has_totp=has_totp,
        email_verified=verified,
    )


async def insert(
    cur: Cursor,
    user: User,
    *,
    username_key: str,
    email: str,
    email_key: str,
    password_hash: str,
) -> None:
    """Add an account. Raises UniqueViolation when its name or email address is taken."""
    await cur.execute(
        """
        WITH stream AS (INSERT INTO streams (id) VALUES (%(id)s) ON CONFLICT DO NOTHING)
        INSERT INTO users (id, username, username_key, global_name, avatar, bot,
                           email, email_key, password_hash)
        VALUES (%(id)s, %(username)s, %(username_key)s, %(global_name)s, %(avatar)s, %(bot)s,
                %(email)s, %(email_key)s, %(password_hash)s)
        """,
        {
            "id": user.id,
            "username": user.username,
            "username_key": username_key,
            "global_name": user.global_name,
            "avatar": user.avatar,
            "bot": user.bot,
            "email": email,
            "email_key": email_key,
            "password_hash": password_hash,
        },
    )


async def insert_bot(cur: Cursor, bot: User, *, username_key: str) -> None:
    """Add a bot account. Raises UniqueViolation when its name is taken."""
    await cur.execute(
        """
        WITH stream AS (INSERT INTO streams (id) VALUES (%(id)s) ON CONFLICT DO NOTHING)
        INSERT INTO users (id, username, username_key, bot)
        VALUES (%(id)s, %(username)s, %(username_key)s, true)
        """,
        {"id": bot.id, "username": bot.username, "username_key": username_key},
    )


async def get(cur: Cursor, user_id: UserId) -> User | None:
    """Return the public data of a user."""
    await cur.execute(f"SELECT {COLUMNS} FROM users WHERE id = %(id)s", {"id": user_id})
    return await one(cur, User)


async def id_by_name(cur: Cursor, username_key: str) -> UserId | None:
    """Return the id of the user with a name; None if there is none, or it is deleted."""
    await cur.execute(
        "SELECT id FROM users WHERE username_key = %(key)s AND deleted_at IS NULL",
        {"key": username_key},
    )
    return await one(cur, UserId)


_BY_IDS = PreparedStatement(
    f"""
    SELECT {COLUMNS} FROM users
     WHERE id = ANY(%(ids)s) AND (deleted_at IS NULL OR NOT %(skip_deleted)s)
  ORDER BY id
    """,
    ids="bigint[]",
    skip_deleted="boolean",
)


async def by_ids(
    cur: Cursor, user_ids: Iterable[UserId], *, skip_deleted: bool = False
) -> list[User]:
    """Return those of these users that exist, in the order of ids.

    With `skip_deleted`, deleted accounts are omitted.
    """
    await cur.run(_BY_IDS, {"ids": list(user_ids), "skip_deleted": skip_deleted})
    return await many(cur, User)


ACCOUNT_COLUMNS = f"""
    {COLUMNS}, users.email, users.bio, users.is_administrator, users.mfa_enabled,
    EXISTS (SELECT FROM passkeys WHERE user_id = users.id),
    EXISTS (SELECT FROM totp_secrets WHERE user_id = users.id),
    users.email_verified
"""
"""In the order of `make_account`."""

_ACCOUNT = PreparedStatement(
    f"""
    SELECT {ACCOUNT_COLUMNS}
      FROM users
     WHERE id = %(id)s AND deleted_at IS NULL
    """,
    id="bigint",
)


async def account(cur: Cursor, user_id: UserId) -> Account | None:
    """Return a user with its private data; None for a deleted account."""
    await cur.run(_ACCOUNT, {"id": user_id})
    return await one(cur, make_account)


async def get_bio(cur: Cursor, user_id: UserId) -> str:
    """Return the bio of a user."""
    await cur.execute("SELECT bio FROM users WHERE id = %(id)s", {"id": user_id})
    return await one(cur, str) or ""


async def credentials(
    cur: Cursor, email_key: str, *, lock: bool = False
) -> StoredCredentials | None:
    """Return the stored credentials of the account with an email address.

    With `lock`, they cannot change until the transaction ends.
    """
    await cur.execute(
        f"""
        SELECT id, password_hash, disabled_at IS NOT NULL FROM users
         WHERE email_key = %(email_key)s
        {"FOR SHARE" if lock else ""}
        """,
        {"email_key": email_key},
    )
    return await one(cur, StoredCredentials)


async def password_hash(cur: Cursor, user_id: UserId) -> str | None:
    """Return the hash of a user's password; None for a deleted account, or a bot."""
    await cur.execute("SELECT password_hash FROM users WHERE id = %(id)s", {"id": user_id})
    row = await cur.fetchone()
    return None if row is None or row[0] is None else str(row[0])


async def update_credentials(
    cur: Cursor,
    user_id: UserId,
    *,
    email: str,
    email_key: str,
    password_hash: str,
    email_verified: bool = False,
) -> None:
    """Write email address and password. Raises UniqueViolation when the address is taken.

    The same address stays verified.
    """
    await cur.execute(
        """
        UPDATE users
           SET email = %(email)s, email_key = %(email_key)s, password_hash = %(password_hash)s,
               email_verified = %(verified)s OR (email_verified AND email = %(email)s)
         WHERE id = %(id)s
        """,
        {
            "id": user_id,
            "email": email,
            "email_key": email_key,
            "password_hash": password_hash,
            "verified": email_verified,
        },
    )


async def set_language(cur: Cursor, user_id: UserId, language: str) -> None:
    """Set the language of mails to an account."""
    await cur.execute(
        "UPDATE users SET language = %(language)s WHERE id = %(id)s",
        {"id": user_id, "language": language},
    )


async def taken(
    cur: Cursor, *, username_key: str | None, email_key: str | None, except_id: UserId | None = None
) -> tuple[bool, bool]:
    """Return whether another account has this name, and whether one has this email address."""
    await cur.execute(
        """
        SELECT EXISTS (SELECT FROM users WHERE username_key = %(username_key)s
                                           AND id IS DISTINCT FROM %(except_id)s),
               EXISTS (SELECT FROM users WHERE email_key = %(email_key)s
                                           AND id IS DISTINCT FROM %(except_id)s)
        """,
        {"username_key": username_key, "email_key": email_key, "except_id": except_id},
    )
    row = await cur.fetchone()
    return (row[0], row[1]) if row else (False, False)


async def update_profile(
    cur: Cursor,
    user_id: UserId,
    *,
    username: str,
    username_key: str,
    global_name: str | None,
    avatar: str | None,
    bio: str,
) -> None:
    """Write names, avatar and bio. Raises UniqueViolation when the username is taken."""
    await cur.execute(
        """
        UPDATE users
           SET username = %(username)s, username_key = %(username_key)s,
               global_name = %(global_name)s, avatar = %(avatar)s, bio = %(bio)s
         WHERE id = %(id)s
        """,
        {
            "id": user_id,
            "username": username,
            "username_key": username_key,
            "global_name": global_name,
            "avatar": avatar,
            "bio": bio,
        },
    )


async def anonymize(cur: Cursor, user_id: UserId, *, username: str, username_key: str) -> None:
    """Delete all data of an account except its id, and rename it."""
    await cur.execute(
        """
        UPDATE users
           SET username = %(username)s, username_key = %(username_key)s, deleted_at = now(),
               is_administrator = false, mfa_enabled = false, disabled_at = NULL,
               global_name = NULL, avatar = NULL, bio = '',
               email = NULL, email_key = NULL, password_hash = NULL,
               email_verified = false, language = NULL
         WHERE id = %(id)s
        """,
        {"id": user_id, "username": username, "username_key": username_key},
    )


async def exists(cur: Cursor, user_id: UserId) -> bool:
    """Return whether an account exists and is not deleted."""
    await cur.execute("SELECT FROM users WHERE id = %(id)s AND deleted_at IS NULL", {"id": user_id})
    return await cur.fetchone() is not None
