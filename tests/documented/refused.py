"""Documented fields, values and types that the server refuses, with the reasons."""

from __future__ import annotations

from typing import Any

from tests.documented.operations import (
    APPLICATIONS,
    CALLBACK,
    CHANNELS,
    COMMAND_LISTS,
    COMMANDS,
    EDIT,
    FOLLOW_UP,
    GUILD,
    INVITE,
    MEMBER,
    MESSAGE,
    MESSAGES,
    NEW_MEMBER,
    RECIPIENT,
    RESPONSE_EDITS,
    ROLES,
    SELF,
    SERVICES,
    WITH_TOKEN,
)

PICTURE = "data:image/png;base64,iVBORw0KGgo="
Fields = dict[str, Any]


def _in_data(fields: Fields) -> dict[str, Fields]:
    """Return fields of messages as fields of the message in a callback."""
    return {CALLBACK: {f"data.{field}": value for field, value in fields.items()}}


_BUTTONS = (
    "components[].components[]",
    "components[].accessory",
    "components[].components[].components[]",
    "components[].components[].accessory",
)
"""The places of buttons in messages: in rows and sections, also of containers."""
_IN_DATA = _BUTTONS[:2]
"""Those that the documentation of callbacks shows: it does not go deeper."""

_POLL = {"question": {"text": "?"}, "answers": []}
_FILE_FIELDS = {
    "attachments[].duration_secs": 1.5,
    "attachments[].is_remix": True,
    "attachments[].is_spoiler": True,
    "attachments[].title": "x",
    "attachments[].waveform": "x",
}


def _each(operations: tuple[str, ...], fields: Fields) -> dict[str, Fields]:
    return dict.fromkeys(operations, fields)


REFUSED: dict[str, dict[str, Fields]] = {
    "There are no voice channels.": {
        **_each(
            CHANNELS,
            {"bitrate": 96_000, "user_limit": 5, "rtc_region": "eu", "video_quality_mode": 2},
        ),
        GUILD: {"afk_channel_id": "1", "afk_timeout": 60, "region": "eu"},
        MEMBER: {"mute": True, "deaf": True, "channel_id": "1"},
        NEW_MEMBER: {"mute": True, "deaf": True},
    },
    "There are no widgets.": {"PATCH /guilds/{guild_id}/widget": {"enabled": True}},
    "There are no threads.": {
        **_each(SERVICES, {"thread_id": "1"}),
        **_each(WITH_TOKEN, {"thread_id": "1"}),
        CHANNELS[0]: {
            "default_auto_archive_duration": 60,
            "default_thread_rate_limit_per_user": 5,
        },
        CHANNELS[1]: {
            "default_auto_archive_duration": 60,
            "default_thread_rate_limit_per_user": 5,
            "archived": True,
            "auto_archive_duration": 60,
            "invitable": True,
            "locked": True,
        },
    },
    "There are no forums.": {
        CHANNELS[0]: {
            "available_tags": [{"name": "x"}],
            "default_forum_layout": 1,
            "default_reaction_emoji": {"emoji_name": "x"},
            "default_sort_order": 1,
            "default_tag_setting": "match_all",
        },
        CHANNELS[1]: {
            "applied_tags": ["1"],
            "available_tags": [{"name": "x"}],
            "default_forum_layout": 1,
            "default_reaction_emoji": {"emoji_name": "x"},
            "default_sort_order": 1,
            "default_tag_setting": "match_all",
        },
    },
    "Neither channels nor members have flags that do anything.": {
        CHANNELS[1]: {"flags": 16},
        MEMBER: {"flags": 4},
        NEW_MEMBER: {"flags": 4},
    },
    "There are no polls, stickers, themes and forwarded messages.": {
        MESSAGE: {
            "message_reference.type": 1,
            "poll": _POLL,
            "shared_client_theme": {"colors": ["ffffff"]},
            "sticker_ids": ["1"],
        },
        EDIT: {"sticker_ids": ["1"]},
        **_each((FOLLOW_UP, *RESPONSE_EDITS), {"poll": _POLL}),
        **_in_data({"poll": _POLL}),
    },
    "Nothing is sold, so there are no premium buttons and purchases.": {
        **_each(MESSAGES, {f"{each}.sku_id": "1" for each in _BUTTONS}),
        **_in_data(
            {
                "eligible": True,
                "ineligible_reason": 1,
                "ineligible_reason_description": "x",
                **{f"{each}.sku_id": "1" for each in _IN_DATA},
            }
        ),
    },
    "Messages of webhooks go to channels, since there are no threads and forums.": {
        FOLLOW_UP: {
            "applied_tags": ["1"],
            "thread_name": "x",
        },
    },
    "Files have a name and a description only.": {
        **_each(MESSAGES, _FILE_FIELDS),
        **_in_data(_FILE_FIELDS),
    },
    "Only avatars, icons of guilds and attached files are stored.": {
        GUILD: {
            "banner": PICTURE,
            "discovery_splash": PICTURE,
            "home_header": PICTURE,
            "splash": PICTURE,
        },
        CHANNELS[1]: {"icon": PICTURE},
        SELF: {"avatar": PICTURE, "banner": PICTURE},
        **_each(APPLICATIONS, {"cover_image": PICTURE}),
        "PATCH /users/@me": {"banner": PICTURE},
        **_each(ROLES, {"icon": PICTURE, "unicode_emoji": "x"}),
    },
    "Nothing is verified, scanned or reported, and there are no features to turn on.": {
        GUILD: {
            "explicit_content_filter": 2,
            "premium_progress_bar_enabled": True,
            "public_updates_channel_id": "1",
            "safety_alerts_channel_id": "1",
            "verification_level": 1,
        },
        **_each(APPLICATIONS, {"explicit_content_filter": 1}),
    },
    "Roles have one color.": _each(
        ROLES, {"colors.secondary_color": 1, "colors.tertiary_color": 1}
    ),
    "Members and groups have nothing of their own but what PATCH gives them.": {
        SELF: {"bio": "x"},
        NEW_MEMBER: {"nick": "x", "roles": ["1"]},
        RECIPIENT: {"nick": "x"},
        "POST /users/@me/channels": {"nicks": {"1": "x"}},
    },
    "There is no OAuth2.": {
        NEW_MEMBER: {"access_token": "x"},
        RECIPIENT: {"access_token": "x"},
        "POST /users/@me/channels": {"access_tokens": ["x"]},
        **_each(
            APPLICATIONS,
            {
                "role_connections_verification_url": "https://example.org",
                "team_id": "1",
            },
        ),
    },
    "Applications are not listed, and nothing is sent to them over HTTP.": {
        **_each(
            APPLICATIONS,
            {
                "description.localizations": {"de": "x"},
                "event_webhooks_status": 2,
                "event_webhooks_types": ["ENTITLEMENT_CREATE"],
                "event_webhooks_url": "https://example.org",
                "max_participants": 5,
                "type": 1,
            },
        ),
    },
    "Invites lead to a channel, for everyone who has the code.": {
        INVITE: {
            "role_ids": ["1"],
            "target_application_id": "1",
            "target_type": 1,
            "target_user_id": "1",
            "target_users_file": "x",
        },
        "GET /invites/{code}": {
            "guild_scheduled_event_id": "1",
            "target_channel_id": "1",
            "target_message_id": "1",
        },
    },
    "There are no activities.": {
        **_each(COMMANDS, {"handler": 1}),
        **_each(COMMAND_LISTS, {"[].handler": 1}),
    },
    "A search finds words wherever they are.": {
        "GET /guilds/{guild_id}/messages/search": {"slop": "5"},
    },
}

RULES = (
    "POST /guilds/{guild_id}/auto-moderation/rules",
    "PATCH /guilds/{guild_id}/auto-moderation/rules/{rule_id}",
)
"""The operations on rules of AutoModeration."""

REFUSED_VALUES: dict[tuple[str, str], list[Any]] = {
    (GUILD, "features"): [["COMMUNITY"], ["DISCOVERABLE"]],
    (CHANNELS[0], "type"): [2, 13, 14, 15],
    (CHANNELS[1], "type"): [4, 13, 15],  # of a text channel
    ("GET /guilds/{guild_id}/messages/search", "has"): [
        *("sticker", "poll", "snapshot", "-sticker", "-poll", "-snapshot"),
    ],
    **{(each, "type"): [4] for each in COMMANDS if each.startswith("POST")},
    **{(each, "[].type"): [4] for each in COMMAND_LISTS},
    **{(each, f"{place}.style"): [6] for each in MESSAGES for place in _BUTTONS},
    **{(CALLBACK, f"data.{place}.style"): [6] for place in _IN_DATA},
    (CALLBACK, "type"): [1, 10, 12, 13],
    **{(each, "trigger_type"): [6] for each in RULES},
    **{(each, "event_type"): [2] for each in RULES},
    **{(each, "actions[].type"): [4] for each in RULES},
}
"""Values of supported fields for unsupported features. The field refuses them."""
LISTED = {
    (operation, field): (value, why)
    for why, operations in REFUSED.items()
    for operation, fields in operations.items()
    for field, value in fields.items()
}


REFUSED_TYPES = {
    "An embed's part without what it shows is a mistake of the caller.": {
        *(
            (operation, f"{before}embeds[].{part}", "null")
            for operation, before in (*((each, "") for each in MESSAGES), (CALLBACK, "data."))
            for part in ("author.name", "footer.text", "image.url", "thumbnail.url")
        ),
    },
    "Roles and members have ids of one kind: an overwrite says what its target is.": {
        *((operation, "permission_overwrites[].type", "null") for operation in CHANNELS),
        ("PUT /channels/{channel_id}/permissions/{target_id}", "type", "null"),
    },
    "What is moved has an id.": {
        ("PATCH /guilds/{guild_id}/channels", "[].id", "null"),
        ("PATCH /guilds/{guild_id}/roles", "[].id", "null"),
    },
    "Colors without a color say nothing clear.": {
        (operation, "colors.primary_color", "null") for operation in ROLES
    },
}
"""Documented JSON types of fields that are refused, with the reason."""
