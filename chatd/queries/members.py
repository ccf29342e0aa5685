"""Members of guilds."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from datetime import datetime

from chatd.core.ids import GuildId, UserId
from chatd.core.models import Member, MutualGuild, User
from chatd.db.cursor import Cursor, PreparedStatement, Row, many, one
from chatd.queries import users

_COLUMNS = f"""
    {users.COLUMNS}, guild_members.guild_id, guild_members.nick, guild_members.joined_at,
    guild_members.communication_disabled_until,
    ARRAY (SELECT role_id FROM member_roles
            WHERE member_roles.guild_id = guild_members.guild_id
              AND member_roles.user_id = guild_members.user_id
              AND EXISTS (SELECT FROM roles WHERE roles.id = role_id)
         ORDER BY role_id)
"""
_FROM = "guild_members JOIN users ON users.id = guild_members.user_id"


def _make(*row: object) -> Member:
    user, (guild_id, nick, joined_at, disabled_until, roles) = users.split_row(row)
    return Member(guild_id, user, nick, joined_at, disabled_until, tuple(roles))


async def insert(cur: Cursor, guild_id: GuildId, user_id: UserId) -> bool:
    """Add a member. False when the user is a member already."""
    await cur.execute(
        """
        INSERT INTO guild_members (guild_id, user_id, dms_restricted)
        VALUES (%(guild_id)s, %(user_id)s,
                coalesce((SELECT default_guilds_restricted FROM user_settings
                           WHERE user_id = %(user_id)s), false))
        ON CONFLICT DO NOTHING
        """,
        {"guild_id": guild_id, "user_id": user_id},
    )
    return cur.rowcount == 1


async def delete(cur: Cursor, guild_id: GuildId, user_id: UserId) -> bool:
    """Remove a member. False when there is none."""
    await cur.execute(
        "DELETE FROM guild_members WHERE guild_id = %(guild_id)s AND user_id = %(user_id)s",
        {"guild_id": guild_id, "user_id": user_id},
    )
    return cur.rowcount == 1


async def by_ids(cur: Cursor, guild_id: GuildId, user_ids: Iterable[UserId]) -> list[Member]:
    """Return those of these users that are members."""
    await cur.execute(
        f"""
        SELECT {_COLUMNS} FROM {_FROM}
         WHERE guild_members.guild_id = %(guild_id)s
           AND guild_members.user_id = ANY(%(user_ids)s::bigint[])
        """,
        {"guild_id": guild_id, "user_ids": list(user_ids)},
    )
    return await many(cur, _make)


_ONE = PreparedStatement(
    f"""
    SELECT {_COLUMNS} FROM {_FROM}
     WHERE guild_members.guild_id = %(guild_id)s AND guild_members.user_id = %(user_id)s
    """,
    guild_id="bigint",
    user_id="bigint",
)


async def get(cur: Cursor, guild_id: GuildId, user_id: UserId) -> Member | None:
    """Return one member."""
    await cur.run(_ONE, {"guild_id": guild_id, "user_id": user_id})
    return await one(cur, _make)


async def ids_for_guild(cur: Cursor, guild_id: GuildId) -> list[UserId]:
    """Return the ids of all members of a guild, in order."""
    await cur.execute(
        """
        SELECT user_id FROM guild_members WHERE guild_id = %(guild_id)s ORDER BY user_id
        """,
        {"guild_id": guild_id},
    )
    return await many(cur, UserId)


async def page(cur: Cursor, guild_id: GuildId, *, after: int, limit: int) -> list[Member]:
    """Return members above a user id, in the order of ids."""
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


def _fold_case(column: str) -> str:
    """Return SQL that folds case and normal form (NFC) of a name.

    ASCII is not normalized: that would take ten times as long.
    """
    return f"""CASE WHEN octet_length({column}) = char_length({column}) THEN lower({column})
                     ELSE lower(normalize({column}, NFC)) END"""


async def search(cur: Cursor, guild_id: GuildId, prefix: str, *, limit: int) -> list[Member]:
    """Return members whose nick, username or display name starts with `prefix`, by id.

    Ignores case and normal form: "É" may be one code point or two.
    """
    await cur.execute(
        f"""
        SELECT {_COLUMNS} FROM {_FROM}
         WHERE guild_members.guild_id = %(guild_id)s
           AND ({_fold_case("guild_members.nick")} LIKE %(pattern)s
                OR {_fold_case("users.username")} LIKE %(pattern)s
                OR {_fold_case("users.global_name")} LIKE %(pattern)s)
      ORDER BY guild_members.user_id
         LIMIT %(limit)s
        """,
        {"guild_id": guild_id, "pattern": _pattern(prefix), "limit": limit},
    )
    return await many(cur, _make)


RECENT = 10_000
"""The newest members of a guild that `recent_ids` considers. Rule: Discord's limit."""


async def recent_ids(
    cur: Cursor, guild_id: GuildId, prefix: str, *, after: UserId | None, limit: int
) -> list[UserId]:
    """Return the newest members whose name starts with `prefix`, the last to join first.

    `after` is the last one of the page before. The names are compared as in `search`.
    """
    await cur.execute(
        f"""
        WITH recent AS (
            SELECT user_id, nick, joined_at FROM guild_members
             WHERE guild_id = %(guild_id)s
          ORDER BY joined_at DESC, user_id DESC
             LIMIT {RECENT}
        )
        SELECT recent.user_id FROM recent JOIN users ON users.id = recent.user_id
         WHERE (%(after)s::bigint IS NULL
                OR (joined_at, user_id) < (SELECT joined_at, user_id FROM recent
                                            WHERE user_id = %(after)s))
           AND (%(pattern)s = '%%'
                OR {_fold_case("recent.nick")} LIKE %(pattern)s
                OR {_fold_case("users.username")} LIKE %(pattern)s
                OR {_fold_case("users.global_name")} LIKE %(pattern)s)
      ORDER BY joined_at DESC, user_id DESC
         LIMIT %(limit)s
        """,
        {"guild_id": guild_id, "pattern": _pattern(prefix), "after": after, "limit": limit},
    )
    return await many(cur, UserId)


def _pattern(prefix: str) -> str:
    """Return the LIKE pattern of names that start with `prefix`."""
    normal = unicodedata.normalize("NFC", prefix).lower()
    escaped = normal.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"{escaped}%"


async def update(
    cur: Cursor,
    guild_id: GuildId,
    user_id: UserId,
    *,
    nick: str | None,
    communication_disabled_until: datetime | None,
) -> None:
    """Write all columns of a member that can change. Its roles are rows of another table."""
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


_FOR_USER = PreparedStatement(
    f"""
    SELECT {_COLUMNS} FROM {_FROM}
     WHERE guild_members.user_id = %(user_id)s
       AND EXISTS (SELECT FROM guilds WHERE guilds.id = guild_members.guild_id)
    """,
    user_id="bigint",
)


async def list_for_user(cur: Cursor, user_id: UserId) -> list[Member]:
    """Return all memberships of a user."""
    await cur.run(_FOR_USER, {"user_id": user_id})
    return await many(cur, _make)


_WITH_POSITIONS = PreparedStatement(
    """
    SELECT streams.seq, guild_members.guild_id, guild_members.nick, guild_members.joined_at,
           guild_members.communication_disabled_until,
           ARRAY (SELECT role_id FROM member_roles
                   WHERE member_roles.guild_id = guild_members.guild_id
                     AND member_roles.user_id = guild_members.user_id
                     AND EXISTS (SELECT FROM roles WHERE roles.id = role_id)
                ORDER BY role_id)
      FROM guild_members JOIN streams ON streams.id = guild_members.guild_id
     WHERE guild_members.user_id = %(user_id)s
       AND EXISTS (SELECT FROM guilds WHERE guilds.id = guild_members.guild_id)
  ORDER BY guild_members.guild_id
    """,
    user_id="bigint",
)


async def list_with_positions(cur: Cursor, user: User) -> list[tuple[Member, int]]:
    """Return all memberships of a user in the order of guilds, with the positions of the guilds."""
    await cur.run(_WITH_POSITIONS, {"user_id": user.id})
    return [
        (Member(guild_id, user, nick, joined_at, disabled_until, tuple(roles)), seq)
        for seq, guild_id, nick, joined_at, disabled_until, roles in await cur.fetchall()
    ]


async def list_mutual_guilds(cur: Cursor, viewer_id: UserId, user_id: UserId) -> list[MutualGuild]:
    """Return the guilds that two users share, with the second user's nick in each."""
    await cur.execute(
        """
        SELECT theirs.guild_id, theirs.nick
          FROM guild_members AS own JOIN guild_members AS theirs USING (guild_id)
               JOIN guilds ON guilds.id = guild_id
         WHERE own.user_id = %(viewer_id)s AND theirs.user_id = %(user_id)s
      ORDER BY theirs.guild_id
        """,
        {"viewer_id": viewer_id, "user_id": user_id},
    )
    return await many(cur, MutualGuild)


_MAX_PER_GUILD = 250
"""The largest `large_threshold` of IDENTIFY."""

_FOR_GUILDS = PreparedStatement(
    # Limited twice, as in `history`: for a tenth of all members Postgres would read all users.
    f"""
    SELECT {_COLUMNS}
      FROM unnest(%(guild_ids)s::bigint[]) AS wanted (guild_id)
           CROSS JOIN LATERAL (
               SELECT *
                 FROM (SELECT * FROM guild_members
                        WHERE guild_members.guild_id = wanted.guild_id
                     ORDER BY user_id
                        LIMIT {_MAX_PER_GUILD}) AS first
             ORDER BY user_id
                LIMIT %(limit)s
           ) AS guild_members
           JOIN users ON users.id = guild_members.user_id
      ORDER BY guild_members.guild_id, guild_members.user_id
    """,
    guild_ids="bigint[]",
    limit="bigint",
)


async def list_for_guilds(cur: Cursor, guild_ids: Iterable[GuildId], *, limit: int) -> list[Member]:
    """Return up to `limit` (at most 250) members of each guild, in the order of ids."""
    await cur.run(_FOR_GUILDS, {"guild_ids": list(guild_ids), "limit": limit})
    return await many(cur, _make)


_COUNTS = PreparedStatement(
    """
    SELECT guild_id, count(*) FROM guild_members
     WHERE guild_id = ANY(%(guild_ids)s)
      GROUP BY guild_id
    """,
    guild_ids="bigint[]",
)


async def counts(cur: Cursor, guild_ids: Iterable[GuildId]) -> dict[GuildId, int]:
    """Return the number of members of each guild."""
    await cur.run(_COUNTS, {"guild_ids": list(guild_ids)})
    rows: list[Row] = await cur.fetchall()
    return {GuildId(row[0]): int(row[1]) for row in rows}


async def is_banned(cur: Cursor, guild_id: GuildId, user_id: UserId) -> bool:
    """Return whether a user is banned from a guild."""
    await cur.execute(
        "SELECT FROM bans WHERE guild_id = %(guild_id)s AND user_id = %(user_id)s",
        {"guild_id": guild_id, "user_id": user_id},
    )
    return await cur.fetchone() is not None


async def delete_ended_timeouts(cur: Cursor, *, limit: int) -> int:
    """Delete some ended timeouts of users that have left. Return their number.

    Triggers store a timeout when its member leaves, and restore it when the user joins again.
    """
    await cur.execute(
        """
        DELETE FROM kept_timeouts
         WHERE ctid = ANY (ARRAY (SELECT ctid FROM kept_timeouts WHERE until <= now()
                                   LIMIT %(limit)s))
        """,
        {"limit": limit},
    )
    return cur.rowcount
