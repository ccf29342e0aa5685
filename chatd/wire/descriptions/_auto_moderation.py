"""Descriptions of the fields of single schemas, about AutoModeration."""

from __future__ import annotations

from typing import Final

_TRIGGER: Final = {
    "keyword_filter": "Words to find: `word`, `word*`, `*word` or `*word*`, at most 1,000.",
    "regex_patterns": "Regular expressions to find, as RE2 and Rust understand them, at most 10.",
    "allow_list": "Words in which nothing is found: at most 100, or 1,000 beside `presets`.",
    "presets": "Lists of the server: 1 profanity, 2 sexual content, 3 slurs.",
    "mention_total_limit": "How many different users and roles a message may mention.",
    "mention_raid_protection_enabled": "Whether mentions by new members are blocked while they make"
    " many together.",
}
_METADATA: Final = {
    "custom_message": "Of a blocked message: the text of the error that its author gets.",
    "channel_id": "Of an alert: the channel to send it to.",
    "duration_seconds": "Of a timeout: how long it lasts, at most four weeks.",
}
_ACTION: Final = {
    "type": "1 blocks the message, 2 sends an alert to a channel, 3 times the author out.",
    "metadata": "Details of the action.",
}
_RULE: Final = {
    "name": "The name of the rule.",
    "event_type": "Always 1: a message is sent or edited.",
    "trigger_type": "What the rule looks for: 1 keywords, 3 spam, 4 lists of the server, 5 too many"
    " mentions.",
    "trigger_metadata": "What exactly it looks for.",
    "actions": "What it does, at most one action of each type.",
    "enabled": "Whether it is applied.",
    "exempt_roles": "Members with these roles are exempt.",
    "exempt_channels": "Messages in these channels are exempt.",
}

AUTO_MODERATION: Final[dict[str, dict[str, str]]] = {
    "AutoModerationRule": {
        **_RULE,
        "id": "The id of the rule.",
        "guild_id": "The guild.",
        "creator_id": "Who created it.",
    },
    "AutoModerationTriggerMetadata": _TRIGGER,
    "AutoModerationAction": _ACTION,
    "AutoModerationActionMetadata": _METADATA,
    "NewAutoModRule": _RULE,
    "AutoModRuleChange": {
        **_RULE,
        "trigger_type": "Must be that of the rule.",
        "trigger_metadata": "What exactly it looks for. A field that is left out keeps its value.",
    },
    "AutoModTriggerInput": _TRIGGER,
    "AutoModActionInput": _ACTION,
    "AutoModActionMetadataInput": _METADATA,
}
"""Descriptions of the fields of single schemas, by the name of the schema."""

SCHEMAS_OF_AUTO_MODERATION: Final[dict[str, str]] = {
    "NewAutoModRule": "A rule of AutoModeration to create.",
    "AutoModRuleChange": "Changes to a rule. A field that is left out keeps its value.",
    "AutoModTriggerInput": "What a rule looks for; the type of its trigger decides which fields it"
    " can have.",
    "AutoModActionInput": "What a rule does.",
    "AutoModActionMetadataInput": "Details of an action; its type decides which field it can have.",
}
"""Descriptions of schemas."""
