"""Responses about the settings of accounts."""

from __future__ import annotations

from chatd.wire.json_schema import (
    BOOL,
    COUNT,
    DATETIME,
    EMPTY,
    ID,
    INT,
    STRING,
    ResponseSchema,
    array_of,
    nullable,
    object_schema,
    one_of,
)
from chatd.wire.protobuf.legacy import THEMES

_BASE64 = {**STRING, "contentEncoding": "base64"}
_OTHERS = {
    "activity_joining_restricted_guild_ids": EMPTY,
    "activity_restricted_guild_ids": EMPTY,
    "afk_timeout": COUNT,
    "allow_accessibility_detection": BOOL,
    "animate_emoji": BOOL,
    "animate_stickers": COUNT,
    "contact_sync_enabled": BOOL,
    "convert_emoticons": BOOL,
    "custom_status": nullable(
        object_schema(
            "CustomStatusSetting",
            "The status text that clients set.",
            {
                "text": nullable(STRING),
                "emoji_id": nullable(ID),
                "emoji_name": nullable(STRING),
                "expires_at": nullable(DATETIME),
            },
        )
    ),
    "detect_platform_accounts": BOOL,
    "developer_mode": BOOL,
    "disable_games_tab": BOOL,
    "enable_tts_command": BOOL,
    "explicit_content_filter": COUNT,
    "friend_discovery_flags": COUNT,
    "gif_auto_play": BOOL,
    "guild_folders": array_of(
        object_schema(
            "GuildFolderSetting",
            "Guilds that clients show together.",
            {
                "guild_ids": array_of(ID),
                "id": nullable(INT),
                "name": nullable(STRING),
                "color": nullable(COUNT),
            },
        )
    ),
    "guild_positions": array_of(ID),
    "inline_attachment_media": BOOL,
    "inline_embed_media": BOOL,
    "locale": STRING,
    "message_display_compact": BOOL,
    "native_phone_integration_enabled": BOOL,
    "passwordless": BOOL,
    "render_embeds": BOOL,
    "render_reactions": BOOL,
    "show_current_game": BOOL,
    "status": STRING,
    "stream_notifications_enabled": BOOL,
    "theme": one_of(*THEMES),
    "timezone_offset": INT,
    "view_nsfw_commands": BOOL,
    "view_nsfw_guilds": BOOL,
}
USER_SETTINGS = object_schema(
    "UserSettings",
    "The settings of the caller's account.",
    {
        **_OTHERS,
        "direct_messages": {
            **one_of("guilds", "friends", "nobody"),
            "description": "Who can open direct messages with the caller, write in them, and add"
            " the caller to groups. `guilds`: friends, and everyone who shares a guild that is not"
            " among `restricted_guilds`.",
        },
        "default_guilds_restricted": {
            **BOOL,
            "description": "Whether a guild is restricted when the caller joins it.",
        },
        "restricted_guilds": {
            **array_of(ID).schema,
            "description": "Guilds whose members may not write to the caller merely for sharing the"
            " guild.",
        },
        "friend_source_flags": object_schema(
            "FriendSources",
            "Who can send the caller a friend request; `all` includes the others.",
            {"all": BOOL, "mutual_friends": BOOL, "mutual_guilds": BOOL},
        ),
    },
)
SETTINGS_PROTO = object_schema(
    "SettingsProto",
    "A message of settings.",
    {"settings": _BASE64},
)
CHANGED_SETTINGS_PROTO = object_schema(
    "ChangedSettingsProto",
    "A message of settings after a change.",
    {"settings": _BASE64, "out_of_date": BOOL},
)
SETTINGS_JSON = object_schema(
    "SettingsJson",
    "A message of settings, as JSON.",
    {"settings": {"type": "object"}},
)
CHANGED_SETTINGS_JSON = object_schema(
    "ChangedSettingsJson",
    "A message of settings after a change, as JSON.",
    {"settings": {"type": "object"}, "out_of_date": BOOL},
)
_MUTE_CONFIG = nullable(
    object_schema(
        "MuteConfigResponse",
        "How long a mute lasts.",
        {"end_time": nullable(DATETIME), "selected_time_window": INT},
    )
)
NOTE = object_schema(
    "Note",
    "What the caller has noted about a user.",
    {"note": STRING, "note_user_id": ID, "user_id": ID},
)
USER_EXPORT = object_schema(
    "UserExport",
    "An archive with everything that the server stores about the caller.",
    {
        "id": ID,
        "state": one_of("pending", "ready", "failed"),
        "requested_at": DATETIME,
        "finished_at": nullable(DATETIME),
        "size": nullable(COUNT),
        "url": nullable(STRING),
        "url_expires_at": nullable(DATETIME),
    },
)
NOTES = ResponseSchema({"type": "object", "additionalProperties": STRING}, "Notes")
NOTIFICATIONS = object_schema(
    "Notifications",
    "The notification settings of the caller for a guild, or for private channels.",
    {
        "guild_id": nullable(ID),
        "version": COUNT,
        "muted": BOOL,
        "mute_config": _MUTE_CONFIG,
        "message_notifications": one_of(0, 1, 2, 3),
        "suppress_everyone": BOOL,
        "suppress_roles": BOOL,
        "mobile_push": BOOL,
        "mute_scheduled_events": BOOL,
        "hide_muted_channels": BOOL,
        "notify_highlights": one_of(0, 1, 2),
        "flags": COUNT,
        "channel_overrides": array_of(
            object_schema(
                "ChannelOverride",
                "The notification settings of the caller for a channel.",
                {
                    "channel_id": ID,
                    "muted": BOOL,
                    "mute_config": _MUTE_CONFIG,
                    "message_notifications": one_of(0, 1, 2, 3),
                    "collapsed": BOOL,
                    "flags": COUNT,
                },
            )
        ),
    },
)
