"""The streams that order events: locking one, and moving it on."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from chatd.core.ids import ChannelId, StreamId
from chatd.db import Cursor, Prepared


@dataclass(frozen=True, slots=True)
class Position:
    """Where a stream stands: the number of its newest event."""

    id: StreamId
    seq: int


_LOCK = Prepared(
    """
    SELECT id, seq FROM streams
     WHERE id = ANY(%(ids)s)
  ORDER BY id
       FOR NO KEY UPDATE
    """,
    ids="bigint[]",
)
_TRY_TO_LOCK = Prepared(
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
_LOCK_OF_CHANNEL = Prepared(
    """
    SELECT s.id, s.seq
      FROM channels c JOIN streams s ON s.id = coalesce(c.guild_id, c.id)
     WHERE c.id = %(channel_id)s
       FOR NO KEY UPDATE OF s
    """,
    channel_id="bigint",
)
_TRY_TO_LOCK_OF_CHANNEL = Prepared(
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


class Locked(Exception):
    """Somebody else has locked one of these streams."""

    def __init__(self, ids: Iterable[StreamId]) -> None:
        super().__init__()
        self.ids = tuple(ids)


async def lock(cur: Cursor, ids: Iterable[StreamId], *, patient: bool) -> list[Position]:
    """Lock these streams until the end of the transaction; those that do not exist are left out.

    Locked in the order of their ids, so that two transactions never wait for each other. Raises
    Locked, unless `patient`: then it waits.
    """
    await cur.run(_LOCK if patient else _TRY_TO_LOCK, {"ids": sorted(set(ids))})
    return await _locked(cur)


async def lock_of_channel(cur: Cursor, channel_id: ChannelId, *, patient: bool) -> Position | None:
    """Lock the stream that a channel's events belong to: its guild's, or its own.

    Raises Locked, unless `patient`.
    """
    await cur.run(
        _LOCK_OF_CHANNEL if patient else _TRY_TO_LOCK_OF_CHANNEL, {"channel_id": channel_id}
    )
    found = await _locked(cur)
    return found[0] if found else None


async def _locked(cur: Cursor) -> list[Position]:
    rows = await cur.fetchall()
    if busy := [stream for stream, seq in rows if seq is None]:
        raise Locked(busy)
    return [Position(stream, seq) for stream, seq in rows]


async def insert(cur: Cursor, ids: Iterable[StreamId]) -> None:
    """Open streams. Existing ones are left as they are."""
    await cur.execute(
        """
        INSERT INTO streams (id) SELECT unnest(%(ids)s::bigint[]) AS id ORDER BY id
        ON CONFLICT (id) DO NOTHING
        """,
        {"ids": list(ids)},
    )


_POSITIONS = Prepared(
    "SELECT id, seq FROM streams WHERE id = ANY(%(ids)s)",
    ids="bigint[]",
)


async def positions(cur: Cursor, ids: Iterable[int]) -> dict[int, int]:
    """The number of the newest event of each stream that exists."""
    await cur.run(_POSITIONS, {"ids": list(ids)})
    return {row[0]: row[1] for row in await cur.fetchall()}


ADVANCE = """
    UPDATE streams SET seq = moved.seq, version = version + moved.raised
      FROM unnest(%(ids)s::bigint[], %(seqs)s::bigint[], %(raised)s::bigint[])
           AS moved (id, seq, raised)
     WHERE streams.id = moved.id
"""
"""The last statement of a transaction: streams it has locked move on."""
