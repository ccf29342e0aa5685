"""Notification settings of users."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import orjson

from chatd.core.ids import ChannelId, GuildId, UserId
from chatd.core.json import JsonObject
from chatd.core.notifications import (
    ChannelOverride,
    GuildNotifications,
    Mute,
    MuteConfig,
    NotificationLevel,
)
from chatd.db.cursor import Cursor, PreparedStatement, many, one

_COLUMNS = """
    settings.guild_id, settings.version, settings.muted, settings.mute_config,
    settings.message_notifications, settings.suppress_everyone, settings.suppress_roles,
    settings.mobile_push, settings.mute_scheduled_events, settings.hide_muted_channels,
    settings.notify_highlights, settings.flags, settings.channel_overrides
"""
_FOR_USER = PreparedStatement(
    f"""
    SELECT {_COLUMNS} FROM user_guild_settings AS settings
     WHERE user_id = %(user_id)s
       AND (guild_id IS NULL OR EXISTS (SELECT FROM guilds WHERE guilds.id = guild_id))
  ORDER BY guild_id NULLS FIRST
    """,  # the members of a deleted guild are deleted later
    user_id="bigint",
)


async def list_for_user(cur: Cursor, user_id: UserId) -> list[GuildNotifications]:
    """Return all settings of a user that differ from the defaults."""
    await cur.run(_FOR_USER, {"user_id": user_id})
    return await many(cur, _make)


async def get(cur: Cursor, user_id: UserId, guild_id: GuildId | None) -> GuildNotifications:
    """Return the settings of a user for a guild, or for private channels."""
    await cur.execute(
        f"""
        SELECT {_COLUMNS} FROM user_guild_settings AS settings
         WHERE user_id = %(user_id)s AND coalesce(guild_id, 0) = %(guild_id)s
        """,
        {"user_id": user_id, "guild_id": guild_id or 0},
    )
    return await one(cur, _make) or GuildNotifications(guild_id)


async def count_overrides(cur: Cursor, user_id: UserId) -> int:
    """Return the number of channels for which a user has settings."""
    await cur.execute(
        """
        SELECT coalesce(sum(jsonb_array_length(channel_overrides)), 0) FROM user_guild_settings
         WHERE user_id = %(user_id)s
        """,
        {"user_id": user_id},
    )
    return await one(cur, int) or 0


async def put(cur: Cursor, user_id: UserId, settings: GuildNotifications) -> None:
    """Store settings. Raises ForeignKeyViolation if the user is no member of the guild."""
    overrides = [_stored(each) for each in settings.overrides.values()]
    await cur.execute(
        """
        INSERT INTO user_guild_settings
               (user_id, guild_id, version, muted, mute_config, message_notifications,
                suppress_everyone, suppress_roles, mobile_push, mute_scheduled_events,
                hide_muted_channels, notify_highlights, flags, channel_overrides)
        VALUES (%(user_id)s, %(guild_id)s, %(version)s, %(muted)s, %(mute_config)s, %(level)s,
                %(suppress_everyone)s, %(suppress_roles)s, %(mobile_push)s,
                %(mute_scheduled_events)s, %(hide_muted_channels)s, %(notify_highlights)s,
                %(flags)s, %(overrides)s)
        ON CONFLICT (user_id, coalesce(guild_id, 0)) DO UPDATE
           SET version = EXCLUDED.version, muted = EXCLUDED.muted,
               mute_config = EXCLUDED.mute_config,
               message_notifications = EXCLUDED.message_notifications,
               suppress_everyone = EXCLUDED.suppress_everyone,
               suppress_roles = EXCLUDED.suppress_roles, mobile_push = EXCLUDED.mobile_push,
               mute_scheduled_events = EXCLUDED.mute_scheduled_events,
               hide_muted_channels = EXCLUDED.hide_muted_channels,
               notify_highlights = EXCLUDED.notify_highlights, flags = EXCLUDED.flags,
               channel_overrides = EXCLUDED.channel_overrides
        """,
        {
            "user_id": user_id,
            "guild_id": settings.guild_id,
            "version": settings.version,
            "muted": settings.mute.muted,
            "mute_config": _json(_stored_config(settings.mute.config)),
            "level": int(settings.level),
            "suppress_everyone": settings.suppress_everyone,
            "suppress_roles": settings.suppress_roles,
            "mobile_push": settings.mobile_push,
            "mute_scheduled_events": settings.mute_scheduled_events,
            "hide_muted_channels": settings.hide_muted_channels,
            "notify_highlights": settings.notify_highlights,
            "flags": settings.flags,
            "overrides": _json(overrides),
        },
    )


async def delete(cur: Cursor, user_id: UserId) -> None:
    """Delete all settings of a user."""
    await cur.execute(
        "DELETE FROM user_guild_settings WHERE user_id = %(user_id)s", {"user_id": user_id}
    )


def _make(*row: Any) -> GuildNotifications:
    guild_id, version, muted, config, level, *others = row
    everyone, roles, push, events, hidden, highlights, flags, stored = others
    overrides = [_read(each) for each in stored]
    return GuildNotifications(
        guild_id,
        version,
        Mute(muted, _read_config(config)),
        NotificationLevel(level),
        everyone,
        roles,
        push,
        events,
        hidden,
        highlights,
        flags,
        {each.channel_id: each for each in overrides},
    )


def _json(value: object) -> str:
    return orjson.dumps(value).decode()


def _stored(override: ChannelOverride) -> JsonObject:
    return {
        "id": override.channel_id,
        "muted": override.mute.muted,
        "mute_config": _stored_config(override.mute.config),
        "level": int(override.level),
        "collapsed": override.collapsed,
        "flags": override.flags,
    }


def _read(stored: JsonObject) -> ChannelOverride:
    return ChannelOverride(
        ChannelId(stored["id"]),
        Mute(stored["muted"], _read_config(stored["mute_config"])),
        NotificationLevel(stored["level"]),
        stored["collapsed"],
        stored["flags"],
    )


def _stored_config(config: MuteConfig | None) -> JsonObject | None:
    if config is None:
        return None
    ends_at = None if config.ends_at is None else config.ends_at.isoformat()
    return {"ends_at": ends_at, "window_s": config.window_s}


def _read_config(stored: JsonObject | None) -> MuteConfig | None:
    if stored is None:
        return None
    ends_at = stored["ends_at"]
    return MuteConfig(ends_at and datetime.fromisoformat(ends_at), stored["window_s"])
