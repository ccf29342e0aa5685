"""Temporary memberships, and when their users were last connected."""

from __future__ import annotations

from collections.abc import Iterable

from chatd.core.ids import GuildId, UserId
from chatd.db.cursor import Cursor, many


async def insert(cur: Cursor, guild_id: GuildId, user_id: UserId) -> None:
    """Mark a membership as temporary."""
    await cur.execute(
        "INSERT INTO temporary_members (guild_id, user_id) VALUES (%(guild_id)s, %(user_id)s)",
        {"guild_id": guild_id, "user_id": user_id},
    )


async def list_users(cur: Cursor, *, after: int, limit: int) -> list[UserId]:
    """Return users with temporary memberships above an id, in the order of ids."""
    await cur.execute(
        """
        SELECT DISTINCT user_id FROM temporary_members
         WHERE user_id > %(after)s
      ORDER BY user_id
         LIMIT %(limit)s
        """,
        {"after": after, "limit": limit},
    )
    return await many(cur, UserId)


async def record_connected(cur: Cursor, user_ids: Iterable[UserId]) -> None:
    """Record that these users are connected now. Rows locked by another transaction are skipped."""
    await cur.execute(
        """
        WITH locked AS (
            SELECT guild_id, user_id FROM temporary_members
             WHERE user_id = ANY(%(user_ids)s::bigint[])
               FOR UPDATE SKIP LOCKED
        )
        UPDATE temporary_members SET last_seen_at = now()
          FROM locked
         WHERE temporary_members.guild_id = locked.guild_id
           AND temporary_members.user_id = locked.user_id
        """,
        {"user_ids": list(user_ids)},
    )


async def make_permanent(cur: Cursor, guild_id: GuildId | None = None) -> None:
    """Make temporary memberships of owners, and of members with a role, permanent.

    With `guild_id`, only those of this guild, whose stream the caller has locked.
    """
    await cur.execute(
        """
        DELETE FROM temporary_members
         WHERE (%(guild_id)s::bigint IS NULL OR guild_id = %(guild_id)s)
           AND (EXISTS (SELECT FROM member_roles
                         WHERE member_roles.guild_id = temporary_members.guild_id
                           AND member_roles.user_id = temporary_members.user_id)
                OR EXISTS (SELECT FROM guilds
                            WHERE guilds.id = temporary_members.guild_id
                              AND guilds.owner_id = temporary_members.user_id))
        """,
        {"guild_id": guild_id},
    )


_EXPIRED = "last_seen_at < now() - make_interval(secs => %(after_s)s)"


async def list_expired(cur: Cursor, *, after_s: float, limit: int) -> list[tuple[GuildId, UserId]]:
    """Return memberships whose users were offline for `after_s` seconds, the longest first."""
    await cur.execute(
        f"""
        SELECT guild_id, user_id FROM temporary_members
         WHERE {_EXPIRED}
      ORDER BY last_seen_at
         LIMIT %(limit)s
        """,
        {"after_s": after_s, "limit": limit},
    )
    return await many(cur, lambda *row: (GuildId(row[0]), UserId(row[1])))


async def has_expired(cur: Cursor, guild_id: GuildId, user_id: UserId, *, after_s: float) -> bool:
    """Return whether a membership is temporary, and its user was offline for `after_s` seconds."""
    await cur.execute(
        f"""
        SELECT FROM temporary_members
         WHERE guild_id = %(guild_id)s AND user_id = %(user_id)s AND {_EXPIRED}
           AND EXISTS (SELECT FROM guilds WHERE id = %(guild_id)s)
        """,
        {"guild_id": guild_id, "user_id": user_id, "after_s": after_s},
    )
    return await cur.fetchone() is not None
