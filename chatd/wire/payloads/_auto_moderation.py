"""Payloads of AutoModeration."""

from __future__ import annotations

from chatd.core.automod import FIELDS_OF, Action, ActionType, Rule
from chatd.core.json import JsonObject


def automod_rule(rule: Rule) -> JsonObject:
    """AutoModerationRule."""
    return {
        "id": str(rule.id),
        "guild_id": str(rule.guild_id),
        "creator_id": str(rule.creator_id),
        "name": rule.name,
        "event_type": rule.event_type,
        "trigger_type": rule.trigger_type,
        "trigger_metadata": {
            name: getattr(rule.metadata, name) for name in FIELDS_OF[rule.trigger_type]
        },
        "actions": [automod_action(each) for each in rule.actions],
        "enabled": rule.enabled,
        "exempt_roles": [str(each) for each in rule.exempt_roles],
        "exempt_channels": [str(each) for each in rule.exempt_channels],
    }


def automod_action(action: Action) -> JsonObject:
    """AutoModerationAction."""
    metadata: JsonObject = {}
    if action.type == ActionType.BLOCK_MESSAGE and action.custom_message is not None:
        metadata["custom_message"] = action.custom_message
    if action.type == ActionType.SEND_ALERT_MESSAGE:
        metadata["channel_id"] = str(action.channel_id)
    if action.type == ActionType.TIMEOUT:
        metadata["duration_seconds"] = action.duration_s
    return {"type": action.type, "metadata": metadata}
