"""A guild with many rows of each kind, and an application with many guilds."""

from __future__ import annotations

import asyncio
from typing import Any

import psycopg2

from chatd.db.pool import Database
from tests.conftest import Server
from tests.helpers.commands import Commands
from tests.helpers.roles import create_role
from tests.rest.searching import say
from tests.world import Guild, Person, World

MANY = 1200
"""The rows of each kind."""

_UNUSED = 2**12
"""Added to a snowflake, it makes one that no server creates: it sets a bit that is always zero."""

_FILL = """
    WITH people AS (
        INSERT INTO users (id, username, username_key, email, email_key, password_hash)
        SELECT n, name, name, name, name, ''
          FROM generate_series(%(first)s, %(first)s + %(many)s - 1) AS n, concat('crowd', n) AS name
        RETURNING id
    ), members AS (
        INSERT INTO guild_members (guild_id, user_id) SELECT %(guild)s, id FROM people
        RETURNING user_id
    ), roles AS (
        INSERT INTO member_roles (guild_id, user_id, role_id)
        SELECT %(guild)s, user_id, %(role)s FROM members
    ), bans AS (
        INSERT INTO bans (guild_id, user_id) SELECT %(guild)s, id FROM people
    ), entries AS (
        INSERT INTO audit_logs (guild_id, id, action_type) SELECT %(guild)s, id, 1 FROM people
    ), marks AS (
        INSERT INTO read_states (user_id, channel_id, message_id)
        SELECT id, %(channel)s, 1 FROM people
        UNION ALL SELECT %(author)s, id, 1 FROM people
    ), reactions AS (
        INSERT INTO reactions (channel_id, message_id, emoji, user_id)
        SELECT %(channel)s, message_id, '👍', id
          FROM people, unnest(%(messages)s::bigint[]) AS message_id
    )
    INSERT INTO messages (channel_id, id, author_id, content)
    SELECT %(channel)s, %(message)s + n, %(author)s, 'x' FROM generate_series(1, %(many)s) AS n
"""

_FILL_COMMANDS = """
    WITH guilds AS (
        INSERT INTO guilds (id, name, owner_id)
        SELECT n, 'guild', %(owner)s
          FROM generate_series(%(first)s, %(first)s + %(many)s - 1) AS n
        RETURNING id
    ), applications AS (
        INSERT INTO applications (id, owner_id, name, description, public, flags)
        SELECT n, %(owner)s, 'app', '', true, 0
          FROM generate_series(%(first)s, %(first)s + %(many)s - 1) AS n
        RETURNING id
    ), scopes (application_id, guild_id) AS (
        SELECT %(bot)s, id FROM guilds UNION ALL SELECT id, %(guild)s FROM applications
    ), commands AS (
        INSERT INTO application_commands (id, application_id, guild_id, type, version, name,
                                          description, options, nsfw, integration_types)
        SELECT %(first)s + row_number() OVER (), application_id, guild_id, 1, 1, 'name', '', '[]',
               false, '{0}'
          FROM scopes
    ), states AS (
        INSERT INTO application_command_scopes (application_id, guild_id, version, created,
                                                created_since)
        SELECT application_id, guild_id, 1, 1, now() FROM scopes
    )
    INSERT INTO application_command_permissions (application_id, guild_id, command_id, permissions)
    SELECT application_id, guild_id, %(command)s, '[]' FROM scopes
"""


class Scene:
    """A guild with many rows of each kind."""

    def __init__(
        self, guild: Guild, author: Person, role: str, messages: list[str], commands: Commands
    ) -> None:
        self.guild = guild
        self.author = author
        self.role = role
        self.messages = messages
        self.commands = commands
        """Global commands of a bot, of which one has permissions in many guilds. The bot has a
        command in each of them, and each of many applications has one in the guild."""
        self.command = ""
        """The id of the global command with permissions."""
        self.first = 0
        """The id of the first of the many members."""

    @property
    def rest(self) -> Any:
        return self.guild.owner.rest

    @property
    def path(self) -> str:
        return f"/guilds/{self.guild.id}"

    @property
    def channel_path(self) -> str:
        return f"/channels/{self.guild.general.id}"


async def crowded_scene(world: World, server: Server) -> Scene:
    """Create a guild with many rows, past the API."""
    guild = await world.guild(owner="alice", members=["bob", "carol"])
    role = await create_role(guild, "role")
    messages = await say(guild.owner.rest, guild.general, *(f"m{n}" for n in range(3)))
    commands = Commands(await world.bot("bot", "alice", guild))
    made_scene = Scene(guild, await world.person("bob"), role, messages, commands)
    made_scene.command = await commands.add("ping")
    database = Database(server.config.database_url, size=1)
    await database.open()
    async with database.cursor() as cur:
        made_scene.first = int(guild.id) + _UNUSED
        await cur.execute(
            _FILL,
            {
                "first": made_scene.first,
                "many": MANY,
                "guild": int(guild.id),
                "role": int(role),
                "channel": int(guild.general.id),
                "author": int(made_scene.author.id),
                "messages": [int(each) for each in messages],
                "message": int(messages[-1]),
            },
        )
        await cur.execute(
            _FILL_COMMANDS,
            {
                "first": made_scene.first,
                "many": MANY,
                "guild": int(guild.id),
                "owner": int((await world.person("carol")).id),
                "bot": int(commands.bot.id),
                "command": int(made_scene.command),
            },
        )
        await cur.execute(
            "UPDATE streams SET last_message_id = %(last)s WHERE id = %(id)s",
            {"last": int(messages[-1]) + MANY, "id": int(guild.id)},
        )
    await database.close()
    return made_scene


async def rows(server: Server, sql: str, **parameters: object) -> list[Any]:
    """Run a statement without the server and the counters of this process."""

    def run() -> list[Any]:
        connection = psycopg2.connect(server.config.database_url)
        connection.autocommit = True
        with connection.cursor() as cur:
            cur.execute(sql, parameters)
            found = cur.fetchall() if cur.description else []
        connection.close()
        return found

    return await asyncio.to_thread(run)
