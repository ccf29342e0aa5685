"""Which accounts have joined a guild within the current window of the raid detection."""

from __future__ import annotations

from chatd.core.ids import GuildId, UserId
from chatd.db.cursor import Cursor


async def count_join(cur: Cursor, guild_id: GuildId, user_id: UserId, *, window_s: int) -> int:
    """Count a join. Return how many accounts there are in the window of `window_s` seconds.

    An account that joins again counts once. The guild must be locked.
    """
    await cur.execute(
        """
        INSERT INTO guild_joins AS known (guild_id, since, user_ids)
        VALUES (%(guild_id)s, clock_timestamp(), ARRAY[%(user_id)s::bigint])
        ON CONFLICT (guild_id) DO UPDATE
           SET (since, user_ids) = (
                   SELECT CASE WHEN is_over THEN excluded.since ELSE known.since END,
                          CASE WHEN is_over THEN excluded.user_ids
                               WHEN known.user_ids @> excluded.user_ids THEN known.user_ids
                               ELSE known.user_ids || excluded.user_ids END
                     FROM (SELECT known.since + make_interval(secs => %(window_s)s)
                                      <= excluded.since) AS old (is_over))
        RETURNING cardinality(user_ids)
        """,
        {"guild_id": guild_id, "user_id": user_id, "window_s": window_s},
    )
    row = await cur.fetchone()
    assert row is not None
    return int(row[0])


async def reset(cur: Cursor, guild_id: GuildId) -> None:
    """Begin a new window with the next join."""
    await cur.execute(
        "DELETE FROM guild_joins WHERE guild_id = %(guild_id)s", {"guild_id": guild_id}
    )
