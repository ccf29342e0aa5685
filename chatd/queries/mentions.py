"""Recent mentions of a user, in all its channels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from chatd.core.ids import ChannelId, MessageId, RoleId, UserId
from chatd.core.relationships import RelationshipType
from chatd.db.cursor import Cursor, PreparedStatement, many
from chatd.queries.search import Hit

_RECENT = PreparedStatement(
    f"""
    SELECT found.id, wanted.channel_id, 0
      FROM unnest(%(channel_ids)s, %(after)s) AS wanted (channel_id, after)
           CROSS JOIN (SELECT ARRAY(SELECT other_id FROM relationships
                                     WHERE user_id = %(user_id)s
                                       AND type = {RelationshipType.BLOCKED:d})
                              || %(user_id)s AS ids) AS ignored
           CROSS JOIN LATERAL (
                SELECT id FROM messages
                 WHERE channel_id = wanted.channel_id
                   AND id > wanted.after AND id < %(before)s
                   AND (mentions IS NOT NULL OR mention_roles IS NOT NULL OR mention_everyone)
                   AND (mention_everyone AND %(everyone)s
                        OR mentions @> ARRAY[%(user_id)s]
                        OR mention_roles && %(roles)s)
                   AND author_id <> ALL(ignored.ids)
                   AND NOT EXISTS (SELECT FROM removed_mentions
                                    WHERE removed_mentions.user_id = %(user_id)s
                                      AND message_id = messages.id)
              ORDER BY id DESC
                 LIMIT %(limit)s) AS found
  ORDER BY found.id DESC
     LIMIT %(limit)s
    """,
    user_id="bigint",
    channel_ids="bigint[]",
    after="bigint[]",
    before="bigint",
    everyone="boolean",
    roles="bigint[]",
    limit="bigint",
)


async def recent(
    cur: Cursor,
    user_id: UserId,
    after: Mapping[ChannelId, int],
    *,
    before: int,
    roles: Sequence[RoleId],
    everyone: bool,
    limit: int,
) -> list[Hit]:
    """Return the newest messages that mention a user, newest first.

    `after` has the channels, and an id for each above which messages count. Own messages, those of
    blocked users, and removed ones do not.
    """
    await cur.run(
        _RECENT,
        {
            "user_id": user_id,
            "channel_ids": list(after),
            "after": list(after.values()),
            "before": before,
            "everyone": everyone,
            "roles": list(roles),
            "limit": limit,
        },
    )
    return await many(cur, lambda id_, channel_id, score: Hit(MessageId(id_), channel_id, score))


async def remove(cur: Cursor, user_id: UserId, message_id: MessageId) -> bool:
    """Remove a message from the recent mentions of a user. Return False if it was removed."""
    await cur.execute(
        """
        INSERT INTO removed_mentions (user_id, message_id)
        VALUES (%(user_id)s, %(message_id)s)
        ON CONFLICT DO NOTHING
        """,
        {"user_id": user_id, "message_id": message_id},
    )
    return cur.rowcount == 1


async def trim_removed(cur: Cursor, user_id: UserId, *, most: int) -> None:
    """Delete the oldest removed mentions of a user, so that at most `most` are left."""
    await cur.execute(
        """
        DELETE FROM removed_mentions
         WHERE user_id = %(user_id)s
           AND message_id <= (SELECT message_id FROM removed_mentions
                               WHERE user_id = %(user_id)s
                            ORDER BY message_id DESC
                              OFFSET %(most)s LIMIT 1)
        """,
        {"user_id": user_id, "most": most},
    )


async def delete_removed(cur: Cursor, *, before: int, limit: int) -> int:
    """Delete removed mentions of messages older than this id. Return their number."""
    await cur.execute(
        """
        DELETE FROM removed_mentions WHERE ctid = ANY (ARRAY (
            SELECT ctid FROM removed_mentions WHERE message_id < %(before)s LIMIT %(limit)s))
        """,
        {"before": before, "limit": limit},
    )
    return cur.rowcount


async def delete_of_user(cur: Cursor, user_id: UserId) -> None:
    """Delete the removed mentions of a user."""
    await cur.execute(
        "DELETE FROM removed_mentions WHERE user_id = %(user_id)s", {"user_id": user_id}
    )
