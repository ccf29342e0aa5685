"""Dispatches about AutoModeration, to members with MANAGE_GUILD."""

from __future__ import annotations

from chatd.core.automod import Action, Match, Rule
from chatd.core.ids import ChannelId, MessageId, StreamId, UserId
from chatd.core.intents import Intents
from chatd.core.json import JsonObject
from chatd.core.permissions import Permissions
from chatd.events.event import Event, to_channel, to_guild
from chatd.wire import payloads

ACTION_EXECUTED = "AUTO_MODERATION_ACTION_EXECUTION"


def rule_created(rule: Rule) -> Event:
    """AUTO_MODERATION_RULE_CREATE."""
    return _about_rule("AUTO_MODERATION_RULE_CREATE", rule)


def rule_updated(rule: Rule) -> Event:
    """AUTO_MODERATION_RULE_UPDATE."""
    return _about_rule("AUTO_MODERATION_RULE_UPDATE", rule)


def rule_deleted(rule: Rule) -> Event:
    """AUTO_MODERATION_RULE_DELETE, with the rule as it was."""
    return _about_rule("AUTO_MODERATION_RULE_DELETE", rule)


def action_executed(
    rule: Rule,
    action: Action,
    match: Match,
    user_id: UserId,
    *,
    channel_id: ChannelId,
    message_id: MessageId | None,
    alert_id: MessageId | None,
    content: str,
) -> Event:
    """AUTO_MODERATION_ACTION_EXECUTION: an action was taken on a message of a user.

    It has the text of the message, so it goes only to managers that see its channel.
    `message_id` is None for a message that was blocked, `alert_id` for other actions than alerts.
    """
    payload: JsonObject = {
        "guild_id": str(rule.guild_id),
        "action": payloads.automod_action(action),
        "rule_id": str(rule.id),
        "rule_trigger_type": rule.trigger_type,
        "user_id": str(user_id),
        "channel_id": str(channel_id),
        "content": content,
        "matched_keyword": match.keyword,
        "matched_content": match.content,
    }
    if message_id is not None:
        payload["message_id"] = str(message_id)
    if alert_id is not None:
        payload["alert_system_message_id"] = str(alert_id)
    return Event(
        ACTION_EXECUTED,
        StreamId(rule.guild_id),
        to_channel(channel_id, Permissions.MANAGE_GUILD | Permissions.VIEW_CHANNEL),
        payloads.encode(payload),
        Intents.AUTO_MODERATION_EXECUTION,
    )


def _about_rule(name: str, rule: Rule) -> Event:
    return Event(
        name,
        StreamId(rule.guild_id),
        to_guild(rule.guild_id, Permissions.MANAGE_GUILD),
        payloads.encode(payloads.automod_rule(rule)),
        Intents.AUTO_MODERATION_CONFIGURATION,
    )
