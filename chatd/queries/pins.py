"""Pinned messages of channels."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from chatd.core.ids import ChannelId, MessageId
from chatd.core.models import Message
from chatd.db.cursor import Cursor
from chatd.queries import history
from chatd.queries.history import Viewer


@dataclass(frozen=True, slots=True)
class Pin:
    """A pinned message, and when it was pinned."""

    pinned_at: datetime
    message: Message


async def insert(cur: Cursor, channel_id: ChannelId, message_id: MessageId) -> None:
    """Pin a message."""
    await cur.execute(
        """
        UPDATE messages SET pinned_at = clock_timestamp()
         WHERE channel_id = %(channel_id)s AND id = %(id)s
        """,
        {"channel_id": channel_id, "id": message_id},
    )


async def delete(cur: Cursor, channel_id: ChannelId, message_id: MessageId) -> None:
    """Unpin a message."""
    await cur.execute(
        """
        UPDATE messages SET pinned_at = NULL
         WHERE channel_id = %(channel_id)s AND id = %(id)s
        """,
        {"channel_id": channel_id, "id": message_id},
    )


async def count(cur: Cursor, channel_id: ChannelId) -> int:
    """Return the number of pinned messages of a channel."""
    await cur.execute(
        """
        SELECT count(*) FROM messages
         WHERE channel_id = %(channel_id)s AND pinned_at IS NOT NULL
        """,
        {"channel_id": channel_id},
    )
    row = await cur.fetchone()
    return int(row[0]) if row else 0


async def newest(cur: Cursor, channel_id: ChannelId) -> datetime | None:
    """Return the time of a channel's newest pin; None without one."""
    await cur.execute(
        """
        SELECT max(pinned_at) FROM messages
         WHERE channel_id = %(channel_id)s AND pinned_at IS NOT NULL
        """,
        {"channel_id": channel_id},
    )
    row = await cur.fetchone()
    return row[0] if row else None


async def page(
    cur: Cursor, viewer: Viewer, channel_id: ChannelId, *, before: datetime | None, limit: int
) -> list[Pin]:
    """Return pinned messages, newest pin first."""
    await cur.execute(
        f"""
        SELECT m.pinned_at, {history.COLUMNS}
          FROM (SELECT * FROM messages
                 WHERE channel_id = %(channel_id)s AND pinned_at IS NOT NULL
                   AND (%(before)s::timestamptz IS NULL OR pinned_at < %(before)s)
              ORDER BY pinned_at DESC
                 LIMIT %(limit)s) AS m {history.JOINS}
      ORDER BY m.pinned_at DESC
        """,
        {"channel_id": channel_id, "before": before, "limit": limit},
    )
    rows = await cur.fetchall()
    found = await history.of_rows(cur, viewer, [row[1:] for row in rows])
    return [Pin(row[0], message) for row, message in zip(rows, found, strict=True)]
