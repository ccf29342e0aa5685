"""Overwrites of application commands in guilds: who may use a command there."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import orjson

from chatd.core.commands import CommandOverwrite, CommandPermissions, PermissionTarget
from chatd.core.ids import CommandId, GuildId, UserId
from chatd.db.cursor import Cursor, PreparedStatement, many
from chatd.queries import pending_deletions

_COLUMNS = "guild_id, application_id, command_id, permissions"

_IS_VALID = """
    EXISTS (SELECT FROM guild_integrations AS installed
             WHERE installed.guild_id = application_command_permissions.guild_id
               AND installed.application_id = application_command_permissions.application_id)
    AND (command_id = application_id
         OR EXISTS (SELECT FROM application_commands AS commands
                     WHERE commands.id = command_id
                       AND commands.permissions_generation = generation))
"""
"""The row is not left over from a deleted application or command, or from an earlier name."""


def _make(*row: Any) -> CommandPermissions:
    guild_id, application_id, command_id, permissions = row
    overwrites = tuple(
        CommandOverwrite(target_id, PermissionTarget(kind), permission)
        for target_id, kind, permission in permissions
    )
    return CommandPermissions(guild_id, application_id, command_id, overwrites)


async def list_for_application(
    cur: Cursor, guild_id: GuildId, application_id: UserId
) -> list[CommandPermissions]:
    """Return all overwrites of an application and its commands in a guild."""
    await cur.execute(
        f"""
        SELECT {_COLUMNS} FROM application_command_permissions
         WHERE guild_id = %(guild_id)s AND application_id = %(application_id)s AND {_IS_VALID}
      ORDER BY command_id
        """,
        {"guild_id": guild_id, "application_id": application_id},
    )
    return await many(cur, _make)


_FOR_COMMAND = PreparedStatement(
    f"""
    SELECT {_COLUMNS} FROM application_command_permissions
     WHERE guild_id = %(guild_id)s AND application_id = %(application_id)s
       AND command_id IN (%(command_id)s, %(application_id)s) AND {_IS_VALID}
    """,
    guild_id="bigint",
    application_id="bigint",
    command_id="bigint",
)


async def for_command(
    cur: Cursor, guild_id: GuildId, application_id: UserId, command_id: int
) -> dict[int, tuple[CommandOverwrite, ...]]:
    """Return the overwrites of a command and of its application, by their ids."""
    await cur.run(
        _FOR_COMMAND,
        {"guild_id": guild_id, "application_id": application_id, "command_id": command_id},
    )
    return {each.command_id: each.overwrites for each in await many(cur, _make)}


async def list_for_guild(cur: Cursor, guild_id: GuildId) -> list[CommandPermissions]:
    """Return the overwrites of all applications in a guild."""
    await cur.execute(
        f"""
        SELECT {_COLUMNS} FROM application_command_permissions
         WHERE guild_id = %(guild_id)s AND {_IS_VALID}
        """,
        {"guild_id": guild_id},
    )
    return await many(cur, _make)


async def count_in_guild(cur: Cursor, guild_id: GuildId) -> int:
    """Return the number of overwrites of all applications in a guild."""
    await cur.execute(
        f"""
        SELECT coalesce(sum(jsonb_array_length(permissions)), 0)
          FROM application_command_permissions
         WHERE guild_id = %(guild_id)s AND {_IS_VALID}
        """,
        {"guild_id": guild_id},
    )
    row = await cur.fetchone()
    return int(row[0]) if row else 0


async def save(cur: Cursor, permissions: CommandPermissions) -> None:
    """Write the overwrites of a command in a guild. Without any, its row is deleted."""
    parameters = {
        "guild_id": permissions.guild_id,
        "application_id": permissions.application_id,
        "command_id": permissions.command_id,
    }
    if not permissions.overwrites:
        await cur.execute(
            """
            DELETE FROM application_command_permissions
             WHERE guild_id = %(guild_id)s AND application_id = %(application_id)s
               AND command_id = %(command_id)s
            """,
            parameters,
        )
        return
    written = [[each.target_id, int(each.type), each.permission] for each in permissions.overwrites]
    await cur.execute(
        f"""
        INSERT INTO application_command_permissions ({_COLUMNS}, generation)
        VALUES (%(guild_id)s, %(application_id)s, %(command_id)s, %(permissions)s,
                coalesce((SELECT permissions_generation FROM application_commands
                           WHERE id = %(command_id)s), 0))
        ON CONFLICT (guild_id, application_id, command_id) DO UPDATE
           SET permissions = excluded.permissions, generation = excluded.generation
        """,
        {**parameters, "permissions": orjson.dumps(written).decode()},
    )


async def add_pending_deletion(
    cur: Cursor, application_id: UserId, command_ids: Iterable[CommandId]
) -> None:
    """Add the deletion of what deleted and renamed commands have left, in all guilds."""
    await cur.execute(
        """
        INSERT INTO pending_deletions (kind, details)
        SELECT %(kind)s, jsonb_build_object('application_id', %(application_id)s,
                                            'command_ids', to_jsonb(%(ids)s::bigint[]))
         WHERE EXISTS (SELECT FROM application_command_permissions
                        WHERE application_id = %(application_id)s
                          AND command_id = ANY(%(ids)s::bigint[]))
        """,
        {
            "kind": pending_deletions.COMMAND_PERMISSIONS,
            "application_id": application_id,
            "ids": list(command_ids),
        },
    )
