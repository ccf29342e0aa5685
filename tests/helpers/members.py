"""Members of a guild."""

from __future__ import annotations

from collections.abc import Iterable

import psycopg2

from tests.conftest import Server
from tests.world import Guild, Person

_UNUSED = 2**12
"""Added to a snowflake, it makes one that no server creates: it sets a bit that is always zero."""


def crowd_ids(guild: Guild, count: int) -> list[int]:
    """Return the ids of the members that `crowd` inserts."""
    return [int(guild.id) + _UNUSED + number for number in range(1, count + 1)]


def crowd(server: Server, guild: Guild, count: int) -> None:
    """Insert `count` members, without events, and let Postgres count them.

    Its autovacuum would do that within minutes. Until then it may choose slow plans.
    """
    database = psycopg2.connect(server.config.database_url)
    with database, database.cursor() as cur:
        cur.execute(
            """
            INSERT INTO users (id, username, username_key, email, email_key, password_hash)
            SELECT id, 'c' || id, 'c' || id, id || '@crowd', id || '@crowd', '!'
              FROM unnest(%(ids)s) AS id;
            INSERT INTO guild_members (guild_id, user_id)
            SELECT %(guild_id)s, id FROM unnest(%(ids)s) AS id;
            ANALYZE users, guild_members
            """,
            {"guild_id": int(guild.id), "ids": crowd_ids(guild, count)},
        )
    database.close()


def backdate_members(server: Server, guild: Guild, people: Iterable[Person], *, days: int) -> None:
    """Set when these people joined, and were active last, to this many days ago."""
    ids = [int(person.id) for person in people]
    with psycopg2.connect(server.config.database_url) as connection, connection.cursor() as cur:
        cur.execute(
            "UPDATE logins SET last_used_at = now() - make_interval(days => %s)"
            " WHERE user_id = ANY(%s)",
            (days, ids),
        )
        cur.execute(
            "UPDATE guild_members SET joined_at = now() - make_interval(days => %s)"
            " WHERE guild_id = %s AND user_id = ANY(%s)",
            (days, int(guild.id), ids),
        )
    connection.close()


async def member_ids(guild: Guild) -> set[str]:
    """Return the ids of the members of a guild."""
    listed = await guild.owner.rest.get(f"/guilds/{guild.id}/members?limit=100")
    return {member["user"]["id"] for member in listed}
