"""Notification settings of a user: for each guild, its private channels, and single channels."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum, IntFlag
from typing import Final, NamedTuple

from chatd.core.ids import ChannelId, GuildId


class NotificationLevel(IntEnum):
    """About which messages clients notify. Rule: Discord docs, "Default Message Notification
    Level", and for the last two Discord's API for user accounts."""

    ALL_MESSAGES = 0
    ONLY_MENTIONS = 1
    NO_MESSAGES = 2
    INHERIT = 3
    """The level of the category, or of the guild."""


class ChannelFlags(IntFlag):
    """Flags of a channel that the server reads; clients set more."""

    UNREADS_ONLY_MENTIONS = 1 << 9
    UNREADS_ALL_MESSAGES = 1 << 10


class GuildFlags(IntFlag):
    """Flags of a guild that the server reads; clients set more."""

    UNREADS_ALL_MESSAGES = 1 << 11
    UNREADS_ONLY_MENTIONS = 1 << 12


@dataclass(frozen=True, slots=True)
class MuteConfig:
    """How long a mute lasts."""

    ends_at: datetime | None = None
    """None means without an end."""
    window_s: int | None = None
    """The duration that the user chose, in seconds; -1 for one without an end."""


@dataclass(frozen=True, slots=True)
class Mute:
    """Whether a guild or a channel is muted."""

    muted: bool = False
    config: MuteConfig | None = None

    def is_active(self, now: datetime) -> bool:
        """Return whether it is muted and the mute has not ended."""
        ends_at = self.config.ends_at if self.config else None
        return self.muted and (ends_at is None or ends_at > now)


@dataclass(frozen=True, slots=True)
class ChannelOverride:
    """The settings of a channel, as far as they differ from those of its guild."""

    channel_id: ChannelId
    mute: Mute = Mute()
    level: NotificationLevel = NotificationLevel.INHERIT
    collapsed: bool = False
    flags: int = 0

    @property
    def is_default(self) -> bool:
        """Whether it says nothing, so that it need not be stored."""
        return self == ChannelOverride(self.channel_id)


@dataclass(frozen=True, slots=True)
class GuildNotifications:
    """The settings of a user for a guild, or for all private channels when `guild_id` is None."""

    guild_id: GuildId | None
    version: int = 0
    """How often they were changed."""
    mute: Mute = Mute()
    level: NotificationLevel = NotificationLevel.INHERIT
    suppress_everyone: bool = False
    suppress_roles: bool = False
    mobile_push: bool = True
    mute_scheduled_events: bool = False
    hide_muted_channels: bool = False
    notify_highlights: int = 0
    flags: int = 0
    overrides: Mapping[ChannelId, ChannelOverride] = field(default_factory=dict)


class SuppressedMentions(NamedTuple):
    """The guilds in which mentions of everyone, and of roles, do not count for a user."""

    everyone: Collection[GuildId | None]
    roles: Collection[GuildId | None]


def suppressed_mentions(settings: Collection[GuildNotifications]) -> SuppressedMentions:
    """Return where the settings of a user suppress mentions."""
    return SuppressedMentions(
        {each.guild_id for each in settings if each.suppress_everyone},
        {each.guild_id for each in settings if each.suppress_roles},
    )


@dataclass(frozen=True, slots=True)
class UnreadRule:
    """Which messages of a channel count as unread."""

    is_muted: bool = False
    only_mentions: bool = False


def unread_rule(
    settings: GuildNotifications | None,
    channel_id: ChannelId,
    parent_id: ChannelId | None,
    *,
    default_level: int,
    now: datetime,
) -> UnreadRule:
    """Return the rule for a channel in the category `parent_id` of a guild.

    `default_level` is that of the guild, for users that have chosen none. A flag of the channel
    counts before one of the guild, and both before the level.
    Rule: Discord's clients; the notes of discord.food on "Channel Override Flags".
    """
    if settings is None:
        return UnreadRule(only_mentions=default_level != NotificationLevel.ALL_MESSAGES)
    own = settings.overrides.get(channel_id, ChannelOverride(channel_id))
    parent = _NO_PARENT if parent_id is None else settings.overrides.get(parent_id, _NO_PARENT)
    is_muted = any(each.mute.is_active(now) for each in (own, parent, settings))
    if own.flags & (ChannelFlags.UNREADS_ONLY_MENTIONS | ChannelFlags.UNREADS_ALL_MESSAGES):
        only_mentions = not own.flags & ChannelFlags.UNREADS_ALL_MESSAGES
    elif settings.flags & (GuildFlags.UNREADS_ONLY_MENTIONS | GuildFlags.UNREADS_ALL_MESSAGES):
        only_mentions = not settings.flags & GuildFlags.UNREADS_ALL_MESSAGES
    else:
        chosen = (own.level, parent.level, settings.level)
        level = next((each for each in chosen if each != NotificationLevel.INHERIT), default_level)
        only_mentions = level != NotificationLevel.ALL_MESSAGES
    return UnreadRule(is_muted, only_mentions)


_NO_PARENT: Final = ChannelOverride(ChannelId(0))
