"""Payloads of notification settings."""

from __future__ import annotations

from chatd.core.json import JsonObject
from chatd.core.notifications import ChannelOverride, GuildNotifications, MuteConfig
from chatd.wire.payloads._encoding import id_or_none, timestamp_or_none


def notifications(settings: GuildNotifications) -> JsonObject:
    """The settings of a user for a guild, or for its private channels."""
    return {
        "guild_id": id_or_none(settings.guild_id),
        "version": settings.version,
        "muted": settings.mute.muted,
        "mute_config": _mute_config(settings.mute.config),
        "message_notifications": int(settings.level),
        "suppress_everyone": settings.suppress_everyone,
        "suppress_roles": settings.suppress_roles,
        "mobile_push": settings.mobile_push,
        "mute_scheduled_events": settings.mute_scheduled_events,
        "hide_muted_channels": settings.hide_muted_channels,
        "notify_highlights": settings.notify_highlights,
        "flags": settings.flags,
        "channel_overrides": [_override(each) for each in settings.overrides.values()],
    }


def _override(override: ChannelOverride) -> JsonObject:
    return {
        "channel_id": str(override.channel_id),
        "muted": override.mute.muted,
        "mute_config": _mute_config(override.mute.config),
        "message_notifications": int(override.level),
        "collapsed": override.collapsed,
        "flags": override.flags,
    }


def _mute_config(config: MuteConfig | None) -> JsonObject | None:
    if config is None:
        return None
    return {
        "end_time": timestamp_or_none(config.ends_at),
        "selected_time_window": -1 if config.window_s is None else config.window_s,
    }
