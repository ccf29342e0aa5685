"""Dispatches about the notification settings of a user, to its own sessions."""

from __future__ import annotations

from chatd.core.ids import StreamId, UserId
from chatd.core.notifications import GuildNotifications
from chatd.events.event import Event, to_user
from chatd.wire import payloads


def notifications_changed(user_id: UserId, settings: GuildNotifications) -> Event:
    """USER_GUILD_SETTINGS_UPDATE, with all settings for the guild or for private channels."""
    body = payloads.encode(payloads.notifications(settings))
    return Event("USER_GUILD_SETTINGS_UPDATE", StreamId(user_id), to_user(user_id), body)
