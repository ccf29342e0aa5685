"""Messages, keyed by channel first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from chatd.core.ids import ChannelId, GuildId, MessageId, StreamId, UserId
from chatd.core.models import Message, MessageType, Reaction
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
    """The version that its stream has now; None when there is no such stream, or it was passed
    over."""
    last_message_id: MessageId
    """The newest message of its stream before this insert."""


async def insert_many(
    cur: Cursor, ids: Sequence[MessageId], rows: Sequence[NewRow], *, patient: bool
) -> list[Outcome]:
    """Insert messages with these ids in one statement, which is one transaction of its own.

    A row goes in if its stream still has the version that it was authorised at, and if its id is
    above every id of that stream; the others stay out and disturb nobody. The streams are locked
    in the order of their ids until the commit, so events get the order of commits. One that is
    locked already is waited for if `patient`, and otherwise passed over as if it did not exist.
    """
    await cur.execute(
        f"""
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
               FOR NO KEY UPDATE {"" if patient else "SKIP LOCKED"}
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
    {0}.reference_id, {0}.pinned_at IS NOT NULL
"""
_OWN_COUNT = 9
_REACTIONS = """
    (SELECT jsonb_agg(jsonb_build_array(emoji, count, me) ORDER BY first, emoji)
       FROM (SELECT emoji, count(*) AS count, bool_or(user_id = %(viewer)s) AS me,
                    min(created_at) AS first
               FROM reactions
              WHERE reactions.channel_id = m.channel_id AND reactions.message_id = m.id
           GROUP BY emoji) AS reacted)
"""
_AUTHOR = "{0}.id, {0}.username, {0}.global_name, {0}.avatar, {0}.bot"
_SELECT = f"""
    SELECT channels.guild_id, {_REACTIONS}, {_OWN.format("m")}, {_AUTHOR.format("author")},
           {_OWN.format("answered")}, {_AUTHOR.format("answered_author")}
"""
_JOINS = """
    JOIN channels ON channels.id = m.channel_id
    JOIN users AS author ON author.id = m.author_id
    LEFT JOIN messages AS answered
           ON answered.channel_id = m.channel_id AND answered.id = m.reference_id
    LEFT JOIN users AS answered_author ON answered_author.id = answered.author_id
"""


def _make(guild_id: GuildId | None, reactions: Any, *row: Any) -> Message:
    width = _OWN_COUNT + users.COLUMN_COUNT
    answered = row[width:]
    reference = None if answered[0] is None else _message(guild_id, answered, None, ())
    made = tuple(Reaction(*each) for each in reactions or ())
    return _message(guild_id, row[:width], reference, made)


def _message(
    guild_id: GuildId | None,
    row: Row,
    reference: Message | None,
    reactions: tuple[Reaction, ...],
) -> Message:
    own, author = row[:_OWN_COUNT], row[_OWN_COUNT:]
    message_id, channel_id, kind, content, flags, tts, edited_at, reference_id, pinned = own
    return Message(
        message_id,
        channel_id,
        guild_id,
        users.split(author)[0],
        MessageType(kind),
        content,
        flags,
        tts,
        edited_at,
        reference_id,
        reference,
        pinned,
        reactions,
    )


async def get(
    cur: Cursor, viewer: UserId, channel_id: ChannelId, message_id: MessageId
) -> Message | None:
    """One message of a channel."""
    await cur.execute(
        f"""
        {_SELECT} FROM messages AS m {_JOINS}
         WHERE m.channel_id = %(channel_id)s AND m.id = %(id)s
        """,
        {"viewer": viewer, "channel_id": channel_id, "id": message_id},
    )
    return await one(cur, _make)


async def page_before(
    cur: Cursor, viewer: UserId, channel_id: ChannelId, before: int, *, limit: int
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
        {"viewer": viewer, "channel_id": channel_id, "before": before, "limit": limit},
    )
    return await many(cur, _make)


async def page_after(
    cur: Cursor, viewer: UserId, channel_id: ChannelId, after: int, *, limit: int
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
        {"viewer": viewer, "channel_id": channel_id, "after": after, "limit": limit},
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


async def delete_many(
    cur: Cursor, channel_id: ChannelId, message_ids: Sequence[MessageId]
) -> list[MessageId]:
    """Delete messages of a channel; returns those that were there, in the order of ids."""
    await cur.execute(
        """
        DELETE FROM messages WHERE channel_id = %(channel_id)s AND id = ANY(%(ids)s)
        RETURNING id
        """,
        {"channel_id": channel_id, "ids": list(message_ids)},
    )
    return sorted(await many(cur, MessageId))


async def insert_in_work(cur: Cursor, message_id: MessageId, row: NewRow) -> None:
    """Insert one message in a transaction that has locked its stream."""
    await cur.execute(
        """
        WITH moved AS (
            UPDATE streams SET last_message_id = %(id)s WHERE id = %(stream_id)s
        )
        INSERT INTO messages (channel_id, id, author_id, type, content, flags, tts, reference_id)
        VALUES (%(channel_id)s, %(id)s, %(author_id)s, %(type)s, %(content)s, %(flags)s,
                %(tts)s, %(reference_id)s)
        """,
        {
            "id": message_id,
            "stream_id": row.stream_id,
            "channel_id": row.channel_id,
            "author_id": row.author_id,
            "type": int(row.type),
            "content": row.content,
            "flags": row.flags,
            "tts": row.tts,
            "reference_id": row.reference_id,
        },
    )


async def last_of_stream(cur: Cursor, stream_id: StreamId) -> MessageId:
    """The newest message id of a stream: the next one has to be above it."""
    await cur.execute("SELECT last_message_id FROM streams WHERE id = %(id)s", {"id": stream_id})
    row = await cur.fetchone()
    return MessageId(row[0] if row else 0)


@dataclass(frozen=True, slots=True)
class Pin:
    """A pinned message, and since when it is."""

    pinned_at: datetime
    message: Message


async def pin(cur: Cursor, channel_id: ChannelId, message_id: MessageId) -> None:
    """Pin a message."""
    await cur.execute(
        """
        UPDATE messages SET pinned_at = clock_timestamp()
         WHERE channel_id = %(channel_id)s AND id = %(id)s
        """,
        {"channel_id": channel_id, "id": message_id},
    )


async def unpin(cur: Cursor, channel_id: ChannelId, message_id: MessageId) -> None:
    """Unpin a message."""
    await cur.execute(
        """
        UPDATE messages SET pinned_at = NULL
         WHERE channel_id = %(channel_id)s AND id = %(id)s
        """,
        {"channel_id": channel_id, "id": message_id},
    )


async def count_pinned(cur: Cursor, channel_id: ChannelId) -> int:
    """How many messages of a channel are pinned."""
    await cur.execute(
        """
        SELECT count(*) FROM messages
         WHERE channel_id = %(channel_id)s AND pinned_at IS NOT NULL
        """,
        {"channel_id": channel_id},
    )
    row = await cur.fetchone()
    return int(row[0]) if row else 0


async def last_pin(cur: Cursor, channel_id: ChannelId) -> datetime | None:
    """When the newest pin of a channel was made."""
    await cur.execute(
        """
        SELECT max(pinned_at) FROM messages
         WHERE channel_id = %(channel_id)s AND pinned_at IS NOT NULL
        """,
        {"channel_id": channel_id},
    )
    row = await cur.fetchone()
    return row[0] if row else None


async def pins(
    cur: Cursor, viewer: UserId, channel_id: ChannelId, *, before: datetime | None, limit: int
) -> list[Pin]:
    """Pinned messages, newest pin first."""
    await cur.execute(
        f"""
        SELECT m.pinned_at, {_SELECT.strip().removeprefix("SELECT")}
          FROM (SELECT * FROM messages
                 WHERE channel_id = %(channel_id)s AND pinned_at IS NOT NULL
                   AND (%(before)s::timestamptz IS NULL OR pinned_at < %(before)s)
              ORDER BY pinned_at DESC
                 LIMIT %(limit)s) AS m {_JOINS}
      ORDER BY m.pinned_at DESC
        """,
        {"viewer": viewer, "channel_id": channel_id, "before": before, "limit": limit},
    )
    return await many(cur, lambda pinned_at, *row: Pin(pinned_at, _make(*row)))


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
