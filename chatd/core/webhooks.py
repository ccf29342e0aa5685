"""Webhooks: URLs with a secret token, through which messages are sent without an account.

Rule: Discord docs, Webhook resource.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum

from chatd.core import names
from chatd.core.ids import ChannelId, GuildId, UserId, WebhookId
from chatd.core.models import User

MAX_NAME_LENGTH = 80
"""Characters of the name of a webhook."""

_FORBIDDEN_IN_NAMES = ("clyde", "discord")
"""Rule: Discord docs, Webhook resource, "Create Webhook". Such messages could look official."""


class WebhookType(IntEnum):
    """Rule: Discord docs, Webhook resource, "Webhook Types".

    Each application has one of type APPLICATION, for its responses to interactions. It has no row.
    """

    INCOMING = 1
    CHANNEL_FOLLOWER = 2
    APPLICATION = 3


CROSSPOSTED = 1 << 0
"""The flag of a message of an announcement channel that was published."""

IS_CROSSPOST = 1 << 1
"""The flag of the copy of a published message."""

SOURCE_MESSAGE_DELETED = 1 << 3
"""The flag of a copy whose published message was deleted."""


@dataclass(frozen=True, slots=True)
class WebhookSource:
    """The announcement channel that a webhook follows, and its guild."""

    guild_id: GuildId
    guild_name: str
    guild_icon: str | None
    channel_id: ChannelId
    channel_name: str


@dataclass(frozen=True, slots=True)
class Webhook:
    """A webhook of a channel."""

    id: WebhookId
    type: WebhookType
    guild_id: GuildId
    channel_id: ChannelId
    application_id: UserId | None
    """The application whose bot created it. None if a person did."""
    name: str
    avatar: str | None
    creator: User
    source: WebhookSource | None = None
    """None for an incoming one, and where its creator has left the guild of the source."""


@dataclass(frozen=True, slots=True)
class WebhookAddress:
    """The secret token of a webhook, and the URL that contains it."""

    token: str = field(repr=False)
    url: str = field(repr=False)


def forbidden_word(name: str) -> str | None:
    """Return the word that the name of a webhook must not contain, or None if it has none."""
    folded = names.key(name)
    return next((word for word in _FORBIDDEN_IN_NAMES if word in folded), None)
