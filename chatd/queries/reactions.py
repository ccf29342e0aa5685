"""Reactions to messages. An emoji is stored as its Unicode text."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from chatd.core.ids import ChannelId, MessageId, UserId
from chatd.core.models import Reaction, User
from chatd.db.cursor import Cursor, PreparedStatement, many
from chatd.queries import users


async def insert(
    cur: Cursor, channel_id: ChannelId, message_id: MessageId, emoji: str, user_id: UserId
) -> bool:
    """Add a reaction. False when the user has reacted with this emoji already.

    A reaction that was cleared, and whose row is pending deletion, counts as nonexistent.
    """
    await cur.execute(
        """
        INSERT INTO reactions (channel_id, message_id, emoji, user_id, created_at)
        VALUES (%(channel_id)s, %(message_id)s, %(emoji)s, %(user_id)s, clock_timestamp())
        ON CONFLICT (channel_id, message_id, emoji, user_id) DO UPDATE
           SET created_at = excluded.created_at
         WHERE EXISTS (SELECT FROM pending_deletions
                        WHERE kind = 'reactions'
                          AND details ->> 'channel_id' = excluded.channel_id::text
                          AND details ->> 'message_id' = excluded.message_id::text
                          AND coalesce(details ->> 'emoji', excluded.emoji) = excluded.emoji
                          AND (details ->> 'until')::timestamptz >= reactions.created_at)
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
    """Delete a reaction. False when there is none."""
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


async def delete_batch(
    cur: Cursor,
    channel_id: ChannelId,
    message_id: MessageId,
    emoji: str | None = None,
    *,
    limit: int,
) -> int:
    """Delete some reactions to a message, or those with one emoji. Return their number."""
    await cur.execute(
        """
        DELETE FROM reactions
         WHERE ctid = ANY (ARRAY (
                   SELECT ctid FROM reactions
                    WHERE channel_id = %(channel_id)s AND message_id = %(message_id)s
                      AND (%(emoji)s::text IS NULL OR emoji = %(emoji)s)
                    LIMIT %(limit)s))
        """,
        {"channel_id": channel_id, "message_id": message_id, "emoji": emoji, "limit": limit},
    )
    return cur.rowcount


async def schedule_deletion(
    cur: Cursor, channel_id: ChannelId, message_id: MessageId, emoji: str | None = None
) -> None:
    """Schedule the deletion of a message's present reactions. The caller has locked the stream."""
    await cur.execute(
        """
        INSERT INTO pending_deletions (kind, details)
        VALUES ('reactions', jsonb_build_object(
                    'channel_id', %(channel_id)s, 'message_id', %(message_id)s,
                    'emoji', %(emoji)s::text, 'until', clock_timestamp()))
        """,
        {"channel_id": channel_id, "message_id": message_id, "emoji": emoji},
    )


# LATERAL searches for each message. A join would scan all reactions while the table is small.
_BY_MESSAGE = PreparedStatement(
    """
    SELECT of_message, emoji, count, me
      FROM unnest(%(channel_ids)s, %(ids)s) AS wanted (in_channel, of_message)
           CROSS JOIN LATERAL (
               SELECT emoji, count(*), bool_or(user_id = %(viewer)s) AS me, min(created_at) AS first
                 FROM reactions
                WHERE channel_id = in_channel AND message_id = of_message
             GROUP BY emoji
           ) AS found
  ORDER BY of_message, first, emoji
    """,
    viewer="bigint",
    channel_ids="bigint[]",
    ids="bigint[]",
)


async def by_message(
    cur: Cursor, viewer: UserId, keys: Sequence[tuple[ChannelId, MessageId]]
) -> Mapping[MessageId, Sequence[Reaction]]:
    """Return the reactions to these messages as one user sees them, the oldest emoji first."""
    channel_ids, ids = [channel_id for channel_id, _ in keys], [each for _, each in keys]
    await cur.run(_BY_MESSAGE, {"viewer": viewer, "channel_ids": channel_ids, "ids": ids})
    found = defaultdict(list)
    for message_id, *columns in await cur.fetchall():
        found[MessageId(message_id)].append(Reaction(*columns))
    return found


async def emojis(cur: Cursor, channel_id: ChannelId, message_id: MessageId) -> set[str]:
    """Return the emojis of the reactions to a message.

    Costs one index lookup per emoji, however many users have reacted.
    """
    await cur.execute(
        """
        WITH RECURSIVE found (emoji) AS (
            SELECT min(emoji) FROM reactions
             WHERE channel_id = %(channel_id)s AND message_id = %(message_id)s
            UNION ALL
            SELECT (SELECT min(reactions.emoji) FROM reactions
                     WHERE channel_id = %(channel_id)s AND message_id = %(message_id)s
                       AND reactions.emoji > found.emoji)
              FROM found WHERE found.emoji IS NOT NULL
        )
        SELECT emoji FROM found WHERE emoji IS NOT NULL
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
    """Return users above an id that reacted with an emoji, in the order of ids."""
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
