"""Application commands, and what an application has done in each scope.

A scope is the commands that an application has globally (`guild_id` is None), or in one guild.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from chatd.core.commands import (
    Command,
    CommandType,
    InteractionContext,
    Localizations,
    Options,
)
from chatd.core.ids import CommandId, GuildId, UserId
from chatd.core.installation import IntegrationType
from chatd.db.cursor import Cursor, PreparedStatement, Row, many, one

COLUMNS = """
    application_commands.id, application_commands.application_id, application_commands.guild_id,
    application_commands.type, application_commands.version, application_commands.name,
    application_commands.name_localizations, application_commands.description,
    application_commands.description_localizations, application_commands.options,
    application_commands.default_member_permissions, application_commands.nsfw,
    application_commands.contexts, application_commands.integration_types
"""
"""In the order of Command."""

_BYTES = """
    octet_length(options) + coalesce(octet_length(name_localizations), 0)
    + coalesce(octet_length(description_localizations), 0)
"""


def _in_scope(guild_id: GuildId | None) -> str:
    """Return the condition for the commands of a scope. Each form has an index."""
    if guild_id is None:
        return "application_id = %(application_id)s AND guild_id IS NULL"
    return "guild_id = %(guild_id)s AND application_id = %(application_id)s"


@dataclass(frozen=True, slots=True)
class ScopeState:
    """What an application has done in a scope in the last day, and what it has stored there."""

    created: int
    """Commands that were created in the last day."""
    stored_bytes: int


def make(*row: Any) -> Command:
    """Return the command of a row of COLUMNS."""
    contexts, integration_types = row[12], row[13]
    return Command(
        id=row[0],
        application_id=row[1],
        guild_id=row[2],
        type=CommandType(row[3]),
        version=row[4],
        name=row[5],
        name_localizations=_loaded(row[6]),
        description=row[7],
        description_localizations=_loaded(row[8]),
        options=Options(row[9]),
        default_member_permissions=row[10],
        nsfw=row[11],
        contexts=None if contexts is None else tuple(map(InteractionContext, contexts)),
        integration_types=tuple(map(IntegrationType, integration_types)),
    )


async def list_in_scope(
    cur: Cursor, application_id: UserId, guild_id: GuildId | None
) -> list[Command]:
    """Return the commands of a scope, in the order of their ids."""
    await cur.execute(
        f"SELECT {COLUMNS} FROM application_commands WHERE {_in_scope(guild_id)} ORDER BY id",
        {"application_id": application_id, "guild_id": guild_id},
    )
    return await many(cur, make)


async def get(
    cur: Cursor, application_id: UserId, guild_id: GuildId | None, command_id: CommandId
) -> Command | None:
    """Return one command of a scope."""
    await cur.execute(
        f"SELECT {COLUMNS} FROM application_commands WHERE {_in_scope(guild_id)} AND id = %(id)s",
        {"application_id": application_id, "guild_id": guild_id, "id": command_id},
    )
    return await one(cur, make)


_FIND = PreparedStatement(
    f"SELECT {COLUMNS} FROM application_commands WHERE id = %(id)s", id="bigint"
)


async def find(cur: Cursor, command_id: CommandId) -> Command | None:
    """Return one command of any scope."""
    await cur.run(_FIND, {"id": command_id})
    return await one(cur, make)


async def find_for_guild(
    cur: Cursor, application_id: UserId, guild_id: GuildId, command_id: CommandId
) -> Command | None:
    """Return a command that is global or of this guild. It does not change until the commit."""
    await cur.execute(
        f"""
        SELECT {COLUMNS} FROM application_commands
         WHERE id = %(id)s AND application_id = %(application_id)s
           AND (guild_id IS NULL OR guild_id = %(guild_id)s)
           FOR SHARE
        """,
        {"application_id": application_id, "guild_id": guild_id, "id": command_id},
    )
    return await one(cur, make)


async def by_ids(cur: Cursor, command_ids: Iterable[int]) -> list[Command]:
    """Return those of these commands that exist."""
    await cur.execute(
        f"""
        SELECT {COLUMNS} FROM application_commands
         WHERE id = ANY(%(ids)s::bigint[])
           AND EXISTS (SELECT FROM applications WHERE applications.id = application_id)
      ORDER BY id
        """,
        {"ids": list(command_ids)},
    )
    return await many(cur, make)


async def rows_for_applications(
    cur: Cursor,
    application_ids: Sequence[UserId],
    guild_id: GuildId | None,
    *,
    max_commands: int,
    max_bytes: int,
) -> list[Row]:
    """Return rows of the global commands of applications, and of those for a guild.

    They are in the order of the applications. `make` returns the command of a row: there can be
    thousands, and the caller makes them in slices.
    """
    await cur.execute(
        f"""
        WITH listed AS (
            SELECT {COLUMNS},
                   row_number() OVER earlier AS commands, sum({_BYTES}) OVER earlier AS bytes
              FROM unnest(%(application_ids)s::bigint[]) WITH ORDINALITY AS wanted (id, place)
                   JOIN application_commands ON application_id = wanted.id
             WHERE guild_id IS NULL OR guild_id = %(guild_id)s
            WINDOW earlier AS (ORDER BY place, application_commands.id)
        )
        SELECT * FROM listed
         WHERE commands <= %(max_commands)s AND bytes <= %(max_bytes)s
      ORDER BY commands
        """,
        {
            "application_ids": list(application_ids),
            "guild_id": guild_id,
            "max_commands": max_commands,
            "max_bytes": max_bytes,
        },
    )
    return [row[:-2] for row in await cur.fetchall()]


async def newest_version(
    cur: Cursor, application_ids: Sequence[UserId], guild_id: GuildId | None
) -> int:
    """Return the newest version of the global scopes of applications, and of those for a guild.

    Returns 0 if none has ever had a command.
    """
    await cur.execute(
        """
        SELECT coalesce(max(version), 0) FROM application_command_scopes
         WHERE application_id = ANY(%(application_ids)s::bigint[])
           AND coalesce(guild_id, 0) IN (0, %(guild_id)s)
        """,
        {"application_ids": list(application_ids), "guild_id": guild_id or 0},
    )
    row = await cur.fetchone()
    return int(row[0]) if row else 0


async def save(cur: Cursor, commands: Sequence[Command], *, renamed: Sequence[CommandId]) -> None:
    """Add commands, or write all columns of those that exist.

    The overwrites of a command with another name are invalid from then on.
    Commands that exchange their names would have the same name for a moment. So those that are
    `renamed` first get a name that no command has.
    """
    if renamed:
        await cur.execute(
            """
            UPDATE application_commands SET name = ' ' || id::text
             WHERE id = ANY(%(ids)s::bigint[])
            """,
            {"ids": list(renamed)},
        )
    await cur.execute(
        """
        INSERT INTO application_commands (id, application_id, guild_id, type, version, name,
               name_localizations, description, description_localizations, options,
               default_member_permissions, nsfw, contexts, integration_types)
        SELECT id, application_id, guild_id, type, version, name,
               name_localizations, description, description_localizations, options,
               default_member_permissions, nsfw,
               contexts::smallint[], integration_types::smallint[]
          FROM unnest(%(ids)s::bigint[], %(application_ids)s::bigint[], %(guild_ids)s::bigint[],
                      %(types)s::smallint[], %(versions)s::bigint[], %(names)s::text[],
                      %(name_localizations)s::text[], %(descriptions)s::text[],
                      %(description_localizations)s::text[], %(options)s::text[],
                      %(default_member_permissions)s::bigint[], %(nsfw)s::boolean[],
                      %(contexts)s::text[], %(integration_types)s::text[])
               AS new (id, application_id, guild_id, type, version, name,
                       name_localizations, description, description_localizations, options,
                       default_member_permissions, nsfw, contexts, integration_types)
        ON CONFLICT (id) DO UPDATE
           SET version = excluded.version, name = excluded.name,
               name_localizations = excluded.name_localizations,
               description = excluded.description,
               description_localizations = excluded.description_localizations,
               options = excluded.options,
               default_member_permissions = excluded.default_member_permissions,
               nsfw = excluded.nsfw, contexts = excluded.contexts,
               integration_types = excluded.integration_types,
               permissions_generation =
                   CASE WHEN application_commands.name = excluded.name
                        THEN application_commands.permissions_generation
                        ELSE excluded.version END
        """,
        {name: [read(each) for each in commands] for name, read in _VALUES.items()},
    )


async def delete(cur: Cursor, command_ids: Iterable[CommandId]) -> None:
    """Delete commands. Their overwrites in guilds are invalid from then on."""
    await cur.execute(
        "DELETE FROM application_commands WHERE id = ANY(%(ids)s::bigint[])",
        {"ids": list(command_ids)},
    )


async def delete_in_guild(cur: Cursor, guild_id: GuildId, application_id: UserId) -> None:
    """Delete the commands of an application in a guild, and all of its permissions there."""
    await cur.execute(
        """
        WITH permissions AS (
            DELETE FROM application_command_permissions
             WHERE guild_id = %(guild_id)s AND application_id = %(application_id)s
        ), scopes AS (
            DELETE FROM application_command_scopes
             WHERE guild_id = %(guild_id)s AND application_id = %(application_id)s
        )
        DELETE FROM application_commands
         WHERE guild_id = %(guild_id)s AND application_id = %(application_id)s
        """,
        {"guild_id": guild_id, "application_id": application_id},
    )


async def record_change(
    cur: Cursor, application_id: UserId, guild_id: GuildId | None, *, version: int, created: int
) -> ScopeState:
    """Record a new version of a scope, and the number of created commands.

    Returns the state after it. The window of a day begins with the first command in it.
    """
    await cur.execute(
        f"""
        WITH stored AS (
            SELECT coalesce(sum({_BYTES}), 0) AS bytes FROM application_commands
             WHERE {_in_scope(guild_id)}
        )
        INSERT INTO application_command_scopes AS scopes
               (application_id, guild_id, version, created, created_since)
        VALUES (%(application_id)s, %(guild_id)s, %(version)s, %(created)s, now())
        ON CONFLICT (application_id, coalesce(guild_id, 0)) DO UPDATE
           SET version = excluded.version,
               created = excluded.created
                         + CASE WHEN scopes.created_since > now() - interval '1 day'
                                THEN scopes.created ELSE 0 END,
               created_since = CASE WHEN scopes.created_since > now() - interval '1 day'
                                    THEN scopes.created_since ELSE excluded.created_since END
        RETURNING created, (SELECT bytes FROM stored)
        """,
        {
            "application_id": application_id,
            "guild_id": guild_id,
            "version": version,
            "created": created,
        },
    )
    state = await one(cur, ScopeState)
    assert state is not None
    return state


def _loaded(json: str | None) -> Localizations | None:
    if json is None:
        return None
    localizations: dict[str, str] = orjson.loads(json)
    return localizations


def _dumped(localizations: Localizations | None) -> str | None:
    return None if localizations is None else orjson.dumps(localizations).decode()


def _array(values: Sequence[int] | None) -> str | None:
    """Return an array in the text form of Postgres."""
    return None if values is None else f"{{{','.join(f'{each:d}' for each in values)}}}"


async def with_commands(
    cur: Cursor, application_ids: Iterable[UserId], guild_id: GuildId
) -> set[UserId]:
    """Return those of these applications that have commands, globally or in this guild."""
    await cur.execute(
        """
        SELECT DISTINCT application_id FROM application_commands
         WHERE application_id = ANY(%(ids)s::bigint[])
           AND (guild_id IS NULL OR guild_id = %(guild_id)s)
        """,
        {"ids": list(application_ids), "guild_id": guild_id},
    )
    return set(await many(cur, UserId))


_VALUES: dict[str, Callable[[Command], object]] = {
    "ids": lambda each: each.id,
    "application_ids": lambda each: each.application_id,
    "guild_ids": lambda each: each.guild_id,
    "types": lambda each: int(each.type),
    "versions": lambda each: each.version,
    "names": lambda each: each.name,
    "name_localizations": lambda each: _dumped(each.name_localizations),
    "descriptions": lambda each: each.description,
    "description_localizations": lambda each: _dumped(each.description_localizations),
    "options": lambda each: each.options.json,
    "default_member_permissions": lambda each: each.default_member_permissions,
    "nsfw": lambda each: each.nsfw,
    "contexts": lambda each: _array(each.contexts),
    "integration_types": lambda each: _array(each.integration_types),
}
"""The parameters of `save`: each an array with one value of every command."""
