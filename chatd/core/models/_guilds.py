"""Values of the tables of guilds, channels, members and invites, and profiles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import IntEnum
from typing import Final

from chatd.core.ids import (
    ChannelId,
    GuildId,
    MessageId,
    RoleId,
    UserId,
)
from chatd.core.models._accounts import Application, User
from chatd.core.overwrites import Overwrite
from chatd.core.records import record


class ChannelType(IntEnum):
    """Rule: Discord docs, Channel resource, "Channel Types"."""

    TEXT = 0
    DM = 1
    GROUP_DM = 3
    CATEGORY = 4
    ANNOUNCEMENT = 5
    """A text channel that channels of other guilds can follow."""


@dataclass(frozen=True, slots=True)
class Profile:
    """The profile of a user, for users that share a guild with it. None was not requested."""

    user: User
    bio: str
    mutual_guilds: tuple[MutualGuild, ...] | None
    mutual_friends: tuple[User, ...] | None = None
    mutual_friends_count: int | None = None
    member: Member | None = None
    """Its membership in the requested guild."""
    application: Application | None = None
    """That of a bot."""


@dataclass(frozen=True, slots=True)
class MutualGuild:
    """A guild that two users share, and the nickname of one of them there."""

    guild_id: GuildId
    nick: str | None


@record(frozen=True, slots=True)
class Guild:
    id: GuildId
    name: str
    description: str | None
    icon: str | None
    owner_id: UserId
    system_channel_id: ChannelId | None
    system_channel_flags: int = 0
    default_message_notifications: int = 0
    """Client notifications: 0 is for all messages, 1 is for mentions only."""
    preferred_locale: str = "en-US"
    rules_channel_id: ChannelId | None = None
    mfa_level: int = 0
    """1: moderation needs a second factor of the actor's account."""
    retention_days: int | None = None
    """After how many days messages are deleted; None: never."""
    invites_disabled: bool = False
    """Whether invites are paused until a member with MANAGE_GUILD ends that."""
    invites_disabled_until: datetime | None = None
    dms_disabled_until: datetime | None = None
    """Members who are no friends cannot write to each other because of this guild until then."""
    raid_detected_at: datetime | None = None
    """When too many accounts have joined in a short time."""

    @property
    def features(self) -> tuple[str, ...]:
        """The features, as Discord names them."""
        return (*GUILD_FEATURES, INVITES_DISABLED) if self.invites_disabled else GUILD_FEATURES

    def without_channel(self, channel_id: ChannelId) -> Guild:
        """Return the guild after one of its channels has been deleted."""
        guild = self
        if guild.system_channel_id == channel_id:
            guild = replace(guild, system_channel_id=None)
        if guild.rules_channel_id == channel_id:
            guild = replace(guild, rules_channel_id=None)
        return guild


@dataclass(frozen=True, slots=True)
class GuildCounts:
    """The number of members of a guild, and of those shown as online."""

    members: int
    online: int


@dataclass(frozen=True, slots=True)
class Role:
    """A role. @everyone is the role with the id of the guild."""

    id: RoleId
    guild_id: GuildId
    name: str
    permissions: int
    color: int
    hoist: bool
    mentionable: bool
    position: int
    bot_id: UserId | None = None
    """The bot that a managed role belongs to. No person assigns or deletes such a role."""

    @property
    def is_everyone(self) -> bool:
        """Whether this is @everyone, which each member has implicitly."""
        return int(self.id) == int(self.guild_id)

    @property
    def is_managed(self) -> bool:
        """Whether the role belongs to a bot, and exists as long as the bot is a member."""
        return self.bot_id is not None


@record(frozen=True, slots=True)
class Member:
    """A user in a guild. `roles` does not contain @everyone."""

    guild_id: GuildId
    user: User
    nick: str | None
    joined_at: datetime
    communication_disabled_until: datetime | None
    roles: tuple[RoleId, ...]

    @property
    def timeout_end(self) -> float:
        """The end of the last timeout, in seconds since 1970. 0 without a timeout."""
        until = self.communication_disabled_until
        return 0.0 if until is None else until.timestamp()


GUILD_FEATURES: Final = ("NEWS",)
"""The features of every guild, as Discord names them. Clients offer announcement channels in guilds
with NEWS."""

INVITES_DISABLED: Final = "INVITES_DISABLED"
"""The feature of a guild whose invites are paused."""


@dataclass(frozen=True, slots=True)
class MemberChunk:
    """A part of the members that a client has requested: number `index` of `count`."""

    guild_id: GuildId
    members: Sequence[Member]
    index: int = 0
    count: int = 1
    not_found: Sequence[UserId] = ()
    nonce: str | None = None
    bios: Mapping[UserId, str] | None = None
    """The bios of the members that have one; None unless they were read."""


@record(frozen=True, slots=True)
class BareChannel:
    """A channel of a guild without its overwrites, for permission checks."""

    id: ChannelId
    guild_id: GuildId
    type: ChannelType
    name: str
    topic: str | None
    position: int
    parent_id: ChannelId | None
    nsfw: bool
    rate_limit_per_user: int
    last_message_id: MessageId | None


@record(frozen=True, slots=True)
class Channel(BareChannel):
    """A channel of a guild with its overwrites, for responses and events."""

    overwrites: Sequence[Overwrite]


@dataclass(frozen=True, slots=True)
class PrivateChannel:
    """A channel outside of guilds: direct messages between two users, or a group."""

    id: ChannelId
    type: ChannelType
    name: str | None
    owner_id: UserId | None
    """The owner of a group. None in a direct message channel."""
    recipients: tuple[User, ...]
    """All recipients, the viewer included, in the order of their ids."""
    last_message_id: MessageId | None

    def recipients_except(self, user_id: UserId) -> list[User]:
        """Return the recipients except one."""
        return [user for user in self.recipients if user.id != user_id]


@dataclass(frozen=True, slots=True)
class Invite:
    code: str
    guild: Guild
    channel_id: ChannelId
    channel_name: str
    channel_type: ChannelType
    inviter: User
    max_age_s: int
    max_uses: int
    uses: int
    temporary: bool
    created_at: datetime
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class Ban:
    user: User
    reason: str | None
