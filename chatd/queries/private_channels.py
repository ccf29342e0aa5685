"""Private channels: direct messages between two users, and groups."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from typing import Any

from chatd.core.ids import ChannelId, UserId
from chatd.core.models import ChannelType, PrivateChannel, User
from chatd.db.cursor import Cursor, PreparedStatement, Row, many, one
from chatd.queries.relationships import accepts_messages

_COLUMNS = """
    channels.id, channels.type, channels.name, channels.owner_id,
    (SELECT jsonb_agg(jsonb_build_array(users.id, username, global_name, avatar, bot)
                      ORDER BY users.id)
       FROM dm_recipients JOIN users ON users.id = dm_recipients.user_id
      WHERE dm_recipients.channel_id = channels.id),
    (SELECT max(messages.id) FROM messages WHERE messages.channel_id = channels.id)
"""
_PRIVATE = f"channels.type IN ({ChannelType.DM:d}, {ChannelType.GROUP_DM:d})"


def _make(*row: Any) -> PrivateChannel:
    channel_id, kind, name, owner_id, recipients, last_message_id = row
    return PrivateChannel(
        channel_id,
        ChannelType(kind),
        name,
        owner_id,
        tuple(User(*each) for each in recipients or ()),
        last_message_id,
    )


async def get(cur: Cursor, channel_id: ChannelId) -> PrivateChannel | None:
    """Return one private channel."""
    await cur.execute(
        f"SELECT {_COLUMNS} FROM channels WHERE id = %(id)s AND {_PRIVATE}", {"id": channel_id}
    )
    return await one(cur, _make)


_MAY_SEND = f"""
    channels.type <> {ChannelType.DM:d}
    OR NOT EXISTS (SELECT FROM dm_recipients AS other
                    WHERE other.channel_id = channels.id AND other.user_id <> %(user_id)s
                      AND NOT {accepts_messages("%(user_id)s", "other.user_id")})
"""
_FOR_SENDER = PreparedStatement(
    f"SELECT {_MAY_SEND}, {_COLUMNS} FROM channels WHERE id = %(id)s AND {_PRIVATE}",
    id="bigint",
    user_id="bigint",
)
_SENDER_STATUS = PreparedStatement(
    f"""
    SELECT EXISTS (SELECT FROM users WHERE id = %(user_id)s AND deleted_at IS NULL), {_MAY_SEND}
      FROM channels WHERE id = %(id)s
    """,
    id="bigint",
    user_id="bigint",
)


async def get_for_sender(
    cur: Cursor, channel_id: ChannelId, user_id: UserId
) -> tuple[PrivateChannel, bool] | None:
    """Return a private channel, and whether its other recipients accept messages of a user."""
    await cur.run(_FOR_SENDER, {"id": channel_id, "user_id": user_id})
    return await one(cur, lambda may_send, *row: (_make(*row), bool(may_send)))


async def sender_status(cur: Cursor, channel_id: ChannelId, user_id: UserId) -> tuple[bool, bool]:
    """Return whether a user exists, and whether the other recipients accept its messages."""
    await cur.run(_SENDER_STATUS, {"id": channel_id, "user_id": user_id})
    row = await cur.fetchone()
    return (bool(row[0]), bool(row[1])) if row else (False, False)


_OPEN_FOR_USER = PreparedStatement(
    f"""
    SELECT * FROM (
        SELECT {_COLUMNS}
          FROM dm_recipients AS own JOIN channels ON channels.id = own.channel_id
         WHERE own.user_id = %(user_id)s AND NOT own.closed AND {_PRIVATE}
    ) AS found (id, type, name, owner_id, recipients, last_message_id)
      ORDER BY coalesce(last_message_id, id) DESC
    """,
    user_id="bigint",
)


async def list_open_for_user(cur: Cursor, user_id: UserId) -> list[PrivateChannel]:
    """Return the private channels that a user has not closed, most recently active first."""
    await cur.run(_OPEN_FOR_USER, {"user_id": user_id})
    return await many(cur, _make)


async def count_groups(cur: Cursor, user_ids: Collection[UserId]) -> Counter[UserId]:
    """Return the number of groups of each user."""
    await cur.execute(
        f"""
        SELECT dm_recipients.user_id, count(*)
          FROM dm_recipients JOIN channels ON channels.id = dm_recipients.channel_id
         WHERE dm_recipients.user_id = ANY(%(user_ids)s::bigint[])
           AND channels.type = {ChannelType.GROUP_DM:d}
      GROUP BY dm_recipients.user_id
        """,
        {"user_ids": list(user_ids)},
    )
    rows: list[Row] = await cur.fetchall()
    return Counter({UserId(row[0]): int(row[1]) for row in rows})


async def find_dm(cur: Cursor, one_id: UserId, other_id: UserId) -> ChannelId | None:
    """Return the direct message channel of two users; None without one."""
    await cur.execute(
        "SELECT channel_id FROM dm_pairs WHERE low = %(low)s AND high = %(high)s",
        {"low": min(one_id, other_id), "high": max(one_id, other_id)},
    )
    return await one(cur, ChannelId)


async def insert(cur: Cursor, channel: PrivateChannel, *, closed_for: UserId | None = None) -> None:
    """Add a private channel with its recipients; for the user `closed_for`, a closed one."""
    ids = [user.id for user in channel.recipients]
    await cur.execute(
        """
        WITH channel AS (
            INSERT INTO channels (id, type, name, owner_id)
            VALUES (%(id)s, %(type)s, %(name)s, %(owner_id)s)
            RETURNING id
        )
        INSERT INTO dm_recipients (channel_id, user_id, closed)
        SELECT channel.id, user_id, user_id IS NOT DISTINCT FROM %(closed_for)s
          FROM channel, unnest(%(user_ids)s::bigint[]) AS user_id
        """,
        {
            "id": channel.id,
            "type": int(channel.type),
            "name": channel.name,
            "owner_id": channel.owner_id,
            "user_ids": ids,
            "closed_for": closed_for,
        },
    )
    if channel.type == ChannelType.DM:
        await cur.execute(
            "INSERT INTO dm_pairs (low, high, channel_id) VALUES (%(low)s, %(high)s, %(id)s)",
            {"low": min(ids), "high": max(ids), "id": channel.id},
        )


async def update(cur: Cursor, channel: PrivateChannel) -> None:
    """Write all columns of a group that can change: its name and its owner."""
    await cur.execute(
        "UPDATE channels SET name = %(name)s, owner_id = %(owner_id)s WHERE id = %(id)s",
        {"id": channel.id, "name": channel.name, "owner_id": channel.owner_id},
    )


async def add_recipient(cur: Cursor, channel_id: ChannelId, user_id: UserId) -> None:
    """Add a recipient to a group."""
    await cur.execute(
        "INSERT INTO dm_recipients (channel_id, user_id) VALUES (%(channel_id)s, %(user_id)s)",
        {"channel_id": channel_id, "user_id": user_id},
    )


async def remove_recipient(cur: Cursor, channel_id: ChannelId, user_id: UserId) -> None:
    """Remove a recipient from a group, and delete its read state."""
    await cur.execute(
        """
        WITH forgotten AS (
            DELETE FROM read_states
             WHERE channel_id = %(channel_id)s AND user_id = %(user_id)s
        )
        DELETE FROM dm_recipients
         WHERE channel_id = %(channel_id)s AND user_id = %(user_id)s
        """,
        {"channel_id": channel_id, "user_id": user_id},
    )


async def close(cur: Cursor, channel_id: ChannelId, user_id: UserId) -> bool:
    """Close a channel for a user. False when it is closed already."""
    await cur.execute(
        """
        UPDATE dm_recipients SET closed = true
         WHERE channel_id = %(channel_id)s AND user_id = %(user_id)s AND NOT closed
        """,
        {"channel_id": channel_id, "user_id": user_id},
    )
    return cur.rowcount == 1


async def reopen(cur: Cursor, channel_id: ChannelId, user_id: UserId | None = None) -> list[UserId]:
    """Reopen a channel for a user, or for all. Return the users that had closed it."""
    await cur.execute(
        """
        UPDATE dm_recipients SET closed = false
         WHERE channel_id = %(channel_id)s AND closed
           AND (%(user_id)s::bigint IS NULL OR user_id = %(user_id)s)
        RETURNING user_id
        """,
        {"channel_id": channel_id, "user_id": user_id},
    )
    return await many(cur, UserId)


async def delete(cur: Cursor, channel_id: ChannelId) -> None:
    """Delete a channel without recipients. The janitor deletes its messages later."""
    await cur.execute(
        """
        WITH swept AS (INSERT INTO purges (channel_id) VALUES (%(id)s) ON CONFLICT DO NOTHING)
        DELETE FROM channels WHERE id = %(id)s
        """,
        {"id": channel_id},
    )
