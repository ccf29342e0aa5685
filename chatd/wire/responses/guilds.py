"""Responses about guilds, channels, roles, members, invites and bans."""

from __future__ import annotations

from chatd.core.audit import AuditAction
from chatd.core.models import ChannelType
from chatd.core.overwrites import OverwriteType
from chatd.wire.json_schema import (
    ANYTHING,
    BITS,
    BOOL,
    COUNT,
    DATETIME,
    EMPTY,
    ID,
    INT,
    NULL,
    STRING,
    ResponseSchema,
    array_of,
    extended_schema,
    nullable,
    object_schema,
    one_of,
)
from chatd.wire.responses.accounts import USER
from chatd.wire.responses.applications import PARTIAL_INTEGRATION
from chatd.wire.responses.auto_moderation import AUTOMOD_RULE
from chatd.wire.responses.commands import COMMAND
from chatd.wire.responses.server import ERROR
from chatd.wire.responses.webhooks import WEBHOOK

PRUNED = object_schema(
    "Pruned", "The number of members that a prune removes.", {"pruned": nullable(COUNT)}
)
COLORS = object_schema(
    "RoleColors",
    "The colors of a role.",
    {"primary_color": INT, "secondary_color": NULL, "tertiary_color": NULL},
)
ROLE = object_schema(
    "Role",
    "A role. The role with the id of the guild is @everyone.",
    {
        "id": ID,
        "name": STRING,
        "permissions": BITS,
        "position": INT,
        "color": INT,
        "colors": COLORS,
        "hoist": BOOL,
        "managed": BOOL,
        "mentionable": BOOL,
        "icon": NULL,
        "unicode_emoji": NULL,
        "flags": INT,
    },
    {"tags": object_schema("RoleTags", "What a managed role belongs to.", {"bot_id": ID})},
)
MEMBER = object_schema(
    "Member",
    "A user in a guild.",
    {
        "id": ID,
        "user": USER,
        "nick": nullable(STRING),
        "avatar": NULL,
        "banner": NULL,
        "roles": array_of(ID),
        "joined_at": DATETIME,
        "premium_since": NULL,
        "communication_disabled_until": nullable(DATETIME),
        "deaf": BOOL,
        "mute": BOOL,
        "pending": BOOL,
        "flags": INT,
    },
)
OVERWRITE = object_schema(
    "Overwrite",
    "Permissions that a channel allows and denies to a role or a member.",
    {"id": ID, "type": one_of(*OverwriteType), "allow": BITS, "deny": BITS},
)
CHANNEL = object_schema(
    "Channel",
    "A channel of a guild; a category has no topic and no messages.",
    {
        "id": ID,
        "guild_id": ID,
        "type": one_of(*ChannelType),
        "name": STRING,
        "position": INT,
        "parent_id": nullable(ID),
        "permission_overwrites": array_of(OVERWRITE),
        "nsfw": BOOL,
        "flags": INT,
    },
    {
        "topic": nullable(STRING),
        "rate_limit_per_user": {**COUNT, "description": "Seconds."},
        "last_message_id": nullable(ID),
        "last_pin_timestamp": nullable(DATETIME),
    },
)
PRIVATE_CHANNEL = object_schema(
    "PrivateChannel",
    "A direct message or a group; `recipients` does not contain the caller.",
    {
        "id": ID,
        "type": one_of(ChannelType.DM, ChannelType.GROUP_DM),
        "recipients": array_of(USER),
        "last_message_id": nullable(ID),
        "flags": INT,
    },
    {"name": nullable(STRING), "icon": NULL, "owner_id": nullable(ID), "managed": BOOL},
)
ANY_CHANNEL = ResponseSchema({"anyOf": [CHANNEL, PRIVATE_CHANNEL]})
READ_STATE = object_schema(
    "ReadState",
    "The last message that the caller has read in a channel, and how many it has not read.",
    {"id": ID, "last_message_id": ID, "unread_count": COUNT, "mention_count": COUNT},
)
ACKNOWLEDGED = object_schema("Acknowledged", "The channel is marked as read.", {"token": NULL})
INCIDENTS = object_schema(
    "IncidentsData",
    "What is paused in a guild, and what was detected.",
    {
        "invites_disabled_until": nullable(DATETIME),
        "dms_disabled_until": nullable(DATETIME),
        "dm_spam_detected_at": NULL,
        "raid_detected_at": nullable(DATETIME),
    },
)
INVITES_PAUSED = extended_schema(
    ERROR,
    "InvitesPaused",
    "The caller cannot join. While invites are paused for a time, `retry_after` is present.",
    {},
    {"retry_after": COUNT},
)
_COUNTS = {"approximate_member_count": COUNT, "approximate_presence_count": COUNT}
GUILD = object_schema(
    "Guild",
    "A guild. The counts are present if the query requests them.",
    {
        "id": ID,
        "name": STRING,
        "description": nullable(STRING),
        "icon": nullable(STRING),
        "owner_id": ID,
        "system_channel_id": nullable(ID),
        "roles": array_of(ROLE),
        "afk_channel_id": NULL,
        "afk_timeout": INT,
        "application_id": NULL,
        "banner": NULL,
        "default_message_notifications": INT,
        "discovery_splash": NULL,
        "emojis": EMPTY,
        "explicit_content_filter": INT,
        "features": array_of(STRING),
        "home_header": NULL,
        "incidents_data": nullable(INCIDENTS),
        "max_members": INT,
        "max_presences": NULL,
        "max_stage_video_channel_users": INT,
        "max_video_channel_users": INT,
        "mfa_level": INT,
        "nsfw": BOOL,
        "nsfw_level": INT,
        "preferred_locale": STRING,
        "premium_progress_bar_enabled": BOOL,
        "premium_subscription_count": INT,
        "premium_tier": INT,
        "public_updates_channel_id": NULL,
        "region": STRING,
        "retention_days": nullable(INT),
        "rules_channel_id": nullable(ID),
        "safety_alerts_channel_id": NULL,
        "splash": NULL,
        "stickers": EMPTY,
        "system_channel_flags": INT,
        "vanity_url_code": NULL,
        "verification_level": INT,
        "widget_channel_id": NULL,
        "widget_enabled": BOOL,
    },
    _COUNTS,
)
GUILD_PREVIEW = object_schema(
    "GuildPreview",
    "What is shown of a guild to people who look for one.",
    {
        "id": ID,
        "name": STRING,
        "icon": nullable(STRING),
        "description": nullable(STRING),
        "home_header": NULL,
        "splash": NULL,
        "discovery_splash": NULL,
        "features": array_of(STRING),
        "emojis": EMPTY,
        "stickers": EMPTY,
        **_COUNTS,
    },
)
VANITY_URL = object_schema(
    "VanityUrl", "The vanity URL of a guild; there are none.", {"code": NULL, "uses": COUNT}
)
GUILD_SUMMARY = object_schema(
    "GuildSummary",
    "A guild in the list of the caller's guilds, with the caller's permissions.",
    {
        "id": ID,
        "name": STRING,
        "icon": nullable(STRING),
        "banner": NULL,
        "owner": BOOL,
        "permissions": BITS,
        "features": array_of(STRING),
    },
    {"approximate_member_count": COUNT, "approximate_presence_count": COUNT},
)
INVITE = object_schema(
    "Invite",
    "An invite, as shown to any account that knows its code.",
    {
        "type": INT,
        "code": STRING,
        "guild_id": ID,
        "guild": object_schema(
            "InviteGuild",
            "The guild of an invite.",
            {
                "id": ID,
                "name": STRING,
                "description": nullable(STRING),
                "icon": nullable(STRING),
                "splash": NULL,
                "banner": NULL,
                "features": array_of(STRING),
                "verification_level": INT,
                "vanity_url_code": NULL,
                "nsfw_level": INT,
                "nsfw": BOOL,
                "premium_subscription_count": INT,
                "premium_tier": INT,
            },
        ),
        "channel": object_schema(
            "InviteChannel",
            "The channel that an invite opens.",
            {"id": ID, "name": STRING, "type": one_of(*ChannelType)},
        ),
        "inviter": USER,
        "expires_at": nullable(DATETIME),
    },
    _COUNTS,
)
INVITE_WITH_USES = extended_schema(
    INVITE,
    "InviteWithUses",
    "An invite, as shown to members who may manage it.",
    {
        "uses": COUNT,
        "max_uses": COUNT,
        "max_age": {**COUNT, "description": "Seconds."},
        "temporary": BOOL,
        "created_at": DATETIME,
    },
)
BAN = object_schema(
    "Ban", "A banned user, and the reason.", {"reason": nullable(STRING), "user": USER}
)
BULK_BAN = object_schema(
    "BulkBan",
    "The users that are banned now, and those that could not be.",
    {"banned_users": array_of(ID), "failed_users": array_of(ID)},
)
AUDIT_ENTRY = object_schema(
    "AuditLogEntry",
    "An action of a user in a guild: its target, changes and reason.",
    {
        "id": ID,
        "user_id": nullable(ID),
        "target_id": nullable(ID),
        "action_type": one_of(*AuditAction),
    },
    {
        "changes": array_of(
            object_schema(
                "AuditLogChange",
                "A field that changed; a value is absent where there is none.",
                {"key": STRING},
                {"old_value": ANYTHING, "new_value": ANYTHING},
            )
        ),
        "options": {"type": "object", "additionalProperties": STRING},
        "reason": STRING,
    },
)
AUDIT_LOG = object_schema(
    "AuditLog",
    "Entries of an audit log, and the users, webhooks and integrations that they mention.",
    {
        "audit_log_entries": array_of(AUDIT_ENTRY),
        "users": array_of(USER),
        "application_commands": array_of(COMMAND),
        "auto_moderation_rules": array_of(AUTOMOD_RULE),
        "guild_scheduled_events": EMPTY,
        "integrations": array_of(PARTIAL_INTEGRATION),
        "threads": EMPTY,
        "webhooks": array_of(WEBHOOK),
    },
)
