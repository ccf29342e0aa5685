"""Access control: the only module that checks permissions in guilds and channels.

A user that is not a member gets Missing Access for an existing guild or channel, as bots do at
Discord. Rule: Discord docs, Permissions, "Permission Hierarchy".
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from chatd.context.unit_of_work import UnitOfWork
from chatd.core import permissions
from chatd.core.errors import (
    CannotSendToUser,
    MfaRequired,
    MissingAccess,
    MissingPermissions,
    NotInPrivate,
    Unauthorized,
    UnknownChannel,
    UnknownGuild,
)
from chatd.core.ids import ChannelId, GuildId, RoleId, StreamId, UserId
from chatd.core.models import (
    BareChannel,
    Channel,
    Guild,
    Member,
    MessageLocation,
    PrivateChannel,
    Role,
    User,
)
from chatd.core.overwrites import Overwrite
from chatd.core.permissions import Permissions
from chatd.core.records import record
from chatd.db.cursor import Cursor
from chatd.queries import access as queries
from chatd.queries import private_channels, roles, users
from chatd.queries.access import AccessRow
from chatd.queries.channels import MemberOverwrites


@dataclass(frozen=True, slots=True, order=True)
class Rank:
    """The position of a role, or of a member by its highest role. The owner is above all.

    Of two roles at one position the older one is higher (Discord docs, Permissions, "Permission
    Hierarchy").
    """

    is_owner: bool
    position: int
    tie: int
    """The negative id of the role, which is greater for an older role."""


@record(frozen=True, slots=True)
class GuildAccess:
    """A member of a guild with its permissions, as of one permission version of the guild."""

    guild: Guild
    member: Member
    permissions: Permissions
    """Those in the guild; in a ChannelAccess, those in the channel."""
    rank: Rank
    version: int
    """The permission version of the guild."""
    base_permissions: Permissions
    """The permissions that its roles grant in the guild, without regard to a timeout."""
    timed_out: bool
    lacks_mfa: bool
    """Whether the guild requires a second factor for moderation, and the member has none."""
    automod_revision: int
    """The revision of the rules of AutoModeration of the guild; positive if one is enabled."""

    def require(self, needed: Permissions) -> None:
        """Raise MissingPermissions unless the member has all of `needed`.

        Raises MfaRequired if it may not use them without a second factor.
        """
        if not permissions.has_all(self.permissions, needed):
            raise MissingPermissions
        if self.lacks_mfa and needed & permissions.ELEVATED:  # in this order: flags are slow
            self.require_mfa()

    def require_mfa(self) -> None:
        """Raise MfaRequired if the member may not moderate without a second factor."""
        if self.lacks_mfa:
            raise MfaRequired

    def in_channel(self, channel: Channel | MemberOverwrites) -> Permissions:
        """Return the permissions of the member in a channel of this guild."""
        return self.in_channel_with(channel.overwrites)

    def in_channel_with(self, overwrites: Iterable[Overwrite]) -> Permissions:
        """Return the permissions of the member in a channel with these overwrites."""
        found = permissions.in_channel(
            self.base_permissions,
            overwrites,
            guild_id=self.guild.id,
            user_id=self.member.user.id,
            roles=self.member.roles,
        )
        return permissions.while_timed_out(found) if self.timed_out else found

    @property
    def in_guild(self) -> Permissions:
        """The permissions of the member in the guild, without the overwrites of any channel."""
        return (
            permissions.while_timed_out(self.base_permissions)
            if self.timed_out
            else self.base_permissions
        )

    def for_channel(self, channel: BareChannel, overwrites: Iterable[Overwrite]) -> ChannelAccess:
        """Return the access of the member to a channel of this guild.

        `overwrites` has to contain at least those for the member and its roles. Raises
        MissingAccess if the member cannot see the channel.
        """
        found = self.in_channel_with(overwrites)
        if not permissions.has_all(found, Permissions.VIEW_CHANNEL):
            raise MissingAccess
        return ChannelAccess(
            self.guild,
            self.member,
            found,
            self.rank,
            self.version,
            self.base_permissions,
            self.timed_out,
            self.lacks_mfa,
            self.automod_revision,
            channel,
        )

    def can_see(self, channel: Channel | MemberOverwrites) -> bool:
        """Return whether the member can see a channel of this guild."""
        return Permissions.VIEW_CHANNEL in self.in_channel(channel)

    @property
    def targets(self) -> tuple[int, ...]:
        """The targets of overwrites for the member: @everyone, its roles and itself."""
        return (self.guild.id, self.member.user.id, *self.member.roles)

    def require_communication_enabled(self) -> None:
        """Raise MissingPermissions while the member is timed out."""
        if self.timed_out and Permissions.ADMINISTRATOR not in self.base_permissions:
            raise MissingPermissions

    def require_above(self, other: Rank) -> None:
        """Raise MissingPermissions unless the member is above a role or another member."""
        if not self.rank > other:
            raise MissingPermissions

    def require_grantable(self, wanted: int) -> None:
        """Raise MissingPermissions for bits that the member does not have itself."""
        if wanted & ~self.permissions:
            raise MissingPermissions


@record(frozen=True, slots=True)
class ChannelAccess(GuildAccess):
    """A member with its permissions in a channel that it can see."""

    channel: BareChannel

    @property
    def location(self) -> MessageLocation:
        """The location of messages in this channel."""
        return MessageLocation(self.channel.id, self.guild.id)


@dataclass(frozen=True, slots=True)
class PrivateAccess:
    """A recipient of a private channel with its permissions.

    All recipients have the same permissions, with one exception: a user whose direct messages the
    other recipient does not accept.
    """

    user: User
    channel: PrivateChannel
    permissions: Permissions = permissions.IN_DM

    @property
    def location(self) -> MessageLocation:
        """The location of messages in this channel."""
        recipients = tuple(user.id for user in self.channel.recipients)
        return MessageLocation(self.channel.id, None, recipients)

    @property
    def member(self) -> None:
        """None: private channels have no members."""

    def require(self, needed: Permissions) -> None:
        """Raise NotInPrivate or CannotSendToUser unless the user has all of `needed`."""
        if needed & ~permissions.IN_DM:
            raise NotInPrivate
        if needed & ~self.permissions:
            raise CannotSendToUser

    def require_communication_enabled(self) -> None:
        """Raise CannotSendToUser if the other user does not accept messages from this one."""
        self.require(Permissions.SEND_MESSAGES)


AnyAccess = ChannelAccess | PrivateAccess
"""Access to a channel of a guild, or to a private channel."""


@dataclass(frozen=True, slots=True)
class WebhookAccess:
    """The access of a webhook to its channel in a guild: that of no account.

    Interactions respond through the webhook of their application.
    """

    guild: Guild
    channel: BareChannel
    member: Member | None
    """The account that is shown as the author, if it is a member of the guild."""
    permissions: Permissions
    version: int
    """The permission version of the guild."""

    @property
    def location(self) -> MessageLocation:
        """The location of messages in this channel."""
        return MessageLocation(self.channel.id, self.guild.id)

    def require(self, needed: Permissions) -> None:
        """Raise MissingPermissions unless the webhook has all of `needed`."""
        if needed & ~self.permissions:
            raise MissingPermissions


SenderAccess = AnyAccess | WebhookAccess
"""The access of what can send messages: an account, or a webhook."""


async def guild(cur: Cursor, user_id: UserId, guild_id: GuildId) -> GuildAccess:
    """Return the access of a user to a guild. Raises UnknownGuild, MissingAccess."""
    row = await queries.in_guild(cur, guild_id, user_id)
    if row is None:
        raise UnknownGuild
    return _access(row)


async def channel(cur: Cursor, user_id: UserId, channel_id: ChannelId) -> AnyAccess:
    """Return the access of a user to a channel. Raises UnknownChannel, MissingAccess."""
    return await for_row(
        cur, user_id, channel_id, await queries.in_channel(cur, channel_id, user_id)
    )


async def for_row(
    cur: Cursor, user_id: UserId, channel_id: ChannelId, row: AccessRow | None
) -> AnyAccess:
    """Return what `channel` returns, from a row that `queries.in_channel` has read."""
    if row is not None and row.channel is not None:
        return _access(row).for_channel(row.channel, row.overwrites)
    found = await private_channels.get_for_sender(cur, channel_id, user_id)
    if found is None:
        raise UnknownChannel
    private, may_send = found
    for user in private.recipients:
        if user.id == user_id:
            return PrivateAccess(user, private, _in_dm(may_send=may_send))
    raise MissingAccess


def _in_dm(*, may_send: bool) -> Permissions:
    """Return the permissions of a recipient. `may_send`: the other one accepts its messages."""
    return permissions.IN_DM if may_send else permissions.READ_ONLY_IN_DM


async def permissions_in_channel(
    cur: Cursor, user_id: UserId, channel_id: ChannelId
) -> Permissions | None:
    """Return the permissions of a member in a channel of a guild; none without VIEW_CHANNEL.

    Returns None if the user is not a member, or the channel does not exist.
    """
    row = await queries.in_channel(cur, channel_id, user_id)
    if row is None or row.member is None:
        return None
    return _access(row).in_channel_with(row.overwrites)


async def guild_channel(cur: Cursor, user_id: UserId, channel_id: ChannelId) -> ChannelAccess:
    """Return the access of a user to a channel of a guild.

    Raises UnknownChannel, MissingAccess, and NotInPrivate for a private channel of the user.
    """
    granted = await channel(cur, user_id, channel_id)
    if isinstance(granted, PrivateAccess):
        raise NotInPrivate
    return granted


def _access(row: AccessRow) -> GuildAccess:
    """Return the access of the user of a row. Raises MissingAccess if it is no member."""
    if row.member is None:
        raise MissingAccess
    roles = [role.permissions for role in row.roles]
    granted = permissions.in_guild(is_owner=_is_owner(row), roles=roles)
    current = permissions.while_timed_out(granted) if row.timed_out else granted
    state = row.timed_out, row.lacks_mfa, row.automod_revision
    return GuildAccess(row.guild, row.member, current, _rank(row), row.version, granted, *state)


async def locked_guild(work: UnitOfWork, user_id: UserId, guild_id: GuildId) -> GuildAccess:
    """Lock a guild, and return the access of a user to it, valid until the commit.

    Raises UnknownGuild, MissingAccess.
    """
    if not await work.lock(guild_id):
        raise UnknownGuild
    return await guild(work.cur, user_id, guild_id)


async def locked_channel(
    work: UnitOfWork, user_id: UserId, channel_id: ChannelId, *, also_lock: Iterable[UserId] = ()
) -> AnyAccess:
    """Lock a channel, and return the access of a user to it, valid until the commit.

    For a private channel, this locks the streams of all recipients too, because their events are
    in these streams, and the streams of the users `also_lock`. Raises UnknownChannel,
    MissingAccess, Unauthorized.
    """
    if not await work.lock_of_channel(channel_id):
        raise UnknownChannel
    granted = await channel(work.cur, user_id, channel_id)
    if isinstance(granted, PrivateAccess):
        await work.lock_all(StreamId(each) for each in (*granted.location.recipients, *also_lock))
        # Read again: the status may have changed before the locks were held.
        exists, may_send = await private_channels.sender_status(work.cur, channel_id, user_id)
        if not exists:
            raise Unauthorized
        return replace(granted, permissions=_in_dm(may_send=may_send))
    return granted


async def locked_guild_channel(
    work: UnitOfWork, user_id: UserId, channel_id: ChannelId
) -> ChannelAccess:
    """Lock a channel of a guild, and return the access of a user, valid until the commit.

    Raises UnknownChannel, MissingAccess, NotInPrivate.
    """
    granted = await locked_channel(work, user_id, channel_id)
    if isinstance(granted, PrivateAccess):
        raise NotInPrivate
    return granted


async def require_account(cur: Cursor, user_id: UserId) -> None:
    """Raise Unauthorized if the account was deleted after the request was authenticated.

    The result is valid until the commit if the stream of the user is locked.
    """
    if not await users.exists(cur, user_id):
        raise Unauthorized


async def roles_below(
    cur: Cursor, granted: GuildAccess, role_ids: Iterable[RoleId]
) -> list[RoleId]:
    """Return those of these roles that are below the highest role of the member."""
    wanted = set(role_ids)
    found = await roles.list_for_guilds(cur, [granted.guild.id]) if wanted else []
    return [role.id for role in found if role.id in wanted and granted.rank > role_rank(role)]


async def member_rank(cur: Cursor, guild_id: GuildId, user_id: UserId) -> Rank | None:
    """Return the rank of a member. Returns None if the user is not a member."""
    row = await queries.in_guild(cur, guild_id, user_id)
    return None if row is None or row.member is None else _rank(row)


def role_rank(role: Role) -> Rank:
    """Return the rank of a role."""
    return Rank(False, role.position, -role.id)


def _rank(row: AccessRow) -> Rank:
    own = [(role.position, -role.id) for role in row.roles]
    position, tie = max(own, default=(0, 0))
    return Rank(_is_owner(row), position, tie)


def _is_owner(row: AccessRow) -> bool:
    return row.member is not None and row.guild.owner_id == row.member.user.id
