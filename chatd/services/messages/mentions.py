"""Resolving the mentions in a message to the users and roles that its author may mention."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from chatd.core.ids import GuildId, RoleId, UserId
from chatd.core.mentions import Mentioned
from chatd.core.models import Member, User
from chatd.core.permissions import Permissions
from chatd.db.cursor import Cursor
from chatd.queries import members, roles, users
from chatd.services.access.access import PrivateAccess, SenderAccess


@dataclass(frozen=True, slots=True)
class Mentions:
    """Mentioned users and roles. `members` are the users that are members of the guild."""

    users: Sequence[User] = ()
    members: Mapping[UserId, Member] = field(default_factory=dict)
    roles: Sequence[RoleId] = ()
    everyone: bool = False


NO_MENTIONS = Mentions()


async def resolve(cur: Cursor, granted: SenderAccess, mentioned: Mentioned) -> Mentions:
    """Return those of the mentioned users and roles that the author may mention.

    In a guild these are all users that exist and all mentionable roles. With MENTION_EVERYONE they
    are also the other roles and everyone. In a private channel they are its recipients. Rule:
    Discord docs, Topics, "Permissions", MENTION_EVERYONE.
    """
    if isinstance(granted, PrivateAccess):
        here = {user.id: user for user in granted.channel.recipients}
        return Mentions([here[user_id] for user_id in mentioned.users if user_id in here])
    guild_id = granted.guild.id
    may_mention_all = Permissions.MENTION_EVERYONE in granted.permissions
    by_id = {user.id: user for user in await users.by_ids(cur, mentioned.users)}
    return Mentions(
        [by_id[user_id] for user_id in mentioned.users if user_id in by_id],
        {each.user.id: each for each in await members.by_ids(cur, guild_id, mentioned.users)},
        await _mentionable(cur, guild_id, mentioned.roles, may_mention_all=may_mention_all),
        mentioned.everyone and may_mention_all,
    )


async def _mentionable(
    cur: Cursor, guild_id: GuildId, wanted: Sequence[RoleId], *, may_mention_all: bool
) -> list[RoleId]:
    if not wanted:
        return []
    mentionable_ids = {
        role.id
        for role in await roles.list_for_guilds(cur, [guild_id])
        if (role.mentionable or may_mention_all) and not role.is_everyone
    }
    return [role_id for role_id in wanted if role_id in mentionable_ids]
