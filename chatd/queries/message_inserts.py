"""Inserting messages. `messages` changes and deletes them, `history` reads them.

Rows are keyed by channel first. `message_guards` reads the nonces and the slow mode.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache

import orjson

from chatd.core.ids import ChannelId, MessageId, RoleId, StreamId, UserId
from chatd.core.models import Attachment, Component, Embed, MessageOrigin, MessageType
from chatd.core.records import record
from chatd.db.cursor import Cursor, PreparedStatement, many
from chatd.queries import attachments

_ID_PER_S = 1000 << 22  # the difference of two snowflakes that are a second apart


@record(frozen=True, slots=True)
class NewRow:
    """A message to insert, and the permission version at which it was authorized."""

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
    components: Sequence[Component] = ()
    origin: MessageOrigin | None = None
    nonce: str | None = None
    """A second message of the author with the same nonce is rejected."""
    slow_mode_s: int = 0
    """Seconds between two messages of the author in the channel; 0 without slow mode."""

    @property
    def is_text(self) -> bool:
        """Whether it has neither a reference, mentions nor embeds."""
        return not (
            self.reference_id
            or self.embeds
            or self.mentions
            or self.mention_roles
            or self.mention_everyone
        )

    @property
    def owns_files(self) -> bool:
        """Whether its files are stored for it; the copy of a message shows those of the other."""
        return self.origin is None or self.origin.source is None


@record(frozen=True, slots=True)
class InsertResult:
    """The result of one row of `insert_many`."""

    id: MessageId
    seq: int | None
    """The sequence number of its event in its stream; None when it was not inserted."""
    version: int | None
    """The present permission version of its stream; None when the stream does not exist, or was
    skipped because it is locked."""
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
                                     width, height, description, owner_id)
            SELECT accepted.channel_id, accepted.id, file.id, file.filename, file.content_type,
                   file.size, file.width, file.height, file.description, uploads.owner_id
              FROM accepted
                   JOIN jsonb_to_recordset(%(files)s::jsonb)
                        AS file (message_id bigint, id bigint, filename text, content_type text,
                                 size bigint, width integer, height integer, description text)
                     ON file.message_id = accepted.id
                   LEFT JOIN uploads ON uploads.id = file.id
            RETURNING id
        ), claimed AS (
            DELETE FROM uploads USING attached WHERE uploads.id = attached.id
        )
"""
_COLUMNS = """
    channel_id, id, author_id, type, content, flags, tts, reference_id, embeds, mentions,
    mention_roles, mention_everyone, attachment_count
"""
_DETAILS = ", components, origin"
"""Columns that most messages leave empty. They are in a statement only if one of its rows has them,
so that other messages cost nothing more."""


async def insert_many(
    cur: Cursor, ids: Sequence[MessageId], rows: Sequence[NewRow], *, wait: bool
) -> list[InsertResult]:
    """Insert messages with these ids in one statement, which is a transaction of its own.

    A row is inserted if all of these hold; other rows are rejected without an error:

    - Its stream still has the permission version at which the row was authorized.
    - Its id is above all message ids of the stream.
    - Its nonce is new, and slow mode allows it.

    The streams are locked in the order of their ids until the commit, so that the order of events
    is the order of commits. A stream that is locked already is skipped, as if it did not exist;
    with `wait` the statement waits for it.
    """
    guarded = attached = detailed = False
    for row in rows:  # one pass, since every message goes through it
        guarded = guarded or row.nonce is not None or row.slow_mode_s > 0
        attached = attached or bool(row.attachments)
        detailed = detailed or bool(row.components) or row.origin is not None
    if len(rows) == 1 and not (guarded or attached or detailed) and rows[0].is_text:
        await cur.run(_insert_text(wait), _text_parameters(ids[0], rows[0]))
        return await many(cur, InsertResult)
    statement = _insert(wait, guarded, attached, detailed)
    wanted = [_as_json(*each) for each in zip(ids, rows, strict=True)]
    if detailed:
        for values, row in zip(wanted, rows, strict=True):
            values |= {"components": row.components or None, "origin": row.origin}
    await cur.run(
        statement,
        {
            "rows": orjson.dumps(wanted).decode(),
            **({"files": _files(zip(ids, rows, strict=True))} if attached else {}),
        },
    )
    return await many(cur, InsertResult)


@cache
def _insert(wait: bool, guarded: bool, attached: bool, detailed: bool) -> PreparedStatement:
    """Return the statement of `insert_many`, without the parts that these rows do not need."""
    details = _DETAILS if detailed else ""
    sql = f"""
        WITH wanted AS (
            SELECT * FROM json_to_recordset(%(rows)s) AS wanted (
                id bigint, stream_id bigint, version bigint, channel_id bigint, author_id bigint,
                type smallint, content text, flags integer, tts boolean, reference_id bigint,
                embeds jsonb, mentions bigint[], mention_roles bigint[], mention_everyone boolean,
                attachment_count smallint, nonce text, gap bigint
                {", components jsonb, origin jsonb" if detailed else ""}
            )
        ), stream AS (
            SELECT id, seq, version, last_message_id FROM streams
             WHERE id = ANY(ARRAY(SELECT stream_id FROM wanted))
          ORDER BY id
               FOR NO KEY UPDATE {"" if wait else "SKIP LOCKED"}
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
            INSERT INTO messages ({_COLUMNS} {details})
            SELECT {_COLUMNS} {details}
              FROM accepted
        ) {_ATTACHED if attached else ""}
        SELECT wanted.id, accepted.own_seq, stream.version, coalesce(stream.last_message_id, 0)
          FROM wanted
               LEFT JOIN stream ON stream.id = wanted.stream_id
               LEFT JOIN accepted ON accepted.id = wanted.id
      ORDER BY wanted.id
        """
    return PreparedStatement(sql, rows="json", **({"files": "jsonb"} if attached else {}))


@cache
def _insert_text(wait: bool) -> PreparedStatement:
    """Return the statement of `insert_many` for a single text without anything else.

    Most messages of a server that is not busy are inserted alone. This takes Postgres little more
    than half of the time of the general statement.
    """
    sql = f"""
        WITH stream AS (
            SELECT seq, version, last_message_id FROM streams
             WHERE id = %(stream_id)s
               FOR NO KEY UPDATE {"" if wait else "SKIP LOCKED"}
        ), moved AS (
            UPDATE streams SET seq = stream.seq + 1, last_message_id = %(id)s
              FROM stream
             WHERE streams.id = %(stream_id)s
               AND stream.version = %(version)s AND stream.last_message_id < %(id)s
            RETURNING streams.seq
        ), inserted AS (
            INSERT INTO messages (channel_id, id, author_id, type, content, flags, tts,
                                  mention_everyone, attachment_count)
            SELECT %(channel_id)s, %(id)s, %(author_id)s, %(type)s, %(content)s, %(flags)s,
                   %(tts)s, false, 0
              FROM moved
        )
        SELECT %(id)s, (SELECT seq FROM moved), stream.version, coalesce(last_message_id, 0)
          FROM (VALUES (true)) AS always LEFT JOIN stream ON true
        """
    return PreparedStatement(
        sql,
        id="bigint",
        stream_id="bigint",
        version="bigint",
        channel_id="bigint",
        author_id="bigint",
        type="smallint",
        content="text",
        flags="integer",
        tts="boolean",
    )


def _text_parameters(message_id: MessageId, row: NewRow) -> dict[str, object]:
    return {
        "id": message_id,
        "stream_id": row.stream_id,
        "version": row.version,
        "channel_id": row.channel_id,
        "author_id": row.author_id,
        "type": int(row.type),
        "content": row.content,
        "flags": row.flags,
        "tts": row.tts,
    }


def _as_json(message_id: MessageId, row: NewRow) -> dict[str, object]:
    """Return a row for `insert_many`.

    One JSON text for all rows costs both sides a fraction of an array per column: each element of
    an array is quoted and parsed like a value of its own. A text leaves out what it has not, which
    Postgres reads as NULL, as a null.
    """
    values: dict[str, object] = {
        "id": message_id,
        "stream_id": row.stream_id,
        "version": row.version,
        "channel_id": row.channel_id,
        "author_id": row.author_id,
        "type": row.type,
        "content": row.content,
        "flags": row.flags,
        "tts": row.tts,
        "mention_everyone": row.mention_everyone,
        "attachment_count": len(row.attachments),
        "gap": row.slow_mode_s * _ID_PER_S,
    }
    if row.nonce is not None:
        values["nonce"] = row.nonce
    if row.reference_id or row.embeds or row.mentions or row.mention_roles:
        values |= {
            "reference_id": row.reference_id,
            "embeds": row.embeds or None,
            "mentions": row.mentions or None,
            "mention_roles": row.mention_roles or None,
        }
    return values


async def insert_in_transaction(cur: Cursor, message_id: MessageId, row: NewRow) -> None:
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
            INSERT INTO messages ({_COLUMNS} {_DETAILS})
            VALUES (%(channel_id)s, %(id)s, %(author_id)s, %(type)s, %(content)s, %(flags)s,
                    %(tts)s, %(reference_id)s, %(embeds)s, %(mentions)s::bigint[],
                    %(mention_roles)s::bigint[], %(mention_everyone)s, %(attachment_count)s,
                    %(components)s, %(origin)s)
            RETURNING channel_id, id
        ) {_ATTACHED if row.attachments and row.owns_files else ""}
        SELECT FROM accepted
        """,
        {
            **message_parameters(message_id, row),
            "stream_id": row.stream_id,
            "nonce": row.nonce,
            "files": _files([(message_id, row)]),
        },
    )


def message_parameters(message_id: MessageId, row: NewRow) -> dict[str, object]:
    """Return the values of the columns of one message, by the names of the columns."""
    return {
        "id": message_id,
        "channel_id": row.channel_id,
        "author_id": row.author_id,
        "type": int(row.type),
        "content": row.content,
        "flags": row.flags,
        "tts": row.tts,
        "reference_id": row.reference_id,
        "embeds": json_array(row.embeds),
        "mentions": id_array(row.mentions),
        "mention_roles": id_array(row.mention_roles),
        "mention_everyone": row.mention_everyone,
        "attachment_count": len(row.attachments),
        "components": json_array(row.components),
        "origin": None if row.origin is None else orjson.dumps(row.origin).decode(),
    }


def json_array(values: Sequence[Embed | Component]) -> str | None:
    """Return embeds or components as JSON; None for none."""
    return orjson.dumps(list(values)).decode() if values else None


def id_array(ids: Sequence[int]) -> str | None:
    """Return the literal of a Postgres array of ids; None for an empty one."""
    return f"{{{','.join(map(str, ids))}}}" if ids else None


def _files(rows: Iterable[tuple[MessageId, NewRow]]) -> str:
    return orjson.dumps(
        [
            {"message_id": message_id, **attachments.columns(file)}
            for message_id, row in rows
            for file in row.attachments
        ]
    ).decode()
