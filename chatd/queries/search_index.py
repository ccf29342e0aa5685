"""The index of the message search: adding segments. sql/0008 describes the index.

`search` reads it. `search_upkeep` applies edits and deletions.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from chatd.core.ids import MessageId, StreamId
from chatd.core.search import EMBED, EVERYONE, FILE, LINK
from chatd.db.cursor import Cursor
from chatd.queries.search_text import TEXT, TEXT_OF_MESSAGES

SEGMENT_MESSAGES = 8192
"""Messages in a segment. Positions in it must fit a smallint. Until a stream has this many new
messages, searches read them."""

_LOCK = 0x63686174_73656172  # "chatsear"
_SEGMENT_BYTES = (
    2**21
)  # of normalized content: bounds the time that a segment of long messages takes
_WORK_MEM = "32MB"  # enough to sort the keys of a segment in memory
_FIRST_SPAN = 60_000 << 22  # a minute, as a difference of ids
_RECHECK_SPAN = 3_600_000 << 22  # an hour, as a difference of ids


@dataclass(frozen=True, slots=True)
class _NextSegment:
    """The range of the next segment."""

    first_id: MessageId
    last_id: MessageId
    until: int
    """The id up to which messages were read to find it."""
    count: int
    is_full: bool


async def streams_to_index(cur: Cursor, *, limit: int) -> list[StreamId]:
    """Return streams that may have enough new messages for a segment since the last check.

    Every message of a guild is an event of its stream, so a guild is checked after enough events.
    Private channels have no events of their own, and are checked once an hour.
    """
    await cur.execute(
        """
        SELECT streams.id
          FROM streams LEFT JOIN search_streams ON search_streams.stream_id = streams.id
         WHERE last_message_id > coalesce(indexed_to, 0)
           AND (seq - coalesce(looked_seq, 0) >= %(segment)s
                OR last_message_id - coalesce(looked_to, 0) >= %(again)s)
         LIMIT %(limit)s
        """,
        {"segment": SEGMENT_MESSAGES, "again": _RECHECK_SPAN, "limit": limit},
    )
    return [StreamId(row[0]) for row in await cur.fetchall()]


async def try_lock(cur: Cursor) -> bool:
    """Exclude other indexers until the transaction ends. False when another one runs.

    The functions below need this lock: only one indexer may change `indexed_to` or delete marks of
    edits.
    """
    await cur.execute("SELECT pg_try_advisory_xact_lock(%(lock)s)", {"lock": _LOCK})
    return await cur.fetchone() == (True,)


async def extend(
    cur: Cursor, stream_id: StreamId, *, size: int = SEGMENT_MESSAGES, unindexed: bool = False
) -> bool:
    """Add a segment with the oldest unindexed messages. False when there are too few.

    With `unindexed`, its messages get no keys, and searches read them instead. Needs a READ
    COMMITTED transaction of its own.
    """
    await cur.execute(
        """
        INSERT INTO search_streams (stream_id) VALUES (%(stream_id)s)
        ON CONFLICT (stream_id) DO UPDATE SET stream_id = excluded.stream_id
        RETURNING segments, indexed_to,
                  (SELECT seq FROM streams WHERE id = %(stream_id)s),
                  (SELECT last_message_id FROM streams WHERE id = %(stream_id)s)
        """,
        {"stream_id": stream_id},
    )
    row = await cur.fetchone()
    assert row is not None
    segment, indexed_to, seq, last_message_id = row
    new = await _next_segment(
        cur, stream_id, segment, indexed_to=indexed_to, last_message_id=last_message_id, size=size
    )
    if new is None or not new.is_full:
        await cur.execute(
            """
            UPDATE search_streams SET looked_seq = %(seq)s, looked_to = %(last_message_id)s
             WHERE stream_id = %(stream_id)s
            """,
            {
                "stream_id": stream_id,
                "seq": seq - (new.count if new else 0),
                "last_message_id": last_message_id,
            },
        )
        return False
    parameters = {
        "stream_id": stream_id,
        "segment": segment,
        "size": size,
        "indexed_to": indexed_to,
        "until": new.until,
        "first_id": new.first_id,
        "last_id": new.last_id,
    }
    await _add_documents(cur, parameters)
    await (_mark_unindexed if unindexed else add_postings)(cur, parameters)
    await _describe(cur, parameters)
    return True


# Bounded by `until` as well: a large guild may have many unindexed messages, for example from the
# time before the index existed. Only the oldest part of them is read.
_NEW = f"""
    SELECT m.channel_id, m.id, row_number() OVER by_id AS number,
           sum(bytes) OVER by_id AS bytes
      FROM channels
           CROSS JOIN LATERAL (
               SELECT channel_id, id,
                      CASE WHEN octet_length(text) = char_length(text)
                           THEN octet_length(text)
                           ELSE octet_length(normalize(text, NFKC)) END AS bytes
                 FROM messages
                      CROSS JOIN LATERAL (SELECT {TEXT_OF_MESSAGES} AS text OFFSET 0) AS said
                WHERE messages.channel_id = channels.id
                  AND messages.id > %(indexed_to)s AND messages.id <= %(until)s
             ORDER BY messages.id
                LIMIT %(size)s
           ) AS m
     WHERE channels.guild_id = %(stream_id)s
        OR channels.id = %(stream_id)s AND channels.guild_id IS NULL
    WINDOW by_id AS (ORDER BY m.id)
  ORDER BY m.id
     LIMIT %(size)s
"""


async def _next_segment(
    cur: Cursor,
    stream_id: StreamId,
    segment: int,
    *,
    indexed_to: int,
    last_message_id: int,
    size: int,
) -> _NextSegment | None:
    await cur.execute(
        """
        SELECT first_id, last_id FROM search_segments
         WHERE stream_id = %(stream_id)s AND segment = %(segment)s - 1
        """,
        {"stream_id": stream_id, "segment": segment},
    )
    before = await cur.fetchone()
    span = before[1] - before[0] if before else _FIRST_SPAN
    start = before[1] if before else await _oldest(cur, stream_id)
    while True:
        until = min(start + span, last_message_id)
        await cur.execute(
            f"""
            SELECT min(id), max(id) FILTER (WHERE bytes <= %(most)s OR number = 1), %(until)s,
                   count(*), coalesce(max(bytes) >= %(most)s OR count(*) >= %(size)s, false)
              FROM ({_NEW}) AS new
            """,
            {
                "stream_id": stream_id,
                "indexed_to": indexed_to,
                "until": until,
                "size": size,
                "most": _SEGMENT_BYTES,
            },
        )
        row = await cur.fetchone()
        new = _NextSegment(*row) if row and row[0] is not None else None
        if until == last_message_id or (new is not None and new.is_full):
            return new
        span = max(span, 1) * 4


async def _oldest(cur: Cursor, stream_id: StreamId) -> int:
    await cur.execute(
        """
        SELECT min((SELECT min(id) FROM messages WHERE messages.channel_id = channels.id))
          FROM channels
         WHERE channels.guild_id = %(stream_id)s
            OR channels.id = %(stream_id)s AND channels.guild_id IS NULL
        """,
        {"stream_id": stream_id},
    )
    row = await cur.fetchone()
    return int(row[0] or 0) if row else 0


async def _add_documents(cur: Cursor, parameters: Mapping[str, object]) -> None:
    await cur.execute(
        f"""
        INSERT INTO search_documents (stream_id, segment, position, channel_id, message_id)
        SELECT %(stream_id)s, %(segment)s, number - 1, channel_id, id
          FROM ({_NEW}) AS new
         WHERE id <= %(last_id)s
        """,
        parameters,
    )


async def _mark_unindexed(cur: Cursor, parameters: Mapping[str, object]) -> None:
    await cur.execute(
        """
        INSERT INTO search_unindexed (channel_id, message_id)
        SELECT channel_id, message_id FROM search_documents
         WHERE stream_id = %(stream_id)s AND segment = %(segment)s
        ON CONFLICT DO NOTHING
        """,
        parameters,
    )


async def add_postings(cur: Cursor, parameters: Mapping[str, object]) -> None:
    """Add the keys of a segment's messages. Takes most of the time, by the length of the texts."""
    await cur.execute(f"SET LOCAL work_mem = '{_WORK_MEM}'")
    await cur.execute(
        f"""
        INSERT INTO search_postings (stream_id, segment, key, positions)
        SELECT %(stream_id)s, %(segment)s, key, array_agg(DISTINCT position)
          FROM search_documents AS d
               JOIN messages AS m ON m.channel_id = d.channel_id AND m.id = d.message_id
               CROSS JOIN LATERAL ({KEYS}) AS keys (key)
         WHERE d.stream_id = %(stream_id)s AND d.segment = %(segment)s
      GROUP BY key
      ORDER BY key
        """,
        parameters,
    )


async def _describe(cur: Cursor, parameters: Mapping[str, object]) -> None:
    await cur.execute(
        """
        WITH described AS (
            INSERT INTO search_segments (stream_id, segment, first_id, last_id)
            VALUES (%(stream_id)s, %(segment)s, %(first_id)s, %(last_id)s)
        )
        UPDATE search_streams
           SET segments = %(segment)s + 1, indexed_to = %(last_id)s,
               looked_seq = looked_seq + (SELECT count(*) FROM search_documents AS d
                                           WHERE d.stream_id = %(stream_id)s
                                             AND d.segment = %(segment)s)
         WHERE stream_id = %(stream_id)s
        """,
        parameters,
    )


KEYS = f"""
    SELECT gram
      FROM (SELECT search_text({TEXT}) AS text OFFSET 0) AS made  -- once, not for each gram
           CROSS JOIN LATERAL search_grams(made.text) AS gram
    UNION ALL SELECT ' a' || m.author_id
    UNION ALL SELECT ' c' || m.channel_id
    UNION ALL SELECT ' m' || unnest(m.mentions)
    UNION ALL SELECT '{EVERYONE}' WHERE m.mention_everyone
    UNION ALL SELECT '{FILE}' WHERE m.attachment_count > 0
    UNION ALL SELECT '{EMBED}' WHERE m.embeds IS NOT NULL
    UNION ALL SELECT '{LINK}' WHERE ({TEXT}) LIKE '%%://%%'
"""
"""SQL for the keys of the message `m`."""
