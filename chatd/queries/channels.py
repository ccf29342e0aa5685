"""Channels of guilds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from chatd.core.ids import ChannelId, GuildId, MessageId
from chatd.core.models import BareChannel, Channel, ChannelType
from chatd.core.overwrites import Overwrite, OverwriteType, StoredOverwrites
from chatd.db.cursor import Cursor, PreparedStatement, many, one

BARE_COLUMNS = """
    channels.id, channels.guild_id, channels.type, channels.name, channels.topic,
    channels.position, channels.parent_id, channels.nsfw, channels.rate_limit_per_user,
    (SELECT max(messages.id) FROM messages WHERE messages.channel_id = channels.id)
"""
"""In the order of BareChannel."""

_OVERWRITES_JSON = """
    coalesce('[' || string_agg(
        '{"id":"' || target_id || '","type":' || type
        || ',"allow":"' || allow || '","deny":"' || deny || '"}',
        ',' ORDER BY target_id) || ']', '[]')
"""
"""Overwrites in the form for clients. Postgres encodes them, to save the event loop that time."""

_COLUMNS = f"""
    {BARE_COLUMNS},
    (SELECT {_OVERWRITES_JSON} FROM overwrites WHERE overwrites.channel_id = channels.id)
"""


@dataclass(frozen=True, slots=True)
class MemberOverwrites:
    """A channel with the overwrites that apply to one member."""

    guild_id: GuildId
    id: ChannelId
    type: ChannelType
    parent_id: ChannelId | None
    overwrites: tuple[Overwrite, ...]


def make_member_overwrites(*row: Any) -> MemberOverwrites:
    """Return the channel of a row of OVERWRITES."""
    guild_id, channel_id, kind, parent_id, found = row
    return MemberOverwrites(guild_id, channel_id, ChannelType(kind), parent_id, overwrites(found))


def make_bare(*row: Any) -> BareChannel:
    """Return the channel of a row of BARE_COLUMNS."""
    channel_id, guild_id, kind, *rest = row
    return BareChannel(channel_id, guild_id, ChannelType(kind), *rest)


def _make(*row: Any) -> Channel:
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
        last_message_id=row[9],
        overwrites=StoredOverwrites(row[10]),
    )


def overwrites(rows: Iterable[Sequence[int]]) -> tuple[Overwrite, ...]:
    """Return the overwrites of rows of target_id, type, allow and deny."""
    return tuple(
        Overwrite(target_id, OverwriteType(kind), allow, deny)
        for target_id, kind, allow, deny in rows
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
    """Write all columns of a channel that can change."""
    await cur.execute(
        """
        UPDATE channels
           SET type = %(type)s, name = %(name)s, topic = %(topic)s, position = %(position)s,
               parent_id = %(parent_id)s, nsfw = %(nsfw)s,
               rate_limit_per_user = %(rate_limit_per_user)s
         WHERE id = %(id)s AND guild_id = %(guild_id)s
        """,
        _parameters(channel),
    )


async def move(cur: Cursor, guild_id: GuildId, moved: Sequence[Channel]) -> None:
    """Write the positions and categories of channels, in one statement."""
    await cur.execute(
        """
        UPDATE channels SET position = moved.position, parent_id = moved.parent_id
          FROM unnest(%(ids)s::bigint[], %(positions)s::integer[], %(parents)s::bigint[])
               AS moved (id, position, parent_id)
         WHERE channels.guild_id = %(guild_id)s AND channels.id = moved.id
        """,
        {
            "guild_id": guild_id,
            "ids": [channel.id for channel in moved],
            "positions": [channel.position for channel in moved],
            "parents": [channel.parent_id for channel in moved],
        },
    )


async def delete(cur: Cursor, guild_id: GuildId, channel_id: ChannelId) -> None:
    """Delete a channel. The janitor deletes its messages later."""
    await cur.execute("INSERT INTO purges (channel_id) VALUES (%(id)s)", {"id": channel_id})
    await cur.execute(
        "DELETE FROM channels WHERE id = %(id)s AND guild_id = %(guild_id)s",
        {"id": channel_id, "guild_id": guild_id},
    )


async def exists(cur: Cursor, guild_id: GuildId, channel_id: ChannelId) -> bool:
    """Return whether a guild has this channel."""
    await cur.execute(
        "SELECT FROM channels WHERE id = %(id)s AND guild_id = %(guild_id)s",
        {"id": channel_id, "guild_id": guild_id},
    )
    return await cur.fetchone() is not None


async def replace_overwrites(cur: Cursor, before: Channel, after: Channel) -> None:
    """Write the changed overwrites of a channel. It can have a thousand of them."""
    await copy_overwrites(cur, before, after, [after.id])


def _difference(
    before: Sequence[Overwrite], after: Sequence[Overwrite]
) -> tuple[list[int], list[Overwrite]]:
    """Return the targets that have no overwrite any more, and the overwrites that are new."""
    targets = {each.target_id for each in after}
    gone = [each.target_id for each in before if each.target_id not in targets]
    known = set(before)
    return gone, [each for each in after if each not in known]


async def copy_overwrites(
    cur: Cursor, before: Channel, after: Channel, channel_ids: Sequence[ChannelId]
) -> None:
    """Change the overwrites of these channels from those of `before` to those of `after`."""
    gone, new = _difference(before.overwrites, after.overwrites)
    if not channel_ids or not (gone or new):
        return
    await cur.execute(
        """
        WITH gone AS (
            DELETE FROM overwrites
             WHERE channel_id = ANY(%(channel_ids)s::bigint[])
               AND target_id = ANY(%(gone)s::bigint[])
        )
        INSERT INTO overwrites (guild_id, channel_id, target_id, type, allow, deny)
        SELECT %(guild_id)s, channel_id, new.*
          FROM unnest(%(channel_ids)s::bigint[]) AS channel_id
               CROSS JOIN unnest(%(targets)s::bigint[], %(types)s::smallint[],
                                 %(allowed)s::bigint[], %(denied)s::bigint[]) AS new
        ON CONFLICT (channel_id, target_id) DO UPDATE
           SET type = excluded.type, allow = excluded.allow, deny = excluded.deny
        """,
        {
            "guild_id": after.guild_id,
            "channel_ids": list(channel_ids),
            "gone": gone,
            "targets": [each.target_id for each in new],
            "types": [int(each.type) for each in new],
            "allowed": [each.allow for each in new],
            "denied": [each.deny for each in new],
        },
    )


async def delete_overwrite(cur: Cursor, channel_id: ChannelId, target_id: int) -> None:
    """Delete an overwrite of a channel."""
    await cur.execute(
        """
        DELETE FROM overwrites
         WHERE channel_id = %(channel_id)s AND target_id = %(target_id)s
        """,
        {"channel_id": channel_id, "target_id": target_id},
    )


async def delete_overwrites_for(cur: Cursor, guild_id: GuildId, target_id: int) -> None:
    """Delete all overwrites for a role or a member in a guild."""
    await cur.execute(
        "DELETE FROM overwrites WHERE guild_id = %(guild_id)s AND target_id = %(target_id)s",
        {"guild_id": guild_id, "target_id": target_id},
    )


async def count_overwrites(cur: Cursor, guild_id: GuildId) -> int:
    """Count the overwrites of all channels of a guild."""
    await cur.execute(
        "SELECT count(*) FROM overwrites WHERE guild_id = %(guild_id)s", {"guild_id": guild_id}
    )
    row = await cur.fetchone()
    return int(row[0]) if row else 0


async def get(cur: Cursor, guild_id: GuildId, channel_id: ChannelId) -> Channel | None:
    """Return one channel of a guild."""
    await cur.execute(
        f"SELECT {_COLUMNS} FROM channels WHERE guild_id = %(guild_id)s AND id = %(id)s",
        {"guild_id": guild_id, "id": channel_id},
    )
    return await one(cur, _make)


async def ids_with_overwrite_for(cur: Cursor, guild_id: GuildId, target_id: int) -> list[ChannelId]:
    """Return the channels of a guild that have an overwrite for a role or a member."""
    await cur.execute(
        """
        SELECT channel_id FROM overwrites
         WHERE guild_id = %(guild_id)s AND target_id = %(target_id)s
        """,
        {"guild_id": guild_id, "target_id": target_id},
    )
    return await many(cur, ChannelId)


async def by_ids(cur: Cursor, guild_id: GuildId, channel_ids: Iterable[ChannelId]) -> list[Channel]:
    """Return these channels of a guild, in the order in which clients list them."""
    await cur.execute(
        f"""
        SELECT {_COLUMNS} FROM channels
         WHERE guild_id = %(guild_id)s AND id = ANY(%(ids)s::bigint[])
      ORDER BY position, id
        """,
        {"guild_id": guild_id, "ids": list(channel_ids)},
    )
    return await many(cur, _make)


async def list_for_guild(cur: Cursor, guild_id: GuildId) -> list[Channel]:
    """Return all channels of a guild, in the order in which clients list them."""
    return await list_for_guilds(cur, [guild_id])


_FOR_GUILDS = PreparedStatement(
    f"""
    SELECT {_COLUMNS} FROM channels
     WHERE guild_id = ANY(%(guild_ids)s)
      ORDER BY guild_id, position, id
    """,
    guild_ids="bigint[]",
)


async def list_for_guilds(cur: Cursor, guild_ids: Iterable[GuildId]) -> list[Channel]:
    """Return all channels of these guilds, each guild's in the order in which clients list them."""
    await cur.run(_FOR_GUILDS, {"guild_ids": list(guild_ids)})
    return await many(cur, _make)


_FOR_MEMBER = PreparedStatement(
    f"""
    SELECT {BARE_COLUMNS}, own.shown, own.concerning
      FROM channels
           CROSS JOIN LATERAL (
               SELECT {_OVERWRITES_JSON} AS shown,
                      coalesce(jsonb_agg(jsonb_build_array(target_id, type, allow, deny))
                               FILTER (WHERE target_id = ANY(%(targets)s)), '[]') AS concerning
                 FROM overwrites
                WHERE overwrites.channel_id = channels.id
           ) AS own
     WHERE channels.guild_id = ANY(%(guild_ids)s)
      ORDER BY channels.guild_id, channels.position, channels.id
    """,
    guild_ids="bigint[]",
    targets="bigint[]",
)


async def list_for_member(
    cur: Cursor, guild_ids: Iterable[GuildId], targets: Iterable[int]
) -> list[tuple[Channel, tuple[Overwrite, ...]]]:
    """Return all channels of these guilds, each with its overwrites for one of `targets`.

    The targets of a member are its guilds (@everyone), its roles and itself.
    """
    await cur.run(_FOR_MEMBER, {"guild_ids": list(guild_ids), "targets": list(targets)})
    return [(_make(*row[:11]), overwrites(row[11])) for row in await cur.fetchall()]


OVERWRITES = """
    SELECT channels.guild_id, channels.id, channels.type, channels.parent_id,
           (SELECT coalesce(jsonb_agg(jsonb_build_array(target_id, type, allow, deny)), '[]')
              FROM overwrites
             WHERE overwrites.channel_id = channels.id AND target_id = ANY(%(targets)s))
      FROM channels
"""
_OVERWRITES_FOR_MEMBER = PreparedStatement(
    f"""
    {OVERWRITES} WHERE channels.guild_id = ANY(%(guild_ids)s)
      ORDER BY channels.guild_id, channels.id
    """,
    guild_ids="bigint[]",
    targets="bigint[]",
)


async def overwrites_for_member(
    cur: Cursor, guild_ids: Iterable[GuildId], targets: Iterable[int]
) -> list[MemberOverwrites]:
    """Return the overwrites that apply to a member, in each channel of these guilds.

    `targets` are those of `list_for_member`.
    """
    await cur.run(_OVERWRITES_FOR_MEMBER, {"guild_ids": list(guild_ids), "targets": list(targets)})
    return await many(cur, make_member_overwrites)


async def last_messages(
    cur: Cursor, channel_ids: Iterable[ChannelId]
) -> dict[ChannelId, MessageId | None]:
    """Return the last message of each channel; None for one without messages."""
    await cur.execute(
        """
        SELECT channel_id, (SELECT max(messages.id) FROM messages
                             WHERE messages.channel_id = wanted.channel_id)
          FROM unnest(%(ids)s::bigint[]) AS wanted (channel_id)
        """,
        {"ids": list(channel_ids)},
    )
    return {row[0]: row[1] for row in await cur.fetchall()}


async def age_restricted_ids(cur: Cursor, guild_id: GuildId) -> list[ChannelId]:
    """Return the ids of a guild's channels that are age-restricted."""
    await cur.execute(
        "SELECT id FROM channels WHERE guild_id = %(guild_id)s AND nsfw", {"guild_id": guild_id}
    )
    return await many(cur, ChannelId)


async def list_in_category(cur: Cursor, guild_id: GuildId, parent_id: ChannelId) -> list[Channel]:
    """Return the channels of a category."""
    await cur.execute(
        f"""
        SELECT {_COLUMNS} FROM channels
         WHERE guild_id = %(guild_id)s AND parent_id = %(parent_id)s
      ORDER BY position, id
        """,
        {"guild_id": guild_id, "parent_id": parent_id},
    )
    return await many(cur, _make)


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
