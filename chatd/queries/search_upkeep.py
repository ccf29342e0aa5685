"""The index of the message search: applying edits, and deleting what belongs to deleted streams."""

from __future__ import annotations

from collections.abc import Mapping

from chatd.db.cursor import Cursor
from chatd.queries.search_index import KEYS

_MAX_POSTINGS = 20_000  # deleted in one transaction, which takes about 0.2 s
_MAX_MARKS = 1000  # deleted in one transaction, after looking up the message of each


async def apply_edits(cur: Cursor, *, limit: int, unindexed: bool = False) -> int:
    """Add the keys of edited messages to their segments. Return the number of edits; 0 for none.

    With `unindexed`, the messages get no new keys, and searches read them from now on.

    Needs a READ COMMITTED transaction of its own: the marks are deleted first and the messages are
    read afterwards, so an edit in between leaves a new mark. Keys of the old text remain, since a
    search checks each candidate.
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
    parameters = {
        "channel_ids": [channel_id for channel_id, _ in done],
        "message_ids": [message_id for _, message_id in done],
    }
    await (_mark_unindexed if unindexed else add_edited_postings)(cur, parameters)
    return len(done)


async def _mark_unindexed(cur: Cursor, parameters: Mapping[str, object]) -> None:
    await cur.execute(
        """
        INSERT INTO search_unindexed (channel_id, message_id)
        SELECT * FROM unnest(%(channel_ids)s::bigint[], %(message_ids)s::bigint[])
        ON CONFLICT DO NOTHING
        """,
        parameters,
    )


async def add_edited_postings(cur: Cursor, parameters: Mapping[str, object]) -> None:
    """Add the keys of messages as they are now. The time depends on the length of the texts."""
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
        parameters,
    )


async def delete_orphans(cur: Cursor) -> bool:
    """Delete a part of a segment of a deleted guild or private channel. False when there is none.

    Needs a transaction of its own.
    """
    await cur.execute(
        """
        WITH gone AS MATERIALIZED (
            SELECT stream_id, segment FROM search_segments
             WHERE NOT EXISTS (SELECT FROM guilds WHERE guilds.id = stream_id)
               AND NOT EXISTS (SELECT FROM channels WHERE channels.id = stream_id)
             LIMIT 1
        ), postings AS (
            DELETE FROM search_postings
             WHERE ctid = ANY (ARRAY (SELECT p.ctid FROM gone JOIN search_postings AS p
                                             USING (stream_id, segment)
                                       LIMIT %(limit)s))
            RETURNING 1
        ), documents AS (
            DELETE FROM search_documents AS d USING gone
             WHERE d.stream_id = gone.stream_id AND d.segment = gone.segment
        ), described AS (
            DELETE FROM search_segments AS s USING gone
             WHERE s.stream_id = gone.stream_id AND s.segment = gone.segment
               AND (SELECT count(*) FROM postings) < %(limit)s
        )
        SELECT FROM gone
        """,
        {"limit": _MAX_POSTINGS},
    )
    return cur.rowcount == 1


async def delete_orphaned_marks(cur: Cursor) -> bool:
    """Delete marks of deleted messages. False when there are no more.

    Needs a transaction of its own.
    """
    await cur.execute(
        """
        DELETE FROM search_unindexed
         WHERE ctid = ANY (ARRAY (
                   SELECT u.ctid FROM search_unindexed AS u
                    WHERE NOT EXISTS (SELECT FROM messages AS m
                                       WHERE m.channel_id = u.channel_id AND m.id = u.message_id)
                    LIMIT %(limit)s))
        """,
        {"limit": _MAX_MARKS},
    )
    return cur.rowcount == _MAX_MARKS
