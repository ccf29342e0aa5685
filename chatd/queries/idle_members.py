"""Members of a guild that were inactive for some days, which a prune removes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from chatd.core.ids import GuildId, RoleId, UserId
from chatd.db.cursor import Cursor, many

_IDLE = """
      FROM guild_members
     WHERE guild_members.guild_id = %(guild_id)s
       AND guild_members.joined_at < now() - make_interval(days => %(days)s)
       AND NOT EXISTS (SELECT FROM guilds
                        WHERE guilds.id = guild_members.guild_id
                          AND guilds.owner_id = guild_members.user_id)
       AND NOT EXISTS (SELECT FROM logins
                        WHERE logins.user_id = guild_members.user_id
                          AND logins.last_used_at >= now() - make_interval(days => %(days)s))
       AND NOT EXISTS (SELECT FROM member_roles
                        WHERE member_roles.guild_id = guild_members.guild_id
                          AND member_roles.user_id = guild_members.user_id
                          AND member_roles.role_id <> ALL(%(roles)s::bigint[])
                          AND EXISTS (SELECT FROM roles WHERE roles.id = role_id))
"""
"""Members that joined, and last used a login, more than `days` days ago, and that have no roles
other than `roles`. The owner is never one of them."""


async def count(cur: Cursor, guild_id: GuildId, *, days: int, roles: Sequence[RoleId]) -> int:
    """Return the number of members that were inactive for `days` days.

    Members with roles other than `roles`, and the owner, are not counted.
    """
    parameters = {"guild_id": guild_id, "days": days, "roles": list(roles)}
    await cur.execute(f"SELECT count(*) {_IDLE}", parameters)
    row = await cur.fetchone()
    return int(row[0]) if row else 0


async def filter_ids(
    cur: Cursor,
    guild_id: GuildId,
    user_ids: Iterable[UserId],
    *,
    days: int,
    roles: Sequence[RoleId],
) -> list[UserId]:
    """Return those of these users that `count` counts."""
    await cur.execute(
        f"""
        SELECT guild_members.user_id {_IDLE}
           AND guild_members.user_id = ANY(%(user_ids)s::bigint[])
        """,
        {"guild_id": guild_id, "days": days, "roles": list(roles), "user_ids": list(user_ids)},
    )
    return await many(cur, UserId)


async def list_after(
    cur: Cursor, guild_id: GuildId, *, days: int, after: int, read: int, limit: int
) -> tuple[list[UserId], UserId] | None:
    """Return members above an id that were inactive for `days` days, whatever their roles.

    Reads at most `read` members and returns at most `limit`, with the id up to which it has read.
    Returns None when no member is above `after`.
    """
    await cur.execute(
        """
        WITH looked AS MATERIALIZED (
            SELECT user_id, joined_at FROM guild_members
             WHERE guild_id = %(guild_id)s AND user_id > %(after)s
          ORDER BY user_id
             LIMIT %(read)s
        )
        SELECT ARRAY (SELECT user_id FROM looked
                       WHERE joined_at < now() - make_interval(days => %(days)s)
                         AND NOT EXISTS (
                                 SELECT FROM logins
                                  WHERE logins.user_id = looked.user_id
                                    AND last_used_at >= now() - make_interval(days => %(days)s))
                    ORDER BY user_id
                       LIMIT %(limit)s),
               (SELECT max(user_id) FROM looked)
        """,
        {"guild_id": guild_id, "after": after, "read": read, "days": days, "limit": limit},
    )
    row = await cur.fetchone()
    assert row is not None
    ids, read_to = row
    if read_to is None:
        return None
    return ids, ids[-1] if len(ids) == limit else read_to
