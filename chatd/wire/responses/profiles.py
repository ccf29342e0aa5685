"""Responses about the profiles of users."""

from __future__ import annotations

from chatd.wire.json_schema import (
    BOOL,
    COUNT,
    EMPTY,
    ID,
    NULL,
    STRING,
    array_of,
    nullable,
    object_schema,
)
from chatd.wire.responses.accounts import USER, USER_WITH_BIO
from chatd.wire.responses.guilds import MEMBER

_METADATA = {
    "bio": STRING,
    "pronouns": STRING,
    "accent_color": NULL,
    "banner": NULL,
    "theme_colors": NULL,
    "popout_animation_particle_type": NULL,
    "emoji": NULL,
    "profile_effect": NULL,
}
PROFILE_METADATA = object_schema("UserProfile", "The profile of a user.", _METADATA)
PROFILE = object_schema(
    "Profile",
    "A user with its bio, and what the caller has in common with it.",
    {
        "user": USER_WITH_BIO,
        "user_profile": PROFILE_METADATA,
        "badges": EMPTY,
        "guild_badges": EMPTY,
        "connected_accounts": EMPTY,
        "legacy_username": NULL,
        "premium_type": NULL,
        "premium_since": NULL,
        "premium_guild_since": NULL,
    },
    {
        "mutual_guilds": array_of(
            object_schema(
                "MutualGuild",
                "A guild that the user and the caller are both in.",
                {"id": ID, "nick": nullable(STRING)},
            )
        ),
        "mutual_friends": array_of(USER),
        "mutual_friends_count": COUNT,
        "guild_member": MEMBER,
        "guild_member_profile": object_schema(
            "MemberProfile",
            "The profile of a member, which has no text of its own.",
            {**_METADATA, "guild_id": ID},
        ),
        "application": object_schema(
            "ProfileApplication",
            "The application of a bot.",
            {"id": ID, "flags": COUNT, "verified": BOOL, "storefront_available": BOOL},
        ),
    },
)
