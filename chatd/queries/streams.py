"""Streams, which order events: locking one, and advancing its sequence number."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from chatd.core.ids import ChannelId, StreamId
from chatd.db.cursor import Cursor, PreparedStatement, one


@dataclass(frozen=True, slots=True)
class Position:
    """A stream, and the sequence number of its newest event."""

    id: StreamId
    seq: int


_LOCK = PreparedStatement(
    """
    SELECT id, seq FROM streams
     WHERE id = ANY(%(ids)s)
  ORDER BY id
       FOR NO KEY UPDATE
    """,
    ids="bigint[]",
)
_TRY_TO_LOCK = PreparedStatement(
    """
    WITH locked AS (
        SELECT id, seq FROM streams
         WHERE id = ANY(%(ids)s)
      ORDER BY id
           FOR NO KEY UPDATE SKIP LOCKED
    )
    SELECT streams.id, locked.seq
      FROM streams LEFT JOIN locked USING (id)
     WHERE id = ANY(%(ids)s)
    """,
    ids="bigint[]",
)
_LOCK_FOR_CHANNEL = PreparedStatement(
    """
    SELECT s.id, s.seq
      FROM channels c JOIN streams s ON s.id = coalesce(c.guild_id, c.id)
     WHERE c.id = %(channel_id)s
       FOR NO KEY UPDATE OF s
    """,
    channel_id="bigint",
)
_TRY_TO_LOCK_FOR_CHANNEL = PreparedStatement(
    """
    WITH wanted AS (
        SELECT coalesce(guild_id, id) AS id FROM channels WHERE id = %(channel_id)s
    ), locked AS (
        SELECT s.id, s.seq
          FROM streams s JOIN wanted USING (id)
           FOR NO KEY UPDATE OF s SKIP LOCKED
    )
    SELECT id, locked.seq
      FROM wanted JOIN streams USING (id) LEFT JOIN locked USING (id)
    """,
    channel_id="bigint",
)


class StreamLocked(Exception):
    """Another transaction has locked these streams."""

    def __init__(self, ids: Iterable[StreamId]) -> None:
        super().__init__()
        self.ids = tuple(ids)


async def lock(cur: Cursor, ids: Iterable[StreamId], *, wait: bool) -> list[Position]:
    """Lock streams until the end of the transaction. Nonexistent ones are omitted.

    They are locked in the order of their ids, so that two transactions cannot deadlock. Raises
    StreamLocked when one is locked already; with `wait`, waits for it instead.
    """
    await cur.run(_LOCK if wait else _TRY_TO_LOCK, {"ids": sorted(set(ids))})
    return await _locked(cur)


async def lock_for_channel(cur: Cursor, channel_id: ChannelId, *, wait: bool) -> Position | None:
    """Lock the stream of a channel's events: that of its guild, or its own.

    Raises StreamLocked when it is locked already; with `wait`, waits for it instead.
    """
    await cur.run(
        _LOCK_FOR_CHANNEL if wait else _TRY_TO_LOCK_FOR_CHANNEL, {"channel_id": channel_id}
    )
    found = await _locked(cur)
    return found[0] if found else None


async def _locked(cur: Cursor) -> list[Position]:
    rows = await cur.fetchall()
    if busy := [stream for stream, seq in rows if seq is None]:
        raise StreamLocked(busy)
    return [Position(stream, seq) for stream, seq in rows]


async def insert(cur: Cursor, ids: Iterable[StreamId]) -> None:
    """Create streams. Existing ones do not change."""
    await cur.execute(
        """
        INSERT INTO streams (id) SELECT unnest(%(ids)s::bigint[]) AS id ORDER BY id
        ON CONFLICT (id) DO NOTHING
        """,
        {"ids": list(ids)},
    )


_POSITIONS = PreparedStatement(
    "SELECT id, seq FROM streams WHERE id = ANY(%(ids)s)",
    ids="bigint[]",
)


async def positions(cur: Cursor, ids: Iterable[int]) -> dict[int, int]:
    """Return the sequence number of the newest event of each existing stream."""
    await cur.run(_POSITIONS, {"ids": list(ids)})
    return {row[0]: row[1] for row in await cur.fetchall()}


_VERSION = PreparedStatement("SELECT version FROM streams WHERE id = %(id)s", id="bigint")


async def version(cur: Cursor, stream_id: StreamId) -> int | None:
    """Return the permission version of a stream. Returns None if it does not exist."""
    await cur.run(_VERSION, {"id": stream_id})
    return await one(cur, int)


ADVANCE = """
    UPDATE streams SET seq = moved.seq, version = version + moved.raised
      FROM unnest(%(ids)s::bigint[], %(seqs)s::bigint[], %(raised)s::bigint[])
           AS moved (id, seq, raised)
     WHERE streams.id = moved.id
"""
"""The last statement of a transaction: advances the streams that it has locked.

`raised` is added to the permission version.
"""
