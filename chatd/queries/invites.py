"""Invites. One that has expired, or has no uses left, is as good as not there."""

from __future__ import annotations

from dataclasses import dataclass

from chatd.core.ids import ChannelId, GuildId, UserId
from chatd.core.models import ChannelType, Guild, Invite
from chatd.db import Cursor, many, one
from chatd.queries import guilds, users


@dataclass(frozen=True, slots=True)
class Terms:
    """For how long (0: for ever) and how often (0: without end) an invite lets people in."""

    max_age_s: int
    max_uses: int
    temporary: bool


_SELECT = f"""
    SELECT {users.COLUMNS}, {guilds.COLUMNS}, invites.code, invites.channel_id, channels.name,
           channels.type, invites.max_age, invites.max_uses, invites.uses, invites.temporary,
           invites.created_at, invites.expires_at
      FROM invites
           JOIN guilds ON guilds.id = invites.guild_id
           JOIN channels ON channels.id = invites.channel_id
           JOIN users ON users.id = invites.inviter_id
"""
_ALIVE = """
    (invites.expires_at IS NULL OR invites.expires_at > now())
    AND (invites.max_uses = 0 OR invites.uses < invites.max_uses)
"""


def _make(*row: object) -> Invite:
    inviter, rest = users.split(row)
    guild = Guild(*rest[: guilds.COLUMN_COUNT])
    code, channel_id, channel_name, kind, *numbers = rest[guilds.COLUMN_COUNT :]
    return Invite(code, guild, channel_id, channel_name, ChannelType(kind), inviter, *numbers)


async def insert(
    cur: Cursor,
    code: str,
    guild_id: GuildId,
    channel_id: ChannelId,
    inviter_id: UserId,
    *,
    terms: Terms,
) -> None:
    """Add an invite."""
    await cur.execute(
        """
        INSERT INTO invites (code, guild_id, channel_id, inviter_id, max_age, max_uses,
                             temporary, expires_at)
        VALUES (%(code)s, %(guild_id)s, %(channel_id)s, %(inviter_id)s, %(max_age_s)s,
                %(max_uses)s, %(temporary)s,
                CASE WHEN %(max_age_s)s > 0
                     THEN now() + make_interval(secs => %(max_age_s)s) END)
        """,
        {
            "code": code,
            "guild_id": guild_id,
            "channel_id": channel_id,
            "inviter_id": inviter_id,
            "max_age_s": terms.max_age_s,
            "max_uses": terms.max_uses,
            "temporary": terms.temporary,
        },
    )


async def get(cur: Cursor, code: str) -> Invite | None:
    """An invite that still lets somebody in."""
    await cur.execute(f"{_SELECT} WHERE invites.code = %(code)s AND {_ALIVE}", {"code": code})
    return await one(cur, _make)


async def of_channel(cur: Cursor, guild_id: GuildId, channel_id: ChannelId) -> list[Invite]:
    """The living invites to a channel, newest first."""
    await cur.execute(
        f"""
        {_SELECT}
         WHERE invites.guild_id = %(guild_id)s AND invites.channel_id = %(channel_id)s
           AND {_ALIVE}
      ORDER BY invites.created_at DESC, invites.code
        """,
        {"guild_id": guild_id, "channel_id": channel_id},
    )
    return await many(cur, _make)


async def of_guild(cur: Cursor, guild_id: GuildId) -> list[Invite]:
    """The living invites to all channels of a guild, newest first."""
    await cur.execute(
        f"""
        {_SELECT}
         WHERE invites.guild_id = %(guild_id)s AND {_ALIVE}
      ORDER BY invites.created_at DESC, invites.code
        """,
        {"guild_id": guild_id},
    )
    return await many(cur, _make)


async def alike(cur: Cursor, channel_id: ChannelId, inviter_id: UserId, terms: Terms) -> str | None:
    """The code of a living, unused invite of the same person with the same terms."""
    await cur.execute(
        f"""
        SELECT code FROM invites
         WHERE channel_id = %(channel_id)s AND inviter_id = %(inviter_id)s
           AND max_age = %(max_age_s)s AND max_uses = %(max_uses)s
           AND temporary = %(temporary)s AND uses = 0 AND {_ALIVE}
      ORDER BY created_at DESC
         LIMIT 1
        """,
        {
            "channel_id": channel_id,
            "inviter_id": inviter_id,
            "max_age_s": terms.max_age_s,
            "max_uses": terms.max_uses,
            "temporary": terms.temporary,
        },
    )
    return await one(cur, str)


async def count_of_guild(cur: Cursor, guild_id: GuildId) -> int:
    """How many living invites a guild has."""
    await cur.execute(
        f"SELECT count(*) FROM invites WHERE guild_id = %(guild_id)s AND {_ALIVE}",
        {"guild_id": guild_id},
    )
    row = await cur.fetchone()
    return int(row[0]) if row else 0


async def use(cur: Cursor, code: str) -> bool:
    """Take one use of an invite. False when it has expired or none is left."""
    await cur.execute(
        f"UPDATE invites SET uses = uses + 1 WHERE code = %(code)s AND {_ALIVE}", {"code": code}
    )
    return cur.rowcount == 1


async def delete(cur: Cursor, code: str) -> bool:
    """Delete an invite. False when it is gone already."""
    await cur.execute("DELETE FROM invites WHERE code = %(code)s", {"code": code})
    return cur.rowcount == 1


async def delete_dead(cur: Cursor) -> int:
    """Forget invites that let nobody in any more. Returns how many there were."""
    await cur.execute(f"DELETE FROM invites WHERE NOT ({_ALIVE})")
    return cur.rowcount
