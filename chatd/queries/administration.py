"""Accounts and guilds as the operator of the server sees and changes them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from chatd.core.ids import GuildId, LoginId, UserId
from chatd.db.cursor import Cursor, many, one


@dataclass(frozen=True, slots=True)
class AccountSummary:
    """An account, as the operator sees it."""

    id: UserId
    username: str
    email: str | None
    bot: bool
    is_administrator: bool
    mfa_enabled: bool
    disabled_at: datetime | None
    deleted_at: datetime | None
    is_placeholder: bool
    guilds: int
    guilds_owned: int
    logins: int
    last_used_at: datetime | None


@dataclass(frozen=True, slots=True)
class LoginSummary:
    """An active login."""

    id: LoginId
    user_agent: str | None
    last_used_at: datetime


@dataclass(frozen=True, slots=True)
class GuildSummary:
    """A guild, as the operator sees it."""

    id: GuildId
    name: str
    owner_id: UserId
    owner: str
    members: int
    channels: int
    invites: int


_ACCOUNTS = """
    SELECT users.id, username, email, bot, is_administrator, mfa_enabled, disabled_at, deleted_at,
           is_placeholder,
           (SELECT count(*) FROM guild_members JOIN guilds ON guilds.id = guild_id
             WHERE user_id = users.id),
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


async def list_accounts(
    cur: Cursor, *, which: str, text: str, after: int, limit: int
) -> list[AccountSummary]:
    """Return accounts in the order of ids, above the id `after`.

    `which` is "all", "administrators", "disabled", "bots", "placeholders" or "deleted". Only the
    last includes deleted accounts. `text` must be part of the name or the email address.
    """
    await cur.execute(
        f"""
        {_ACCOUNTS}
         WHERE users.id > %(after)s
           AND (deleted_at IS NOT NULL) = (%(which)s = 'deleted')
           AND CASE %(which)s WHEN 'administrators' THEN is_administrator
                              WHEN 'disabled' THEN disabled_at IS NOT NULL
                              WHEN 'bots' THEN bot
                              WHEN 'placeholders' THEN is_placeholder
                              ELSE true END
           AND (%(text)s = '' OR strpos(username_key, %(text)s) > 0
                              OR strpos(email_key, %(text)s) > 0)
      ORDER BY users.id
         LIMIT %(limit)s
        """,
        {"which": which, "text": text, "after": after, "limit": limit},
    )
    return await many(cur, AccountSummary)


async def get_account(
    cur: Cursor, *, user_id: int = 0, username_key: str = "", email_key: str = ""
) -> AccountSummary | None:
    """Return the account with an id, a name or an email address."""
    await cur.execute(
        f"""
        {_ACCOUNTS}
         WHERE users.id = %(id)s OR username_key = %(username_key)s OR email_key = %(email_key)s
         LIMIT 1
        """,
        {"id": user_id, "username_key": username_key, "email_key": email_key},
    )
    return await one(cur, AccountSummary)


async def list_logins(cur: Cursor, user_id: UserId, *, limit: int) -> list[LoginSummary]:
    """Return the active logins of an account, the most recently used first."""
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
    """Return whether an account is an enabled administrator of the server."""
    await cur.execute(
        "SELECT FROM users WHERE id = %(id)s AND is_administrator AND disabled_at IS NULL",
        {"id": user_id},
    )
    return await cur.fetchone() is not None


async def administrators_without_factor(cur: Cursor, *, limit: int) -> list[str]:
    """Return the names of enabled administrators of the server without a second factor, by id."""
    await cur.execute(
        """
        SELECT username FROM users
         WHERE is_administrator AND NOT mfa_enabled AND disabled_at IS NULL
      ORDER BY id
         LIMIT %(limit)s
        """,
        {"limit": limit},
    )
    return await many(cur, str)


async def set_administrator(cur: Cursor, user_id: UserId, value: bool) -> bool:
    """Grant or revoke administrator rights. False if there is no such person."""
    await cur.execute(
        """
        UPDATE users SET is_administrator = %(value)s
         WHERE id = %(id)s AND deleted_at IS NULL AND NOT bot
        """,
        {"id": user_id, "value": value},
    )
    return cur.rowcount == 1


async def set_disabled(cur: Cursor, user_id: UserId, value: bool) -> bool:
    """Disable or enable an account. False if there is no such account."""
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
    """Set the password of a person. False if there is no such person."""
    await cur.execute(
        """
        UPDATE users SET password_hash = %(hash)s
         WHERE id = %(id)s AND deleted_at IS NULL AND NOT bot
        """,
        {"id": user_id, "hash": password_hash},
    )
    return cur.rowcount == 1


async def list_guilds(cur: Cursor, *, text: str, after: int, limit: int) -> list[GuildSummary]:
    """Return guilds in the order of ids, above the id `after`.

    `text` must be part of the name, ignoring case.
    """
    await cur.execute(
        f"""
        {_GUILDS}
         WHERE guilds.id > %(after)s
           AND (%(text)s = '' OR strpos(lower(guilds.name), lower(%(text)s)) > 0)
      ORDER BY guilds.id
         LIMIT %(limit)s
        """,
        {"text": text, "after": after, "limit": limit},
    )
    return await many(cur, GuildSummary)


async def list_guilds_of_owner(cur: Cursor, owner_id: UserId) -> list[GuildSummary]:
    """Return the guilds that a user owns, in the order of ids."""
    await cur.execute(
        f"{_GUILDS} WHERE guilds.owner_id = %(owner_id)s ORDER BY guilds.id",
        {"owner_id": owner_id},
    )
    return await many(cur, GuildSummary)


async def get_guild(cur: Cursor, guild_id: int) -> GuildSummary | None:
    """Return one guild."""
    await cur.execute(f"{_GUILDS} WHERE guilds.id = %(id)s", {"id": guild_id})
    return await one(cur, GuildSummary)
