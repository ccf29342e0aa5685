"""The settings of an account that every client needs at its start (type 1).

Rule: discord.users.v1.PreloadedUserSettings, which Discord does not document.
"""

from __future__ import annotations

from chatd.wire.protobuf.frecency import VERSIONS
from chatd.wire.protobuf.kinds import (
    BOOL,
    BOOL_VALUE,
    BYTES,
    FIXED64,
    FLOAT,
    FLOAT_VALUE,
    INT32,
    INT32_VALUE,
    INT64_VALUE,
    STRING,
    STRING_VALUE,
    TIMESTAMP,
    UINT32,
    UINT32_VALUE,
    UINT64,
    UINT64_VALUE,
    Choice,
)
from chatd.wire.protobuf.messages import Map, Message, OneOf, Repeated
from chatd.wire.protobuf.preloaded_preferences import NOTIFICATIONS, PRIVACY, TEXT_AND_IMAGES

_INBOX_TAB = Choice(
    "INBOX_TAB_",
    (
        "UNSPECIFIED",
        "MENTIONS",
        "UNREADS",
        "TODOS",
        "FOR_YOU",
        "GAME_INVITES",
        "BOOKMARKS",
        "SCHEDULED",
        "REMINDERS",
    ),
)
_INBOX_SETTINGS = Message(
    current_tab=(1, _INBOX_TAB),
    viewed_tutorial=(2, BOOL),
)
_CHANNEL_ICON_EMOJI = Message(
    id=(1, UINT64_VALUE),
    name=(2, STRING_VALUE),
    color=(3, UINT64_VALUE),
)
_CUSTOM_NOTIFICATION_SOUND_CONFIG = Message(
    notification_sound_pack_id=(1, STRING_VALUE),
)
_CHANNEL_SETTINGS = Message(
    collapsed_in_inbox=(1, BOOL),
    icon_emoji=(2, _CHANNEL_ICON_EMOJI),
    custom_notification_sound_config=(3, _CUSTOM_NOTIFICATION_SOUND_CONFIG),
)
_CUSTOM_CALL_SOUND = Message(
    sound_id=(1, FIXED64),
    guild_id=(2, FIXED64),
)
_CHANNEL_LIST_SETTINGS = Message(
    layout=(1, STRING_VALUE),
    message_previews=(2, STRING_VALUE),
)
_GUILD_DISMISSIBLE_CONTENT_STATE = Message(
    dismissed=(1, BOOL),
    last_dismissed_version=(2, UINT32),
    last_dismissed_at_ms=(3, UINT64),
    last_dismissed_object_id=(4, UINT64),
    num_times_dismissed=(5, UINT32),
)
_GUILD_THEME_SOURCE_PREFERENCE = Choice(
    "GUILD_THEME_SOURCE_PREFERENCE_", ("UNSPECIFIED", "PERSONAL", "GUILD")
)
_GUILD_SETTINGS = Message(
    channels=(1, Map(FIXED64, _CHANNEL_SETTINGS)),
    hub_progress=(2, UINT32),
    guild_onboarding_progress=(3, UINT32),
    guild_recents_dismissed_at=(4, TIMESTAMP),
    dismissed_guild_content=(5, BYTES),
    join_sound=(6, _CUSTOM_CALL_SOUND),
    mobile_redesign_channel_list_settings=(7, _CHANNEL_LIST_SETTINGS),
    disable_raid_alert_push=(8, BOOL),
    disable_raid_alert_nag=(9, BOOL),
    custom_notification_sound_config=(10, _CUSTOM_NOTIFICATION_SOUND_CONFIG),
    leaderboards_disabled=(11, BOOL),
    guild_dismissible_content_states=(12, Map(INT32, _GUILD_DISMISSIBLE_CONTENT_STATE)),
    guild_theme_source_preference=(13, _GUILD_THEME_SOURCE_PREFERENCE),
)
_ALL_GUILD_SETTINGS = Message(
    guilds=(1, Map(FIXED64, _GUILD_SETTINGS)),
)
_RECURRING_DISMISSIBLE_CONTENT_STATE = Message(
    last_dismissed_version=(1, UINT32),
    last_dismissed_at_ms=(2, UINT64),
    last_dismissed_object_id=(3, UINT64),
    num_times_dismissed=(4, UINT32),
)
_USER_CONTENT_SETTINGS = Message(
    dismissed_contents=(1, BYTES),
    last_dismissed_outbound_promotion_start_date=(2, STRING_VALUE),
    premium_tier_0_modal_dismissed_at=(3, TIMESTAMP),
    guild_onboarding_upsell_dismissed_at=(4, TIMESTAMP),
    safety_user_sentiment_notice_dismissed_at=(5, TIMESTAMP),
    last_received_changelog_id=(6, FIXED64),
    recurring_dismissible_content_states=(7, Map(INT32, _RECURRING_DISMISSIBLE_CONTENT_STATE)),
    last_gift_intent_dismissed_at_ms=(8, FIXED64),
)
_VIDEO_FILTER_BACKGROUND_BLUR = Message(
    use_blur=(1, BOOL),
)
_VIDEO_FILTER_ASSET = Message(
    id=(1, FIXED64),
    asset_hash=(2, STRING),
)
_SOUNDBOARD_SETTINGS = Message(
    volume=(1, FLOAT),
)
VOICE_AND_VIDEO = Message(
    blur=(1, OneOf(_VIDEO_FILTER_BACKGROUND_BLUR)),
    preset_option=(2, OneOf(UINT32)),
    custom_asset=(3, OneOf(_VIDEO_FILTER_ASSET)),
    always_preview_video=(5, BOOL_VALUE),
    afk_timeout=(6, UINT32_VALUE),
    stream_notifications_enabled=(7, BOOL_VALUE),
    native_phone_integration_enabled=(8, BOOL_VALUE),
    soundboard_settings=(9, _SOUNDBOARD_SETTINGS),
    disable_stream_previews=(10, BOOL_VALUE),
    soundmoji_volume=(11, FLOAT_VALUE),
)
_DEBUG_SETTINGS = Message(
    rtc_panel_show_voice_states=(1, BOOL_VALUE),
)
GAME_LIBRARY = Message(
    install_shortcut_desktop=(1, BOOL_VALUE),
    install_shortcut_start_menu=(2, BOOL_VALUE),
    disable_games_tab=(3, BOOL_VALUE),
)
_CUSTOM_STATUS = Message(
    text=(1, STRING),
    emoji_id=(2, FIXED64),
    emoji_name=(3, STRING),
    expires_at_ms=(4, FIXED64),
    created_at_ms=(5, FIXED64),
    label=(6, STRING_VALUE),
)
STATUS = Message(
    status=(1, STRING_VALUE),
    custom_status=(2, _CUSTOM_STATUS),
    show_current_game=(3, BOOL_VALUE),
    status_expires_at_ms=(4, FIXED64),
    status_created_at_ms=(5, UINT64_VALUE),
)
LOCALIZATION = Message(
    locale=(1, STRING_VALUE),
    timezone_offset=(2, INT32_VALUE),
    timezone_name=(3, STRING_VALUE),
)
_THEME = Choice("THEME_", ("UNSET", "DARK", "LIGHT", "DARKER", "MIDNIGHT"))
_CUSTOM_USER_THEME_SETTINGS = Message(
    colors=(1, Repeated(STRING)),
    gradient_color_stops=(2, Repeated(FLOAT)),
    gradient_angle=(3, INT32),
    base_mix=(4, INT32),
)
_CLIENT_THEME_SETTINGS = Message(
    background_gradient_preset_id=(2, UINT32_VALUE),
    custom_user_theme_settings=(4, _CUSTOM_USER_THEME_SETTINGS),
)
_TIMESTAMP_HOUR_CYCLE = Choice("TIMESTAMP_HOUR_CYCLE_", ("AUTO", "H12", "H23"))
_LAUNCH_PAD_MODE = Choice(
    "LAUNCH_PAD_MODE_LAUNCH_PAD_",
    ("DISABLED", "GESTURE_FULL_SCREEN", "GESTURE_RIGHT_EDGE", "PULL_TAB"),
)
_UI_DENSITY = Choice(
    "UI_DENSITY_", ("UNSET_UI_DENSITY", "COMPACT", "COZY", "RESPONSIVE", "DEFAULT")
)
_SWIPE_RIGHT_TO_LEFT_MODE = Choice(
    "SWIPE_RIGHT_TO_LEFT_MODE_SWIPE_RIGHT_TO_LEFT_", ("UNSET", "CHANNEL_DETAILS", "REPLY")
)
APPEARANCE = Message(
    theme=(1, _THEME),
    developer_mode=(2, BOOL),
    client_theme_settings=(3, _CLIENT_THEME_SETTINGS),
    mobile_redesign_disabled=(4, BOOL),
    channel_list_layout=(6, STRING_VALUE),
    message_previews=(7, STRING_VALUE),
    search_result_exact_count_enabled=(8, BOOL_VALUE),
    timestamp_hour_cycle=(9, _TIMESTAMP_HOUR_CYCLE),
    happening_now_cards_disabled=(10, BOOL_VALUE),
    launch_pad_mode=(11, _LAUNCH_PAD_MODE),
    ui_density=(12, _UI_DENSITY),
    swipe_right_to_left_mode=(13, _SWIPE_RIGHT_TO_LEFT_MODE),
    default_guild_theme_preference=(14, _GUILD_THEME_SOURCE_PREFERENCE),
    dark_sidebar=(15, BOOL),
)
_GUILD_FOLDER = Message(
    guild_ids=(1, Repeated(FIXED64)),
    id=(2, INT64_VALUE),
    name=(3, STRING_VALUE),
    color=(4, UINT64_VALUE),
)
GUILD_FOLDERS = Message(
    folders=(1, Repeated(_GUILD_FOLDER)),
    guild_positions=(2, Repeated(FIXED64)),
)
_FAVORITE_CHANNEL_TYPE = Choice(
    "FAVORITE_CHANNEL_TYPE_", ("UNSET_FAVORITE_CHANNEL_TYPE", "REFERENCE_ORIGINAL", "CATEGORY")
)
_FAVORITE_CHANNEL = Message(
    nickname=(1, STRING),
    type=(2, _FAVORITE_CHANNEL_TYPE),
    position=(3, UINT32),
    parent_id=(4, FIXED64),
    channel_type=(5, UINT32_VALUE),
    collapsed=(6, BOOL),
)
_FAVORITES = Message(
    favorite_channels=(1, Map(FIXED64, _FAVORITE_CHANNEL)),
    muted=(2, BOOL),
    guild_visible=(3, BOOL_VALUE),
)
_AUDIO_CONTEXT_SETTING = Message(
    muted=(1, BOOL),
    volume=(2, FLOAT),
    modified_at=(3, FIXED64),
    soundboard_muted=(4, BOOL),
)
_AUDIO_SETTINGS = Message(
    user=(1, Map(FIXED64, _AUDIO_CONTEXT_SETTING)),
    stream=(2, Map(FIXED64, _AUDIO_CONTEXT_SETTING)),
)
_COMMUNITIES_SETTINGS = Message(
    disable_home_auto_nav=(1, BOOL_VALUE),
)
_BROADCAST_SETTINGS = Message(
    allow_friends=(1, BOOL_VALUE),
    allowed_guild_ids=(2, Repeated(FIXED64)),
    allowed_user_ids=(3, Repeated(FIXED64)),
    auto_broadcast=(4, BOOL_VALUE),
)
_CLIPS_SETTINGS = Message(
    allow_voice_recording=(1, BOOL_VALUE),
)
_FOR_LATER_TAB = Choice("FOR_LATER_TAB_", ("UNSPECIFIED", "ALL", "BOOKMARKS", "REMINDERS"))
_FOR_LATER_SETTINGS = Message(
    current_tab=(1, _FOR_LATER_TAB),
)
_SAFETY_SETTINGS_PRESET_TYPE = Choice(
    "SAFETY_SETTINGS_PRESET_TYPE_",
    ("UNSET_SAFETY_SETTINGS_PRESET", "BALANCED", "STRICT", "RELAXED", "CUSTOM"),
)
_SPENDING_LIMIT = Message(
    amount=(1, UINT64),
    currency=(2, STRING),
)
_SPENDING_LIMIT_SETTINGS = Message(
    one_time_purchase_limit=(1, _SPENDING_LIMIT),
)
_SAFETY_SETTINGS = Message(
    safety_settings_preset=(1, _SAFETY_SETTINGS_PRESET_TYPE),
    ignore_profile_speedbump_disabled=(2, BOOL),
    spending_limit_settings=(3, _SPENDING_LIMIT_SETTINGS),
)
_ICYMI_SETTINGS = Message(
    feed_generated_at=(1, FIXED64),
)
_APPLICATION_DM_SETTINGS = Message(
    allow_mobile_push=(2, BOOL),
)
_APPLICATION_SHARING_SETTINGS = Message(
    disable_application_activity_sharing=(1, BOOL),
)
_APPLICATION_SETTINGS = Message(
    app_dm_settings=(1, _APPLICATION_DM_SETTINGS),
    app_sharing_settings=(2, _APPLICATION_SHARING_SETTINGS),
)
_ALL_APPLICATION_SETTINGS = Message(
    app_settings=(1, Map(FIXED64, _APPLICATION_SETTINGS)),
)
_ADS_SETTINGS = Message(
    always_deliver=(1, BOOL),
)
_IN_APP_FEEDBACK_STATE = Message(
    last_impression_time=(1, UINT64_VALUE),
    opt_out_expiry_time=(2, UINT64_VALUE),
)
_IN_APP_FEEDBACK_SETTINGS = Message(
    in_app_feedback_states=(1, Map(INT32, _IN_APP_FEEDBACK_STATE)),
)
_APP_VERSION_SETTINGS = Message(
    is_using_outdated_mobile_version=(1, BOOL),
)
PRELOADED_SETTINGS = Message(
    versions=(1, VERSIONS),
    inbox=(2, _INBOX_SETTINGS),
    guilds=(3, _ALL_GUILD_SETTINGS),
    user_content=(4, _USER_CONTENT_SETTINGS),
    voice_and_video=(5, VOICE_AND_VIDEO),
    text_and_images=(6, TEXT_AND_IMAGES),
    notifications=(7, NOTIFICATIONS),
    privacy=(8, PRIVACY),
    debug=(9, _DEBUG_SETTINGS),
    game_library=(10, GAME_LIBRARY),
    status=(11, STATUS),
    localization=(12, LOCALIZATION),
    appearance=(13, APPEARANCE),
    guild_folders=(14, GUILD_FOLDERS),
    favorites=(15, _FAVORITES),
    audio_context_settings=(16, _AUDIO_SETTINGS),
    communities=(17, _COMMUNITIES_SETTINGS),
    broadcast=(18, _BROADCAST_SETTINGS),
    clips=(19, _CLIPS_SETTINGS),
    for_later=(20, _FOR_LATER_SETTINGS),
    safety_settings=(21, _SAFETY_SETTINGS),
    icymi_settings=(22, _ICYMI_SETTINGS),
    applications=(23, _ALL_APPLICATION_SETTINGS),
    ads=(24, _ADS_SETTINGS),
    in_app_feedback_settings=(25, _IN_APP_FEEDBACK_SETTINGS),
    app_version_settings=(26, _APP_VERSION_SETTINGS),
)
