"""Reactions to messages. An emoji is the Unicode text itself."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from chatd.core.ids import ChannelId, MessageId, UserId
from chatd.core.models import Reaction, User
from chatd.db import Cursor, Prepared, many
from chatd.queries import users


async def insert(
    cur: Cursor, channel_id: ChannelId, message_id: MessageId, emoji: str, user_id: UserId
) -> bool:
    """React. False when the user has reacted so already."""
    await cur.execute(
        """
        INSERT INTO reactions (channel_id, message_id, emoji, user_id)
        VALUES (%(channel_id)s, %(message_id)s, %(emoji)s, %(user_id)s)
        ON CONFLICT DO NOTHING
        """,
        {
            "channel_id": channel_id,
            "message_id": message_id,
            "emoji": emoji,
            "user_id": user_id,
        },
    )
    return cur.rowcount == 1


async def delete(
    cur: Cursor, channel_id: ChannelId, message_id: MessageId, emoji: str, user_id: UserId
) -> bool:
    """Take a reaction back. False when there is none."""
    await cur.execute(
        """
        DELETE FROM reactions
         WHERE channel_id = %(channel_id)s AND message_id = %(message_id)s
           AND emoji = %(emoji)s AND user_id = %(user_id)s
        """,
        {
            "channel_id": channel_id,
            "message_id": message_id,
            "emoji": emoji,
            "user_id": user_id,
        },
    )
    return cur.rowcount == 1


async def delete_all(
    cur: Cursor, channel_id: ChannelId, message_id: MessageId, emoji: str | None = None
) -> int:
    """Take all reactions to a message away, or all with one emoji. Returns how many."""
    await cur.execute(
        """
        DELETE FROM reactions
         WHERE channel_id = %(channel_id)s AND message_id = %(message_id)s
           AND (%(emoji)s::text IS NULL OR emoji = %(emoji)s)
        """,
        {"channel_id": channel_id, "message_id": message_id, "emoji": emoji},
    )
    return cur.rowcount


_OF_MESSAGES = Prepared(
    """
    SELECT message_id, emoji, count(*), bool_or(user_id = %(viewer)s)
      FROM unnest(%(channel_ids)s, %(ids)s) AS wanted (in_channel, of_message)
           JOIN reactions ON channel_id = in_channel AND message_id = of_message
  GROUP BY message_id, emoji
  ORDER BY message_id, min(created_at), emoji
    """,
    viewer="bigint",
    channel_ids="bigint[]",
    ids="bigint[]",
)


async def of_messages(
    cur: Cursor, viewer: UserId, keys: Sequence[tuple[ChannelId, MessageId]]
) -> Mapping[MessageId, Sequence[Reaction]]:
    """The reactions to these messages, the oldest emoji of each first, as one user sees them."""
    channel_ids, ids = [channel_id for channel_id, _ in keys], [each for _, each in keys]
    await cur.run(_OF_MESSAGES, {"viewer": viewer, "channel_ids": channel_ids, "ids": ids})
    found = defaultdict(list)
    for message_id, *columns in await cur.fetchall():
        found[MessageId(message_id)].append(Reaction(*columns))
    return found


async def emojis(cur: Cursor, channel_id: ChannelId, message_id: MessageId) -> set[str]:
    """The emojis with which a message has been reacted to."""
    await cur.execute(
        """
        SELECT DISTINCT emoji FROM reactions
         WHERE channel_id = %(channel_id)s AND message_id = %(message_id)s
        """,
        {"channel_id": channel_id, "message_id": message_id},
    )
    return set(await many(cur, str))


async def page(
    cur: Cursor,
    channel_id: ChannelId,
    message_id: MessageId,
    emoji: str,
    *,
    after: int,
    limit: int,
) -> list[User]:
    """Who has reacted so, above a user id, in the order of ids."""
    await cur.execute(
        f"""
        SELECT {users.COLUMNS}
          FROM reactions JOIN users ON users.id = reactions.user_id
         WHERE reactions.channel_id = %(channel_id)s AND reactions.message_id = %(message_id)s
           AND reactions.emoji = %(emoji)s AND reactions.user_id > %(after)s
      ORDER BY reactions.user_id
         LIMIT %(limit)s
        """,
        {
            "channel_id": channel_id,
            "message_id": message_id,
            "emoji": emoji,
            "after": after,
            "limit": limit,
        },
    )
    return await many(cur, User)
