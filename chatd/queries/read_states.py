"""Read states: the last message that a user has read in each channel."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

import orjson

from chatd.core.ids import ChannelId, GuildId, MessageId, RoleId, UserId
from chatd.core.models import ReadState
from chatd.core.records import record
from chatd.core.relationships import RelationshipType
from chatd.db.cursor import Cursor, PreparedStatement, many

MAX_COUNT = 100
"""Unread messages and mentions of a channel are counted up to this number."""


async def move(
    cur: Cursor,
    user_id: UserId,
    channel_id: ChannelId,
    message_id: int,
    *,
    back: bool,
    now: int,
) -> MessageId | None:
    """Move a read state to a message; backwards only with `back`.

    Move to the newest message instead of to an id after `now`, the lowest of this millisecond.
    Messages with earlier ids may have been deleted. If the read state stayed below such an id,
    clients that received the message would show the channel as unread.

    Return the new message id if it has changed.
    """
    await cur.execute(
        """
        INSERT INTO read_states (user_id, channel_id, message_id)
        SELECT %(user_id)s, channels.id,
               CASE WHEN %(message_id)s <= %(now)s THEN %(message_id)s
                    ELSE least(%(message_id)s,
                               coalesce((SELECT max(messages.id) FROM messages
                                          WHERE messages.channel_id = channels.id), 0)) END
          FROM channels
         WHERE channels.id = %(channel_id)s
           FOR KEY SHARE  -- another transaction may delete it
            ON CONFLICT (user_id, channel_id)
            DO UPDATE SET message_id = excluded.message_id
             WHERE excluded.message_id > read_states.message_id
                OR (%(back)s AND excluded.message_id <> read_states.message_id)
        RETURNING message_id
        """,
        {
            "user_id": user_id,
            "channel_id": channel_id,
            "message_id": message_id,
            "back": back,
            "now": now,
        },
    )
    row = await cur.fetchone()
    return MessageId(row[0]) if row else None


async def move_all(
    cur: Cursor, user_id: UserId, positions: Mapping[ChannelId, MessageId], *, now: int
) -> list[tuple[ChannelId, MessageId]]:
    """Move read states forward, as `move` does. Return those that have changed."""
    await cur.execute(
        """
        INSERT INTO read_states (user_id, channel_id, message_id)
        SELECT %(user_id)s, channels.id,
               CASE WHEN wanted.message_id <= %(now)s THEN wanted.message_id
                    ELSE least(wanted.message_id,
                               coalesce((SELECT max(messages.id) FROM messages
                                          WHERE messages.channel_id = channels.id), 0)) END
          FROM unnest(%(channel_ids)s::bigint[], %(message_ids)s::bigint[])
                   AS wanted (channel_id, message_id)
               JOIN channels ON channels.id = wanted.channel_id
      ORDER BY channels.id
           FOR KEY SHARE OF channels
            ON CONFLICT (user_id, channel_id)
            DO UPDATE SET message_id = excluded.message_id
             WHERE excluded.message_id > read_states.message_id
        RETURNING channel_id, message_id
        """,
        {
            "user_id": user_id,
            "channel_ids": list(positions),
            "message_ids": list(positions.values()),
            "now": now,
        },
    )
    return await many(cur, lambda channel_id, message_id: (channel_id, message_id))


@record(frozen=True, slots=True)
class Move:
    """A read state to move forward, by a user whose access to the channel was checked before.

    `message_id` is before the present time. `version` is the permission version of the guild at
    which the access was checked. A private channel has neither guild nor version.
    """

    user_id: UserId
    channel_id: ChannelId
    message_id: MessageId
    guild_id: GuildId | None
    version: int | None


@record(frozen=True, slots=True)
class MoveResult:
    """The result of one row of `move_many`."""

    user_id: UserId
    is_authorized: bool
    """Whether the user still has the access that was checked. If not, nothing was moved."""
    is_skipped: bool
    """Whether nothing was moved for another reason; then the read state may be below."""
    seq: int | None
    """The sequence number of its event in the stream of the user; None if it was not moved."""


_MOVE_MANY = PreparedStatement(
    """
    WITH wanted AS MATERIALIZED (
        SELECT given.user_id, given.channel_id, given.message_id,
               coalesce((SELECT deleted_at IS NULL FROM users WHERE id = given.user_id)
                        AND CASE WHEN given.guild_id IS NULL
                                 THEN (SELECT true FROM dm_recipients AS own
                                        WHERE own.channel_id = given.channel_id
                                          AND own.user_id = given.user_id)
                                 ELSE (SELECT version = given.version FROM streams
                                        WHERE id = given.guild_id) END,
                        false) AS is_authorized,
               (SELECT ROW(seq, version) FROM streams WHERE id = given.user_id) AS state,
               NOT EXISTS (SELECT FROM read_states
                            WHERE read_states.user_id = given.user_id
                              AND read_states.channel_id = given.channel_id) AS is_new
          FROM json_to_recordset(%(moves)s) AS given (
                   user_id bigint, channel_id bigint, message_id bigint, guild_id bigint,
                   version bigint)
    ), stream AS (
        SELECT id, seq, version FROM streams
         WHERE id = ANY(ARRAY(SELECT user_id FROM wanted WHERE is_authorized))
      ORDER BY id
           FOR NO KEY UPDATE SKIP LOCKED
    ), existing AS (  -- another transaction may delete them
        SELECT id FROM channels
         WHERE id = ANY(ARRAY(SELECT channel_id FROM wanted WHERE is_authorized))
      ORDER BY id
           FOR KEY SHARE SKIP LOCKED
    ), account AS (  -- the foreign key of a new row locks it, and would wait
        SELECT id FROM users
         WHERE id = ANY(ARRAY(SELECT user_id FROM wanted WHERE is_authorized AND is_new))
      ORDER BY id
           FOR KEY SHARE SKIP LOCKED
    ), eligible AS MATERIALIZED (
        SELECT wanted.user_id, wanted.channel_id, wanted.message_id, stream.seq
          FROM wanted
               JOIN stream ON stream.id = wanted.user_id
                    AND ROW(stream.seq, stream.version) = wanted.state
               JOIN existing ON existing.id = wanted.channel_id
               LEFT JOIN account ON account.id = wanted.user_id
         WHERE wanted.is_authorized AND (NOT wanted.is_new OR account.id IS NOT NULL)
    ), moved AS (
        INSERT INTO read_states (user_id, channel_id, message_id)
        SELECT user_id, channel_id, message_id FROM eligible
            ON CONFLICT (user_id, channel_id)
            DO UPDATE SET message_id = excluded.message_id
             WHERE excluded.message_id > read_states.message_id
        RETURNING user_id
    ), advanced AS (
        UPDATE streams SET seq = eligible.seq + 1
          FROM eligible JOIN moved USING (user_id)
         WHERE streams.id = eligible.user_id
        RETURNING streams.id, streams.seq
    )
    SELECT wanted.user_id, is_authorized, eligible.user_id IS NULL, advanced.seq
      FROM wanted
           LEFT JOIN eligible ON eligible.user_id = wanted.user_id
           LEFT JOIN advanced ON advanced.id = wanted.user_id
    """,
    moves="json",
)
"""What it reads of a user is current: the stream of the user has had no event, and no other
permission version, between the snapshot of the statement and the lock."""


async def move_many(cur: Cursor, moves: Sequence[Move]) -> list[MoveResult]:
    """Move read states of different users in one statement, which is a transaction of its own.

    It advances the streams of these users. It does not wait for locks: a row is skipped if another
    transaction has locked its stream, channel or user, or if its stream has just changed.
    """
    rows = [
        {
            "user_id": each.user_id,
            "channel_id": each.channel_id,
            "message_id": each.message_id,
            "guild_id": each.guild_id,
            "version": each.version,
        }
        for each in moves
    ]
    await cur.run(_MOVE_MANY, {"moves": orjson.dumps(rows).decode()})
    return await many(cur, MoveResult)


_IGNORED = f"""
    CROSS JOIN (SELECT ARRAY(SELECT other_id FROM relationships
                              WHERE user_id = %(user_id)s
                                AND type = {RelationshipType.BLOCKED:d})
                       || %(user_id)s::bigint AS ids) AS ignored
"""
"""The authors whose messages are never unread: those that the user has blocked, and the user."""

_MARK = """
    LEFT JOIN read_states ON read_states.user_id = %(user_id)s
          AND read_states.channel_id = wanted.channel_id
    CROSS JOIN LATERAL (
         SELECT coalesce(read_states.message_id, 0) AS message_id,
                greatest(read_states.message_id, wanted.since) AS from_id) AS mark
"""
"""The position of the user in each of the `wanted` channels, above which messages are unread."""

_UNREAD = f"""
    (SELECT count(*) FROM (
         SELECT FROM messages
          WHERE channel_id = wanted.channel_id AND id > mark.from_id
            AND author_id <> ALL(ignored.ids)
       ORDER BY id DESC
          LIMIT {MAX_COUNT}) AS unread)
"""
_MENTIONS = f"""
    (SELECT count(*) FROM (
         SELECT FROM messages
          WHERE channel_id = wanted.channel_id AND id > mark.from_id
            AND author_id <> ALL(ignored.ids)
            AND (mentions IS NOT NULL OR mention_roles IS NOT NULL OR mention_everyone)
            AND (mention_everyone AND wanted.everyone
                 OR mentions @> ARRAY[%(user_id)s::bigint]
                 OR mention_roles && %(roles)s::bigint[] AND wanted.roles)
       ORDER BY id DESC
          LIMIT {MAX_COUNT}) AS mentioning)
"""
"""The second condition repeats that of the index of messages with mentions."""


async def list_for_user(
    cur: Cursor,
    user_id: UserId,
    channel_ids: Iterable[ChannelId],
    *,
    since: Mapping[ChannelId, int],
    roles: Sequence[RoleId],
    without_everyone: Collection[ChannelId] = (),
    without_roles: Collection[ChannelId] = (),
) -> list[ReadState]:
    """Return the read states of a user in these channels, with counts of unread messages.

    A message is unread if it is above both the read state and `since`, and by another author that
    the user has not blocked. Mentions of everyone and of roles do not count in the channels of
    `without_everyone` and `without_roles`.
    There is no row per recipient: mentions are counted in an index of messages with mentions.
    """
    ids = list(channel_ids)
    await cur.execute(
        f"""
        SELECT wanted.channel_id, mark.message_id, {_UNREAD}, {_MENTIONS}
          FROM unnest(%(channel_ids)s::bigint[], %(since)s::bigint[], %(everyone)s::boolean[],
                      %(count_roles)s::boolean[]) AS wanted (channel_id, since, everyone, roles)
               {_IGNORED} {_MARK}
      ORDER BY wanted.channel_id
        """,
        {
            "user_id": user_id,
            "channel_ids": ids,
            "since": [since[channel_id] for channel_id in ids],
            "everyone": [each not in without_everyone for each in ids],
            "count_roles": [each not in without_roles for each in ids],
            "roles": list(roles),
        },
    )
    return await many(cur, ReadState)


async def for_ready(
    cur: Cursor,
    user_id: UserId,
    since: Mapping[ChannelId, int],
    *,
    private: Collection[ChannelId],
    roles: Sequence[RoleId],
    without_everyone: Collection[ChannelId] = (),
    without_roles: Collection[ChannelId] = (),
) -> list[ReadState]:
    """Return the read states of a user in these channels, without counts of unread messages.

    A channel that the user never read has one if messages above `since` mention the user. In
    `private` channels each unread message counts as a mention, as Discord's clients expect.
    Messages of blocked users do not count; the other parameters are those of `list_for_user`.
    """
    ids = list(since)
    await cur.run(
        _FOR_READY,
        {
            "user_id": user_id,
            "channel_ids": ids,
            "since": [since[channel_id] for channel_id in ids],
            "private": [channel_id in private for channel_id in ids],
            "everyone": [each not in without_everyone for each in ids],
            "count_roles": [each not in without_roles for each in ids],
            "roles": list(roles),
        },
    )
    return await many(cur, ReadState)


_FOR_READY = PreparedStatement(
    f"""
    SELECT wanted.channel_id, mark.message_id, 0, counted.mentions
      FROM unnest(%(channel_ids)s, %(since)s, %(private)s, %(everyone)s, %(count_roles)s)
           AS wanted (channel_id, since, is_private, everyone, roles)
           {_IGNORED} {_MARK}
           CROSS JOIN LATERAL (
                SELECT CASE WHEN wanted.is_private THEN {_UNREAD} ELSE {_MENTIONS} END
                       AS mentions) AS counted
     WHERE read_states.user_id IS NOT NULL OR counted.mentions > 0
    """,
    user_id="bigint",
    channel_ids="bigint[]",
    since="bigint[]",
    private="boolean[]",
    everyone="boolean[]",
    count_roles="boolean[]",
    roles="bigint[]",
)
