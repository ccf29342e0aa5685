"""Descriptions of the settings of accounts. Most settings are read by clients only."""

from __future__ import annotations

from typing import Final

_SHARED: Final[dict[str, str]] = {
    "direct_messages": "Who can open direct messages with the caller, write in them, and add the"
    " caller to groups.",
    "default_guilds_restricted": "Whether a guild is restricted when the caller joins it.",
    "restricted_guilds": "Guilds whose members may not write to the caller merely for sharing the"
    " guild.",
    "friend_source_flags": "Who can send the caller a friend request.",
    "afk_timeout": "Seconds without input after which clients report the caller as away.",
    "allow_accessibility_detection": "Whether clients may detect a screen reader.",
    "animate_emoji": "Whether clients animate emojis.",
    "animate_stickers": "0 animates stickers always, 1 on interaction, 2 never.",
    "convert_emoticons": "Whether clients turn emoticons into emojis.",
    "custom_status": "The status text that clients set at their start; null for none.",
    "detect_platform_accounts": "Whether clients look for accounts of other services.",
    "developer_mode": "Whether clients show ids.",
    "disable_games_tab": "Whether clients hide their tab of games.",
    "enable_tts_command": "Whether clients read messages aloud.",
    "gif_auto_play": "Whether clients play GIFs.",
    "guild_folders": "The order and the folders of guilds in clients.",
    "guild_positions": "The order of guilds in older clients.",
    "inline_attachment_media": "Whether clients show the files of messages.",
    "inline_embed_media": "Whether clients show the media of links.",
    "locale": "The language of clients.",
    "message_display_compact": "Whether clients show messages in their compact form.",
    "native_phone_integration_enabled": "Whether clients offer friends by phone number.",
    "render_embeds": "Whether clients show embeds.",
    "render_reactions": "Whether clients show reactions.",
    "show_current_game": "Whether clients report what the caller plays.",
    "status": "The status that clients set at their start.",
    "stream_notifications_enabled": "Whether clients notify about streams of friends.",
    "theme": "The colors of clients.",
    "timezone_offset": "The offset from UTC, in minutes.",
    "view_nsfw_commands": "Whether clients show age-restricted commands.",
    "view_nsfw_guilds": "Whether clients on iOS show age-restricted guilds.",
}
_STATUS: Final[dict[str, str]] = {
    "text": "The text.",
    "emoji_id": "The custom emoji beside the text.",
    "emoji_name": "The emoji beside the text.",
    "expires_at": "When clients remove it; null for never.",
}
_FOLDER: Final[dict[str, str]] = {
    "id": "A number that the client chose; null for a guild without a folder.",
    "name": "The name of the folder; null for none.",
    "color": "The color of the folder as an RGB number; null for none.",
    "guild_ids": "The guilds, in their order.",
}

_MUTE: Final[dict[str, str]] = {
    "end_time": "When the mute ends; null for never.",
    "selected_time_window": "The duration that the user chose, in seconds; -1 for one without an"
    " end.",
}
_MUTED: Final[dict[str, str]] = {
    "muted": "Whether it is muted.",
    "mute_config": "How long it is muted.",
    "message_notifications": "About which messages the user is notified: 0 all, 1 mentions, 2 none,"
    " 3 as the category or the guild says.",
}
_NOTIFICATIONS_CHANGE: Final[dict[str, str]] = {
    **_MUTED,
    "suppress_everyone": "Whether mentions of everyone do not count.",
    "suppress_roles": "Whether mentions of roles do not count.",
    "mobile_push": "Whether clients on phones notify.",
    "mute_scheduled_events": "Whether clients do not notify about events.",
    "hide_muted_channels": "Whether clients hide muted channels.",
    "notify_highlights": "Whether clients notify about highlights: 0 and 2 do, 1 does not.",
    "flags": "Flags of Discord's clients. The server reads 2048 (unread are all messages) and 4096"
    " (only mentions).",
    "channel_overrides": "The settings of single channels, by the id of each.",
}
_NOTIFICATIONS: Final[dict[str, str]] = {
    **_NOTIFICATIONS_CHANGE,
    "guild_id": "The guild; null for private channels.",
    "version": "How often the settings were changed.",
    "channel_overrides": "The settings of single channels.",
}
_OVERRIDE_CHANGE: Final[dict[str, str]] = {
    **_MUTED,
    "collapsed": "Whether clients collapse the category.",
    "flags": "Flags of Discord's clients. The server reads 1024 (unread are all messages) and 512"
    " (only mentions).",
}

USER_SETTINGS: Final[dict[str, dict[str, str]]] = {
    "SettingsChange": _SHARED,
    "UserSettings": {
        **_SHARED,
        "activity_joining_restricted_guild_ids": "Always empty.",
        "activity_restricted_guild_ids": "Always empty.",
        "contact_sync_enabled": "Always false.",
        "explicit_content_filter": "Always 0.",
        "friend_discovery_flags": "Always 0.",
        "passwordless": "Always false.",
    },
    "CustomStatus": _STATUS,
    "CustomStatusSetting": _STATUS,
    "GuildFolder": _FOLDER,
    "GuildFolderSetting": _FOLDER,
    "UserExport": {
        "id": "The id of the archive.",
        "state": "`pending` while it is made; `ready`; or `failed`: request it again.",
        "requested_at": "When it was requested.",
        "finished_at": "When it was finished, or has failed; null while it is made.",
        "size": "Of the archive in bytes; null unless it is ready.",
        "url": "A signed link to download it, without a token; null unless it is ready.",
        "url_expires_at": "When the link expires. A later request gets another one.",
    },
    "Note": {
        "note": "The text.",
        "note_user_id": "The user that it is about.",
        "user_id": "The caller.",
    },
    "NewNote": {"note": "The text; null or an empty one deletes the note."},
    "BulkAcknowledgement": {"read_states": "The channels, and a message in each."},
    "ReadStateChange": {
        "channel_id": "The channel.",
        "message_id": "The last message that the caller has read; null changes nothing.",
        "read_state_type": "Always 0, which means a channel.",
    },
    "Notifications": _NOTIFICATIONS,
    "NotificationsChange": _NOTIFICATIONS_CHANGE,
    "BulkNotificationsChange": {"guilds": "The settings to change, by the id of each guild."},
    "ChannelOverride": {**_OVERRIDE_CHANGE, "channel_id": "The channel."},
    "ChannelOverrideChange": _OVERRIDE_CHANGE,
    "MuteConfig": _MUTE,
    "MuteConfigResponse": _MUTE,
    "SettingsProto": {"settings": "The message, in Base64."},
    "ChangedSettingsProto": {
        "settings": "The message, in Base64.",
        "out_of_date": "Whether the change was discarded because another client was faster.",
    },
    "SettingsJson": {"settings": "The message in the form of ProtoJSON."},
    "ChangedSettingsJson": {
        "settings": "The message in the form of ProtoJSON.",
        "out_of_date": "Whether the change was discarded because another client was faster.",
    },
    "SettingsProtoChange": {
        "settings": "The top-level fields to replace, as a message in Base64.",
        "required_data_version": "The `data_version` that the client knows: if there is a newer"
        " one, nothing changes.",
    },
    "SettingsJsonChange": {
        "settings": "The top-level fields to replace, in the form of ProtoJSON.",
        "required_data_version": "The `dataVersion` that the client knows: if there is a newer"
        " one, nothing changes.",
    },
}
