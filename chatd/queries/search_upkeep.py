"""The index of the message search: following edits, and what is deleted as a whole."""

from __future__ import annotations

from chatd.db import Cursor
from chatd.queries.search_index import KEYS


async def take_edits(cur: Cursor, *, limit: int) -> int:
    """Add what edits have changed in segments. Returns how many; 0 when there are none.

    Runs alone in a transaction, each statement of which sees the moment it starts: the marks go
    first and the messages are read afterwards, so an edit that comes between leaves its own mark.
    Old keys stay where they are, for what is found is checked anyway.
    """
    await cur.execute(
        """
        DELETE FROM search_edits
         USING (SELECT channel_id, message_id, number FROM search_edits LIMIT %(limit)s) AS done
         WHERE search_edits.channel_id = done.channel_id
           AND search_edits.message_id = done.message_id AND search_edits.number = done.number
        RETURNING search_edits.channel_id, search_edits.message_id
        """,
        {"limit": limit},
    )
    done = {*await cur.fetchall()}
    if not done:
        return 0
    await cur.execute(
        f"""
        WITH changed AS MATERIALIZED (
            SELECT d.stream_id, d.segment, d.position, d.channel_id, d.message_id
              FROM unnest(%(channel_ids)s::bigint[], %(message_ids)s::bigint[])
                       AS mark (channel_id, message_id)
                   JOIN channels ON channels.id = mark.channel_id
                   CROSS JOIN LATERAL (
                       SELECT stream_id, segment FROM search_segments
                        WHERE stream_id = coalesce(channels.guild_id, channels.id)
                          AND mark.message_id BETWEEN first_id AND last_id
                       OFFSET 0
                   ) AS part
                   JOIN search_documents AS d
                     ON d.stream_id = part.stream_id AND d.segment = part.segment
                        AND d.message_id = mark.message_id
        )
        INSERT INTO search_postings AS known (stream_id, segment, key, positions)
        SELECT d.stream_id, d.segment, key, array_agg(DISTINCT position)
          FROM changed AS d
               JOIN messages AS m ON m.channel_id = d.channel_id AND m.id = d.message_id
               CROSS JOIN LATERAL ({KEYS}) AS keys (key)
      GROUP BY d.stream_id, d.segment, key
            ON CONFLICT (stream_id, segment, key) DO UPDATE
           SET positions = ARRAY (SELECT DISTINCT unnest(known.positions || excluded.positions))
         WHERE NOT known.positions @> excluded.positions
        """,
        {
            "channel_ids": [channel_id for channel_id, _ in done],
            "message_ids": [message_id for _, message_id in done],
        },
    )
    return len(done)


async def forget(cur: Cursor) -> bool:
    """Delete a segment of a guild or private channel that is gone. False when there is none.

    Runs alone in a transaction.
    """
    await cur.execute(
        """
        WITH dead AS MATERIALIZED (
            SELECT stream_id, segment FROM search_segments
             WHERE NOT EXISTS (SELECT FROM guilds WHERE guilds.id = stream_id)
               AND NOT EXISTS (SELECT FROM channels WHERE channels.id = stream_id)
             LIMIT 1
        ), documents AS (
            DELETE FROM search_documents AS d USING dead
             WHERE d.stream_id = dead.stream_id AND d.segment = dead.segment
        ), postings AS (
            DELETE FROM search_postings AS p USING dead
             WHERE p.stream_id = dead.stream_id AND p.segment = dead.segment
        )
        DELETE FROM search_segments AS s USING dead
         WHERE s.stream_id = dead.stream_id AND s.segment = dead.segment
        """
    )
    return cur.rowcount == 1
