"""Message search: reads the newest messages, and looks older ones up in an index (sql/0008).

Every statement checks each message against the whole filter. The index only yields candidates.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from chatd.core.ids import ChannelId, MessageId, StreamId
from chatd.core.models import Message
from chatd.core.search import Filter, Group
from chatd.db.cursor import Cursor, many
from chatd.queries import history
from chatd.queries.history import Viewer
from chatd.queries.search_conditions import conditions
from chatd.queries.search_text import TEXT

_MAX_COMPARED = 4
"""Groups of keys that are intersected in a segment. See `_PLACES`."""


@dataclass(frozen=True, slots=True)
class Hit:
    """A message that matches a filter."""

    id: MessageId
    channel_id: ChannelId
    score: float
    """The share of the text that matches the terms; 0 unless the query is `scored`."""


@dataclass(frozen=True, slots=True)
class Segment:
    """A segment of the index, and the range of message ids that it covers."""

    number: int
    first_id: MessageId
    last_id: MessageId


@dataclass(frozen=True, slots=True)
class IndexState:
    """The progress of the index of a stream."""

    indexed_to: int
    last_message_id: int
    backlog: int
    """The maximum number of unindexed messages of a guild. Meaningless for private channels."""


@dataclass(frozen=True, slots=True)
class SearchQuery:
    """A filter, the order of the hits, and whether they get scores."""

    filter: Filter
    newest_first: bool
    scored: bool


async def normalize_terms(cur: Cursor, terms: Sequence[str]) -> list[str]:
    """Return terms in the normal form of indexed texts, without duplicates and empty ones."""
    await cur.execute(
        """
        SELECT term FROM unnest(%(terms)s::text[]) WITH ORDINALITY AS given (text, number),
               LATERAL (SELECT btrim(regexp_replace(search_text(text), ' +', ' ', 'g')) AS term
                        OFFSET 0) AS made
         WHERE term <> '' GROUP BY term ORDER BY min(number)
        """,
        {"terms": list(terms)},
    )
    return await many(cur, str)


async def begin_step(cur: Cursor, *, within_s: float) -> None:
    """Set a savepoint, and limit the statements after it to `within_s` seconds."""
    await cur.execute(
        f"SAVEPOINT step; SET LOCAL statement_timeout = {max(1, round(within_s * 1000))}"
    )


async def undo_step(cur: Cursor) -> None:
    """Roll back to the savepoint after a statement that timed out."""
    await cur.execute("ROLLBACK TO step; RELEASE step")


async def end_step(cur: Cursor) -> None:
    """Release the savepoint, and restore the usual statement timeout."""
    await cur.execute("RELEASE step; SET LOCAL statement_timeout TO DEFAULT")


async def state(cur: Cursor, stream_id: StreamId) -> IndexState:
    """Return the progress of the index of a stream, which must exist."""
    await cur.execute(
        """
        SELECT coalesce(indexed_to, 0), last_message_id, seq - coalesce(looked_seq, 0)
          FROM streams LEFT JOIN search_streams ON search_streams.stream_id = streams.id
         WHERE streams.id = %(stream_id)s
        """,
        {"stream_id": stream_id},
    )
    [found] = await many(cur, IndexState)
    return found


async def segments(cur: Cursor, stream_id: StreamId) -> list[Segment]:
    """Return the segments of a stream, oldest first."""
    await cur.execute(
        """
        SELECT segment, first_id, last_id FROM search_segments
         WHERE stream_id = %(stream_id)s
      ORDER BY segment
        """,
        {"stream_id": stream_id},
    )
    return await many(cur, Segment)


async def nth_id(
    cur: Cursor, query: SearchQuery, low: int, high: int, *, count: int
) -> MessageId | None:
    """Return the id of the `count`-th message above `low` and up to `high`; None if there is none.

    Messages count in the order of the query, also those that do not match the filter.
    """
    order = "DESC" if query.newest_first else "ASC"
    await cur.execute(
        f"""
        SELECT id FROM unnest(%(channels)s::bigint[]) AS place (channel_id)
               CROSS JOIN LATERAL (
                   SELECT id FROM messages
                    WHERE messages.channel_id = place.channel_id
                      AND messages.id > %(low)s AND messages.id <= %(high)s
                 ORDER BY messages.id {order}
                    LIMIT %(count)s) AS m
      ORDER BY id {order}
        OFFSET %(count)s - 1
         LIMIT 1
        """,
        {"channels": list(query.filter.channels), "low": low, "high": high, "count": count},
    )
    row = await cur.fetchone()
    return MessageId(row[0]) if row else None


async def between(cur: Cursor, query: SearchQuery, low: int, high: int, *, limit: int) -> list[Hit]:
    """Return the hits among the messages above `low` and up to `high`, by reading them."""
    condition = "messages.id > %(low)s AND messages.id <= %(high)s"
    return await _read(cur, query, condition, {"low": low, "high": high}, limit)


async def pinned(cur: Cursor, query: SearchQuery, *, limit: int) -> list[Hit]:
    """Return the hits among pinned messages."""
    return await _read(cur, query, "messages.pinned_at IS NOT NULL", {}, limit)


async def _read(
    cur: Cursor, query: SearchQuery, which: str, parameters: dict[str, object], limit: int
) -> list[Hit]:
    channels = "unnest(%(channels)s::bigint[]) AS place (channel_id)"
    candidates = f"""
        {channels} CROSS JOIN LATERAL (
            SELECT * FROM messages
             WHERE messages.channel_id = place.channel_id AND {which}
               AND messages.id > %(min_id)s AND messages.id < %(max_id)s
            OFFSET 0
        ) AS m
    """
    return await _hits(cur, query, candidates, parameters, limit)


async def edited(cur: Cursor, query: SearchQuery, *, limit: int) -> list[Hit]:
    """Return the hits among messages whose keys in the index are missing or outdated."""
    candidates = f"""
        (SELECT channel_id, message_id FROM search_edits WHERE channel_id = ANY(%(channels)s)
          UNION
         SELECT channel_id, message_id FROM search_unindexed
          WHERE channel_id = ANY(%(channels)s)) AS place {_MESSAGE}
    """
    return await _hits(cur, query, candidates, {}, limit)


async def indexed(
    cur: Cursor,
    query: SearchQuery,
    stream_id: StreamId,
    numbers: Sequence[int],
    groups: Sequence[Group],
    *,
    limit: int,
) -> list[Hit]:
    """Return the hits in these segments.

    A candidate must have a key in a range of each group.
    """
    candidates = f"{_PLACES if groups else _ALL_PLACES} AS place {_MESSAGE}"
    ranges = [(number, each) for number, group in enumerate(groups) for each in group]
    parameters = {
        "stream_id": stream_id,
        "segments": list(numbers),
        "group_numbers": [number for number, _ in ranges],
        "lows": [each.low for _, each in ranges],
        "highs": [each.high for _, each in ranges],
        "groups": len(groups),
        "compared": min(len(groups), _MAX_COMPARED),
    }
    return await _hits(cur, query, candidates, parameters, limit)


# OFFSET 0 keeps the planner from turning lookups by key into joins that read whole tables.
_MESSAGE = """
    CROSS JOIN LATERAL (
        SELECT * FROM messages
         WHERE messages.channel_id = place.channel_id AND messages.id = place.message_id
        OFFSET 0
    ) AS m
"""
_ALL_PLACES = """
    (SELECT channel_id, message_id FROM search_documents
      WHERE stream_id = %(stream_id)s AND segment = ANY(%(segments)s)
        AND channel_id = ANY(%(channels)s))
"""
# Segments in which a group has no key have no candidates. In the others only the rarest groups are
# intersected: the more common ones would cost more than reading the few messages they exclude.
_PLACES = """
    (WITH known AS MATERIALIZED (
         SELECT wanted.segment, wanted.group_number, found.positions
           FROM (SELECT * FROM unnest(%(segments)s::integer[]) AS given (segment)
                   CROSS JOIN unnest(%(group_numbers)s::integer[], %(lows)s::text[],
                                     %(highs)s::text[]) AS range (group_number, low, high)
                ) AS wanted
                CROSS JOIN LATERAL (
                    SELECT positions FROM search_postings
                     WHERE stream_id = %(stream_id)s AND segment = wanted.segment
                       AND key >= wanted.low COLLATE "C" AND key <= wanted.high COLLATE "C"
                    OFFSET 0
                ) AS found
     ), sized AS (
         SELECT segment, group_number, sum(cardinality(positions)) AS size
           FROM known
       GROUP BY segment, group_number
     ), ranked AS (
         SELECT segment, group_number,
                row_number() OVER (PARTITION BY segment ORDER BY size) - 1 AS rank,
                count(*) OVER (PARTITION BY segment) AS groups
           FROM sized
     ), met AS (
         SELECT segment, position
           FROM (SELECT known.segment, rank::integer, unnest(positions) AS position
                   FROM known JOIN ranked USING (segment, group_number)
                  WHERE groups = %(groups)s AND rank < %(compared)s) AS each
       GROUP BY segment, position
         HAVING bit_or(1 << rank) = (1 << %(compared)s) - 1
     )
     SELECT found.channel_id, found.message_id
       FROM met CROSS JOIN LATERAL (
                SELECT channel_id, message_id FROM search_documents
                 WHERE stream_id = %(stream_id)s AND segment = met.segment
                   AND position = met.position AND channel_id = ANY(%(channels)s)
                OFFSET 0
            ) AS found)
"""


_TEXT = f"""
    CROSS JOIN LATERAL (SELECT search_text({TEXT}) COLLATE "C" AS text OFFSET 0) AS said
"""
_SPACED_TEXT = f"""
    CROSS JOIN LATERAL (
        SELECT CASE WHEN strpos(made.text, '  ') = 0 THEN made.text
                    ELSE regexp_replace(made.text, ' +', ' ', 'g') END AS text
          FROM (SELECT search_text({TEXT}) COLLATE "C" AS text OFFSET 0) AS made
        OFFSET 0
    ) AS said
"""


async def _hits(
    cur: Cursor, query: SearchQuery, candidates: str, parameters: dict[str, object], limit: int
) -> list[Hit]:
    required, values = conditions(query.filter)
    terms = query.filter.terms
    if terms:
        candidates += _SPACED_TEXT if any(" " in term for term in terms) else _TEXT
    score = _score(len(terms)) if query.scored and terms else "0"
    await cur.execute(
        f"""
        SELECT m.id, m.channel_id, {score}
          FROM {candidates}
         WHERE {" AND ".join(required)}
      ORDER BY m.id {"DESC" if query.newest_first else ""}
         LIMIT %(limit)s
        """,
        {**values, **parameters, "limit": limit},
    )
    return await many(cur, Hit)


def _score(terms: int) -> str:
    left_out = " + ".join(
        f"length(said.text) - length(replace(said.text, %(term_{number})s, ''))"
        for number in range(terms)
    )
    return f"({left_out})::float / length(said.text)"


async def load(cur: Cursor, viewer: Viewer, hits: Iterable[Hit]) -> list[Message]:
    """Return the messages of hits, in the same order."""
    hits = list(hits)
    await cur.execute(
        f"""
        SELECT {history.COLUMNS}
          FROM unnest(%(channel_ids)s::bigint[], %(ids)s::bigint[]) WITH ORDINALITY
                   AS place (channel_id, message_id, number) {_MESSAGE} {history.JOINS}
      ORDER BY place.number
        """,
        {
            "channel_ids": [hit.channel_id for hit in hits],
            "ids": [hit.id for hit in hits],
        },
    )
    return await history.read(cur, viewer)
