"""The streams that order events: locking one, and moving it on."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from chatd.core.ids import ChannelId, StreamId
from chatd.db import Cursor, Prepared, many, one


@dataclass(frozen=True, slots=True)
class Position:
    """Where a stream stands: the number of its newest event."""

    id: StreamId
    seq: int


async def lock(cur: Cursor, ids: Iterable[StreamId]) -> list[Position]:
    """Lock these streams until the end of the transaction; those that do not exist are left out.

    Locked in the order of their ids, so that two transactions never wait for each other.
    """
    await cur.execute(
        """
        SELECT id, seq FROM streams
         WHERE id = ANY(%(ids)s)
      ORDER BY id
           FOR NO KEY UPDATE
        """,
        {"ids": sorted(set(ids))},
    )
    return await many(cur, Position)


async def lock_of_channel(cur: Cursor, channel_id: ChannelId) -> Position | None:
    """Lock the stream that a channel's events belong to: its guild's, or its own."""
    await cur.execute(
        """
        SELECT s.id, s.seq
          FROM channels c JOIN streams s ON s.id = coalesce(c.guild_id, c.id)
         WHERE c.id = %(channel_id)s
           FOR NO KEY UPDATE OF s
        """,
        {"channel_id": channel_id},
    )
    return await one(cur, Position)


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
