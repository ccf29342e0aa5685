"""Everything that an authorization needs, in one query."""

from __future__ import annotations

from chatd.core.ids import ChannelId, GuildId, RoleId, UserId
from chatd.core.models import BareChannel, Guild, Member, User
from chatd.core.overwrites import Overwrite
from chatd.core.records import record
from chatd.db.cursor import Cursor, PreparedStatement, one
from chatd.queries import channels, guilds, users


@record(frozen=True, slots=True)
class RankedRole:
    """The permissions that a role grants, and its position in the hierarchy."""

    id: RoleId
    permissions: int
    position: int


@record(frozen=True, slots=True)
class AccessRow:
    """A guild with its permission version, the caller's membership and the caller's roles."""

    guild: Guild
    version: int
    member: Member | None
    timed_out: bool
    lacks_mfa: bool
    """Whether the guild requires a second factor for moderation, and the user has none."""
    roles: tuple[RankedRole, ...]
    """The roles of the member, including @everyone."""
    automod_revision: int
    """The revision of the rules of AutoModeration of the guild; positive if one is enabled."""
    channel: BareChannel | None = None
    overwrites: tuple[Overwrite, ...] = ()
    """The channel's overwrites that apply to the member: for @everyone, its roles and itself."""
    has_all_overwrites: bool = False
    """Whether `overwrites` are all of the channel, with those that do not apply to the member."""


_COLUMNS = f"""
    {users.COLUMNS}, {guilds.COLUMNS}, streams.version,
    guild_members.user_id IS NOT NULL, guild_members.nick, guild_members.joined_at,
    guild_members.communication_disabled_until,
    coalesce(guild_members.communication_disabled_until > now(), false),
    (guilds.mfa_level > 0 AND NOT users.mfa_enabled
     AND NOT EXISTS (SELECT FROM applications
                       JOIN users AS owners ON owners.id = applications.owner_id
                      WHERE applications.id = users.id AND owners.mfa_enabled)),
    guilds.automod_revision,
    ARRAY (SELECT role_id FROM member_roles
            WHERE member_roles.guild_id = guilds.id AND member_roles.user_id = users.id
              AND EXISTS (SELECT FROM roles WHERE roles.id = role_id)
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


_IN_GUILD = PreparedStatement(
    f"SELECT {_COLUMNS} FROM guilds {_JOIN} WHERE guilds.id = %(guild_id)s",
    guild_id="bigint",
    user_id="bigint",
)
_OWN_OVERWRITES = """
    target_id = ANY(ARRAY[guilds.id, users.id]
                    || ARRAY (SELECT role_id FROM member_roles
                               WHERE member_roles.guild_id = guilds.id
                                 AND member_roles.user_id = users.id))
"""


def _in_channel(shown: str, are_all: str, join: str = "") -> PreparedStatement:
    return PreparedStatement(
        f"""
        SELECT {_COLUMNS}, {channels.BARE_COLUMNS}, {are_all},
               (SELECT coalesce(jsonb_agg(jsonb_build_array(target_id, type, allow, deny)), '[]')
                  FROM overwrites
                 WHERE overwrites.channel_id = channels.id AND ({shown}))
          FROM channels JOIN guilds ON guilds.id = channels.guild_id {_JOIN} {join}
         WHERE channels.id = %(channel_id)s
        """,
        channel_id="bigint",
        user_id="bigint",
    )


_MAX_SHARED = 20
"""Overwrites of a channel that are all read. Most channels have fewer than ten."""

_IN_CHANNEL = _in_channel(_OWN_OVERWRITES, "false")
_IN_CHANNEL_FOR_ALL = _in_channel(
    f"few.are_all OR {_OWN_OVERWRITES}",
    "few.are_all",
    f"""
    CROSS JOIN LATERAL (
        SELECT count(*) <= {_MAX_SHARED} AS are_all
          FROM (SELECT FROM overwrites
                 WHERE overwrites.channel_id = channels.id
                 LIMIT {_MAX_SHARED + 1}) AS first
    ) AS few
    """,
)


async def in_guild(cur: Cursor, guild_id: GuildId, user_id: UserId) -> AccessRow | None:
    """Return the access data of a user in a guild; None when the guild does not exist."""
    await cur.run(_IN_GUILD, {"guild_id": guild_id, "user_id": user_id})
    return await one(cur, _make)


async def in_channel(
    cur: Cursor, channel_id: ChannelId, user_id: UserId, *, for_all: bool = False
) -> AccessRow | None:
    """Return the access data of a user in a channel; None when the channel does not exist.

    A channel that belongs to no guild counts as nonexistent. With `for_all`, the overwrites for
    others are read too, if the channel has few.
    """
    statement = _IN_CHANNEL_FOR_ALL if for_all else _IN_CHANNEL
    await cur.run(statement, {"channel_id": channel_id, "user_id": user_id})
    return await one(cur, _make)


def _make(*row: object) -> AccessRow:
    user, rest = users.split_row(row)
    guild = Guild(*rest[: guilds.COLUMN_COUNT])
    of_member = rest[guilds.COLUMN_COUNT :]
    version, is_member, nick, joined_at, disabled_until, timed_out, lacks_mfa = of_member[:7]
    automod_revision, roles, ranked, *channel = of_member[7:]
    member = _member(guild, user, nick, joined_at, disabled_until, roles) if is_member else None
    ranks = tuple(RankedRole(*each) for each in ranked)
    state = version, member, timed_out, lacks_mfa, ranks, automod_revision
    if not channel:
        return AccessRow(guild, *state)
    *bare, are_all, found = channel
    return AccessRow(guild, *state, channels.make_bare(*bare), channels.overwrites(found), are_all)


def _member(guild: Guild, user: User, *rest: object) -> Member:
    nick, joined_at, disabled_until, roles = rest
    return Member(guild.id, user, nick, joined_at, disabled_until, tuple(roles))  # type: ignore
