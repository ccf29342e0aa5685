"""Payloads of the profiles of users."""

from __future__ import annotations

from chatd.core.json import JsonObject
from chatd.core.models import Profile
from chatd.wire.payloads._members import member
from chatd.wire.payloads._users import user


def profile(profile: Profile) -> JsonObject:
    """A user with its bio, and what it has in common with the caller."""
    payload: JsonObject = {
        "user": {**user(profile.user), "bio": profile.bio},
        "user_profile": profile_metadata(profile.bio),
        "badges": [],
        "guild_badges": [],
        "connected_accounts": [],
        "legacy_username": None,
        "premium_type": None,
        "premium_since": None,
        "premium_guild_since": None,
    }
    if profile.mutual_guilds is not None:
        payload["mutual_guilds"] = [
            {"id": str(each.guild_id), "nick": each.nick} for each in profile.mutual_guilds
        ]
    if profile.mutual_friends is not None:
        payload["mutual_friends"] = [user(each) for each in profile.mutual_friends]
    if profile.mutual_friends_count is not None:
        payload["mutual_friends_count"] = profile.mutual_friends_count
    if profile.member is not None:
        guild_id = str(profile.member.guild_id)
        payload["guild_member"] = member(profile.member)
        payload["guild_member_profile"] = {**profile_metadata(""), "guild_id": guild_id}
    if profile.application is not None:
        payload["application"] = {
            "id": str(profile.application.bot.id),
            "flags": profile.application.flags,
            "verified": False,
            "storefront_available": False,
        }
    return payload


def profile_metadata(bio: str) -> JsonObject:
    """What a profile has beside its user: the bio."""
    return {
        "bio": bio,
        "pronouns": "",
        "accent_color": None,
        "banner": None,
        "theme_colors": None,
        "popout_animation_particle_type": None,
        "emoji": None,
        "profile_effect": None,
    }
