"""Finding messages: by reading the newest, and by the index of the older ones (sql/0008).

Every statement checks a message against the whole filter; the index only says where to look.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from chatd.core.ids import ChannelId, MessageId, StreamId
from chatd.core.models import Message
from chatd.core.search import Filter, Group, Has
from chatd.db import Cursor, many
from chatd.queries import history
from chatd.queries.history import Viewer

_COMPARED = 4  # groups in a segment


@dataclass(frozen=True, slots=True)
class Hit:
    """A message that meets a filter."""

    id: MessageId
    channel_id: ChannelId
    score: float
    """How much of the text is what was looked for, if that was asked; else 0."""


@dataclass(frozen=True, slots=True)
class Segment:
    """A part of the index, and the ids that it covers."""

    number: int
    first_id: MessageId
    last_id: MessageId


@dataclass(frozen=True, slots=True)
class State:
    """How far a stream is indexed."""

    indexed_to: int
    last_message_id: int
    backlog: int
    """Of a guild: how many messages are to be read, at the most. Private channels tell nothing."""


@dataclass(frozen=True, slots=True)
class Ask:
    """A filter, and what is wanted of the messages that meet it."""

    filter: Filter
    newest_first: bool
    scored: bool


async def normal(cur: Cursor, terms: Sequence[str]) -> list[str]:
    """Terms as the texts that they are compared with; those that are empty then are left out."""
    await cur.execute(
        """
        SELECT term FROM unnest(%(terms)s::text[]) WITH ORDINALITY AS given (text, number),
               LATERAL (SELECT btrim(regexp_replace(search_text(text), ' +', ' ', 'g')) AS term
                        OFFSET 0) AS made
         WHERE term <> '' ORDER BY number
        """,
        {"terms": list(terms)},
    )
    return await many(cur, str)


async def state(cur: Cursor, stream_id: StreamId) -> State:
    """How far a stream is indexed, which has to exist."""
    await cur.execute(
        """
        SELECT coalesce(indexed_to, 0), last_message_id, seq - coalesce(looked_seq, 0)
          FROM streams LEFT JOIN search_streams ON search_streams.stream_id = streams.id
         WHERE streams.id = %(stream_id)s
        """,
        {"stream_id": stream_id},
    )
    [found] = await many(cur, State)
    return found


async def segments(cur: Cursor, stream_id: StreamId) -> list[Segment]:
    """The segments of a stream, oldest first."""
    await cur.execute(
        """
        SELECT segment, first_id, last_id FROM search_segments
         WHERE stream_id = %(stream_id)s
      ORDER BY segment
        """,
        {"stream_id": stream_id},
    )
    return await many(cur, Segment)


async def between(cur: Cursor, ask: Ask, low: int, high: int, *, limit: int) -> list[Hit]:
    """What meets the filter of the messages above an id and up to another, by reading them."""
    condition = "messages.id > %(low)s AND messages.id <= %(high)s"
    return await _read(cur, ask, condition, {"low": low, "high": high}, limit)


async def pinned(cur: Cursor, ask: Ask, *, limit: int) -> list[Hit]:
    """What meets the filter of the messages that are pinned."""
    return await _read(cur, ask, "messages.pinned_at IS NOT NULL", {}, limit)


async def _read(
    cur: Cursor, ask: Ask, which: str, parameters: dict[str, object], limit: int
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
    return await _hits(cur, ask, candidates, parameters, limit)


async def edited(cur: Cursor, ask: Ask, *, limit: int) -> list[Hit]:
    """What meets the filter of the messages whose edits the index does not know yet."""
    candidates = f"""
        (SELECT DISTINCT channel_id, message_id FROM search_edits
          WHERE channel_id = ANY(%(channels)s)) AS place {_MESSAGE}
    """
    return await _hits(cur, ask, candidates, {}, limit)


async def indexed(
    cur: Cursor,
    ask: Ask,
    stream_id: StreamId,
    numbers: Sequence[int],
    groups: Sequence[Group],
    *,
    limit: int,
) -> list[Hit]:
    """What meets the filter of the messages in these segments; `groups` say where to look."""
    candidates = f"{_PLACES if groups else _ALL_PLACES} AS place {_MESSAGE}"
    ranges = [(number, each) for number, group in enumerate(groups) for each in group]
    parameters = {
        "stream_id": stream_id,
        "segments": list(numbers),
        "group_numbers": [number for number, _ in ranges],
        "lows": [each.low for _, each in ranges],
        "highs": [each.high for _, each in ranges],
        "groups": len(groups),
        "compared": min(len(groups), _COMPARED),
    }
    return await _hits(cur, ask, candidates, parameters, limit)


# OFFSET 0 keeps the planner from turning look-ups by key into joins that read everything.
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
# Segments in which a group has no key at all are left out. Of the others only the rarest groups are
# compared: the more common ones would cost more than looking at the few messages they rule out.
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


_TEXT = """
    CROSS JOIN LATERAL (SELECT search_text(m.content) COLLATE "C" AS text OFFSET 0) AS said
"""
_SPACED_TEXT = """
    CROSS JOIN LATERAL (
        SELECT CASE WHEN strpos(made.text, '  ') = 0 THEN made.text
                    ELSE regexp_replace(made.text, ' +', ' ', 'g') END AS text
          FROM (SELECT search_text(m.content) COLLATE "C" AS text OFFSET 0) AS made
        OFFSET 0
    ) AS said
"""


async def _hits(
    cur: Cursor, ask: Ask, candidates: str, parameters: dict[str, object], limit: int
) -> list[Hit]:
    conditions, values = _conditions(ask.filter)
    terms = ask.filter.terms
    if terms:
        candidates += _SPACED_TEXT if any(" " in term for term in terms) else _TEXT
    score = _score(len(terms)) if ask.scored and terms else "0"
    await cur.execute(
        f"""
        SELECT m.id, m.channel_id, {score}
          FROM {candidates}
         WHERE {" AND ".join(conditions)}
      ORDER BY m.id {"DESC" if ask.newest_first else ""}
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


def _conditions(wanted: Filter) -> tuple[list[str], dict[str, object]]:
    values: dict[str, object] = {
        "channels": list(wanted.channels),
        "min_id": wanted.min_id,
        "max_id": wanted.max_id,
    }
    found = [
        "m.channel_id = ANY(%(channels)s)",
        "m.id > %(min_id)s AND m.id < %(max_id)s",
    ]
    for number, term in enumerate(wanted.terms):
        values[f"term_{number}"] = term
        found.append(f"strpos(said.text, %(term_{number})s) > 0")
    if wanted.authors:
        values["authors"] = list(wanted.authors)
        found.append("m.author_id = ANY(%(authors)s)")
    if wanted.mentions:
        values["mentions"] = list(wanted.mentions)
        found.append("m.mentions && %(mentions)s::bigint[]")
    if wanted.pinned is not None:
        found.append(f"m.pinned_at IS {'NOT ' if wanted.pinned else ''}NULL")
    if wanted.mention_everyone is not None:
        found.append(f"{'' if wanted.mention_everyone else 'NOT '}m.mention_everyone")
    found += [_HAS[each] for each in sorted(wanted.has)]
    found += [f"NOT {_HAS[each]}" for each in sorted(wanted.has_not)]
    return found, values


def _file_of(kind: str) -> str:
    return f"""
        (m.attachment_count > 0
         AND EXISTS (SELECT FROM attachments
                      WHERE attachments.channel_id = m.channel_id
                        AND attachments.message_id = m.id
                        AND starts_with(attachments.content_type, '{kind}/')))
    """


_HAS = {
    Has.LINK: r"(m.content ~* 'https?://[^[:space:]]')",
    Has.EMBED: "(m.embeds IS NOT NULL)",
    Has.FILE: "(m.attachment_count > 0)",
    Has.IMAGE: _file_of("image"),
    Has.VIDEO: _file_of("video"),
    Has.SOUND: _file_of("audio"),
}


async def load(cur: Cursor, viewer: Viewer, hits: Iterable[Hit]) -> list[Message]:
    """The messages of hits, in their order."""
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
