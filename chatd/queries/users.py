"""Accounts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from chatd.core.ids import UserId
from chatd.core.models import Account, User
from chatd.db import Cursor, Prepared, Row, many, one

COLUMNS = "users.id, users.username, users.global_name, users.avatar, users.bot"
"""In the order of User; queries that join users begin their rows with it."""

COLUMN_COUNT = 5


@dataclass(frozen=True, slots=True)
class Credentials:
    """What logging in to an account depends on."""

    user_id: UserId
    password_hash: str = field(repr=False)
    is_disabled: bool


def split(row: Row) -> tuple[User, Row]:
    """A row that begins with COLUMNS, as the user and the rest."""
    return User(*row[:COLUMN_COUNT]), row[COLUMN_COUNT:]


def _account(*row: Any) -> Account:
    user, (email, bio) = split(row)
    return Account(user, email, bio)


async def insert(
    cur: Cursor,
    user: User,
    *,
    username_key: str,
    email: str,
    email_key: str,
    password_hash: str,
) -> None:
    """Add an account. Raises UniqueViolation when its name or address is taken."""
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
    """Add an account of a program. Raises UniqueViolation when its name is taken."""
    await cur.execute(
        """
        WITH stream AS (INSERT INTO streams (id) VALUES (%(id)s) ON CONFLICT DO NOTHING)
        INSERT INTO users (id, username, username_key, bot)
        VALUES (%(id)s, %(username)s, %(username_key)s, true)
        """,
        {"id": bot.id, "username": bot.username, "username_key": username_key},
    )


async def get(cur: Cursor, user_id: UserId) -> User | None:
    """A user as everyone may see it."""
    await cur.execute(f"SELECT {COLUMNS} FROM users WHERE id = %(id)s", {"id": user_id})
    return await one(cur, User)


async def by_ids(
    cur: Cursor, user_ids: Iterable[UserId], *, only_living: bool = False
) -> list[User]:
    """These users, as far as they exist (and are not deleted), in the order of their ids."""
    await cur.execute(
        f"""
        SELECT {COLUMNS} FROM users
         WHERE id = ANY(%(ids)s::bigint[]) AND (deleted_at IS NULL OR NOT %(only_living)s)
      ORDER BY id
        """,
        {"ids": list(user_ids), "only_living": only_living},
    )
    return await many(cur, User)


_ACCOUNT = Prepared(
    f"SELECT {COLUMNS}, email, bio FROM users WHERE id = %(id)s AND deleted_at IS NULL",
    id="bigint",
)


async def account(cur: Cursor, user_id: UserId) -> Account | None:
    """A user as it sees itself; None for one that has been deleted."""
    await cur.run(_ACCOUNT, {"id": user_id})
    return await one(cur, _account)


async def bio_of(cur: Cursor, user_id: UserId) -> str:
    """What a user tells of itself."""
    await cur.execute("SELECT bio FROM users WHERE id = %(id)s", {"id": user_id})
    return await one(cur, str) or ""


async def credentials(cur: Cursor, email_key: str, *, hold: bool = False) -> Credentials | None:
    """What is needed to log in to the account of an address.

    With `hold`, none of it changes until the transaction ends.
    """
    await cur.execute(
        f"""
        SELECT id, password_hash, disabled_at IS NOT NULL FROM users
         WHERE email_key = %(email_key)s
        {"FOR SHARE" if hold else ""}
        """,
        {"email_key": email_key},
    )
    return await one(cur, Credentials)


async def password_hash(cur: Cursor, user_id: UserId) -> str | None:
    """The hash of a user's password; None for an account that has been deleted."""
    await cur.execute("SELECT password_hash FROM users WHERE id = %(id)s", {"id": user_id})
    row = await cur.fetchone()
    return None if row is None or row[0] is None else str(row[0])


async def update_credentials(
    cur: Cursor, user_id: UserId, *, email: str, email_key: str, password_hash: str
) -> None:
    """Change address and password. Raises UniqueViolation when the address is taken."""
    await cur.execute(
        """
        UPDATE users
           SET email = %(email)s, email_key = %(email_key)s, password_hash = %(password_hash)s
         WHERE id = %(id)s
        """,
        {"id": user_id, "email": email, "email_key": email_key, "password_hash": password_hash},
    )


async def taken(
    cur: Cursor, *, username_key: str | None, email_key: str | None, besides: UserId | None = None
) -> tuple[bool, bool]:
    """Whether some (other) account has this name, and whether one has this address."""
    await cur.execute(
        """
        SELECT EXISTS (SELECT FROM users WHERE username_key = %(username_key)s
                                           AND id IS DISTINCT FROM %(besides)s),
               EXISTS (SELECT FROM users WHERE email_key = %(email_key)s
                                           AND id IS DISTINCT FROM %(besides)s)
        """,
        {"username_key": username_key, "email_key": email_key, "besides": besides},
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
    """Change names, avatar and bio. Raises UniqueViolation when the username is taken."""
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


async def anonymise(cur: Cursor, user_id: UserId, *, username: str, username_key: str) -> None:
    """Keep nothing of an account but its id, and call it so."""
    await cur.execute(
        """
        UPDATE users
           SET username = %(username)s, username_key = %(username_key)s, deleted_at = now(),
               is_administrator = false, disabled_at = NULL,
               global_name = NULL, avatar = NULL, bio = '',
               email = NULL, email_key = NULL, password_hash = NULL
         WHERE id = %(id)s
        """,
        {"id": user_id, "username": username, "username_key": username_key},
    )


async def is_living(cur: Cursor, user_id: UserId) -> bool:
    """Whether there is such an account, and it has not been deleted."""
    await cur.execute("SELECT FROM users WHERE id = %(id)s AND deleted_at IS NULL", {"id": user_id})
    return await cur.fetchone() is not None
