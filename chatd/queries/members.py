"""Members of guilds, and bans."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from chatd.core.ids import GuildId, RoleId, UserId
from chatd.core.models import Member, MutualGuild
from chatd.db import Cursor, Prepared, Row, many, one
from chatd.queries import users

_COLUMNS = f"""
    {users.COLUMNS}, guild_members.guild_id, guild_members.nick, guild_members.joined_at,
    guild_members.communication_disabled_until,
    ARRAY (SELECT role_id FROM member_roles
            WHERE member_roles.guild_id = guild_members.guild_id
              AND member_roles.user_id = guild_members.user_id
         ORDER BY role_id)
"""
_FROM = "guild_members JOIN users ON users.id = guild_members.user_id"


def _make(*row: object) -> Member:
    user, (guild_id, nick, joined_at, disabled_until, roles) = users.split(row)
    return Member(guild_id, user, nick, joined_at, disabled_until, tuple(roles))


async def insert(cur: Cursor, guild_id: GuildId, user_id: UserId) -> bool:
    """Make a user a member. False when it is one already."""
    await cur.execute(
        """
        INSERT INTO guild_members (guild_id, user_id) VALUES (%(guild_id)s, %(user_id)s)
        ON CONFLICT DO NOTHING
        """,
        {"guild_id": guild_id, "user_id": user_id},
    )
    return cur.rowcount == 1


async def delete(cur: Cursor, guild_id: GuildId, user_id: UserId) -> bool:
    """End a membership. False when there is none."""
    await cur.execute(
        "DELETE FROM guild_members WHERE guild_id = %(guild_id)s AND user_id = %(user_id)s",
        {"guild_id": guild_id, "user_id": user_id},
    )
    return cur.rowcount == 1


async def by_ids(cur: Cursor, guild_id: GuildId, user_ids: Iterable[UserId]) -> list[Member]:
    """Those of these users who are members."""
    await cur.execute(
        f"""
        SELECT {_COLUMNS} FROM {_FROM}
         WHERE guild_members.guild_id = %(guild_id)s
           AND guild_members.user_id = ANY(%(user_ids)s::bigint[])
        """,
        {"guild_id": guild_id, "user_ids": list(user_ids)},
    )
    return await many(cur, _make)


_ONE = Prepared(
    f"""
    SELECT {_COLUMNS} FROM {_FROM}
     WHERE guild_members.guild_id = %(guild_id)s AND guild_members.user_id = %(user_id)s
    """,
    guild_id="bigint",
    user_id="bigint",
)


async def get(cur: Cursor, guild_id: GuildId, user_id: UserId) -> Member | None:
    """One member."""
    await cur.run(_ONE, {"guild_id": guild_id, "user_id": user_id})
    return await one(cur, _make)


async def ids_of_guild(cur: Cursor, guild_id: GuildId) -> list[UserId]:
    """The ids of all members of a guild, in their order."""
    await cur.execute(
        """
        SELECT user_id FROM guild_members WHERE guild_id = %(guild_id)s ORDER BY user_id
        """,
        {"guild_id": guild_id},
    )
    return await many(cur, UserId)


_IDLE = """
      FROM guild_members
     WHERE guild_members.guild_id = %(guild_id)s
       AND guild_members.joined_at < now() - make_interval(days => %(days)s)
       AND NOT EXISTS (SELECT FROM guilds
                        WHERE guilds.id = guild_members.guild_id
                          AND guilds.owner_id = guild_members.user_id)
       AND NOT EXISTS (SELECT FROM logins
                        WHERE logins.user_id = guild_members.user_id
                          AND logins.last_used_at >= now() - make_interval(days => %(days)s))
       AND NOT EXISTS (SELECT FROM member_roles
                        WHERE member_roles.guild_id = guild_members.guild_id
                          AND member_roles.user_id = guild_members.user_id
                          AND member_roles.role_id <> ALL(%(roles)s::bigint[]))
"""
"""Members who have joined and have been logged in last before so many days, and who have no roles
but these."""


async def count_idle(cur: Cursor, guild_id: GuildId, *, days: int, roles: Sequence[RoleId]) -> int:
    """How many members have not been there for so many days, and have no roles but these."""
    parameters = {"guild_id": guild_id, "days": days, "roles": list(roles)}
    await cur.execute(f"SELECT count(*) {_IDLE}", parameters)
    row = await cur.fetchone()
    return int(row[0]) if row else 0


async def ids_of_idle(
    cur: Cursor, guild_id: GuildId, *, days: int, roles: Sequence[RoleId], limit: int
) -> list[UserId]:
    """Some of those."""
    await cur.execute(
        f"SELECT guild_members.user_id {_IDLE} ORDER BY 1 LIMIT %(limit)s",
        {"guild_id": guild_id, "days": days, "roles": list(roles), "limit": limit},
    )
    return await many(cur, UserId)


async def page(cur: Cursor, guild_id: GuildId, *, after: int, limit: int) -> list[Member]:
    """Members above a user id, in the order of their ids."""
    await cur.execute(
        f"""
        SELECT {_COLUMNS} FROM {_FROM}
         WHERE guild_members.guild_id = %(guild_id)s AND guild_members.user_id > %(after)s
      ORDER BY guild_members.user_id
         LIMIT %(limit)s
        """,
        {"guild_id": guild_id, "after": after, "limit": limit},
    )
    return await many(cur, _make)


async def search(cur: Cursor, guild_id: GuildId, prefix: str, *, limit: int) -> list[Member]:
    """Members whose nickname or username begins so, whatever the case, in the order of ids."""
    escaped = prefix.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    await cur.execute(
        f"""
        SELECT {_COLUMNS} FROM {_FROM}
         WHERE guild_members.guild_id = %(guild_id)s
           AND (lower(guild_members.nick) LIKE %(pattern)s
                OR lower(users.username) LIKE %(pattern)s
                OR lower(users.global_name) LIKE %(pattern)s)
      ORDER BY guild_members.user_id
         LIMIT %(limit)s
        """,
        {"guild_id": guild_id, "pattern": f"{escaped.lower()}%", "limit": limit},
    )
    return await many(cur, _make)


async def update(
    cur: Cursor,
    guild_id: GuildId,
    user_id: UserId,
    *,
    nick: str | None,
    communication_disabled_until: datetime | None,
) -> None:
    """Write what can change of a member besides its roles."""
    await cur.execute(
        """
        UPDATE guild_members
           SET nick = %(nick)s, communication_disabled_until = %(disabled_until)s
         WHERE guild_id = %(guild_id)s AND user_id = %(user_id)s
        """,
        {
            "guild_id": guild_id,
            "user_id": user_id,
            "nick": nick,
            "disabled_until": communication_disabled_until,
        },
    )


_ALL_OF_USER = Prepared(
    f"SELECT {_COLUMNS} FROM {_FROM} WHERE guild_members.user_id = %(user_id)s",
    user_id="bigint",
)


async def all_of_user(cur: Cursor, user_id: UserId) -> list[Member]:
    """A user as a member of each of its guilds."""
    await cur.run(_ALL_OF_USER, {"user_id": user_id})
    return await many(cur, _make)


async def mutual(cur: Cursor, viewer_id: UserId, user_id: UserId) -> list[MutualGuild]:
    """The guilds that two users share, with what the second one is called there."""
    await cur.execute(
        """
        SELECT theirs.guild_id, theirs.nick
          FROM guild_members AS own JOIN guild_members AS theirs USING (guild_id)
         WHERE own.user_id = %(viewer_id)s AND theirs.user_id = %(user_id)s
      ORDER BY theirs.guild_id
        """,
        {"viewer_id": viewer_id, "user_id": user_id},
    )
    return await many(cur, MutualGuild)


_MOST = 250  # of a guild, for whom asks with IDENTIFY
_OF_GUILDS = Prepared(
    # Cut twice, as in `history`: for a tenth of all members Postgres would read all users.
    f"""
    SELECT {_COLUMNS}
      FROM unnest(%(guild_ids)s::bigint[]) AS wanted (guild_id)
           CROSS JOIN LATERAL (
               SELECT *
                 FROM (SELECT * FROM guild_members
                        WHERE guild_members.guild_id = wanted.guild_id
                     ORDER BY user_id
                        LIMIT {_MOST}) AS first
             ORDER BY user_id
                LIMIT %(limit)s
           ) AS guild_members
           JOIN users ON users.id = guild_members.user_id
      ORDER BY guild_members.guild_id, guild_members.user_id
    """,
    guild_ids="bigint[]",
    limit="bigint",
)


async def of_guilds(cur: Cursor, guild_ids: Iterable[GuildId], *, limit: int) -> list[Member]:
    """The members of these guilds, up to a limit of 250 for each, in the order of their ids."""
    await cur.run(_OF_GUILDS, {"guild_ids": list(guild_ids), "limit": limit})
    return await many(cur, _make)


_COUNTS = Prepared(
    """
    SELECT guild_id, count(*) FROM guild_members
     WHERE guild_id = ANY(%(guild_ids)s)
      GROUP BY guild_id
    """,
    guild_ids="bigint[]",
)


async def counts(cur: Cursor, guild_ids: Iterable[GuildId]) -> dict[GuildId, int]:
    """How many members each of these guilds has."""
    await cur.run(_COUNTS, {"guild_ids": list(guild_ids)})
    rows: list[Row] = await cur.fetchall()
    return {GuildId(row[0]): int(row[1]) for row in rows}


async def is_banned(cur: Cursor, guild_id: GuildId, user_id: UserId) -> bool:
    """Whether a user may not join."""
    await cur.execute(
        "SELECT FROM bans WHERE guild_id = %(guild_id)s AND user_id = %(user_id)s",
        {"guild_id": guild_id, "user_id": user_id},
    )
    return await cur.fetchone() is not None
