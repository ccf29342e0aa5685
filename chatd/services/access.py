"""Who may do what where: the one place in which permissions are decided.

Rule: Discord docs, Permissions, "Permission Hierarchy". Somebody who is no member is told
Missing Access, about a guild or channel that exists, as Discord's bots are.
"""

from __future__ import annotations

from dataclasses import dataclass

from chatd.context import Work
from chatd.core import permissions
from chatd.core.errors import MissingAccess, MissingPermissions, UnknownChannel, UnknownGuild
from chatd.core.ids import ChannelId, GuildId, UserId
from chatd.core.models import Channel, Guild, Member
from chatd.core.permissions import Permissions
from chatd.db import Cursor
from chatd.queries import access as queries
from chatd.queries.access import Grounds


@dataclass(frozen=True, slots=True)
class GuildAccess:
    """A member in a guild, and what it may do there at this version of the guild."""

    guild: Guild
    member: Member
    permissions: Permissions
    version: int

    def require(self, needed: Permissions) -> None:
        """Raises MissingPermissions unless all of `needed` is there."""
        if needed & ~self.permissions:
            raise MissingPermissions


@dataclass(frozen=True, slots=True)
class ChannelAccess(GuildAccess):
    """A member in a channel that it may see, and what it may do there."""

    channel: Channel


async def guild(cur: Cursor, user_id: UserId, guild_id: GuildId) -> GuildAccess:
    """What a user may do in a guild. Raises UnknownGuild, MissingAccess."""
    grounds = await queries.in_guild(cur, guild_id, user_id)
    if grounds is None:
        raise UnknownGuild
    if grounds.member is None:
        raise MissingAccess
    return GuildAccess(grounds.guild, grounds.member, _decide(grounds), grounds.version)


async def channel(cur: Cursor, user_id: UserId, channel_id: ChannelId) -> ChannelAccess:
    """What a user may do in a channel. Raises UnknownChannel, MissingAccess."""
    grounds = await queries.in_channel(cur, channel_id, user_id)
    if grounds is None or grounds.channel is None:
        raise UnknownChannel
    if grounds.member is None:
        raise MissingAccess
    granted = permissions.in_channel(_decide(grounds))
    if not granted & Permissions.VIEW_CHANNEL:
        raise MissingAccess
    return ChannelAccess(grounds.guild, grounds.member, granted, grounds.version, grounds.channel)


async def locked_guild(work: Work, user_id: UserId, guild_id: GuildId) -> GuildAccess:
    """The same as `guild`, true until the work commits."""
    if not await work.lock(guild_id):
        raise UnknownGuild
    return await guild(work.cur, user_id, guild_id)


async def locked_channel(work: Work, user_id: UserId, channel_id: ChannelId) -> ChannelAccess:
    """The same as `channel`, true until the work commits."""
    if not await work.lock_of_channel(channel_id):
        raise UnknownChannel
    return await channel(work.cur, user_id, channel_id)


def _decide(grounds: Grounds) -> Permissions:
    assert grounds.member is not None
    return permissions.in_guild(
        is_owner=grounds.guild.owner_id == grounds.member.user.id,
        roles=[Permissions(each) for each in grounds.role_permissions],
        timed_out=grounds.timed_out,
    )
