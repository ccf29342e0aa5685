"""Bans."""

from __future__ import annotations

from chatd.core.ids import GuildId, UserId
from chatd.core.models import Ban
from chatd.db.cursor import Cursor, many, one
from chatd.queries import users

_SELECT = f"SELECT {users.COLUMNS}, bans.reason FROM bans JOIN users ON users.id = bans.user_id"


def _make(*row: object) -> Ban:
    user, (reason,) = users.split_row(row)
    return Ban(user, reason)


async def insert(cur: Cursor, guild_id: GuildId, user_id: UserId, reason: str | None) -> bool:
    """Ban a user. False when it is banned already."""
    await cur.execute(
        """
        INSERT INTO bans (guild_id, user_id, reason)
        VALUES (%(guild_id)s, %(user_id)s, %(reason)s)
        ON CONFLICT DO NOTHING
        """,
        {"guild_id": guild_id, "user_id": user_id, "reason": reason},
    )
    return cur.rowcount == 1


async def delete(cur: Cursor, guild_id: GuildId, user_id: UserId) -> bool:
    """Lift a ban. False when there is none."""
    await cur.execute(
        "DELETE FROM bans WHERE guild_id = %(guild_id)s AND user_id = %(user_id)s",
        {"guild_id": guild_id, "user_id": user_id},
    )
    return cur.rowcount == 1


async def get(cur: Cursor, guild_id: GuildId, user_id: UserId) -> Ban | None:
    """Return the ban of a user."""
    await cur.execute(
        f"{_SELECT} WHERE bans.guild_id = %(guild_id)s AND bans.user_id = %(user_id)s",
        {"guild_id": guild_id, "user_id": user_id},
    )
    return await one(cur, _make)


async def page(
    cur: Cursor, guild_id: GuildId, *, before: int | None, after: int, limit: int
) -> list[Ban]:
    """Return bans in the order of user ids: the first above `after`, or the last below `before`."""
    await cur.execute(
        f"""
        {_SELECT}
         WHERE bans.guild_id = %(guild_id)s AND bans.user_id > %(after)s
           AND (%(before)s::bigint IS NULL OR bans.user_id < %(before)s)
      ORDER BY bans.user_id {"ASC" if before is None else "DESC"}
         LIMIT %(limit)s
        """,
        {"guild_id": guild_id, "before": before, "after": after, "limit": limit},
    )
    found = await many(cur, _make)
    return found if before is None else found[::-1]
