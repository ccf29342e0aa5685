"""What those who run the server see and change: accounts and guilds from outside of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from chatd.core.ids import GuildId, LoginId, UserId
from chatd.db import Cursor, many, one


@dataclass(frozen=True, slots=True)
class AccountSummary:
    """An account, as who runs the server sees it."""

    id: UserId
    username: str
    email: str | None
    bot: bool
    is_administrator: bool
    disabled_at: datetime | None
    deleted_at: datetime | None
    guilds: int
    guilds_owned: int
    logins: int
    last_used_at: datetime | None


@dataclass(frozen=True, slots=True)
class LoginSummary:
    """A login that has not ended."""

    id: LoginId
    user_agent: str | None
    last_used_at: datetime


@dataclass(frozen=True, slots=True)
class GuildSummary:
    """A guild, as who runs the server sees it."""

    id: GuildId
    name: str
    owner_id: UserId
    owner: str
    members: int
    channels: int
    invites: int


_ACCOUNTS = """
    SELECT users.id, username, email, bot, is_administrator, disabled_at, deleted_at,
           (SELECT count(*) FROM guild_members WHERE user_id = users.id),
           (SELECT count(*) FROM guilds WHERE owner_id = users.id),
           (SELECT count(*) FROM logins WHERE user_id = users.id AND revoked_at IS NULL),
           (SELECT max(last_used_at) FROM logins WHERE user_id = users.id)
      FROM users
"""  # in the order of AccountSummary
_GUILDS = """
    SELECT guilds.id, guilds.name, owner_id, users.username,
           (SELECT count(*) FROM guild_members WHERE guild_id = guilds.id),
           (SELECT count(*) FROM channels WHERE guild_id = guilds.id),
           (SELECT count(*) FROM invites WHERE guild_id = guilds.id)
      FROM guilds JOIN users ON users.id = guilds.owner_id
"""  # in the order of GuildSummary


async def accounts(
    cur: Cursor, *, which: str, part: str, after: int, limit: int
) -> list[AccountSummary]:
    """Accounts in the order of their ids, from the one after `after` on.

    `which` is "all", "administrators", "disabled", "bots" or "deleted"; none but the last has
    those that were deleted. `part` has to stand in the name or the address.
    """
    await cur.execute(
        f"""
        {_ACCOUNTS}
         WHERE users.id > %(after)s
           AND (deleted_at IS NOT NULL) = (%(which)s = 'deleted')
           AND CASE %(which)s WHEN 'administrators' THEN is_administrator
                              WHEN 'disabled' THEN disabled_at IS NOT NULL
                              WHEN 'bots' THEN bot
                              ELSE true END
           AND (%(part)s = '' OR strpos(username_key, %(part)s) > 0
                              OR strpos(email_key, %(part)s) > 0)
      ORDER BY users.id
         LIMIT %(limit)s
        """,
        {"which": which, "part": part, "after": after, "limit": limit},
    )
    return await many(cur, AccountSummary)


async def account(
    cur: Cursor, *, user_id: int = 0, username_key: str = "", email_key: str = ""
) -> AccountSummary | None:
    """The account of an id, a name or an address."""
    await cur.execute(
        f"""
        {_ACCOUNTS}
         WHERE users.id = %(id)s OR username_key = %(username_key)s OR email_key = %(email_key)s
         LIMIT 1
        """,
        {"id": user_id, "username_key": username_key, "email_key": email_key},
    )
    return await one(cur, AccountSummary)


async def logins(cur: Cursor, user_id: UserId, *, limit: int) -> list[LoginSummary]:
    """The logins of an account that have not ended, the last used first."""
    await cur.execute(
        """
        SELECT id, user_agent, last_used_at FROM logins
         WHERE user_id = %(id)s AND revoked_at IS NULL
      ORDER BY last_used_at DESC, id DESC
         LIMIT %(limit)s
        """,
        {"id": user_id, "limit": limit},
    )
    return await many(cur, LoginSummary)


async def is_administrator(cur: Cursor, user_id: UserId) -> bool:
    """Whether an account is an administrator of the server."""
    await cur.execute(
        "SELECT FROM users WHERE id = %(id)s AND is_administrator AND disabled_at IS NULL",
        {"id": user_id},
    )
    return await cur.fetchone() is not None


async def set_administrator(cur: Cursor, user_id: UserId, value: bool) -> bool:
    """Make a person an administrator of the server, or no longer. False if there is none."""
    await cur.execute(
        """
        UPDATE users SET is_administrator = %(value)s
         WHERE id = %(id)s AND deleted_at IS NULL AND NOT bot
        """,
        {"id": user_id, "value": value},
    )
    return cur.rowcount == 1


async def set_disabled(cur: Cursor, user_id: UserId, value: bool) -> bool:
    """Disable an account, or enable it again. False if there is none."""
    await cur.execute(
        """
        UPDATE users
           SET disabled_at = CASE WHEN %(value)s THEN coalesce(disabled_at, now()) END
         WHERE id = %(id)s AND deleted_at IS NULL
        """,
        {"id": user_id, "value": value},
    )
    return cur.rowcount == 1


async def set_password(cur: Cursor, user_id: UserId, password_hash: str) -> bool:
    """Give a person another password. False if there is none."""
    await cur.execute(
        """
        UPDATE users SET password_hash = %(hash)s
         WHERE id = %(id)s AND deleted_at IS NULL AND NOT bot
        """,
        {"id": user_id, "hash": password_hash},
    )
    return cur.rowcount == 1


async def guilds(cur: Cursor, *, part: str, after: int, limit: int) -> list[GuildSummary]:
    """Guilds in the order of their ids, from the one after `after` on.

    `part` has to stand in the name, whatever its case.
    """
    await cur.execute(
        f"""
        {_GUILDS}
         WHERE guilds.id > %(after)s
           AND (%(part)s = '' OR strpos(lower(guilds.name), lower(%(part)s)) > 0)
      ORDER BY guilds.id
         LIMIT %(limit)s
        """,
        {"part": part, "after": after, "limit": limit},
    )
    return await many(cur, GuildSummary)


async def guild(cur: Cursor, guild_id: int) -> GuildSummary | None:
    """One guild."""
    await cur.execute(f"{_GUILDS} WHERE guilds.id = %(id)s", {"id": guild_id})
    return await one(cur, GuildSummary)
