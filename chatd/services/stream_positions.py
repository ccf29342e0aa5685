"""Positions of streams: the sequence number of the newest event of each, as Postgres has it."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from chatd.core.ids import LoginId, StreamId
from chatd.db.pool import Database
from chatd.queries import logins, streams
from chatd.queries.logins import ValidLogins

Positions = Mapping[StreamId, int]
"""The sequence number of the newest event, by stream. Streams that do not exist are missing."""


async def read(database: Database, stream_ids: Collection[StreamId]) -> Positions:
    """Return the positions of these streams. Raises ServiceUnavailable, DatabaseUnavailable."""
    async with database.cursor() as cur:
        found = await streams.positions(cur, stream_ids)
    return {StreamId(stream): seq for stream, seq in found.items()}


async def read_with_logins(
    database: Database, login_ids: Collection[LoginId], stream_ids: Collection[StreamId]
) -> tuple[ValidLogins, Positions]:
    """Return those of these logins that are valid, and the positions of these streams.

    Both are read in one statement. Raises ServiceUnavailable, DatabaseUnavailable.
    """
    async with database.cursor() as cur:
        return await logins.valid_logins_and_positions(cur, login_ids, stream_ids)
