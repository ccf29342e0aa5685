"""Roles."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from chatd.core.ids import GuildId, RoleId, UserId
from chatd.core.models import Role
from chatd.db.cursor import Cursor, PreparedStatement, many, one

_COLUMNS = "id, guild_id, name, permissions, color, hoist, mentionable, position, bot_id"


async def insert(cur: Cursor, role: Role) -> None:
    """Add a role."""
    await cur.execute(
        f"""
        INSERT INTO roles ({_COLUMNS})
        VALUES (%(id)s, %(guild_id)s, %(name)s, %(permissions)s, %(color)s, %(hoist)s,
                %(mentionable)s, %(position)s, %(bot_id)s)
        """,
        _parameters(role),
    )


_FOR_GUILDS = PreparedStatement(
    f"""
    SELECT {_COLUMNS} FROM roles
     WHERE guild_id = ANY(%(guild_ids)s)
      ORDER BY guild_id, position, id
    """,
    guild_ids="bigint[]",
)


async def list_for_guilds(cur: Cursor, guild_ids: Iterable[GuildId]) -> list[Role]:
    """Return the roles of these guilds, each guild's in the order in which clients list them."""
    await cur.run(_FOR_GUILDS, {"guild_ids": list(guild_ids)})
    return await many(cur, Role)


async def get(cur: Cursor, guild_id: GuildId, role_id: RoleId) -> Role | None:
    """Return one role of a guild."""
    await cur.execute(
        f"SELECT {_COLUMNS} FROM roles WHERE guild_id = %(guild_id)s AND id = %(id)s",
        {"guild_id": guild_id, "id": role_id},
    )
    return await one(cur, Role)


async def update(cur: Cursor, role: Role) -> None:
    """Write all columns of a role that can change."""
    await cur.execute(
        """
        UPDATE roles
           SET name = %(name)s, permissions = %(permissions)s, color = %(color)s,
               hoist = %(hoist)s, mentionable = %(mentionable)s, position = %(position)s
         WHERE guild_id = %(guild_id)s AND id = %(id)s
        """,
        _parameters(role),
    )


async def move(cur: Cursor, guild_id: GuildId, moved: Sequence[Role]) -> None:
    """Write the positions of roles, in one statement."""
    await cur.execute(
        """
        UPDATE roles SET position = moved.position
          FROM unnest(%(ids)s::bigint[], %(positions)s::integer[]) AS moved (id, position)
         WHERE roles.guild_id = %(guild_id)s AND roles.id = moved.id
        """,
        {
            "guild_id": guild_id,
            "ids": [role.id for role in moved],
            "positions": [role.position for role in moved],
        },
    )


async def delete(cur: Cursor, guild_id: GuildId, role_id: RoleId) -> None:
    """Delete a role. Its members lose it."""
    await cur.execute(
        "DELETE FROM roles WHERE guild_id = %(guild_id)s AND id = %(id)s",
        {"guild_id": guild_id, "id": role_id},
    )


async def assign(cur: Cursor, guild_id: GuildId, user_id: UserId, role_id: RoleId) -> None:
    """Assign a role to a member. No error if the member has it."""
    await cur.execute(
        """
        INSERT INTO member_roles (guild_id, user_id, role_id)
        VALUES (%(guild_id)s, %(user_id)s, %(role_id)s)
        ON CONFLICT DO NOTHING
        """,
        {"guild_id": guild_id, "user_id": user_id, "role_id": role_id},
    )


async def unassign(cur: Cursor, guild_id: GuildId, user_id: UserId, role_id: RoleId) -> None:
    """Remove a role from a member. No error if the member does not have it."""
    await cur.execute(
        """
        DELETE FROM member_roles
         WHERE guild_id = %(guild_id)s AND user_id = %(user_id)s AND role_id = %(role_id)s
        """,
        {"guild_id": guild_id, "user_id": user_id, "role_id": role_id},
    )


def _parameters(role: Role) -> dict[str, object]:
    return {
        "id": role.id,
        "guild_id": role.guild_id,
        "name": role.name,
        "permissions": role.permissions,
        "color": role.color,
        "hoist": role.hoist,
        "mentionable": role.mentionable,
        "position": role.position,
        "bot_id": role.bot_id,
    }
