"""Invites to guilds. An invite is active unless it has expired or has no uses left."""

from __future__ import annotations

from dataclasses import dataclass

from chatd.core.ids import ChannelId, GuildId, UserId
from chatd.core.models import ChannelType, Guild, Invite
from chatd.db.cursor import Cursor, many, one
from chatd.queries import guilds, users


@dataclass(frozen=True, slots=True)
class InviteOptions:
    """The lifetime and the number of uses of an invite (0 = unlimited).

    Members that join through a `temporary` one are removed when they go offline without a role.
    """

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
_ACTIVE = """
    (invites.expires_at IS NULL OR invites.expires_at > now())
    AND (invites.max_uses = 0 OR invites.uses < invites.max_uses)
"""


def _make(*row: object) -> Invite:
    inviter, rest = users.split_row(row)
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
    options: InviteOptions,
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
            "max_age_s": options.max_age_s,
            "max_uses": options.max_uses,
            "temporary": options.temporary,
        },
    )


async def get(cur: Cursor, code: str) -> Invite | None:
    """Return an active invite."""
    await cur.execute(f"{_SELECT} WHERE invites.code = %(code)s AND {_ACTIVE}", {"code": code})
    return await one(cur, _make)


async def list_for_channel(cur: Cursor, guild_id: GuildId, channel_id: ChannelId) -> list[Invite]:
    """Return the active invites to a channel, newest first."""
    await cur.execute(
        f"""
        {_SELECT}
         WHERE invites.guild_id = %(guild_id)s AND invites.channel_id = %(channel_id)s
           AND {_ACTIVE}
      ORDER BY invites.created_at DESC, invites.code
        """,
        {"guild_id": guild_id, "channel_id": channel_id},
    )
    return await many(cur, _make)


async def list_for_guild(cur: Cursor, guild_id: GuildId) -> list[Invite]:
    """Return the active invites to all channels of a guild, newest first."""
    await cur.execute(
        f"""
        {_SELECT}
         WHERE invites.guild_id = %(guild_id)s AND {_ACTIVE}
      ORDER BY invites.created_at DESC, invites.code
        """,
        {"guild_id": guild_id},
    )
    return await many(cur, _make)


async def find_reusable(
    cur: Cursor, channel_id: ChannelId, inviter_id: UserId, options: InviteOptions
) -> str | None:
    """Return the code of an active, unused invite of the same inviter with the same options."""
    await cur.execute(
        f"""
        SELECT code FROM invites
         WHERE channel_id = %(channel_id)s AND inviter_id = %(inviter_id)s
           AND max_age = %(max_age_s)s AND max_uses = %(max_uses)s
           AND temporary = %(temporary)s AND uses = 0 AND {_ACTIVE}
      ORDER BY created_at DESC
         LIMIT 1
        """,
        {
            "channel_id": channel_id,
            "inviter_id": inviter_id,
            "max_age_s": options.max_age_s,
            "max_uses": options.max_uses,
            "temporary": options.temporary,
        },
    )
    return await one(cur, str)


async def count_for_guild(cur: Cursor, guild_id: GuildId) -> int:
    """Return the number of active invites of a guild."""
    await cur.execute(
        f"SELECT count(*) FROM invites WHERE guild_id = %(guild_id)s AND {_ACTIVE}",
        {"guild_id": guild_id},
    )
    row = await cur.fetchone()
    return int(row[0]) if row else 0


async def consume(cur: Cursor, code: str) -> bool:
    """Consume one use of an active invite. False when it is not active."""
    await cur.execute(
        f"UPDATE invites SET uses = uses + 1 WHERE code = %(code)s AND {_ACTIVE}", {"code": code}
    )
    return cur.rowcount == 1


async def delete(cur: Cursor, code: str) -> bool:
    """Delete an invite. False when there is none."""
    await cur.execute("DELETE FROM invites WHERE code = %(code)s", {"code": code})
    return cur.rowcount == 1


async def delete_expired(cur: Cursor, *, limit: int) -> int:
    """Delete some invites that are no longer active. Return their number."""
    await cur.execute(
        f"""
        DELETE FROM invites
         WHERE ctid = ANY (ARRAY (SELECT ctid FROM invites WHERE NOT ({_ACTIVE}) LIMIT %(limit)s))
        """,
        {"limit": limit},
    )
    return cur.rowcount
