"""Messages, keyed by channel first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from chatd.core.ids import ChannelId, GuildId, MessageId, StreamId, UserId
from chatd.core.models import Message, MessageType
from chatd.db import Cursor, Row, many, one
from chatd.queries import users


@dataclass(frozen=True, slots=True)
class NewRow:
    """A message to insert, and the version of its stream that it was authorised at."""

    stream_id: StreamId
    version: int
    channel_id: ChannelId
    author_id: UserId
    type: MessageType
    content: str
    flags: int
    tts: bool
    reference_id: MessageId | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a row of `insert_many`."""

    id: MessageId
    seq: int | None
    """The place of its event in the order of its stream; None when it was not inserted."""
    version: int | None
    """The version that its stream has now; None when there is no such stream."""
    last_message_id: MessageId
    """The newest message of its stream before this insert."""


async def insert_many(
    cur: Cursor, ids: Sequence[MessageId], rows: Sequence[NewRow]
) -> list[Outcome]:
    """Insert messages with these ids in one statement, which is one transaction of its own.

    A row goes in if its stream still has the version that it was authorised at, and if its id is
    above every id of that stream; the others stay out and disturb nobody. The streams are locked
    in the order of their ids until the commit, so events get the order of commits.
    """
    await cur.execute(
        """
        WITH wanted AS (
            SELECT * FROM unnest(
                %(ids)s::bigint[], %(stream_ids)s::bigint[], %(versions)s::bigint[],
                %(channel_ids)s::bigint[], %(author_ids)s::bigint[], %(types)s::smallint[],
                %(contents)s::text[], %(flags)s::integer[], %(tts)s::boolean[],
                %(reference_ids)s::bigint[]
            ) AS wanted (id, stream_id, version, channel_id, author_id, type, content, flags,
                         tts, reference_id)
        ), stream AS (
            SELECT id, seq, version, last_message_id FROM streams
             WHERE id = ANY(%(stream_ids)s::bigint[])
          ORDER BY id
               FOR NO KEY UPDATE
        ), accepted AS (
            SELECT wanted.*,
                   stream.seq + row_number() OVER (PARTITION BY stream.id ORDER BY wanted.id)
                   AS seq
              FROM wanted JOIN stream ON stream.id = wanted.stream_id
             WHERE stream.version = wanted.version AND stream.last_message_id < wanted.id
        ), moved AS (
            UPDATE streams SET seq = newest.seq, last_message_id = newest.id
              FROM (SELECT stream_id, max(seq) AS seq, max(id) AS id
                      FROM accepted GROUP BY stream_id) AS newest
             WHERE streams.id = newest.stream_id
        ), inserted AS (
            INSERT INTO messages (channel_id, id, author_id, type, content, flags, tts,
                                  reference_id)
            SELECT channel_id, id, author_id, type, content, flags, tts, reference_id
              FROM accepted
        )
        SELECT wanted.id, accepted.seq, stream.version, coalesce(stream.last_message_id, 0)
          FROM wanted
               LEFT JOIN stream ON stream.id = wanted.stream_id
               LEFT JOIN accepted ON accepted.id = wanted.id
      ORDER BY wanted.id
        """,
        {
            "ids": list(ids),
            "stream_ids": [row.stream_id for row in rows],
            "versions": [row.version for row in rows],
            "channel_ids": [row.channel_id for row in rows],
            "author_ids": [row.author_id for row in rows],
            "types": [int(row.type) for row in rows],
            "contents": [row.content for row in rows],
            "flags": [row.flags for row in rows],
            "tts": [row.tts for row in rows],
            "reference_ids": [row.reference_id for row in rows],
        },
    )
    return await many(cur, Outcome)


_OWN = """
    {0}.id, {0}.channel_id, {0}.type, {0}.content, {0}.flags, {0}.tts, {0}.edited_at,
    {0}.reference_id
"""
_OWN_COUNT = 8
_AUTHOR = "{0}.id, {0}.username, {0}.global_name, {0}.avatar, {0}.bot"
_SELECT = f"""
    SELECT channels.guild_id, {_OWN.format("m")}, {_AUTHOR.format("author")},
           {_OWN.format("answered")}, {_AUTHOR.format("answered_author")}
"""
_JOINS = """
    JOIN channels ON channels.id = m.channel_id
    JOIN users AS author ON author.id = m.author_id
    LEFT JOIN messages AS answered
           ON answered.channel_id = m.channel_id AND answered.id = m.reference_id
    LEFT JOIN users AS answered_author ON answered_author.id = answered.author_id
"""


def _make(guild_id: GuildId | None, *row: Any) -> Message:
    width = _OWN_COUNT + users.COLUMN_COUNT
    answered = row[width:]
    reference = None if answered[0] is None else _message(guild_id, answered, None)
    return _message(guild_id, row[:width], reference)


def _message(guild_id: GuildId | None, row: Row, reference: Message | None) -> Message:
    message_id, channel_id, kind, content, flags, tts, edited_at, reference_id, *author = row
    return Message(
        message_id,
        channel_id,
        guild_id,
        users.split(tuple(author))[0],
        MessageType(kind),
        content,
        flags,
        tts,
        edited_at,
        reference_id,
        reference,
    )


async def get(cur: Cursor, channel_id: ChannelId, message_id: MessageId) -> Message | None:
    """One message of a channel."""
    await cur.execute(
        f"""
        {_SELECT} FROM messages AS m {_JOINS}
         WHERE m.channel_id = %(channel_id)s AND m.id = %(id)s
        """,
        {"channel_id": channel_id, "id": message_id},
    )
    return await one(cur, _make)


async def page_before(
    cur: Cursor, channel_id: ChannelId, before: int, *, limit: int
) -> list[Message]:
    """The newest messages below an id, newest first."""
    # The page is cut first, inside: joining first would read the whole channel while Postgres
    # has no statistics of it yet.
    await cur.execute(
        f"""
        {_SELECT}
          FROM (SELECT * FROM messages
                 WHERE channel_id = %(channel_id)s AND id < %(before)s
              ORDER BY id DESC
                 LIMIT %(limit)s) AS m {_JOINS}
      ORDER BY m.id DESC
        """,
        {"channel_id": channel_id, "before": before, "limit": limit},
    )
    return await many(cur, _make)


async def page_after(
    cur: Cursor, channel_id: ChannelId, after: int, *, limit: int
) -> list[Message]:
    """The oldest messages above an id, newest first."""
    await cur.execute(
        f"""
        {_SELECT}
          FROM (SELECT * FROM messages
                 WHERE channel_id = %(channel_id)s AND id > %(after)s
              ORDER BY id
                 LIMIT %(limit)s) AS m {_JOINS}
      ORDER BY m.id DESC
        """,
        {"channel_id": channel_id, "after": after, "limit": limit},
    )
    return await many(cur, _make)


async def update(
    cur: Cursor, channel_id: ChannelId, message_id: MessageId, *, content: str, flags: int
) -> None:
    """Change a message; it shows as edited from now on."""
    await cur.execute(
        """
        UPDATE messages SET content = %(content)s, flags = %(flags)s, edited_at = now()
         WHERE channel_id = %(channel_id)s AND id = %(id)s
        """,
        {"channel_id": channel_id, "id": message_id, "content": content, "flags": flags},
    )


async def delete(cur: Cursor, channel_id: ChannelId, message_id: MessageId) -> bool:
    """Delete a message. False when it is gone already."""
    await cur.execute(
        "DELETE FROM messages WHERE channel_id = %(channel_id)s AND id = %(id)s",
        {"channel_id": channel_id, "id": message_id},
    )
    return cur.rowcount == 1


async def delete_of_authors(
    cur: Cursor, guild_id: GuildId, author_ids: Sequence[UserId], *, since: int
) -> list[tuple[ChannelId, MessageId]]:
    """Delete what these authors wrote in a guild after an id; returns where and what.

    Reads each channel's messages from that id on: there is no index by author.
    """
    await cur.execute(
        """
        DELETE FROM messages
         USING channels
         WHERE channels.guild_id = %(guild_id)s AND messages.channel_id = channels.id
           AND messages.id >= %(since)s AND messages.author_id = ANY(%(author_ids)s)
        RETURNING messages.channel_id, messages.id
        """,
        {"guild_id": guild_id, "author_ids": list(author_ids), "since": since},
    )
    return sorted(await many(cur, lambda *row: (ChannelId(row[0]), MessageId(row[1]))))


async def sweep(cur: Cursor, *, limit: int) -> int:
    """Delete some messages of deleted channels. Returns how many; 0 when all is swept."""
    await cur.execute(
        """
        WITH purge AS (
            SELECT channel_id FROM purges ORDER BY channel_id LIMIT 1 FOR UPDATE SKIP LOCKED
        ), doomed AS (
            SELECT channel_id, id FROM messages
             WHERE channel_id = (SELECT channel_id FROM purge)
             LIMIT %(limit)s
        ), deleted AS (
            DELETE FROM messages USING doomed
             WHERE messages.channel_id = doomed.channel_id AND messages.id = doomed.id
            RETURNING 1
        ), done AS (
            DELETE FROM purges
             WHERE channel_id = (SELECT channel_id FROM purge)
               AND NOT EXISTS (SELECT FROM doomed)
            RETURNING 1
        )
        SELECT (SELECT count(*) FROM deleted) + (SELECT count(*) FROM done)
        """,
        {"limit": limit},
    )
    row = await cur.fetchone()
    return int(row[0]) if row else 0
