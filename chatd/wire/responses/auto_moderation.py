"""Responses about AutoModeration."""

from __future__ import annotations

from chatd.core.automod import ActionType, EventType, Preset, TriggerType
from chatd.wire.json_schema import BOOL, COUNT, ID, STRING, array_of, object_schema, one_of

_METADATA = object_schema(
    "AutoModerationTriggerMetadata",
    "What a rule looks for; the type of its trigger decides which fields it has.",
    {},
    {
        "keyword_filter": array_of(STRING),
        "regex_patterns": array_of(STRING),
        "allow_list": array_of(STRING),
        "presets": array_of(one_of(*Preset)),
        "mention_total_limit": COUNT,
        "mention_raid_protection_enabled": BOOL,
    },
)
_ACTION_METADATA = object_schema(
    "AutoModerationActionMetadata",
    "Details of an action; its type decides which field it has.",
    {},
    {"custom_message": STRING, "channel_id": ID, "duration_seconds": COUNT},
)
_ACTION = object_schema(
    "AutoModerationAction",
    "What a rule does.",
    {"type": one_of(*ActionType), "metadata": _ACTION_METADATA},
)
AUTOMOD_RULE = object_schema(
    "AutoModerationRule",
    "A rule that messages of members are checked with.",
    {
        "id": ID,
        "guild_id": ID,
        "creator_id": ID,
        "name": STRING,
        "event_type": one_of(*EventType),
        "trigger_type": one_of(*TriggerType),
        "trigger_metadata": _METADATA,
        "actions": array_of(_ACTION),
        "enabled": BOOL,
        "exempt_roles": array_of(ID),
        "exempt_channels": array_of(ID),
    },
)
