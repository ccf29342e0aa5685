"""Reactions to messages. An emoji is stored as its Unicode text."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from chatd.core.ids import ChannelId, GuildId, MessageId, UserId
from chatd.core.json import JsonObject
from chatd.core.models import Reaction, User
from chatd.db.cursor import Cursor, PreparedStatement, many, one
from chatd.queries import users

_UNLESS_PRESENT = """
        ON CONFLICT (channel_id, message_id, emoji, user_id) DO UPDATE
           SET created_at = excluded.created_at
         WHERE EXISTS (SELECT FROM pending_deletions
                        WHERE kind = 'reactions'
                          AND details ->> 'channel_id' = excluded.channel_id::text
                          AND details ->> 'message_id' = excluded.message_id::text
                          AND coalesce(details ->> 'emoji', excluded.emoji) = excluded.emoji
                          AND (details ->> 'until')::timestamptz >= reactions.created_at)
"""
"""The end of an INSERT of a reaction. One that was cleared, and whose row is pending deletion,
counts as nonexistent."""


async def insert(
    cur: Cursor, channel_id: ChannelId, message_id: MessageId, emoji: str, user_id: UserId
) -> bool:
    """Add a reaction. False when the user has reacted with this emoji already."""
    await cur.execute(
        f"""
        INSERT INTO reactions (channel_id, message_id, emoji, user_id, created_at)
        VALUES (%(channel_id)s, %(message_id)s, %(emoji)s, %(user_id)s, clock_timestamp())
        {_UNLESS_PRESENT}
        """,
        {
            "channel_id": channel_id,
            "message_id": message_id,
            "emoji": emoji,
            "user_id": user_id,
        },
    )
    return cur.rowcount == 1


_ADD_AT_VERSION = PreparedStatement(
    f"""
    WITH RECURSIVE stream AS (
        SELECT seq, version FROM streams
         WHERE id = %(guild_id)s
           FOR NO KEY UPDATE SKIP LOCKED
    ), message AS MATERIALIZED (
        SELECT messages.author_id, messages.origin, stream.seq
          FROM stream, messages
         WHERE stream.version = %(version)s
           AND stream.seq = (SELECT seq FROM streams WHERE id = %(guild_id)s)
           AND messages.channel_id = %(channel_id)s AND messages.id = %(message_id)s
    ), used (emoji) AS (  -- one index lookup per emoji, however many users have reacted
        SELECT min(emoji) FROM reactions
         WHERE channel_id = %(channel_id)s AND message_id = %(message_id)s
        UNION ALL
        SELECT (SELECT min(reactions.emoji) FROM reactions
                 WHERE channel_id = %(channel_id)s AND message_id = %(message_id)s
                   AND reactions.emoji > used.emoji)
          FROM used WHERE used.emoji IS NOT NULL
    ), eligible AS MATERIALIZED (
        SELECT author_id, origin, seq FROM message
         WHERE EXISTS (SELECT FROM used WHERE emoji = %(emoji)s)
            OR %(may_add)s AND (SELECT count(emoji) FROM used) < %(max_emojis)s
    ), added AS (
        INSERT INTO reactions (channel_id, message_id, emoji, user_id, created_at)
        SELECT %(channel_id)s, %(message_id)s, %(emoji)s, %(user_id)s, clock_timestamp()
          FROM eligible
        {_UNLESS_PRESENT}
        RETURNING true
    ), moved AS (
        UPDATE streams SET seq = eligible.seq + 1
          FROM eligible, added
         WHERE streams.id = %(guild_id)s
        RETURNING streams.seq
    )
    SELECT stream.version, eligible.seq IS NOT NULL, eligible.author_id, eligible.origin,
           (SELECT seq FROM moved)
      FROM (VALUES (true)) AS always LEFT JOIN stream ON true LEFT JOIN eligible ON true
    """,
    guild_id="bigint",
    version="bigint",
    channel_id="bigint",
    message_id="bigint",
    emoji="text",
    user_id="bigint",
    may_add="boolean",
    max_emojis="bigint",
)
"""What it reads is current: the stream had no event between its snapshot and its lock."""


@dataclass(frozen=True, slots=True)
class Addition:
    """The result of `add_at_version`."""

    version: int | None
    """The present permission version of the guild. None if its stream is locked."""
    is_done: bool
    """Whether the user has now reacted. If not, nothing was changed, for whatever reason."""
    author_id: UserId | None
    origin: JsonObject | None
    """The columns of the message that define its author."""
    seq: int | None
    """The sequence number of the event in the guild. None if the user had reacted before."""


async def add_at_version(
    cur: Cursor,
    guild_id: GuildId,
    version: int,
    key: tuple[ChannelId, MessageId, str, UserId],
    *,
    may_add: bool,
    max_emojis: int,
) -> Addition:
    """Add a reaction in one statement, which is a transaction of its own, and advance the guild.

    The access of the user was checked at the permission version `version`. `may_add`: the user may
    add a new emoji to the message, unless it has `max_emojis`. The statement does not wait for the
    lock of the guild. It adds nothing if the guild has just changed.
    """
    channel_id, message_id, emoji, user_id = key
    parameters = {
        "guild_id": guild_id,
        "version": version,
        "channel_id": channel_id,
        "message_id": message_id,
        "emoji": emoji,
        "user_id": user_id,
        "may_add": may_add,
        "max_emojis": max_emojis,
    }
    await cur.run(_ADD_AT_VERSION, parameters)
    added = await one(cur, Addition)
    assert added is not None  # it always has a row
    return added


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
