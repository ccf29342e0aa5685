"""Who may do what where: the one place in which permissions are decided.

Rule: Discord docs, Permissions, "Permission Hierarchy". Somebody who is no member is told
Missing Access, about a guild or channel that exists, as Discord's bots are.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from chatd.context import Work
from chatd.core import permissions
from chatd.core.errors import (
    MissingAccess,
    MissingPermissions,
    NotInPrivate,
    Unauthorized,
    UnknownChannel,
    UnknownGuild,
)
from chatd.core.ids import ChannelId, GuildId, RoleId, StreamId, UserId
from chatd.core.models import Channel, Guild, Member, Place, PrivateChannel, Role, User
from chatd.core.permissions import Permissions
from chatd.db import Cursor
from chatd.queries import access as queries
from chatd.queries import private_channels, roles, users
from chatd.queries.access import Grounds


@dataclass(frozen=True, slots=True, order=True)
class Rank:
    """Where a role, or a member by its highest role, stands; the owner is above all.

    Of two roles at one position the older one is higher (Discord docs, Permissions, "Permission
    Hierarchy").
    """

    is_owner: bool
    position: int
    tie: int


@dataclass(frozen=True, slots=True)
class GuildAccess:
    """A member in a guild, and what it may do there at this version of the guild."""

    guild: Guild
    member: Member
    permissions: Permissions
    rank: Rank
    version: int

    def require(self, needed: Permissions) -> None:
        """Raises MissingPermissions unless all of `needed` is there."""
        if needed & ~self.permissions:
            raise MissingPermissions

    def in_channel(self, channel: Channel) -> Permissions:
        """What the member may do in a channel of this guild, unless it is timed out."""
        return permissions.in_channel(
            self.permissions,
            channel.overwrites,
            guild_id=self.guild.id,
            user_id=self.member.user.id,
            roles=self.member.roles,
        )

    def may_see(self, channel: Channel) -> bool:
        """Whether the member may see a channel of this guild."""
        return Permissions.VIEW_CHANNEL in self.in_channel(channel)

    def require_above(self, other: Rank) -> None:
        """Raises MissingPermissions unless the member stands above a role or another member."""
        if not self.rank > other:
            raise MissingPermissions

    def require_grantable(self, wanted: int) -> None:
        """Raises MissingPermissions for bits that the member does not have itself."""
        if wanted & ~self.permissions:
            raise MissingPermissions


@dataclass(frozen=True, slots=True)
class ChannelAccess(GuildAccess):
    """A member in a channel that it may see, and what it may do there."""

    channel: Channel

    @property
    def place(self) -> Place:
        """Where its messages stand."""
        return Place(self.channel.id, self.guild.id)


@dataclass(frozen=True, slots=True)
class PrivateAccess:
    """Somebody in a private channel, where all may do the same."""

    user: User
    channel: PrivateChannel
    permissions: Permissions = permissions.IN_PRIVATE

    @property
    def place(self) -> Place:
        """Where its messages stand."""
        recipients = tuple(user.id for user in self.channel.recipients)
        return Place(self.channel.id, None, recipients)

    @property
    def member(self) -> None:
        """There are no members outside of guilds."""

    def require(self, needed: Permissions) -> None:
        """Raises NotInPrivate unless all of `needed` is there."""
        if needed & ~self.permissions:
            raise NotInPrivate


AnyAccess = ChannelAccess | PrivateAccess
"""Somebody in a channel of a guild, or in a private one."""


async def guild(cur: Cursor, user_id: UserId, guild_id: GuildId) -> GuildAccess:
    """What a user may do in a guild. Raises UnknownGuild, MissingAccess."""
    grounds = await queries.in_guild(cur, guild_id, user_id)
    if grounds is None:
        raise UnknownGuild
    if grounds.member is None:
        raise MissingAccess
    granted = _in_guild(grounds)
    if grounds.timed_out:
        granted = permissions.while_timed_out(granted)
    return GuildAccess(grounds.guild, grounds.member, granted, _rank(grounds), grounds.version)


async def channel(cur: Cursor, user_id: UserId, channel_id: ChannelId) -> AnyAccess:
    """What a user may do in a channel. Raises UnknownChannel, MissingAccess."""
    grounds = await queries.in_channel(cur, channel_id, user_id)
    if grounds is not None and grounds.channel is not None:
        return _in_channel(grounds, grounds.channel, user_id)
    private = await private_channels.get(cur, channel_id)
    if private is None:
        raise UnknownChannel
    for user in private.recipients:
        if user.id == user_id:
            return PrivateAccess(user, private)
    raise MissingAccess


async def guild_channel(cur: Cursor, user_id: UserId, channel_id: ChannelId) -> ChannelAccess:
    """What a user may do in a channel of a guild.

    Raises UnknownChannel, MissingAccess, and NotInPrivate to those in a private channel.
    """
    granted = await channel(cur, user_id, channel_id)
    if isinstance(granted, PrivateAccess):
        raise NotInPrivate
    return granted


def _in_channel(grounds: Grounds, channel: Channel, user_id: UserId) -> ChannelAccess:
    if grounds.member is None:
        raise MissingAccess
    granted = permissions.in_channel(
        _in_guild(grounds),
        channel.overwrites,
        guild_id=grounds.guild.id,
        user_id=user_id,
        roles=grounds.member.roles,
    )
    if grounds.timed_out:
        granted = permissions.while_timed_out(granted)
    if not granted & Permissions.VIEW_CHANNEL:
        raise MissingAccess
    return ChannelAccess(
        grounds.guild, grounds.member, granted, _rank(grounds), grounds.version, channel
    )


async def locked_guild(work: Work, user_id: UserId, guild_id: GuildId) -> GuildAccess:
    """The same as `guild`, true until the work commits."""
    if not await work.lock(guild_id):
        raise UnknownGuild
    return await guild(work.cur, user_id, guild_id)


async def locked_channel(
    work: Work, user_id: UserId, channel_id: ChannelId, *, besides: Iterable[UserId] = ()
) -> AnyAccess:
    """The same as `channel`, true until the work commits.

    Of a private channel, everyone's own stream is locked too, for each gets its events there,
    and those of the users `besides`.
    """
    if not await work.lock_of_channel(channel_id):
        raise UnknownChannel
    granted = await channel(work.cur, user_id, channel_id)
    if isinstance(granted, PrivateAccess):
        await work.lock_all(StreamId(each) for each in (*granted.place.recipients, *besides))
        await require_account(work.cur, user_id)
    return granted


async def locked_guild_channel(work: Work, user_id: UserId, channel_id: ChannelId) -> ChannelAccess:
    """The same as `guild_channel`, true until the work commits."""
    granted = await locked_channel(work, user_id, channel_id)
    if isinstance(granted, PrivateAccess):
        raise NotInPrivate
    return granted


async def require_account(cur: Cursor, user_id: UserId) -> None:
    """Raises Unauthorized when the account has been deleted since its token was looked at.

    True until the work commits for whoever has locked the user's stream.
    """
    if not await users.is_living(cur, user_id):
        raise Unauthorized


async def below(cur: Cursor, granted: GuildAccess, role_ids: Iterable[RoleId]) -> list[RoleId]:
    """Those of these roles of a guild that the member stands above."""
    wanted = set(role_ids)
    found = await roles.of_guilds(cur, [granted.guild.id]) if wanted else []
    return [role.id for role in found if role.id in wanted and granted.rank > role_rank(role)]


async def member_rank(cur: Cursor, guild_id: GuildId, user_id: UserId) -> Rank | None:
    """Where a member stands; None for somebody who is none."""
    grounds = await queries.in_guild(cur, guild_id, user_id)
    return None if grounds is None or grounds.member is None else _rank(grounds)


def role_rank(role: Role) -> Rank:
    """Where a role stands."""
    return Rank(False, role.position, -role.id)


def _in_guild(grounds: Grounds) -> Permissions:
    assert grounds.member is not None
    return permissions.in_guild(
        is_owner=_is_owner(grounds),
        roles=[Permissions(role.permissions) for role in grounds.roles],
    )


def _rank(grounds: Grounds) -> Rank:
    own = [(role.position, -role.id) for role in grounds.roles]
    position, tie = max(own, default=(0, 0))
    return Rank(_is_owner(grounds), position, tie)


def _is_owner(grounds: Grounds) -> bool:
    return grounds.member is not None and grounds.guild.owner_id == grounds.member.user.id
