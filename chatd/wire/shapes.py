"""What answers look like: a shape for every function of `payloads`, and for what routes add.

A test holds every answer that any test gets against the shape that its route declares.
"""

from __future__ import annotations

from chatd.core.models import AuditAction, ChannelType, MessageType, OverwriteType
from chatd.wire.shape import (
    ANYTHING,
    BITS,
    BOOL,
    COUNT,
    EMPTY,
    ID,
    INT,
    MOMENT,
    NULL,
    STRING,
    Shape,
    array_of,
    extended,
    nullable,
    one_of,
    record,
)

HTML = Shape(STRING, media="text/html")
_BINARY = Shape({"type": "string", "format": "binary"}, media="*/*")
FILE = {200: _BINARY, 206: _BINARY, 304: None, 416: None}
"""What downloads are answered with."""
DOCUMENT = Shape({"type": "object", "description": "An OpenAPI 3.1 document."})

REFUSAL = record(
    "Refusal",
    "Why the answer is no. `code` is Discord's; `errors` mirrors the request, and its leaves are"
    ' `{"_errors": [{"code": "...", "message": "..."}]}`.',
    {"code": INT, "message": STRING},
    {"errors": {"type": "object"}},
)

LIMITED = record(
    "RateLimited",
    "Too much at once: wait for so many seconds. Slow mode has a code, 20016.",
    {"message": STRING, "retry_after": {"type": "number", "minimum": 0}},
    {"code": INT, "global": BOOL},
)

HEALTH = record("Health", "The process lives.", {"status": one_of("ok")})
READINESS = record(
    "Readiness",
    "What the server can reach.",
    {
        "status": one_of("ok", "degraded", "unavailable"),
        "database": one_of("ok", "away", "busy"),
        "redis": one_of("ok", "away"),
    },
)

USER = record(
    "User",
    "A user as everyone sees it.",
    {
        "id": ID,
        "username": STRING,
        "discriminator": STRING,
        "global_name": nullable(STRING),
        "avatar": nullable(STRING),
        "bot": BOOL,
        "flags": INT,
        "public_flags": INT,
        "banner": NULL,
        "accent_color": NULL,
        "avatar_decoration_data": NULL,
        "primary_guild": NULL,
    },
)
OWN_USER = extended(
    USER,
    "OwnUser",
    "A user as it sees itself.",
    {
        "email": nullable(STRING),
        "bio": STRING,
        "verified": BOOL,
        "mfa_enabled": BOOL,
        "locale": STRING,
        "premium_type": INT,
    },
)
APPLICATION = record(
    "Application",
    "A program with an account of its own, which has the same id.",
    {
        "id": ID,
        "name": STRING,
        "icon": NULL,
        "description": STRING,
        "bot_public": BOOL,
        "bot_require_code_grant": BOOL,
        "flags": INT,
        "verify_key": STRING,
        "owner": USER,
        "bot": USER,
        "team": NULL,
        "type": NULL,
        "flags_new": STRING,
        "redirect_uris": array_of(STRING),
        "eligible_oauth2_scopes": array_of(STRING),
        "interactions_endpoint_url": NULL,
        "role_connections_verification_url": NULL,
        "explicit_content_filter": INT,
    },
    {
        "approximate_guild_count": COUNT,
        "approximate_user_install_count": COUNT,
        "approximate_user_authorization_count": COUNT,
    },
)
NONE_YET = Shape({"type": "array", "maxItems": 0})
"""A list of what this server does not know."""
BOT_TOKEN = record("BotToken", "What a bot logs in with.", {"token": STRING})
PRUNED = record("Pruned", "How many members it was, or would be.", {"pruned": nullable(COUNT)})
PROFILE = record(
    "Profile",
    "A user with what it tells of itself, and the guilds that it shares with who looks.",
    {
        "user": extended(USER, "UserWithBio", "A user with what it tells.", {"bio": STRING}),
        "user_profile": record("UserProfile", "What a user tells of itself.", {"bio": STRING}),
        "mutual_guilds": array_of(
            record("MutualGuild", "A guild that both are in.", {"id": ID, "nick": nullable(STRING)})
        ),
    },
)
LOGINS = record(
    "Logins",
    "Where an account is logged in.",
    {
        "user_sessions": array_of(
            record(
                "Login",
                "A login; `current` marks the one that asks.",
                {
                    "id_hash": STRING,
                    "approx_last_used_time": MOMENT,
                    "created_at": MOMENT,
                    "client_info": record(
                        "ClientInfo",
                        "What is known of the client.",
                        {"os": NULL, "platform": nullable(STRING), "location": NULL},
                    ),
                    "current": BOOL,
                },
            )
        )
    },
)
GRANT = record(
    "Grant",
    "A login: its tokens, and who it is.",
    {
        "access_token": STRING,
        "refresh_token": STRING,
        "token_type": one_of("Bearer"),
        "expires_in": {**COUNT, "description": "Seconds."},
        "user": OWN_USER,
    },
)

COLORS = record(
    "RoleColors",
    "The colours of a role.",
    {"primary_color": INT, "secondary_color": NULL, "tertiary_color": NULL},
)
ROLE = record(
    "Role",
    "A role; the one whose id is the guild's is @everyone.",
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
)
MEMBER = record(
    "Member",
    "A user in a guild.",
    {
        "user": USER,
        "nick": nullable(STRING),
        "avatar": NULL,
        "banner": NULL,
        "roles": array_of(ID),
        "joined_at": MOMENT,
        "premium_since": NULL,
        "communication_disabled_until": nullable(MOMENT),
        "deaf": BOOL,
        "mute": BOOL,
        "pending": BOOL,
        "flags": INT,
    },
)

OVERWRITE = record(
    "Overwrite",
    "What a channel allows and denies a role or a member.",
    {"id": ID, "type": one_of(*OverwriteType), "allow": BITS, "deny": BITS},
)
CHANNEL = record(
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
        "last_pin_timestamp": nullable(MOMENT),
    },
)

PRIVATE_CHANNEL = record(
    "PrivateChannel",
    "A channel of two people, or of a group, as one of them sees it: without itself.",
    {
        "id": ID,
        "type": one_of(ChannelType.DM, ChannelType.GROUP_DM),
        "recipients": array_of(USER),
        "last_message_id": nullable(ID),
        "flags": INT,
    },
    {"name": nullable(STRING), "icon": NULL, "owner_id": nullable(ID), "managed": BOOL},
)
ANY_CHANNEL = Shape({"anyOf": [CHANNEL, PRIVATE_CHANNEL]})
READ_STATE = record(
    "ReadState",
    "How far the caller has read a channel, and how much it has not.",
    {"id": ID, "last_message_id": ID, "unread_count": COUNT, "mention_count": COUNT},
)
ACKNOWLEDGED = record("Acknowledged", "It is marked as read.", {"token": NULL})

_COUNTS = {"approximate_member_count": COUNT, "approximate_presence_count": COUNT}
GUILD = record(
    "Guild",
    "A guild. The counts are there when the query asks for them.",
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
        "incidents_data": NULL,
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
        "rules_channel_id": NULL,
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
GUILD_SUMMARY = record(
    "GuildSummary",
    "A guild as its member lists it, with what the member may do there.",
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

EMOJI = record(
    "Emoji",
    "An emoji; a Unicode one has no id.",
    {"id": NULL, "name": STRING, "animated": BOOL},
)
REACTION = record(
    "Reaction",
    "How many have reacted to a message with an emoji.",
    {
        "emoji": EMOJI,
        "count": COUNT,
        "count_details": record("ReactionCounts", "By kind.", {"burst": COUNT, "normal": COUNT}),
        "burst_colors": EMPTY,
        "me": BOOL,
        "me_burst": BOOL,
    },
)
REFERENCE = record(
    "MessageReference",
    "What a message answers, or what was pinned.",
    {"type": INT, "channel_id": ID, "message_id": ID},
    {"guild_id": ID},
)
_MEDIA = record("EmbedMedia", "A picture in an embed.", {"url": STRING})
EMBED = record(
    "RichEmbed",
    "A box below the text of a message.",
    {"type": one_of("rich")},
    {
        "title": STRING,
        "description": STRING,
        "url": STRING,
        "timestamp": MOMENT,
        "color": INT,
        "footer": record(
            "EmbedFooter", "The last line of an embed.", {"text": STRING}, {"icon_url": STRING}
        ),
        "image": _MEDIA,
        "thumbnail": _MEDIA,
        "author": record(
            "EmbedAuthor",
            "The first line of an embed.",
            {"name": STRING},
            {"url": STRING, "icon_url": STRING},
        ),
        "fields": array_of(
            record(
                "EmbedField",
                "A line with a name in an embed.",
                {"name": STRING, "value": STRING, "inline": BOOL},
            )
        ),
    },
)
ATTACHMENT = record(
    "Attachment",
    "A file of a message. Its links are signed, and work for a day without credentials.",
    {
        "id": ID,
        "filename": STRING,
        "size": COUNT,
        "url": STRING,
        "proxy_url": STRING,
        "content_type": STRING,
    },
    {"width": COUNT, "height": COUNT, "description": STRING},
)
ANSWERED = record(
    "AnsweredMessage",
    "A message inside the one that answers it.",
    {
        "id": ID,
        "channel_id": ID,
        "author": USER,
        "content": STRING,
        "timestamp": MOMENT,
        "edited_timestamp": nullable(MOMENT),
        "tts": BOOL,
        "mention_everyone": BOOL,
        "mentions": array_of(USER),
        "mention_roles": array_of(ID),
        "attachments": array_of(ATTACHMENT),
        "embeds": array_of(EMBED),
        "pinned": BOOL,
        "type": one_of(*MessageType),
        "flags": INT,
        "components": EMPTY,
    },
    {
        "reactions": array_of(REACTION),
        "message_reference": REFERENCE,
        "nonce": {"type": ["string", "integer"]},
    },
)
MESSAGE = extended(
    ANSWERED,
    "Message",
    "A message; `referenced_message` is null when what it answers is gone.",
    {},
    {"referenced_message": nullable(ANSWERED)},
)
SEARCH_RESULTS = record(
    "SearchResults",
    "A page of what was found.",
    {
        "messages": array_of(
            array_of(extended(MESSAGE, "Hit", "A message that was found.", {"hit": one_of(True)}))
        ),
        "total_results": {**COUNT, "description": "Counted up to 10,000."},
        "doing_deep_historical_index": {
            **BOOL,
            "description": "Whether there may be more than was looked through in time.",
        },
        "threads": EMPTY,
        "members": EMPTY,
    },
)
PINS = record(
    "PinPage",
    "Pinned messages, the newest pin first.",
    {
        "items": array_of(record("Pin", "A pin.", {"pinned_at": MOMENT, "message": MESSAGE})),
        "has_more": BOOL,
    },
)

INVITE = record(
    "Invite",
    "What anyone who knows its code may see of an invite.",
    {
        "type": INT,
        "code": STRING,
        "guild_id": ID,
        "guild": record(
            "InviteGuild",
            "Where an invite leads.",
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
        "channel": record(
            "InviteChannel",
            "The channel that an invite opens.",
            {"id": ID, "name": STRING, "type": one_of(*ChannelType)},
        ),
        "inviter": USER,
        "expires_at": nullable(MOMENT),
    },
    _COUNTS,
)
INVITE_WITH_USES = extended(
    INVITE,
    "InviteWithUses",
    "What those see who may manage the invite.",
    {
        "uses": COUNT,
        "max_uses": COUNT,
        "max_age": {**COUNT, "description": "Seconds."},
        "temporary": BOOL,
        "created_at": MOMENT,
    },
)

INVITATION = record(
    "Invitation",
    "Lets people register, where not everyone may. Of 0 `max_uses` there is no end.",
    {
        "code": STRING,
        "created_by": nullable(ID),
        "created_at": MOMENT,
        "max_uses": COUNT,
        "uses": COUNT,
        "expires_at": nullable(MOMENT),
    },
)

BAN = record("Ban", "Who is banned, and why.", {"reason": nullable(STRING), "user": USER})
BULK_BAN = record(
    "BulkBan",
    "Who is banned now, and who could not be.",
    {"banned_users": array_of(ID), "failed_users": array_of(ID)},
)
AUDIT_ENTRY = record(
    "AuditLogEntry",
    "Who did what to whom, and why.",
    {
        "id": ID,
        "user_id": nullable(ID),
        "target_id": nullable(ID),
        "action_type": one_of(*AuditAction),
    },
    {
        "changes": array_of(
            record(
                "AuditLogChange",
                "A key that changed; a value is left out where there is none.",
                {"key": STRING},
                {"old_value": ANYTHING, "new_value": ANYTHING},
            )
        ),
        "options": {"type": "object", "additionalProperties": STRING},
        "reason": STRING,
    },
)
AUDIT_LOG = record(
    "AuditLog",
    "Entries of an audit log, and the users that they name.",
    {
        "audit_log_entries": array_of(AUDIT_ENTRY),
        "users": array_of(USER),
        "application_commands": EMPTY,
        "auto_moderation_rules": EMPTY,
        "guild_scheduled_events": EMPTY,
        "integrations": EMPTY,
        "threads": EMPTY,
        "webhooks": EMPTY,
    },
)
