"""Payloads of guilds."""

from __future__ import annotations

from collections.abc import Iterable

from chatd.core.json import JsonObject
from chatd.core.models import (
    Channel,
    Guild,
    GuildCounts,
    Member,
    Role,
)
from chatd.wire.payloads._channels import channel_to_encode
from chatd.wire.payloads._encoding import encode, id_or_none, timestamp, timestamp_or_none
from chatd.wire.payloads._members import member, role


def guild(guild: Guild, roles: Iterable[Role]) -> JsonObject:
    """GuildResponse."""
    return {
        "id": str(guild.id),
        "name": guild.name,
        "description": guild.description,
        "icon": guild.icon,
        "owner_id": str(guild.owner_id),
        "system_channel_id": id_or_none(guild.system_channel_id),
        "system_channel_flags": guild.system_channel_flags,
        "default_message_notifications": guild.default_message_notifications,
        "preferred_locale": guild.preferred_locale,
        "rules_channel_id": id_or_none(guild.rules_channel_id),
        "mfa_level": guild.mfa_level,
        "retention_days": guild.retention_days,
        "features": guild.features,
        "incidents_data": incidents_data(guild),
        "roles": [role(each) for each in roles],
        **_GUILD_CONSTANTS,
    }


def incidents_data(guild: Guild) -> JsonObject | None:
    """The incidents of a guild; None if it never had one."""
    times = (guild.invites_disabled_until, guild.dms_disabled_until, guild.raid_detected_at)
    if times == (None, None, None):
        return None
    invites, dms, raid = map(timestamp_or_none, times)
    return {
        "invites_disabled_until": invites,
        "dms_disabled_until": dms,
        "dm_spam_detected_at": None,
        "raid_detected_at": raid,
    }


def counts(counts: GuildCounts) -> JsonObject:
    """The keys that `with_counts` adds to a guild or an invite."""
    return {
        "approximate_member_count": counts.members,
        "approximate_presence_count": counts.online,
    }


def guild_preview(guild_: Guild, of_guild: GuildCounts) -> JsonObject:
    """GuildPreviewResponse."""
    shown = ("id", "name", "icon", "description", "home_header", "splash", "discovery_splash")
    full = guild(guild_, ())
    return {
        **{name: full[name] for name in (*shown, "features", "emojis", "stickers")},
        **counts(of_guild),
    }


_counts = counts  # for functions with a parameter of that name


_GUILD_CONSTANTS: JsonObject = {
    "afk_channel_id": None,
    "afk_timeout": 300,
    "application_id": None,
    "banner": None,
    "discovery_splash": None,
    "emojis": [],
    "explicit_content_filter": 0,
    "home_header": None,
    "max_members": 500_000,
    "max_presences": None,
    "max_stage_video_channel_users": 0,
    "max_video_channel_users": 0,
    "nsfw": False,
    "nsfw_level": 0,
    "premium_progress_bar_enabled": False,
    "premium_subscription_count": 0,
    "premium_tier": 0,
    "public_updates_channel_id": None,
    "region": "deprecated",
    "safety_alerts_channel_id": None,
    "splash": None,
    "stickers": [],
    "vanity_url_code": None,
    "verification_level": 0,
    "widget_channel_id": None,
    "widget_enabled": False,
}


def guild_state(
    guild_: Guild,
    roles: Iterable[Role],
    channels: Iterable[Channel],
    members: Iterable[Member],
    *,
    member_count: int,
    own: Member,
    large: bool,
) -> JsonObject:
    """The body of GUILD_CREATE, with what the member `own` may see of the guild.

    The function that calls this adds `presences` and `unavailable`: the latter is present if the
    guild became available, and absent if it was joined.
    """
    return {
        **guild(guild_, roles),
        "joined_at": timestamp(own.joined_at),
        "large": large,
        "member_count": member_count,
        "members": [member(each) for each in members],
        "channels": [channel_to_encode(each) for each in channels],
        "threads": [],
        "voice_states": [],
        "stage_instances": [],
        "guild_scheduled_events": [],
        "soundboard_sounds": [],
    }


_ROLES = "roles"
_JOINED_AT = b'"joined_at":"'

_AFTER_CHANNELS = (
    b'],"threads":[],"voice_states":[],"stage_instances":[],"guild_scheduled_events":[],'
    b'"soundboard_sounds":[],"unavailable":false,"presences":'
)


def guild_settings(guild: JsonObject) -> bytes:
    """Return the keys of an encoded guild but its roles, for `joined_guild_state`.

    `guild` is a GuildResponse, with or without roles.
    """
    return encode({key: each for key, each in guild.items() if key != _ROLES})[1:-1]


def joined_guild_state(
    settings: bytes,
    roles: bytes,
    channels: bytes,
    members: bytes,
    *,
    member_count: int,
    own: bytes,
    large: bool,
    presences: bytes,
) -> bytes:
    """Join the body of GUILD_CREATE from encoded parts, for a guild that became available.

    It is `guild_state` with `unavailable` and `presences`. Roles, channels and members are the
    elements of arrays, `presences` is an array. `own` is the own member, encoded.
    """
    joined_at = own.index(_JOINED_AT) + len(_JOINED_AT)  # in a name, it has backslashes
    start = b'{%b,"joined_at":"%b","large":%b,"member_count":%d,"roles":[' % (
        settings,
        own[joined_at : own.index(b'"', joined_at)],
        b"true" if large else b"false",
        member_count,
    )
    between = b'],"members":[', members, b'],"channels":[', channels
    return b"".join((start, roles, *between, _AFTER_CHANNELS, presences, b"}"))


def guild_joined(
    state: JsonObject, roles: Iterable[Role], channel_ids: Iterable[int]
) -> JsonObject:
    """GUILD_CREATE for other instances, which load the guild themselves.

    Of roles it has the permissions, of channels the ids of the visible ones.
    """
    return {
        **state,
        "presences": [],
        "roles": [{"id": str(each.id), "permissions": str(each.permissions)} for each in roles],
        "channels": [{"id": str(channel_id)} for channel_id in channel_ids],
    }


def guild_summary(
    guild: Guild, *, is_owner: bool, permissions: int, counts: GuildCounts | None = None
) -> JsonObject:
    """An element of the response to GET /users/@me/guilds."""
    return {
        **({} if counts is None else _counts(counts)),
        "id": str(guild.id),
        "name": guild.name,
        "icon": guild.icon,
        "banner": None,
        "owner": is_owner,
        "permissions": str(permissions),
        "features": guild.features,
    }
