"""Nonces and slow mode, which can keep a message out. `message_inserts` writes their rows."""

from __future__ import annotations

from chatd.core.ids import ChannelId, MessageId, UserId
from chatd.db.cursor import Cursor


async def id_by_nonce(
    cur: Cursor, channel_id: ChannelId, author_id: UserId, nonce: str
) -> MessageId | None:
    """Return the id of the author's recent message with this nonce; None without one."""
    await cur.execute(
        """
        SELECT message_id FROM nonces
         WHERE channel_id = %(channel_id)s AND author_id = %(author_id)s AND nonce = %(nonce)s
        """,
        {"channel_id": channel_id, "author_id": author_id, "nonce": nonce},
    )
    row = await cur.fetchone()
    return MessageId(row[0]) if row else None


async def last_slowmode_message(
    cur: Cursor, channel_id: ChannelId, author_id: UserId
) -> MessageId | None:
    """Return the id of the author's newest message in a channel while it had slow mode."""
    await cur.execute(
        """
        SELECT message_id FROM slow_modes
         WHERE channel_id = %(channel_id)s AND user_id = %(user_id)s
        """,
        {"channel_id": channel_id, "user_id": author_id},
    )
    row = await cur.fetchone()
    return MessageId(row[0]) if row else None


async def delete_nonces(cur: Cursor, *, before: int, limit: int) -> int:
    """Delete some nonces of messages below an id. Return their number."""
    await cur.execute(
        """
        DELETE FROM nonces
         WHERE ctid = ANY (ARRAY (SELECT ctid FROM nonces WHERE message_id < %(before)s
                                   LIMIT %(limit)s))
        """,
        {"before": before, "limit": limit},
    )
    return cur.rowcount


async def delete_slow_modes(cur: Cursor, *, before: int, limit: int) -> int:
    """Delete some slow mode records of messages below an id. Return their number."""
    await cur.execute(
        """
        DELETE FROM slow_modes
         WHERE ctid = ANY (ARRAY (SELECT ctid FROM slow_modes WHERE message_id < %(before)s
                                   LIMIT %(limit)s))
           AND message_id < %(before)s
        """,
        {"before": before, "limit": limit},
    )
    return cur.rowcount
