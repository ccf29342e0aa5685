"""Schemas of AutoModeration. Rule: Discord docs, Auto Moderation resource."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from chatd.core.automod import (
    MAX_EXEMPT_CHANNELS,
    MAX_EXEMPT_ROLES,
    MAX_KEYWORD_LENGTH,
    MAX_KEYWORDS,
    MAX_MENTIONS,
    MAX_PATTERN_LENGTH,
    MAX_PATTERNS,
    MAX_TIMEOUT_S,
    ActionType,
    EventType,
    Preset,
    TriggerType,
)
from chatd.core.ids import ChannelId, RoleId
from chatd.core.unset import UNSET, Maybe
from chatd.wire.base_schema import NULL_IS_ABSENT, Schema, T
from chatd.wire.fields import Bool, Int, List, Nested, Snowflake
from chatd.wire.text_fields import Name, Text
from chatd.wire.validators import NAME, at_most, choice, length, supported, unique, within

_MAX_ACTIONS = 5
_MAX_CUSTOM_MESSAGE = 300

_TRIGGER_TYPE = [
    choice(*TriggerType),
    supported(
        (each for each in TriggerType if each != TriggerType.MEMBER_PROFILE),
        "Rules for profiles of members are not supported by this server.",
    ),
]
_EVENT_TYPE = [
    choice(*EventType),
    supported(
        [EventType.MESSAGE_SEND], "Rules for changes of members are not supported by this server."
    ),
]
_ACTION_TYPE = [
    choice(*ActionType),
    supported(
        (each for each in ActionType if each != ActionType.BLOCK_MEMBER_INTERACTION),
        "Only rules for profiles have this action, which this server does not support.",
    ),
]


@dataclass(frozen=True, slots=True)
class AutoModTriggerInput:
    """The fields of `TriggerMetadata` that a client gives. None is the default."""

    keyword_filter: Maybe[Sequence[str] | None] = UNSET
    regex_patterns: Maybe[Sequence[str] | None] = UNSET
    allow_list: Maybe[Sequence[str] | None] = UNSET
    presets: Maybe[Sequence[int] | None] = UNSET
    mention_total_limit: Maybe[int | None] = UNSET
    mention_raid_protection_enabled: Maybe[bool | None] = UNSET


@dataclass(frozen=True, slots=True)
class AutoModActionMetadataInput:
    custom_message: str | None = None
    channel_id: ChannelId | None = None
    duration_seconds: int | None = None


@dataclass(frozen=True, slots=True)
class AutoModActionInput:
    type: int
    metadata: AutoModActionMetadataInput = AutoModActionMetadataInput()


@dataclass(frozen=True, slots=True)
class AutoModRuleChange:
    name: Maybe[str] = UNSET
    event_type: Maybe[int] = UNSET
    trigger_type: Maybe[int] = UNSET
    trigger_metadata: AutoModTriggerInput = AutoModTriggerInput()
    actions: Maybe[Sequence[AutoModActionInput]] = UNSET
    enabled: Maybe[bool] = UNSET
    exempt_roles: Maybe[Sequence[RoleId] | None] = UNSET
    exempt_channels: Maybe[Sequence[ChannelId] | None] = UNSET


@dataclass(frozen=True, slots=True, kw_only=True)
class NewAutoModRule(AutoModRuleChange):
    name: str
    event_type: int
    trigger_type: int


def _words(most: int, longest: int) -> List:
    word = Text(validate=length(1, longest))
    return List(word, allow_none=True, validate=at_most(most))


class AutoModTriggerInputSchema(Schema[AutoModTriggerInput]):
    into = AutoModTriggerInput
    keyword_filter = _words(MAX_KEYWORDS, MAX_KEYWORD_LENGTH)
    regex_patterns = _words(MAX_PATTERNS, MAX_PATTERN_LENGTH)
    allow_list = _words(MAX_KEYWORDS, MAX_KEYWORD_LENGTH)
    presets = List(
        Int(validate=choice(*Preset)), allow_none=True, validate=[at_most(len(Preset)), unique]
    )
    mention_total_limit = Int(allow_none=True, validate=within(0, MAX_MENTIONS))
    mention_raid_protection_enabled = Bool(allow_none=True)


class AutoModActionMetadataInputSchema(Schema[AutoModActionMetadataInput]):
    into = AutoModActionMetadataInput
    custom_message = Text(allow_none=True, validate=at_most(_MAX_CUSTOM_MESSAGE))
    channel_id = Snowflake(**NULL_IS_ABSENT)
    duration_seconds = Int(allow_none=True, validate=within(0, MAX_TIMEOUT_S))


class AutoModActionInputSchema(Schema[AutoModActionInput]):
    into = AutoModActionInput
    type = Int(required=True, validate=_ACTION_TYPE)
    metadata = Nested(AutoModActionMetadataInputSchema, **NULL_IS_ABSENT)


class _AutoModRuleSchema(Schema[T]):
    trigger_metadata = Nested(AutoModTriggerInputSchema, **NULL_IS_ABSENT)
    actions = List(
        Nested(AutoModActionInputSchema), validate=length(1, _MAX_ACTIONS), **NULL_IS_ABSENT
    )
    enabled = Bool(**NULL_IS_ABSENT)
    exempt_roles = List(Snowflake(), allow_none=True, validate=[at_most(MAX_EXEMPT_ROLES), unique])
    exempt_channels = List(
        Snowflake(), allow_none=True, validate=[at_most(MAX_EXEMPT_CHANNELS), unique]
    )


class NewAutoModRuleSchema(_AutoModRuleSchema[NewAutoModRule]):
    into = NewAutoModRule
    name = Name(required=True, validate=NAME)
    event_type = Int(required=True, validate=_EVENT_TYPE)
    trigger_type = Int(required=True, validate=_TRIGGER_TYPE)


class AutoModRuleChangeSchema(_AutoModRuleSchema[AutoModRuleChange]):
    into = AutoModRuleChange
    name = Name(validate=NAME)
    event_type = Int(validate=_EVENT_TYPE)
    trigger_type = Int(validate=_TRIGGER_TYPE)
