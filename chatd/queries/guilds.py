"""Guilds."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from chatd.core import permissions
from chatd.core.ids import GuildId, UserId
from chatd.core.models import Guild
from chatd.core.permissions import Permissions
from chatd.db.cursor import Cursor, PreparedStatement, Row, many

COLUMNS = (
    "guilds.id, guilds.name, guilds.description, guilds.icon, guilds.owner_id,"
    " guilds.system_channel_id, guilds.system_channel_flags,"
    " guilds.default_message_notifications, guilds.preferred_locale, guilds.rules_channel_id,"
    " guilds.mfa_level, guilds.retention_days,"
    " guilds.invites_disabled, guilds.invites_disabled_until, guilds.dms_disabled_until,"
    " guilds.raid_detected_at"
)
"""In the order of Guild."""

COLUMN_COUNT = 16


@dataclass(frozen=True, slots=True)
class Membership:
    """A guild, and the permissions of a member's roles in it."""

    guild: Guild
    role_permissions: tuple[int, ...]

    def permissions_of(self, user_id: UserId) -> Permissions:
        """Return the permissions of the member, who has this id, without regard to a timeout."""
        return permissions.in_guild(
            is_owner=self.guild.owner_id == user_id,
            roles=map(Permissions, self.role_permissions),
        )


async def insert(cur: Cursor, guild: Guild) -> None:
    """Add a guild without roles, channels and members."""
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
    """Write all columns of a guild that can change."""
    await cur.execute(
        """
        UPDATE guilds
           SET name = %(name)s, description = %(description)s, icon = %(icon)s,
               owner_id = %(owner_id)s, system_channel_id = %(system_channel_id)s,
               system_channel_flags = %(system_channel_flags)s,
               default_message_notifications = %(default_message_notifications)s,
               preferred_locale = %(preferred_locale)s, rules_channel_id = %(rules_channel_id)s,
               mfa_level = %(mfa_level)s, retention_days = %(retention_days)s,
               invites_disabled = %(invites_disabled)s,
               invites_disabled_until = %(invites_disabled_until)s,
               dms_disabled_until = %(dms_disabled_until)s,
               raid_detected_at = %(raid_detected_at)s
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
            "default_message_notifications": guild.default_message_notifications,
            "preferred_locale": guild.preferred_locale,
            "rules_channel_id": guild.rules_channel_id,
            "mfa_level": guild.mfa_level,
            "retention_days": guild.retention_days,
            "invites_disabled": guild.invites_disabled,
            "invites_disabled_until": guild.invites_disabled_until,
            "dms_disabled_until": guild.dms_disabled_until,
            "raid_detected_at": guild.raid_detected_at,
        },
    )


async def delete(cur: Cursor, guild_id: GuildId) -> None:
    """Delete a guild and its content. The janitor deletes the messages of its channels later."""
    await cur.execute(
        "INSERT INTO purges (channel_id) SELECT id FROM channels WHERE guild_id = %(id)s",
        {"id": guild_id},
    )
    await cur.execute("DELETE FROM guilds WHERE id = %(id)s", {"id": guild_id})


_BY_IDS = PreparedStatement(
    f"SELECT {COLUMNS} FROM guilds WHERE id = ANY(%(ids)s) ORDER BY id",
    ids="bigint[]",
)


async def by_ids(cur: Cursor, guild_ids: Iterable[GuildId]) -> list[Guild]:
    """Return those of these guilds that exist, in the order of ids."""
    await cur.run(_BY_IDS, {"ids": list(guild_ids)})
    return await many(cur, Guild)


async def list_for_user(
    cur: Cursor, user_id: UserId, *, before: int, after: int, limit: int
) -> list[Membership]:
    """Return the guilds of a user between two ids, in the order of ids."""
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


_IDS_FOR_USER = PreparedStatement(
    """
    SELECT guild_id FROM guild_members JOIN guilds ON guilds.id = guild_id
     WHERE user_id = %(user_id)s
    """,  # the members of a deleted guild are deleted later
    user_id="bigint",
)


async def ids_for_user(cur: Cursor, user_id: UserId) -> list[GuildId]:
    """Return the ids of the guilds that a user is a member of."""
    await cur.run(_IDS_FOR_USER, {"user_id": user_id})
    return await many(cur, GuildId)


_SIZES = PreparedStatement(
    """
    SELECT wanted.guild_id,
           (SELECT count(*) FROM channels WHERE channels.guild_id = wanted.guild_id)
           + (SELECT count(*) FROM roles WHERE roles.guild_id = wanted.guild_id)
           + (SELECT count(*) FROM (SELECT FROM guild_members
                                     WHERE guild_members.guild_id = wanted.guild_id
                                  ORDER BY guild_members.user_id  -- by the index, in any plan
                                     LIMIT 250) AS listed)
           + (SELECT count(*) FROM overwrites WHERE overwrites.guild_id = wanted.guild_id) / 10
      FROM unnest(%(guild_ids)s::bigint[]) AS wanted (guild_id)
    """,
    guild_ids="bigint[]",
)


async def sizes(cur: Cursor, guild_ids: Iterable[GuildId]) -> dict[GuildId, int]:
    """Return the size of each guild, as a measure of the cost to read it.

    It is the number of its channels, roles and listed members, plus a tenth of its overwrites.
    """
    await cur.run(_SIZES, {"guild_ids": list(guild_ids)})
    rows: list[Row] = await cur.fetchall()
    return {GuildId(row[0]): int(row[1]) for row in rows}


async def owns_any(cur: Cursor, user_id: UserId) -> bool:
    """Return whether a user owns a guild."""
    await cur.execute(
        "SELECT FROM guilds WHERE owner_id = %(user_id)s LIMIT 1", {"user_id": user_id}
    )
    return await cur.fetchone() is not None


async def count_for_user(cur: Cursor, user_id: UserId) -> int:
    """Return the number of guilds that a user is a member of."""
    return len(await ids_for_user(cur, user_id))
