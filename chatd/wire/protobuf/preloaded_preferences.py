"""The three largest parts of the preloaded settings: chat, notifications and privacy."""

from __future__ import annotations

from chatd.wire.protobuf.kinds import (
    BOOL,
    BOOL_VALUE,
    FIXED64,
    STRING,
    STRING_VALUE,
    UINT32_VALUE,
    UINT64_VALUE,
    Choice,
)
from chatd.wire.protobuf.messages import Message, Repeated

_DM_SPAM_FILTER_V2 = Choice(
    "DM_SPAM_FILTER_V2_", ("DEFAULT_UNSET", "DISABLED", "NON_FRIENDS", "FRIENDS_AND_NON_FRIENDS")
)
_EXPLICIT_CONTENT_REDACTION = Choice(
    "EXPLICIT_CONTENT_REDACTION_", ("UNSET_EXPLICIT_CONTENT_REDACTION", "SHOW", "BLUR", "BLOCK")
)
_EXPLICIT_CONTENT_SETTINGS = Message(
    explicit_content_guilds=(1, _EXPLICIT_CONTENT_REDACTION),
    explicit_content_friend_dm=(2, _EXPLICIT_CONTENT_REDACTION),
    explicit_content_non_friend_dm=(3, _EXPLICIT_CONTENT_REDACTION),
)
_KEYWORD_FILTER_SETTINGS = Message(
    profanity=(1, BOOL_VALUE),
    sexual_content=(2, BOOL_VALUE),
    slurs=(3, BOOL_VALUE),
)
_GORE_CONTENT_SETTINGS = Message(
    gore_content_guilds=(1, _EXPLICIT_CONTENT_REDACTION),
    gore_content_friend_dm=(2, _EXPLICIT_CONTENT_REDACTION),
    gore_content_non_friend_dm=(3, _EXPLICIT_CONTENT_REDACTION),
)
_DEFAULT_REACTION_EMOJI = Message(
    emoji_id=(1, UINT64_VALUE),
    emoji_name=(2, STRING_VALUE),
    animated=(3, BOOL_VALUE),
    disable_double_tap=(4, BOOL_VALUE),
)
_SELF_HARM_CONTENT_SETTINGS = Message(
    self_harm_content_guilds=(1, _EXPLICIT_CONTENT_REDACTION),
    self_harm_content_friend_dm=(2, _EXPLICIT_CONTENT_REDACTION),
    self_harm_content_non_friend_dm=(3, _EXPLICIT_CONTENT_REDACTION),
)
_SEARCH_PROVIDER = Choice("SEARCH_PROVIDER_", ("UNSET", "GOOGLE", "BING", "DUCKDUCKGO", "CUSTOM"))
TEXT_AND_IMAGES = Message(
    diversity_surrogate=(1, STRING_VALUE),
    use_rich_chat_input=(2, BOOL_VALUE),
    use_thread_sidebar=(3, BOOL_VALUE),
    render_spoilers=(4, STRING_VALUE),
    emoji_picker_collapsed_sections=(5, Repeated(STRING)),
    sticker_picker_collapsed_sections=(6, Repeated(STRING)),
    view_image_descriptions=(7, BOOL_VALUE),
    show_command_suggestions=(8, BOOL_VALUE),
    inline_attachment_media=(9, BOOL_VALUE),
    inline_embed_media=(10, BOOL_VALUE),
    gif_auto_play=(11, BOOL_VALUE),
    render_embeds=(12, BOOL_VALUE),
    render_reactions=(13, BOOL_VALUE),
    animate_emoji=(14, BOOL_VALUE),
    animate_stickers=(15, UINT32_VALUE),
    enable_tts_command=(16, BOOL_VALUE),
    message_display_compact=(17, BOOL_VALUE),
    explicit_content_filter=(19, UINT32_VALUE),
    view_nsfw_guilds=(20, BOOL_VALUE),
    convert_emoticons=(21, BOOL_VALUE),
    expression_suggestions_enabled=(22, BOOL_VALUE),
    view_nsfw_commands=(23, BOOL_VALUE),
    use_legacy_chat_input=(24, BOOL_VALUE),
    soundboard_picker_collapsed_sections=(25, Repeated(STRING)),
    dm_spam_filter=(26, UINT32_VALUE),
    dm_spam_filter_v2=(27, _DM_SPAM_FILTER_V2),
    include_stickers_in_autocomplete=(28, BOOL_VALUE),
    explicit_content_settings=(29, _EXPLICIT_CONTENT_SETTINGS),
    keyword_filter_settings=(30, _KEYWORD_FILTER_SETTINGS),
    include_soundmoji_in_autocomplete=(31, BOOL_VALUE),
    gore_content_settings=(32, _GORE_CONTENT_SETTINGS),
    default_reaction_emoji=(33, _DEFAULT_REACTION_EMOJI),
    show_mention_suggestions=(34, BOOL_VALUE),
    self_harm_content_settings=(35, _SELF_HARM_CONTENT_SETTINGS),
    is_cross_dm_search_enabled=(36, BOOL_VALUE),
    search_provider=(37, _SEARCH_PROVIDER),
    custom_search_url=(38, STRING_VALUE),
    include_game_mentions_in_autocomplete=(39, BOOL_VALUE),
)
_REACTION_NOTIFICATION_TYPE = Choice(
    "REACTION_NOTIFICATION_TYPE_", ("NOTIFICATIONS_ENABLED", "ONLY_DMS", "NOTIFICATIONS_DISABLED")
)
_GAME_ACTIVITY_NOTIFICATION_TYPE = Choice(
    "GAME_ACTIVITY_NOTIFICATION_TYPE_",
    (
        "ACTIVITY_NOTIFICATIONS_UNSET",
        "ACTIVITY_NOTIFICATIONS_DISABLED",
        "ACTIVITY_NOTIFICATIONS_ENABLED",
        "ONLY_GAMES_PLAYED",
    ),
)
_CUSTOM_STATUS_PUSH_NOTIFICATION_TYPE = Choice(
    "CUSTOM_STATUS_PUSH_NOTIFICATION_TYPE_STATUS_PUSH_", ("UNSET", "ENABLED", "DISABLED")
)
NOTIFICATIONS = Message(
    show_in_app_notifications=(1, BOOL_VALUE),
    notify_friends_on_go_live=(2, BOOL_VALUE),
    notification_center_acked_before_id=(3, FIXED64),
    enable_burst_reaction_notifications=(4, BOOL_VALUE),
    quiet_mode=(5, BOOL_VALUE),
    focus_mode_expires_at_ms=(6, FIXED64),
    reaction_notifications=(7, _REACTION_NOTIFICATION_TYPE),
    game_activity_notifications=(8, _GAME_ACTIVITY_NOTIFICATION_TYPE),
    custom_status_push_notifications=(9, _CUSTOM_STATUS_PUSH_NOTIFICATION_TYPE),
    game_activity_exclude_steam_notifications=(10, BOOL_VALUE),
    enable_voice_activity_notifications=(11, BOOL_VALUE),
    enable_friend_online_notifications=(12, BOOL_VALUE),
    enable_user_resurrection_notifications=(13, BOOL_VALUE),
    enable_friend_anniversary_notifications=(14, BOOL_VALUE),
    enable_game_update_notifications=(15, BOOL_VALUE),
    enable_profile_updates_notifications=(16, BOOL_VALUE),
    enable_server_trending_notifications=(17, BOOL_VALUE),
    enable_dm_reply_nudge_reminders=(18, BOOL_VALUE),
    enable_summary_reminder_notifications=(19, BOOL_VALUE),
    enable_gdm_all_reaction_notifications=(20, BOOL_VALUE),
    enable_friend_gaming_activity_notifications=(21, BOOL_VALUE),
    enable_upcoming_server_event_notifications=(22, BOOL_VALUE),
    enable_screen_downtime_schedule_notifications=(23, BOOL_VALUE),
    notify_friends_on_profile_update=(24, BOOL_VALUE),
    notify_friends_on_come_online=(25, BOOL_VALUE),
)
_GUILD_ACTIVITY_STATUS_RESTRICTION_DEFAULT = Choice(
    "GUILD_ACTIVITY_STATUS_RESTRICTION_DEFAULT_", ("OFF", "ON_FOR_LARGE_GUILDS", "ON")
)
_GUILDS_LEADERBOARD_OPT_OUT_DEFAULT = Choice(
    "GUILDS_LEADERBOARD_OPT_OUT_DEFAULT_", ("OFF_FOR_NEW_GUILDS", "ON_FOR_NEW_GUILDS")
)
_SLAYER_SDK_RECEIVE_IN_GAME_DMS = Choice(
    "SLAYER_SDK_RECEIVE_IN_GAME_DMS_", ("UNSET", "ALL", "USERS_WITH_GAME", "NONE")
)
_GUILD_ACTIVITY_STATUS_RESTRICTION_DEFAULT_V2 = Choice(
    "GUILD_ACTIVITY_STATUS_RESTRICTION_DEFAULT_V2_ACTIVITY_STATUS_",
    ("UNSET", "OFF", "ON_FOR_LARGE_GUILDS", "ON"),
)
_PROFILE_VISIBILITY = Choice(
    "PROFILE_VISIBILITY_",
    ("UNSET", "FRIENDS_ONLY", "FRIENDS_AND_SMALL_GUILDS", "FRIENDS_AND_ALL_GUILDS"),
)
_AD_TOPIC = Choice("AD_TOPIC_", ("UNSPECIFIED", "REAL_MONEY_GAMING"))
PRIVACY = Message(
    allow_activity_party_privacy_friends=(1, BOOL_VALUE),
    allow_activity_party_privacy_voice_channel=(2, BOOL_VALUE),
    restricted_guild_ids=(3, Repeated(FIXED64)),
    default_guilds_restricted=(4, BOOL),
    allow_accessibility_detection=(7, BOOL),
    detect_platform_accounts=(8, BOOL_VALUE),
    passwordless=(9, BOOL_VALUE),
    contact_sync_enabled=(10, BOOL_VALUE),
    friend_source_flags=(11, UINT32_VALUE),
    friend_discovery_flags=(12, UINT32_VALUE),
    activity_restricted_guild_ids=(13, Repeated(FIXED64)),
    default_guilds_activity_restricted=(14, _GUILD_ACTIVITY_STATUS_RESTRICTION_DEFAULT),
    activity_joining_restricted_guild_ids=(15, Repeated(FIXED64)),
    message_request_restricted_guild_ids=(16, Repeated(FIXED64)),
    default_message_request_restricted=(17, BOOL_VALUE),
    drops_opted_out=(18, BOOL_VALUE),
    non_spam_retraining_opt_in=(19, BOOL_VALUE),
    family_center_enabled=(20, BOOL_VALUE),
    family_center_enabled_v2=(21, BOOL_VALUE),
    hide_legacy_username=(22, BOOL_VALUE),
    inappropriate_conversation_warnings=(23, BOOL_VALUE),
    recent_games_enabled=(24, BOOL_VALUE),
    guilds_leaderboard_opt_out_default=(25, _GUILDS_LEADERBOARD_OPT_OUT_DEFAULT),
    allow_game_friend_dms_in_discord=(26, BOOL_VALUE),
    default_guilds_restricted_v2=(27, BOOL_VALUE),
    slayer_sdk_receive_dms_in_game=(28, _SLAYER_SDK_RECEIVE_IN_GAME_DMS),
    default_guilds_activity_restricted_v2=(29, _GUILD_ACTIVITY_STATUS_RESTRICTION_DEFAULT_V2),
    quests_3p_data_opted_out=(30, BOOL_VALUE),
    show_local_time=(31, BOOL_VALUE),
    profile_visibility=(32, _PROFILE_VISIBILITY),
    hide_friend_request_notes=(33, BOOL_VALUE),
    ad_topic_opt_outs=(34, Repeated(_AD_TOPIC)),
)
