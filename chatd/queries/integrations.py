"""Integrations: applications in guilds, and applications that people have added for themselves."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from chatd.core.ids import GuildId, UserId
from chatd.core.integrations import Integration
from chatd.core.models import Application, User
from chatd.db.cursor import Cursor, many, one
from chatd.queries import applications

_IS_THERE = """
    (NOT guild_integrations.bot
     OR EXISTS (SELECT FROM guild_members
                 WHERE guild_members.guild_id = guild_integrations.guild_id
                   AND guild_members.user_id = guild_integrations.application_id))
"""
"""An integration with a bot ends with the membership of the bot."""

_SELECT = f"""
    SELECT {applications.COLUMNS}, guild_integrations.guild_id, guild_integrations.bot,
           adders.id, adders.username, adders.global_name, adders.avatar, adders.bot
      FROM {applications.TABLES}
      JOIN guild_integrations ON guild_integrations.application_id = applications.id
      LEFT JOIN users AS adders ON adders.id = guild_integrations.added_by
     WHERE guild_integrations.guild_id = %(guild_id)s AND {_IS_THERE}
"""


def _make(*row: Any) -> Integration:
    application, (guild_id, has_bot, *adder) = applications.split_row(row)
    added_by = None if adder[0] is None else User(*adder)
    return Integration(guild_id, application, has_bot, added_by)


async def list_for_guild(cur: Cursor, guild_id: GuildId, *, limit: int) -> list[Integration]:
    """Return the integrations of a guild, in the order of ids."""
    await cur.execute(
        f"{_SELECT} ORDER BY guild_integrations.application_id LIMIT %(limit)s",
        {"guild_id": guild_id, "limit": limit},
    )
    return await many(cur, _make)


async def get(cur: Cursor, guild_id: GuildId, application_id: UserId) -> Integration | None:
    """Return one integration of a guild."""
    await cur.execute(
        f"{_SELECT} AND guild_integrations.application_id = %(application_id)s",
        {"guild_id": guild_id, "application_id": application_id},
    )
    return await one(cur, _make)


async def by_ids(
    cur: Cursor, guild_id: GuildId, application_ids: Collection[int]
) -> list[Integration]:
    """Return those of these integrations of a guild that exist."""
    await cur.execute(
        f"{_SELECT} AND guild_integrations.application_id = ANY(%(ids)s::bigint[])",
        {"guild_id": guild_id, "ids": list(application_ids)},
    )
    return await many(cur, _make)


async def applications_in_guild(cur: Cursor, guild_id: GuildId) -> list[UserId]:
    """Return the ids of the applications in a guild, with their bots or without."""
    await cur.execute(
        f"""
        SELECT application_id FROM guild_integrations
         WHERE guild_id = %(guild_id)s AND {_IS_THERE}
      ORDER BY application_id
        """,
        {"guild_id": guild_id},
    )
    return await many(cur, UserId)


async def guilds_of_application(cur: Cursor, application_id: UserId) -> list[GuildId]:
    """Return the ids of the guilds that an application is in, with its bot or without."""
    await cur.execute(
        f"""
        SELECT guild_id FROM guild_integrations
         WHERE application_id = %(application_id)s AND {_IS_THERE}
      ORDER BY guild_id
        """,
        {"application_id": application_id},
    )
    return await many(cur, GuildId)


async def put(
    cur: Cursor, guild_id: GuildId, application_id: UserId, *, bot: bool, added_by: UserId
) -> None:
    """Add an integration, or write by whom it was added, and whether with its bot."""
    await cur.execute(
        """
        INSERT INTO guild_integrations (guild_id, application_id, bot, added_by)
        VALUES (%(guild_id)s, %(application_id)s, %(bot)s, %(added_by)s)
        ON CONFLICT (guild_id, application_id)
        DO UPDATE SET bot = excluded.bot, added_by = excluded.added_by
        """,
        {
            "guild_id": guild_id,
            "application_id": application_id,
            "bot": bot,
            "added_by": added_by,
        },
    )


async def delete(cur: Cursor, guild_id: GuildId, application_id: UserId) -> bool:
    """Delete an integration of a guild. False when there is none."""
    await cur.execute(
        """
        DELETE FROM guild_integrations
         WHERE guild_id = %(guild_id)s AND application_id = %(application_id)s
        """,
        {"guild_id": guild_id, "application_id": application_id},
    )
    return cur.rowcount == 1


async def applications_of_user(cur: Cursor, user_id: UserId) -> list[UserId]:
    """Return the ids of the applications that a person has added for itself."""
    await cur.execute(
        """
        SELECT application_id
          FROM user_integrations JOIN applications ON applications.id = application_id
         WHERE user_id = %(user_id)s
      ORDER BY application_id
        """,
        {"user_id": user_id},
    )
    return await many(cur, UserId)


async def list_for_user(cur: Cursor, user_id: UserId) -> list[Application]:
    """Return the applications that a person has added for itself, in the order of ids."""
    await cur.execute(
        f"""
        SELECT {applications.COLUMNS}
          FROM {applications.TABLES}
          JOIN user_integrations ON user_integrations.application_id = applications.id
         WHERE user_integrations.user_id = %(user_id)s
      ORDER BY applications.id
        """,
        {"user_id": user_id},
    )
    return await many(cur, lambda *row: applications.split_row(row)[0])


async def insert_for_user(cur: Cursor, user_id: UserId, application_id: UserId) -> None:
    """Add an application of a person. No error if the person has it."""
    await cur.execute(
        """
        INSERT INTO user_integrations (user_id, application_id)
        VALUES (%(user_id)s, %(application_id)s)
        ON CONFLICT DO NOTHING
        """,
        {"user_id": user_id, "application_id": application_id},
    )


async def delete_for_user(cur: Cursor, user_id: UserId, application_id: UserId) -> bool:
    """Remove an application of a person. False when the person does not have it."""
    await cur.execute(
        """
        DELETE FROM user_integrations
         WHERE user_id = %(user_id)s AND application_id = %(application_id)s
        """,
        {"user_id": user_id, "application_id": application_id},
    )
    return cur.rowcount == 1


async def delete_all_for_user(cur: Cursor, user_id: UserId) -> None:
    """Remove all applications of a person."""
    await cur.execute(
        "DELETE FROM user_integrations WHERE user_id = %(user_id)s", {"user_id": user_id}
    )


async def count_users(cur: Cursor, application_id: UserId, *, limit: int) -> int:
    """Return how many people have added an application for themselves; at most `limit`."""
    await cur.execute(
        """
        SELECT count(*)
          FROM (SELECT FROM user_integrations
                 WHERE application_id = %(application_id)s
                 LIMIT %(limit)s) AS counted
        """,
        {"application_id": application_id, "limit": limit},
    )
    row = await cur.fetchone()
    return int(row[0]) if row else 0
