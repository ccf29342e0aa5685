"""How far users have read, and what they have not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from chatd.core.ids import ChannelId, MessageId, RoleId, UserId
from chatd.core.models import ReadState
from chatd.db import Cursor, many

MAX_COUNT = 100
"""Up to how many unread messages and mentions are counted in a channel."""


async def move(
    cur: Cursor, user_id: UserId, channel_id: ChannelId, message_id: int, *, back: bool
) -> MessageId | None:
    """Move the mark to a message, but not beyond the newest; back only if that is wanted.

    Returns where the mark is now if it has moved.
    """
    await cur.execute(
        """
        INSERT INTO read_states (user_id, channel_id, message_id)
        SELECT %(user_id)s, channels.id,
               least(%(message_id)s, coalesce((SELECT max(messages.id) FROM messages
                                                WHERE messages.channel_id = channels.id), 0))
          FROM channels
         WHERE channels.id = %(channel_id)s
           FOR KEY SHARE  -- it may be deleted meanwhile
            ON CONFLICT (user_id, channel_id)
            DO UPDATE SET message_id = excluded.message_id
             WHERE excluded.message_id > read_states.message_id
                OR (%(back)s AND excluded.message_id <> read_states.message_id)
        RETURNING message_id
        """,
        {"user_id": user_id, "channel_id": channel_id, "message_id": message_id, "back": back},
    )
    row = await cur.fetchone()
    return MessageId(row[0]) if row else None


async def of_user(
    cur: Cursor,
    user_id: UserId,
    channel_ids: Iterable[ChannelId],
    *,
    since: Mapping[ChannelId, int],
    roles: Sequence[RoleId],
) -> list[ReadState]:
    """What a user has read of these channels, and has not.

    Unread is what is above both its mark and `since`, and not its own.
    No row is kept for a recipient: mentions are counted in an index of the messages that mention
    somebody.
    """
    ids = list(channel_ids)
    await cur.execute(
        """
        SELECT wanted.channel_id, mark.message_id,
               (SELECT count(*) FROM (
                    SELECT FROM messages
                     WHERE channel_id = wanted.channel_id AND id > mark.from_id
                       AND author_id <> %(user_id)s
                  ORDER BY id DESC
                     LIMIT %(most)s) AS unread),
               (SELECT count(*) FROM (
                    SELECT FROM messages
                     WHERE channel_id = wanted.channel_id AND id > mark.from_id
                       AND author_id <> %(user_id)s
                       AND (mentions IS NOT NULL OR mention_roles IS NOT NULL
                            OR mention_everyone)
                       AND (mention_everyone OR mentions @> ARRAY[%(user_id)s::bigint]
                            OR mention_roles && %(roles)s::bigint[])
                  ORDER BY id DESC
                     LIMIT %(most)s) AS mentioning)
          FROM unnest(%(channel_ids)s::bigint[], %(since)s::bigint[])
               AS wanted (channel_id, since)
               LEFT JOIN read_states ON read_states.user_id = %(user_id)s
                     AND read_states.channel_id = wanted.channel_id
               CROSS JOIN LATERAL (
                    SELECT coalesce(read_states.message_id, 0) AS message_id,
                           greatest(read_states.message_id, wanted.since) AS from_id) AS mark
      ORDER BY wanted.channel_id
        """,
        {
            "user_id": user_id,
            "channel_ids": ids,
            "since": [since[channel_id] for channel_id in ids],
            "roles": list(roles),
            "most": MAX_COUNT,
        },
    )
    return await many(cur, ReadState)


async def delete_of_user(cur: Cursor, user_id: UserId) -> None:
    """Forget how far a user has read everywhere."""
    await cur.execute("DELETE FROM read_states WHERE user_id = %(user_id)s", {"user_id": user_id})
