"""Rules of AutoModeration, and what they do. Rule: Discord docs, Auto Moderation resource."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from chatd.core.ids import AutoModRuleId, ChannelId, GuildId, RoleId, UserId


class TriggerType(IntEnum):
    """What a rule looks for."""

    KEYWORD = 1
    SPAM = 3
    KEYWORD_PRESET = 4
    MENTION_SPAM = 5
    MEMBER_PROFILE = 6


class EventType(IntEnum):
    """When a rule is applied."""

    MESSAGE_SEND = 1
    MEMBER_UPDATE = 2


class ActionType(IntEnum):
    """What a rule does when it is triggered."""

    BLOCK_MESSAGE = 1
    SEND_ALERT_MESSAGE = 2
    TIMEOUT = 3
    BLOCK_MEMBER_INTERACTION = 4


class Preset(IntEnum):
    """Lists of words that the server has itself."""

    PROFANITY = 1
    SEXUAL_CONTENT = 2
    SLURS = 3


MAX_RULES: Final[Mapping[TriggerType, int]] = {
    TriggerType.KEYWORD: 6,
    TriggerType.SPAM: 1,
    TriggerType.KEYWORD_PRESET: 1,
    TriggerType.MENTION_SPAM: 1,
}
"""The rules of each type in a guild. Rule: Discord's limits."""

MAX_KEYWORDS = 1000
MAX_KEYWORD_LENGTH = 60
MAX_PATTERNS = 10
MAX_PATTERN_LENGTH = 260
MAX_ALLOWED: Final[Mapping[TriggerType, int]] = {
    TriggerType.KEYWORD: 100,
    TriggerType.KEYWORD_PRESET: 1000,
}
"""The words in the allow list of a rule, by its type. Rule: Discord's limits."""

MAX_MENTIONS = 50
DEFAULT_MENTIONS = 20
"""The limit of a mention rule that gives none, as Discord's client suggests."""

MAX_TIMEOUT_S = 28 * 24 * 60 * 60
MAX_EXEMPT_ROLES = 20
MAX_EXEMPT_CHANNELS = 50


@dataclass(frozen=True, slots=True)
class TriggerMetadata:
    """What exactly a rule looks for. Each type of trigger has fields of its own."""

    keyword_filter: tuple[str, ...] = ()
    regex_patterns: tuple[str, ...] = ()
    allow_list: tuple[str, ...] = ()
    presets: tuple[Preset, ...] = ()
    mention_total_limit: int = DEFAULT_MENTIONS
    mention_raid_protection_enabled: bool = False


FIELDS_OF: Final[Mapping[TriggerType, tuple[str, ...]]] = {
    TriggerType.KEYWORD: ("keyword_filter", "regex_patterns", "allow_list"),
    TriggerType.SPAM: (),
    TriggerType.KEYWORD_PRESET: ("presets", "allow_list"),
    TriggerType.MENTION_SPAM: ("mention_total_limit", "mention_raid_protection_enabled"),
}
"""The fields of `TriggerMetadata` that each type of trigger has."""


@dataclass(frozen=True, slots=True)
class Action:
    """What a triggered rule does. The type decides which of the other fields it has."""

    type: ActionType
    custom_message: str | None = None
    channel_id: ChannelId | None = None
    duration_s: int | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule of a guild."""

    id: AutoModRuleId
    guild_id: GuildId
    creator_id: UserId
    name: str
    event_type: EventType
    trigger_type: TriggerType
    metadata: TriggerMetadata
    actions: tuple[Action, ...]
    enabled: bool
    exempt_roles: tuple[RoleId, ...] = ()
    exempt_channels: tuple[ChannelId, ...] = ()


@dataclass(frozen=True, slots=True)
class Match:
    """Why a rule was triggered: the entry of the rule, and the text that it has matched.

    Both are None for rules without words, such as those for spam.
    """

    keyword: str | None = None
    content: str | None = None
