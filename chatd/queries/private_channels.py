"""Private channels: of two people, or of a group."""

from __future__ import annotations

from typing import Any

from chatd.core.ids import ChannelId, UserId
from chatd.core.models import ChannelType, PrivateChannel, User
from chatd.db import Cursor, Prepared, many, one

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
    """One private channel."""
    await cur.execute(
        f"SELECT {_COLUMNS} FROM channels WHERE id = %(id)s AND {_PRIVATE}", {"id": channel_id}
    )
    return await one(cur, _make)


_OPEN_OF_USER = Prepared(
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


async def open_of_user(cur: Cursor, user_id: UserId) -> list[PrivateChannel]:
    """The private channels that a user has not closed, the liveliest first."""
    await cur.run(_OPEN_OF_USER, {"user_id": user_id})
    return await many(cur, _make)


async def count_open(cur: Cursor, user_id: UserId) -> int:
    """How many private channels a user has not closed."""
    await cur.execute(
        "SELECT count(*) FROM dm_recipients WHERE user_id = %(user_id)s AND NOT closed",
        {"user_id": user_id},
    )
    row = await cur.fetchone()
    return int(row[0]) if row else 0


async def between(cur: Cursor, one_id: UserId, other_id: UserId) -> ChannelId | None:
    """The channel of two people, if they have one."""
    await cur.execute(
        "SELECT channel_id FROM dm_pairs WHERE low = %(low)s AND high = %(high)s",
        {"low": min(one_id, other_id), "high": max(one_id, other_id)},
    )
    return await one(cur, ChannelId)


async def insert(cur: Cursor, channel: PrivateChannel, *, closed_for: UserId | None = None) -> None:
    """Add a private channel with all who are in it; one may not see it in its list yet."""
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
    """Write what can change of a group: its name and who leads it."""
    await cur.execute(
        "UPDATE channels SET name = %(name)s, owner_id = %(owner_id)s WHERE id = %(id)s",
        {"id": channel.id, "name": channel.name, "owner_id": channel.owner_id},
    )


async def add_recipient(cur: Cursor, channel_id: ChannelId, user_id: UserId) -> None:
    """Put somebody into a group."""
    await cur.execute(
        "INSERT INTO dm_recipients (channel_id, user_id) VALUES (%(channel_id)s, %(user_id)s)",
        {"channel_id": channel_id, "user_id": user_id},
    )


async def remove_recipient(cur: Cursor, channel_id: ChannelId, user_id: UserId) -> None:
    """Take somebody out of a group, and forget how far it has read."""
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
    """Hide a channel from its user's list. False when it is hidden already."""
    await cur.execute(
        """
        UPDATE dm_recipients SET closed = true
         WHERE channel_id = %(channel_id)s AND user_id = %(user_id)s AND NOT closed
        """,
        {"channel_id": channel_id, "user_id": user_id},
    )
    return cur.rowcount == 1


async def reopen(cur: Cursor, channel_id: ChannelId, user_id: UserId | None = None) -> list[UserId]:
    """Show a channel again to this user, or to all in it; returns those who had closed it."""
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
    """Delete a channel that nobody is in any more; its messages are swept afterwards."""
    await cur.execute(
        """
        WITH swept AS (INSERT INTO purges (channel_id) VALUES (%(id)s) ON CONFLICT DO NOTHING)
        DELETE FROM channels WHERE id = %(id)s
        """,
        {"id": channel_id},
    )
