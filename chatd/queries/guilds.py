"""Guilds."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from chatd.core.ids import GuildId, UserId
from chatd.core.models import Guild
from chatd.db import Cursor, Prepared, many

COLUMNS = (
    "guilds.id, guilds.name, guilds.description, guilds.icon, guilds.owner_id,"
    " guilds.system_channel_id, guilds.system_channel_flags"
)
"""In the order of Guild."""

COLUMN_COUNT = 7


@dataclass(frozen=True, slots=True)
class Membership:
    """A guild, and the permissions of the roles that a member has there."""

    guild: Guild
    role_permissions: tuple[int, ...]


async def insert(cur: Cursor, guild: Guild) -> None:
    """Add a guild, as yet without roles, channels and members."""
    await cur.execute(
        """
        INSERT INTO guilds (id, name, description, icon, owner_id)
        VALUES (%(id)s, %(name)s, %(description)s, %(icon)s, %(owner_id)s)
        """,
        {
            "id": guild.id,
            "name": guild.name,
            "description": guild.description,
            "icon": guild.icon,
            "owner_id": guild.owner_id,
        },
    )


async def update(cur: Cursor, guild: Guild) -> None:
    """Write all that can change of a guild."""
    await cur.execute(
        """
        UPDATE guilds
           SET name = %(name)s, description = %(description)s, icon = %(icon)s,
               owner_id = %(owner_id)s, system_channel_id = %(system_channel_id)s,
               system_channel_flags = %(system_channel_flags)s
         WHERE id = %(id)s
        """,
        {
            "id": guild.id,
            "name": guild.name,
            "description": guild.description,
            "icon": guild.icon,
            "owner_id": guild.owner_id,
            "system_channel_id": guild.system_channel_id,
            "system_channel_flags": guild.system_channel_flags,
        },
    )


async def delete(cur: Cursor, guild_id: GuildId) -> None:
    """Delete a guild with all in it; the messages of its channels are swept later."""
    await cur.execute(
        "INSERT INTO purges (channel_id) SELECT id FROM channels WHERE guild_id = %(id)s",
        {"id": guild_id},
    )
    await cur.execute("DELETE FROM guilds WHERE id = %(id)s", {"id": guild_id})


_BY_IDS = Prepared(
    f"SELECT {COLUMNS} FROM guilds WHERE id = ANY(%(ids)s) ORDER BY id",
    ids="bigint[]",
)


async def by_ids(cur: Cursor, guild_ids: Iterable[GuildId]) -> list[Guild]:
    """These guilds, as far as they exist, in the order of their ids."""
    await cur.run(_BY_IDS, {"ids": list(guild_ids)})
    return await many(cur, Guild)


async def of_user(
    cur: Cursor, user_id: UserId, *, before: int, after: int, limit: int
) -> list[Membership]:
    """The guilds of a user between two ids, in the order of their ids."""
    await cur.execute(
        f"""
        SELECT {COLUMNS},
               ARRAY (SELECT permissions FROM roles
                       WHERE roles.guild_id = guilds.id
                         AND (roles.id = guilds.id
                              OR roles.id IN (SELECT role_id FROM member_roles
                                               WHERE member_roles.guild_id = guilds.id
                                                 AND member_roles.user_id = %(user_id)s)))
          FROM guild_members JOIN guilds ON guilds.id = guild_members.guild_id
         WHERE guild_members.user_id = %(user_id)s
           AND guilds.id > %(after)s AND guilds.id < %(before)s
      ORDER BY guilds.id
         LIMIT %(limit)s
        """,
        {"user_id": user_id, "before": before, "after": after, "limit": limit},
    )
    return await many(
        cur,
        lambda *row: Membership(Guild(*row[:COLUMN_COUNT]), tuple(row[COLUMN_COUNT])),
    )


_IDS_OF_USER = Prepared(
    "SELECT guild_id FROM guild_members WHERE user_id = %(user_id)s",
    user_id="bigint",
)


async def ids_of_user(cur: Cursor, user_id: UserId) -> list[GuildId]:
    """The guilds that a user is a member of."""
    await cur.run(_IDS_OF_USER, {"user_id": user_id})
    return await many(cur, GuildId)


async def owns_any(cur: Cursor, user_id: UserId) -> bool:
    """Whether a user owns a guild."""
    await cur.execute(
        "SELECT FROM guilds WHERE owner_id = %(user_id)s LIMIT 1", {"user_id": user_id}
    )
    return await cur.fetchone() is not None


async def count_of_user(cur: Cursor, user_id: UserId) -> int:
    """In how many guilds a user is."""
    return len(await ids_of_user(cur, user_id))
