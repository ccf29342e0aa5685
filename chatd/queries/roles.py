"""Roles."""

from __future__ import annotations

from collections.abc import Iterable

from chatd.core.ids import GuildId
from chatd.core.models import Role
from chatd.db import Cursor, many

_COLUMNS = "id, guild_id, name, permissions, color, hoist, mentionable, position"


async def insert(cur: Cursor, role: Role) -> None:
    """Add a role."""
    await cur.execute(
        f"""
        INSERT INTO roles ({_COLUMNS})
        VALUES (%(id)s, %(guild_id)s, %(name)s, %(permissions)s, %(color)s, %(hoist)s,
                %(mentionable)s, %(position)s)
        """,
        {
            "id": role.id,
            "guild_id": role.guild_id,
            "name": role.name,
            "permissions": role.permissions,
            "color": role.color,
            "hoist": role.hoist,
            "mentionable": role.mentionable,
            "position": role.position,
        },
    )


async def of_guilds(cur: Cursor, guild_ids: Iterable[GuildId]) -> list[Role]:
    """The roles of these guilds, each guild's in the order in which clients list them."""
    await cur.execute(
        f"""
        SELECT {_COLUMNS} FROM roles
         WHERE guild_id = ANY(%(guild_ids)s)
      ORDER BY guild_id, position, id
        """,
        {"guild_ids": list(guild_ids)},
    )
    return await many(cur, Role)
