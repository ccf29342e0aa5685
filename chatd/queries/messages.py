"""Writing messages, which are keyed by channel first. Reading them is in `history`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

import orjson

from chatd.core.ids import ChannelId, GuildId, MessageId, RoleId, StreamId, UserId
from chatd.core.models import Attachment, Embed, MessageType
from chatd.db import Cursor, Prepared, many

_MS = 1 << 22  # the distance of two ids that are a millisecond apart


class NewRow(NamedTuple):
    """A message to insert, and the version of its stream that it was authorised at. A tuple, as
    one is made for every message."""

    stream_id: StreamId
    version: int
    channel_id: ChannelId
    author_id: UserId
    type: MessageType
    content: str = ""
    flags: int = 0
    tts: bool = False
    reference_id: MessageId | None = None
    embeds: Sequence[Embed] = ()
    mentions: Sequence[UserId] = ()
    mention_roles: Sequence[RoleId] = ()
    mention_everyone: bool = False
    attachments: Sequence[Attachment] = ()
    nonce: str | None = None
    """Given, it keeps a second message of the author with the same nonce out."""
    slow_mode_s: int = 0
    """How long after its last message in the channel the author has to wait."""

    @property
    def is_guarded(self) -> bool:
        """Whether more than its version decides on whether it goes in."""
        return self.nonce is not None or self.slow_mode_s > 0


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


_GUARDS = """
        , in_time AS (
            INSERT INTO slow_modes (channel_id, user_id, message_id, gap)
            SELECT DISTINCT ON (channel_id, author_id) channel_id, author_id, id, gap
              FROM eligible
             WHERE gap > 0
          ORDER BY channel_id, author_id, id
            ON CONFLICT (channel_id, user_id)
            DO UPDATE SET message_id = EXCLUDED.message_id, gap = EXCLUDED.gap
             WHERE slow_modes.message_id + EXCLUDED.gap <= EXCLUDED.message_id
            RETURNING message_id
        ), first AS (
            INSERT INTO nonces (channel_id, author_id, nonce, message_id)
            SELECT channel_id, author_id, nonce, id
              FROM eligible
             WHERE nonce IS NOT NULL AND (gap = 0 OR id IN (SELECT message_id FROM in_time))
          ORDER BY id
            ON CONFLICT DO NOTHING
            RETURNING message_id
        )
"""
_GUARDED = """
             WHERE (gap = 0 OR id IN (SELECT message_id FROM in_time))
               AND (nonce IS NULL OR id IN (SELECT message_id FROM first))
"""
_ATTACHED = """
        , attached AS (
            INSERT INTO attachments (channel_id, message_id, id, filename, content_type, size,
                                     width, height, description)
            SELECT accepted.channel_id, accepted.id, file.id, file.filename, file.content_type,
                   file.size, file.width, file.height, file.description
              FROM accepted
                   JOIN jsonb_to_recordset(%(files)s::jsonb)
                        AS file (message_id bigint, id bigint, filename text, content_type text,
                                 size bigint, width integer, height integer, description text)
                     ON file.message_id = accepted.id
            RETURNING id
        ), claimed AS (
            DELETE FROM uploads USING attached WHERE uploads.id = attached.id
        )
"""
_COLUMNS = """
    channel_id, id, author_id, type, content, flags, tts, reference_id, embeds, mentions,
    mention_roles, mention_everyone, attachment_count
"""


async def insert_many(
    cur: Cursor, ids: Sequence[MessageId], rows: Sequence[NewRow], *, patient: bool
) -> list[Outcome]:
    """Insert messages with these ids in one statement, which is one transaction of its own.

    A row goes in if its stream still has the version that it was authorised at, if its id is
    above every id of that stream, and if its nonce is new and slow mode lets it; the others stay
    out and disturb nobody. The streams are locked in the order of their ids until the commit, so
    events get the order of commits. One that is locked already is waited for if `patient`, and
    otherwise passed over as if it did not exist.
    """
    attached = any(row.attachments for row in rows)
    statement = _insert(patient, any(row.is_guarded for row in rows), attached)
    wanted = [_as_json(*each) for each in zip(ids, rows, strict=True)]
    await cur.run(
        statement,
        {
            "rows": orjson.dumps(wanted).decode(),
            **({"files": _files(zip(ids, rows, strict=True))} if attached else {}),
        },
    )
    return await many(cur, Outcome)


@cache
def _insert(patient: bool, guarded: bool, attached: bool) -> Prepared:
    """The statement of `insert_many`, with what these rows need of it."""
    sql = f"""
        WITH wanted AS (
            SELECT * FROM json_to_recordset(%(rows)s) AS wanted (
                id bigint, stream_id bigint, version bigint, channel_id bigint, author_id bigint,
                type smallint, content text, flags integer, tts boolean, reference_id bigint,
                embeds jsonb, mentions bigint[], mention_roles bigint[], mention_everyone boolean,
                attachment_count smallint, nonce text, gap bigint
            )
        ), stream AS (
            SELECT id, seq, version, last_message_id FROM streams
             WHERE id = ANY(ARRAY(SELECT stream_id FROM wanted))
          ORDER BY id
               FOR NO KEY UPDATE {"" if patient else "SKIP LOCKED"}
        ), eligible AS (
            SELECT wanted.*, stream.seq
              FROM wanted JOIN stream ON stream.id = wanted.stream_id
             WHERE stream.version = wanted.version AND stream.last_message_id < wanted.id
        ) {_GUARDS if guarded else ""}, accepted AS (
            SELECT eligible.*,
                   seq + row_number() OVER (PARTITION BY stream_id ORDER BY id) AS own_seq
              FROM eligible {_GUARDED if guarded else ""}
        ), moved AS (
            UPDATE streams SET seq = newest.seq, last_message_id = newest.id
              FROM (SELECT stream_id, max(own_seq) AS seq, max(id) AS id
                      FROM accepted GROUP BY stream_id) AS newest
             WHERE streams.id = newest.stream_id
        ), inserted AS (
            INSERT INTO messages ({_COLUMNS})
            SELECT channel_id, id, author_id, type, content, flags, tts, reference_id, embeds,
                   mentions, mention_roles, mention_everyone, attachment_count
              FROM accepted
        ) {_ATTACHED if attached else ""}
        SELECT wanted.id, accepted.own_seq, stream.version, coalesce(stream.last_message_id, 0)
          FROM wanted
               LEFT JOIN stream ON stream.id = wanted.stream_id
               LEFT JOIN accepted ON accepted.id = wanted.id
      ORDER BY wanted.id
        """
    return Prepared(sql, rows="json", **({"files": "jsonb"} if attached else {}))


def _as_json(message_id: MessageId, row: NewRow) -> dict[str, object]:
    """A row for `insert_many`. One text for all rows costs both sides a fraction of what arrays
    cost, an element of which is quoted and parsed like a value of its own."""
    return {
        "id": message_id,
        "stream_id": row.stream_id,
        "version": row.version,
        "channel_id": row.channel_id,
        "author_id": row.author_id,
        "type": row.type,
        "content": row.content,
        "flags": row.flags,
        "tts": row.tts,
        "reference_id": row.reference_id,
        "embeds": row.embeds or None,
        "mentions": row.mentions or None,
        "mention_roles": row.mention_roles or None,
        "mention_everyone": row.mention_everyone,
        "attachment_count": len(row.attachments),
        "nonce": row.nonce,
        "gap": _gap(row.slow_mode_s),
    }


async def insert_in_work(cur: Cursor, message_id: MessageId, row: NewRow) -> None:
    """Insert one message in a transaction that has locked its stream."""
    await cur.execute(
        f"""
        WITH moved AS (
            UPDATE streams SET last_message_id = %(id)s WHERE id = %(stream_id)s
        ), noted AS (
            INSERT INTO nonces (channel_id, author_id, nonce, message_id)
            SELECT %(channel_id)s, %(author_id)s, %(nonce)s, %(id)s
             WHERE %(nonce)s IS NOT NULL
        ), accepted AS (
            INSERT INTO messages ({_COLUMNS})
            VALUES (%(channel_id)s, %(id)s, %(author_id)s, %(type)s, %(content)s, %(flags)s,
                    %(tts)s, %(reference_id)s, %(embeds)s, %(mentions)s::bigint[],
                    %(mention_roles)s::bigint[], %(mention_everyone)s, %(attachment_count)s)
            RETURNING channel_id, id
        ) {_ATTACHED if row.attachments else ""}
        SELECT FROM accepted
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
            "embeds": _json(row.embeds),
            "mentions": _array(row.mentions),
            "mention_roles": _array(row.mention_roles),
            "mention_everyone": row.mention_everyone,
            "attachment_count": len(row.attachments),
            "nonce": row.nonce,
            "files": _files([(message_id, row)]),
        },
    )


def _json(embeds: Sequence[Embed]) -> str | None:
    return orjson.dumps(list(embeds)).decode() if embeds else None


def _array(ids: Sequence[int]) -> str | None:
    """An array of ids as Postgres writes it; null for none."""
    return f"{{{','.join(map(str, ids))}}}" if ids else None


def _gap(seconds: int) -> int:
    """How far apart ids are that were made so many seconds apart."""
    return seconds * 1000 * _MS


def _files(rows: Iterable[tuple[MessageId, NewRow]]) -> str:
    return orjson.dumps(
        [
            {
                "message_id": message_id,
                "id": file.id,
                "filename": file.filename,
                "content_type": file.content_type,
                "size": file.size,
                "width": file.width,
                "height": file.height,
                "description": file.description,
            }
            for message_id, row in rows
            for file in row.attachments
        ]
    ).decode()


async def of_nonce(
    cur: Cursor, channel_id: ChannelId, author_id: UserId, nonce: str
) -> MessageId | None:
    """The message that the author has sent with this nonce in the last minutes."""
    await cur.execute(
        """
        SELECT message_id FROM nonces
         WHERE channel_id = %(channel_id)s AND author_id = %(author_id)s AND nonce = %(nonce)s
        """,
        {"channel_id": channel_id, "author_id": author_id, "nonce": nonce},
    )
    row = await cur.fetchone()
    return MessageId(row[0]) if row else None


async def last_slowed(cur: Cursor, channel_id: ChannelId, author_id: UserId) -> MessageId | None:
    """The author's newest message in a channel while that had slow mode."""
    await cur.execute(
        """
        SELECT message_id FROM slow_modes
         WHERE channel_id = %(channel_id)s AND user_id = %(user_id)s
        """,
        {"channel_id": channel_id, "user_id": author_id},
    )
    row = await cur.fetchone()
    return MessageId(row[0]) if row else None


async def delete_expired_guards(cur: Cursor, *, nonces_before: int, slow_modes_before: int) -> int:
    """Forget nonces and slow modes whose messages are older than these ids."""
    await cur.execute(
        """
        WITH slow AS (
            DELETE FROM slow_modes WHERE message_id < %(slow_modes_before)s RETURNING 1
        ), old AS (
            DELETE FROM nonces WHERE message_id < %(nonces_before)s RETURNING 1
        )
        SELECT (SELECT count(*) FROM slow) + (SELECT count(*) FROM old)
        """,
        {"nonces_before": nonces_before, "slow_modes_before": slow_modes_before},
    )
    row = await cur.fetchone()
    return int(row[0]) if row else 0


@dataclass(frozen=True, slots=True)
class NewText:
    """What an edit can change of a message."""

    content: str
    flags: int
    embeds: Sequence[Embed]
    mentions: Sequence[UserId]
    mention_roles: Sequence[RoleId]
    mention_everyone: bool
    attachment_count: int


async def update(cur: Cursor, channel_id: ChannelId, message_id: MessageId, row: NewText) -> None:
    """Change what a message says; it shows as edited from now on."""
    await cur.execute(
        """
        WITH marked AS (
            INSERT INTO search_edits (channel_id, message_id) VALUES (%(channel_id)s, %(id)s)
        )
        UPDATE messages
           SET content = %(content)s, flags = %(flags)s, embeds = %(embeds)s,
               mentions = %(mentions)s::bigint[], mention_roles = %(mention_roles)s::bigint[],
               mention_everyone = %(mention_everyone)s,
               attachment_count = %(attachment_count)s, edited_at = now()
         WHERE channel_id = %(channel_id)s AND id = %(id)s
        """,
        {
            "channel_id": channel_id,
            "id": message_id,
            "content": row.content,
            "flags": row.flags,
            "embeds": _json(row.embeds),
            "mentions": _array(row.mentions),
            "mention_roles": _array(row.mention_roles),
            "mention_everyone": row.mention_everyone,
            "attachment_count": row.attachment_count,
        },
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


async def last_of_stream(cur: Cursor, stream_id: StreamId) -> MessageId:
    """The newest message id of a stream: the next one has to be above it."""
    await cur.execute("SELECT last_message_id FROM streams WHERE id = %(id)s", {"id": stream_id})
    row = await cur.fetchone()
    return MessageId(row[0] if row else 0)


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
