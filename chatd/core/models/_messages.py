"""Values of the tables of messages, attachments, reactions and read states."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from typing import Any, NamedTuple

from chatd.core.ids import (
    AttachmentId,
    ChannelId,
    GuildId,
    MessageId,
    RoleId,
    UserId,
    WebhookId,
)
from chatd.core.interactions import InteractionOrigin
from chatd.core.models._accounts import User
from chatd.core.records import record


class MessageType(IntEnum):
    """Rule: Discord docs, Message resource, "Message Types"."""

    DEFAULT = 0
    RECIPIENT_ADD = 1
    RECIPIENT_REMOVE = 2
    CHANNEL_NAME_CHANGE = 4
    CHANNEL_PINNED_MESSAGE = 6
    USER_JOIN = 7
    CHANNEL_FOLLOW_ADD = 12
    REPLY = 19
    CHAT_INPUT_COMMAND = 20
    CONTEXT_MENU_COMMAND = 23
    AUTO_MODERATION_ACTION = 24
    GUILD_INCIDENT_ALERT_MODE_ENABLED = 36
    """Invites are paused until the time in the content."""

    @property
    def is_user_message(self) -> bool:
        """Whether a person, a bot or a webhook wrote it. The server generates all others."""
        return self in _WRITTEN

    @property
    def is_deletable(self) -> bool:
        """Whether the message can be deleted. System messages of private channels cannot."""
        return self not in (
            MessageType.RECIPIENT_ADD,
            MessageType.RECIPIENT_REMOVE,
            MessageType.CHANNEL_NAME_CHANGE,
        )


_WRITTEN = (
    MessageType.DEFAULT,
    MessageType.REPLY,
    MessageType.CHAT_INPUT_COMMAND,
    MessageType.CONTEXT_MENU_COMMAND,
)


@record(frozen=True, slots=True)
class MessageLocation:
    """The channel of a message: one of a guild, or a private one with its recipients."""

    channel_id: ChannelId
    guild_id: GuildId | None
    recipients: tuple[UserId, ...] = ()


@dataclass(frozen=True, slots=True)
class Reaction:
    """The number of reactions with an emoji, and whether the viewer has reacted with it."""

    emoji: str
    count: int
    me: bool


@dataclass(frozen=True, slots=True)
class ReadState:
    """The last message of a channel that a user has acknowledged, and the numbers of later ones.

    `message_id` is 0 if no message was acknowledged. The counts are capped.
    """

    channel_id: ChannelId
    message_id: MessageId
    unread_count: int
    mention_count: int


Embed = Mapping[str, Any]
"""An embed as sent to clients. Rule: Discord docs, Message resource, "Embed Object"."""


Component = Mapping[str, Any]
"""A component as sent to clients. Rule: Discord docs, "Component Reference"."""


@dataclass(frozen=True, slots=True)
class MessageSource:
    """The announcement channel that a channel has begun to follow, or the message there that was
    copied."""

    guild_id: GuildId
    channel_id: ChannelId
    message_id: MessageId | None = None


@dataclass(frozen=True, slots=True)
class MessageOrigin:
    """How a message was sent that no account sent by itself.

    A webhook has no account: `name` and `avatar` are those that its message shows. Responses to
    interactions are sent through the webhook of their application, by the account of its bot.
    """

    webhook_id: WebhookId
    application_id: UserId | None = None
    name: str | None = None
    """The name of the author. None if the author is an account."""
    avatar: str | None = None
    interaction: InteractionOrigin | None = None
    """The interaction that the message responds to."""
    source: MessageSource | None = None
    """What the message is a copy of. It shows the files of that message."""

    @classmethod
    def stored(cls, stored: Mapping[str, Any]) -> MessageOrigin:
        """Return an origin that was stored as JSON."""
        fields = {**stored}
        if (interaction := stored.get("interaction")) is not None:
            fields["interaction"] = InteractionOrigin.stored(interaction)
        if (source := stored.get("source")) is not None:
            fields["source"] = MessageSource(**source)
        return cls(**fields)

    @property
    def author(self) -> User | None:
        """The webhook as the author of the message. None if the author is an account."""
        if self.name is None:
            return None
        return User(UserId(self.webhook_id), self.name, None, self.avatar, bot=True)


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file attached to a message. `size` is in bytes, `width` and `height` in pixels."""

    id: AttachmentId
    filename: str
    content_type: str
    size: int
    width: int | None
    height: int | None
    description: str | None
    url: str
    """A signed URL for downloads. It works without credentials, for a limited time."""


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A stored file with the metadata that downloads send. `size` is in bytes."""

    key: str
    filename: str
    content_type: str
    size: int


class StoredText(NamedTuple):
    """A stored message of an account that is only a text. All other fields of Message are empty."""

    id: MessageId
    channel_id: ChannelId
    content: str
    kind: tuple[int, int, bool]
    """Its type, flags and `tts`."""
    author: User
    edited_at: datetime | None = None
    reactions: Sequence[Reaction] = ()


@record(frozen=True, slots=True)
class Message:
    """A message as one user sees it. `reference` is what it replies to, if that exists."""

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
    components: tuple[Component, ...] = ()
    origin: MessageOrigin | None = None
    origin_users: tuple[User, ...] = ()
    """The users that `origin.interaction` names."""

    def is_by(self, user_id: UserId) -> bool:
        """Return whether this account wrote it.

        An imported account may have the id of a webhook that was deleted before.
        """
        is_by_webhook = self.origin is not None and self.origin.author is not None
        return self.author.id == user_id and not is_by_webhook
