"""Channels of guilds."""

from __future__ import annotations

from collections.abc import Iterable

from chatd.core.ids import ChannelId, GuildId
from chatd.core.models import Channel, ChannelType
from chatd.db import Cursor, many

COLUMNS = """
    channels.id, channels.guild_id, channels.type, channels.name, channels.topic,
    channels.position, channels.parent_id, channels.nsfw, channels.rate_limit_per_user,
    (SELECT max(messages.id) FROM messages WHERE messages.channel_id = channels.id)
"""
"""In the order of Channel."""

COLUMN_COUNT = 10


def make(*row: object) -> Channel:
    """A channel from a row of COLUMNS."""
    channel_id, guild_id, kind, *rest = row
    return Channel(channel_id, guild_id, ChannelType(kind), *rest)  # type: ignore[arg-type]


async def insert(cur: Cursor, channel: Channel) -> None:
    """Add a channel to a guild."""
    await cur.execute(
        """
        INSERT INTO channels (id, guild_id, type, name, topic, position, parent_id, nsfw,
                              rate_limit_per_user)
        VALUES (%(id)s, %(guild_id)s, %(type)s, %(name)s, %(topic)s, %(position)s,
                %(parent_id)s, %(nsfw)s, %(rate_limit_per_user)s)
        """,
        _parameters(channel),
    )


async def update(cur: Cursor, channel: Channel) -> None:
    """Write all that can change of a channel."""
    await cur.execute(
        """
        UPDATE channels
           SET name = %(name)s, topic = %(topic)s, position = %(position)s,
               parent_id = %(parent_id)s, nsfw = %(nsfw)s,
               rate_limit_per_user = %(rate_limit_per_user)s
         WHERE id = %(id)s AND guild_id = %(guild_id)s
        """,
        _parameters(channel),
    )


async def delete(cur: Cursor, guild_id: GuildId, channel_id: ChannelId) -> None:
    """Delete a channel; its messages are swept later."""
    await cur.execute("INSERT INTO purges (channel_id) VALUES (%(id)s)", {"id": channel_id})
    await cur.execute(
        "DELETE FROM channels WHERE id = %(id)s AND guild_id = %(guild_id)s",
        {"id": channel_id, "guild_id": guild_id},
    )


async def of_guild(cur: Cursor, guild_id: GuildId) -> list[Channel]:
    """All channels of a guild, in the order in which clients list them."""
    return await of_guilds(cur, [guild_id])


async def of_guilds(cur: Cursor, guild_ids: Iterable[GuildId]) -> list[Channel]:
    """All channels of these guilds, each guild's in the order in which clients list them."""
    await cur.execute(
        f"""
        SELECT {COLUMNS} FROM channels
         WHERE guild_id = ANY(%(guild_ids)s)
      ORDER BY guild_id, position, id
        """,
        {"guild_ids": list(guild_ids)},
    )
    return await many(cur, make)


async def children(cur: Cursor, guild_id: GuildId, parent_id: ChannelId) -> list[Channel]:
    """The channels in a category."""
    await cur.execute(
        f"""
        SELECT {COLUMNS} FROM channels
         WHERE guild_id = %(guild_id)s AND parent_id = %(parent_id)s
      ORDER BY position, id
        """,
        {"guild_id": guild_id, "parent_id": parent_id},
    )
    return await many(cur, make)


def _parameters(channel: Channel) -> dict[str, object]:
    return {
        "id": channel.id,
        "guild_id": channel.guild_id,
        "type": int(channel.type),
        "name": channel.name,
        "topic": channel.topic,
        "position": channel.position,
        "parent_id": channel.parent_id,
        "nsfw": channel.nsfw,
        "rate_limit_per_user": channel.rate_limit_per_user,
    }
