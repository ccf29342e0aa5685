"""Whom a message mentions: what its text names, as far as it is there and may be called."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from chatd.core.ids import GuildId, RoleId, UserId
from chatd.core.mentions import Mentioned
from chatd.core.models import Member, User
from chatd.core.permissions import Permissions
from chatd.db import Cursor
from chatd.queries import members, roles, users
from chatd.services.access import AnyAccess, ChannelAccess


@dataclass(frozen=True, slots=True)
class Mentions:
    """Users, those of them who are members of the guild, roles, and whether everyone."""

    users: Sequence[User] = ()
    members: Mapping[UserId, Member] = field(default_factory=dict)
    roles: Sequence[RoleId] = ()
    everyone: bool = False


NO_MENTIONS = Mentions()


async def resolve(cur: Cursor, granted: AnyAccess, named: Mentioned) -> Mentions:
    """Who of those that a text names is mentioned by it.

    In a guild that is every user there is, every role that is mentionable, and everyone and all
    roles for those with MENTION_EVERYONE; in a private channel, whoever is in it. Rule: Discord
    docs, Topics, "Permissions", MENTION_EVERYONE.
    """
    if not isinstance(granted, ChannelAccess):
        here = {user.id: user for user in granted.channel.recipients}
        return Mentions([here[user_id] for user_id in named.users if user_id in here])
    guild_id = granted.guild.id
    may_call_all = Permissions.MENTION_EVERYONE in granted.permissions
    people = {user.id: user for user in await users.by_ids(cur, named.users)}
    return Mentions(
        [people[user_id] for user_id in named.users if user_id in people],
        {each.user.id: each for each in await members.by_ids(cur, guild_id, named.users)},
        await _roles(cur, guild_id, named.roles, may_call_all=may_call_all),
        named.everyone and may_call_all,
    )


async def _roles(
    cur: Cursor, guild_id: GuildId, wanted: Sequence[RoleId], *, may_call_all: bool
) -> list[RoleId]:
    if not wanted:
        return []
    callable_ids = {
        role.id
        for role in await roles.of_guilds(cur, [guild_id])
        if (role.mentionable or may_call_all) and not role.is_everyone
    }
    return [role_id for role_id in wanted if role_id in callable_ids]
