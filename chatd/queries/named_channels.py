"""Channels that a client names by their ids: which of them exist, and what applies in them."""

from __future__ import annotations

from collections.abc import Iterable

from chatd.core.ids import ChannelId, GuildId, UserId
from chatd.db.cursor import Cursor, PreparedStatement, many
from chatd.queries.channels import OVERWRITES, MemberOverwrites, make_member_overwrites

_OVERWRITES_OF = PreparedStatement(
    f"{OVERWRITES} WHERE channels.id = ANY(%(channel_ids)s) AND channels.guild_id IS NOT NULL",
    channel_ids="bigint[]",
    targets="bigint[]",
)


async def overwrites_of(
    cur: Cursor, channel_ids: Iterable[ChannelId], targets: Iterable[int]
) -> list[MemberOverwrites]:
    """Return the overwrites for these targets in each of these channels of guilds."""
    await cur.run(_OVERWRITES_OF, {"channel_ids": list(channel_ids), "targets": list(targets)})
    return await many(cur, make_member_overwrites)


async def existing(
    cur: Cursor, channel_ids: Iterable[ChannelId], *, guild_id: GuildId | None, user_id: UserId
) -> set[ChannelId]:
    """Return those of these channels that are in a guild, or private channels of a user."""
    await cur.execute(
        """
        SELECT id FROM channels
         WHERE id = ANY(%(channel_ids)s::bigint[])
           AND CASE WHEN %(guild_id)s::bigint IS NULL
                    THEN EXISTS (SELECT FROM dm_recipients
                                  WHERE channel_id = channels.id AND user_id = %(user_id)s)
                    ELSE guild_id = %(guild_id)s END
        """,
        {"user_id": user_id, "guild_id": guild_id, "channel_ids": list(channel_ids)},
    )
    return set(await many(cur, ChannelId))


async def guilds_of(cur: Cursor, channel_ids: Iterable[ChannelId]) -> set[GuildId]:
    """Return the guilds that these channels are in."""
    await cur.execute(
        "SELECT DISTINCT guild_id FROM channels"
        " WHERE id = ANY(%(ids)s::bigint[]) AND guild_id IS NOT NULL",
        {"ids": list(channel_ids)},
    )
    return set(await many(cur, GuildId))
