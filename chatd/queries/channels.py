"""Channels of guilds."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from chatd.core.ids import ChannelId, GuildId
from chatd.core.models import Channel, ChannelType, Overwrite, OverwriteType
from chatd.db import Cursor, Prepared, many

COLUMNS = """
    channels.id, channels.guild_id, channels.type, channels.name, channels.topic,
    channels.position, channels.parent_id, channels.nsfw, channels.rate_limit_per_user,
    (SELECT coalesce(jsonb_agg(jsonb_build_array(target_id, type, allow, deny)
                               ORDER BY target_id), '[]')
       FROM overwrites WHERE overwrites.channel_id = channels.id),
    (SELECT max(messages.id) FROM messages WHERE messages.channel_id = channels.id)
"""
"""In the order of Channel."""

COLUMN_COUNT = 11


def make(*row: Any) -> Channel:
    """A channel from a row of COLUMNS."""
    return Channel(
        id=row[0],
        guild_id=row[1],
        type=ChannelType(row[2]),
        name=row[3],
        topic=row[4],
        position=row[5],
        parent_id=row[6],
        nsfw=row[7],
        rate_limit_per_user=row[8],
        overwrites=tuple(
            Overwrite(target_id, OverwriteType(kind), allow, deny)
            for target_id, kind, allow, deny in row[9]
        ),
        last_message_id=row[10],
    )


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
    await replace_overwrites(cur, replace(channel, overwrites=()), channel)


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


async def move(cur: Cursor, channel: Channel) -> None:
    """Write where a channel stands: its position and its category."""
    await cur.execute(
        """
        UPDATE channels SET position = %(position)s, parent_id = %(parent_id)s
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


async def set_overwrite(
    cur: Cursor, guild_id: GuildId, channel_id: ChannelId, overwrite: Overwrite
) -> None:
    """Put an overwrite in the place of the one that its target has, if it has one."""
    await cur.execute(
        """
        INSERT INTO overwrites (guild_id, channel_id, target_id, type, allow, deny)
        VALUES (%(guild_id)s, %(channel_id)s, %(target_id)s, %(type)s, %(allow)s, %(deny)s)
        ON CONFLICT (channel_id, target_id) DO UPDATE
           SET type = excluded.type, allow = excluded.allow, deny = excluded.deny
        """,
        {
            "guild_id": guild_id,
            "channel_id": channel_id,
            "target_id": overwrite.target_id,
            "type": int(overwrite.type),
            "allow": overwrite.allow,
            "deny": overwrite.deny,
        },
    )


async def replace_overwrites(cur: Cursor, before: Channel, after: Channel) -> None:
    """Write what is different of the overwrites of a channel, of which there can be a thousand."""
    targets = {each.target_id for each in after.overwrites}
    gone = [each.target_id for each in before.overwrites if each.target_id not in targets]
    known = set(before.overwrites)
    new = [each for each in after.overwrites if each not in known]
    if not gone and not new:
        return
    await cur.execute(
        """
        WITH gone AS (
            DELETE FROM overwrites
             WHERE channel_id = %(channel_id)s AND target_id = ANY(%(gone)s::bigint[])
        )
        INSERT INTO overwrites (guild_id, channel_id, target_id, type, allow, deny)
        SELECT %(guild_id)s, %(channel_id)s, new.*
          FROM unnest(%(targets)s::bigint[], %(types)s::smallint[],
                      %(allowed)s::bigint[], %(denied)s::bigint[]) AS new
        ON CONFLICT (channel_id, target_id) DO UPDATE
           SET type = excluded.type, allow = excluded.allow, deny = excluded.deny
        """,
        {
            "guild_id": after.guild_id,
            "channel_id": after.id,
            "gone": gone,
            "targets": [each.target_id for each in new],
            "types": [int(each.type) for each in new],
            "allowed": [each.allow for each in new],
            "denied": [each.deny for each in new],
        },
    )


async def delete_overwrite(cur: Cursor, channel_id: ChannelId, target_id: int) -> None:
    """Take an overwrite away."""
    await cur.execute(
        """
        DELETE FROM overwrites
         WHERE channel_id = %(channel_id)s AND target_id = %(target_id)s
        """,
        {"channel_id": channel_id, "target_id": target_id},
    )


async def delete_overwrites_of(cur: Cursor, guild_id: GuildId, target_id: int) -> None:
    """Take away all overwrites of a role or member in a guild."""
    await cur.execute(
        "DELETE FROM overwrites WHERE guild_id = %(guild_id)s AND target_id = %(target_id)s",
        {"guild_id": guild_id, "target_id": target_id},
    )


async def of_guild(cur: Cursor, guild_id: GuildId) -> list[Channel]:
    """All channels of a guild, in the order in which clients list them."""
    return await of_guilds(cur, [guild_id])


_OF_GUILDS = Prepared(
    f"""
    SELECT {COLUMNS} FROM channels
     WHERE guild_id = ANY(%(guild_ids)s)
      ORDER BY guild_id, position, id
    """,
    guild_ids="bigint[]",
)


async def of_guilds(cur: Cursor, guild_ids: Iterable[GuildId]) -> list[Channel]:
    """All channels of these guilds, each guild's in the order in which clients list them."""
    await cur.run(_OF_GUILDS, {"guild_ids": list(guild_ids)})
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
