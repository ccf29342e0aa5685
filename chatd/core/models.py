"""What the tables hold, as values. Field order is that of the queries' column lists."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum, IntFlag
from typing import Any, NamedTuple

from chatd.core.ids import (
    AttachmentId,
    AuditEntryId,
    ChannelId,
    GuildId,
    LoginId,
    MessageId,
    RoleId,
    UserId,
)


class ChannelType(IntEnum):
    """Rule: Discord docs, Channel resource, "Channel Types"."""

    TEXT = 0
    DM = 1
    GROUP_DM = 3
    CATEGORY = 4


class MessageType(IntEnum):
    """Rule: Discord docs, Message resource, "Message Types"."""

    DEFAULT = 0
    RECIPIENT_ADD = 1
    RECIPIENT_REMOVE = 2
    CHANNEL_NAME_CHANGE = 4
    CHANNEL_PINNED_MESSAGE = 6
    USER_JOIN = 7
    REPLY = 19

    @property
    def is_written(self) -> bool:
        """Whether somebody wrote it, in contrast to what the system tells."""
        return self in (MessageType.DEFAULT, MessageType.REPLY)

    @property
    def is_deletable(self) -> bool:
        """Whether it can be deleted: what the system tells of a private channel cannot."""
        return self not in (
            MessageType.RECIPIENT_ADD,
            MessageType.RECIPIENT_REMOVE,
            MessageType.CHANNEL_NAME_CHANGE,
        )


class User(NamedTuple):
    """An account as everyone may see it. A tuple, as it is made for every row of many queries."""

    id: UserId
    username: str
    global_name: str | None
    avatar: str | None
    bot: bool


@dataclass(frozen=True, slots=True)
class Account:
    """An account as its owner sees it."""

    user: User
    email: str | None
    """None for bots."""
    bio: str = ""


class ApplicationFlags(IntFlag):
    """Which privileged intents a bot may ask for; of each, Discord has one for large bots and one
    for small ones, which mean the same here. Rule: Discord docs, Application resource,
    "Application Flags"."""

    GATEWAY_PRESENCE = 1 << 12
    GATEWAY_PRESENCE_LIMITED = 1 << 13
    GATEWAY_GUILD_MEMBERS = 1 << 14
    GATEWAY_GUILD_MEMBERS_LIMITED = 1 << 15
    GATEWAY_MESSAGE_CONTENT = 1 << 18
    GATEWAY_MESSAGE_CONTENT_LIMITED = 1 << 19

    PRESENCES = GATEWAY_PRESENCE | GATEWAY_PRESENCE_LIMITED
    MEMBERS = GATEWAY_GUILD_MEMBERS | GATEWAY_GUILD_MEMBERS_LIMITED
    MESSAGE_CONTENT = GATEWAY_MESSAGE_CONTENT | GATEWAY_MESSAGE_CONTENT_LIMITED
    PRIVILEGED = PRESENCES | MEMBERS | MESSAGE_CONTENT


@dataclass(frozen=True, slots=True)
class Application:
    """A program with an account of its own, which has the same id, and who answers for it."""

    bot: User
    owner: User
    name: str
    description: str
    public: bool
    flags: int


@dataclass(frozen=True, slots=True)
class Profile:
    """What those who share a guild with a user may read of it."""

    user: User
    bio: str
    mutual_guilds: tuple[MutualGuild, ...]


@dataclass(frozen=True, slots=True)
class MutualGuild:
    """A guild that two users share, and what one of them is called there."""

    guild_id: GuildId
    nick: str | None


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks: an account, through one of its logins."""

    user: User
    login_id: LoginId


@dataclass(frozen=True, slots=True)
class Login:
    """A login as its user is shown it. `hash` names it, and is good for nothing else."""

    id: LoginId
    hash: str
    user_agent: str | None
    last_used_at: datetime


@dataclass(frozen=True, slots=True)
class Invitation:
    """Lets people register, where not everyone may. Of 0 uses there is no end."""

    code: str
    created_by: UserId | None
    """An administrator; None is the command line."""
    created_at: datetime
    max_uses: int
    uses: int
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class Guild:
    id: GuildId
    name: str
    description: str | None
    icon: str | None
    owner_id: UserId
    system_channel_id: ChannelId | None
    system_channel_flags: int = 0


@dataclass(frozen=True, slots=True)
class Counts:
    """How many members a guild has, and how many of them show that they are online."""

    members: int
    online: int


@dataclass(frozen=True, slots=True)
class Role:
    """A role; the one whose id is the guild's is @everyone."""

    id: RoleId
    guild_id: GuildId
    name: str
    permissions: int
    color: int
    hoist: bool
    mentionable: bool
    position: int

    @property
    def is_everyone(self) -> bool:
        """Whether every member has it."""
        return int(self.id) == int(self.guild_id)


@dataclass(frozen=True, slots=True)
class Member:
    """A user in a guild. `roles` leaves out @everyone."""

    guild_id: GuildId
    user: User
    nick: str | None
    joined_at: datetime
    communication_disabled_until: datetime | None
    roles: tuple[RoleId, ...]


@dataclass(frozen=True, slots=True)
class MemberChunk:
    """Members that a client has asked for: part `index` of `count`."""

    guild_id: GuildId
    members: Sequence[Member]
    index: int = 0
    count: int = 1
    not_found: Sequence[UserId] = ()
    nonce: str | None = None


class OverwriteType(IntEnum):
    """Rule: Discord docs, Channel resource, "Overwrite Object"."""

    ROLE = 0
    MEMBER = 1


@dataclass(frozen=True, slots=True)
class Overwrite:
    """What a channel allows and denies a role or a member."""

    target_id: int
    type: OverwriteType
    allow: int
    deny: int


@dataclass(frozen=True, slots=True)
class Channel:
    id: ChannelId
    guild_id: GuildId
    type: ChannelType
    name: str
    topic: str | None
    position: int
    parent_id: ChannelId | None
    nsfw: bool
    rate_limit_per_user: int
    overwrites: tuple[Overwrite, ...]
    last_message_id: MessageId | None


@dataclass(frozen=True, slots=True)
class PrivateChannel:
    """A channel of two people, or of a group, outside of any guild."""

    id: ChannelId
    type: ChannelType
    name: str | None
    owner_id: UserId | None
    """Who leads a group; None between two."""
    recipients: tuple[User, ...]
    """All who are in it, in the order of their ids."""
    last_message_id: MessageId | None

    def others(self, user_id: UserId) -> list[User]:
        """All but this one."""
        return [user for user in self.recipients if user.id != user_id]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a message stands: a channel of a guild, or a private one with all who are in it."""

    channel_id: ChannelId
    guild_id: GuildId | None
    recipients: tuple[UserId, ...] = ()


@dataclass(frozen=True, slots=True)
class Reaction:
    """How many have reacted with an emoji, and whether the one who looks is among them."""

    emoji: str
    count: int
    me: bool


@dataclass(frozen=True, slots=True)
class ReadState:
    """How far a user has read a channel, and how much there is above that.

    `message_id` is 0 where it has acknowledged nothing; the counts end at a bound.
    """

    channel_id: ChannelId
    message_id: MessageId
    unread_count: int
    mention_count: int


Embed = Mapping[str, Any]
"""An embed as clients are given it. Rule: Discord docs, Message resource, "Embed Object"."""


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that hangs on a message. `size` in bytes; pixels of images."""

    id: AttachmentId
    filename: str
    content_type: str
    size: int
    width: int | None
    height: int | None
    description: str | None
    url: str
    """Where it can be had for a while, without credentials."""


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file in storage, and what is told to those who download it. `size` in bytes."""

    key: str
    filename: str
    content_type: str
    size: int


class Message(NamedTuple):
    """A message, as one user sees it. `reference` is what it answers, when that is there.

    A tuple, as it is made for every row of a page: three times as fast as a frozen dataclass.
    """

    id: MessageId
    channel_id: ChannelId
    guild_id: GuildId | None
    author: User
    type: MessageType
    content: str
    flags: int
    tts: bool
    edited_at: datetime | None
    reference_id: MessageId | None
    reference: Message | None
    pinned: bool = False
    reactions: tuple[Reaction, ...] = ()
    mentions: tuple[User, ...] = ()
    mention_roles: tuple[RoleId, ...] = ()
    mention_everyone: bool = False
    embeds: tuple[Embed, ...] = ()
    attachments: tuple[Attachment, ...] = ()


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


class AuditAction(IntEnum):
    """Rule: Discord docs, Audit Log resource, "Audit Log Events"."""

    GUILD_UPDATE = 1
    CHANNEL_CREATE = 10
    CHANNEL_UPDATE = 11
    CHANNEL_DELETE = 12
    CHANNEL_OVERWRITE_CREATE = 13
    CHANNEL_OVERWRITE_UPDATE = 14
    CHANNEL_OVERWRITE_DELETE = 15
    MEMBER_KICK = 20
    MEMBER_PRUNE = 21
    MEMBER_BAN_ADD = 22
    MEMBER_BAN_REMOVE = 23
    MEMBER_UPDATE = 24
    MEMBER_ROLE_UPDATE = 25
    BOT_ADD = 28
    ROLE_CREATE = 30
    ROLE_UPDATE = 31
    ROLE_DELETE = 32
    INVITE_CREATE = 40
    INVITE_DELETE = 42
    MESSAGE_DELETE = 72
    MESSAGE_BULK_DELETE = 73
    MESSAGE_PIN = 74
    MESSAGE_UNPIN = 75


Change = dict[str, Any]
"""One key that changed: {"key", "old_value", "new_value"}, a value left out where it is none."""


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """Who did what to whom, and why."""

    id: AuditEntryId
    guild_id: GuildId
    user_id: UserId
    target_id: int | None
    action: AuditAction
    reason: str | None
    changes: Sequence[Change]
    options: Mapping[str, str]

    @classmethod
    def make(cls, *row: Any) -> AuditEntry:
        """An entry from its row."""
        entry_id, guild_id, user_id, target_id, action, *rest = row
        return cls(entry_id, guild_id, user_id, target_id, AuditAction(action), *rest)
