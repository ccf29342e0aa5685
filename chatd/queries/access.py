"""What an authorisation is decided on, in one query."""

from __future__ import annotations

from dataclasses import dataclass

from chatd.core.ids import ChannelId, GuildId, RoleId, UserId
from chatd.core.models import Channel, Guild, Member, User
from chatd.db import Cursor, Prepared, one
from chatd.queries import channels, guilds, users


@dataclass(frozen=True, slots=True)
class RankedRole:
    """What decides on a role: what it grants, and where it stands."""

    id: RoleId
    permissions: int
    position: int


@dataclass(frozen=True, slots=True)
class Grounds:
    """A guild at a version, who asks as a member of it, and what its roles grant."""

    guild: Guild
    version: int
    member: Member | None
    timed_out: bool
    roles: tuple[RankedRole, ...]
    """Its roles, @everyone among them."""
    channel: Channel | None


_COLUMNS = f"""
    {users.COLUMNS}, {guilds.COLUMNS}, streams.version,
    guild_members.user_id IS NOT NULL, guild_members.nick, guild_members.joined_at,
    guild_members.communication_disabled_until,
    coalesce(guild_members.communication_disabled_until > now(), false),
    ARRAY (SELECT role_id FROM member_roles
            WHERE member_roles.guild_id = guilds.id AND member_roles.user_id = users.id
         ORDER BY role_id),
    ARRAY (SELECT ARRAY[id, permissions, position] FROM roles
            WHERE roles.guild_id = guilds.id
              AND (roles.id = guilds.id
                   OR roles.id IN (SELECT role_id FROM member_roles
                                    WHERE member_roles.guild_id = guilds.id
                                      AND member_roles.user_id = users.id)))
"""
_JOIN = """
    JOIN streams ON streams.id = guilds.id
    JOIN users ON users.id = %(user_id)s
    LEFT JOIN guild_members
           ON guild_members.guild_id = guilds.id AND guild_members.user_id = users.id
"""


_IN_GUILD = Prepared(
    f"SELECT {_COLUMNS} FROM guilds {_JOIN} WHERE guilds.id = %(guild_id)s",
    guild_id="bigint",
    user_id="bigint",
)
_IN_CHANNEL = Prepared(
    f"""
    SELECT {_COLUMNS}, {channels.COLUMNS}
      FROM channels JOIN guilds ON guilds.id = channels.guild_id {_JOIN}
     WHERE channels.id = %(channel_id)s
    """,
    channel_id="bigint",
    user_id="bigint",
)


async def in_guild(cur: Cursor, guild_id: GuildId, user_id: UserId) -> Grounds | None:
    """The grounds in a guild; None when there is no such guild."""
    await cur.run(_IN_GUILD, {"guild_id": guild_id, "user_id": user_id})
    return await one(cur, _make)


async def in_channel(cur: Cursor, channel_id: ChannelId, user_id: UserId) -> Grounds | None:
    """The grounds in a channel's guild, with the channel; None when there is no such channel."""
    await cur.run(_IN_CHANNEL, {"channel_id": channel_id, "user_id": user_id})
    return await one(cur, _make)


def _make(*row: object) -> Grounds:
    user, rest = users.split(row)
    guild = Guild(*rest[: guilds.COLUMN_COUNT])
    version, is_member, nick, joined_at, disabled_until, timed_out, roles, ranked, *channel = rest[
        guilds.COLUMN_COUNT :
    ]
    member = _member(guild, user, nick, joined_at, disabled_until, roles) if is_member else None
    return Grounds(
        guild,
        version,
        member,
        timed_out,
        tuple(RankedRole(*each) for each in ranked),
        channels.make(*channel) if channel else None,
    )


def _member(guild: Guild, user: User, *rest: object) -> Member:
    nick, joined_at, disabled_until, roles = rest
    return Member(guild.id, user, nick, joined_at, disabled_until, tuple(roles))  # type: ignore
