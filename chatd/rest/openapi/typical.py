"""Typical values for the examples: of fields, of the bodies of requests, and of errors."""

from __future__ import annotations

from typing import Any, Final

from chatd.core.json import JsonObject

GUILD_ID: Final = "1408133746352128000"
CHANNEL_ID: Final = "1408133746352128001"
MESSAGE_ID: Final = "1408140311201316864"
ADA_ID: Final = "1408133501807493120"
BOB_ID: Final = "1408133614487502848"
ROLE_ID: Final = "1408134229615739904"
WEBHOOK_ID: Final = "1408136520192065536"
FILE_ID: Final = "1408140310983213056"
APPLICATION_ID: Final = "1408135006673420288"
COMMAND_ID: Final = "1408135108293066752"
INTERACTION_ID: Final = "1408141229615739904"
_FOLLOWING_ID = "1408133746352128003"
_UPLOAD_ID = "1408141310983213056"
_SIGNATURE = "8c303f6b3f6f1c1c0fde6be22b563aafbd92ea70982009ea4068b6edf43186e0"
_HASH = "5f2b8c1d9e0a47c3b6d1f08e2a9c4d75"
_TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl"  # noqa: S105
_WEBHOOK_TOKEN = "dQ3b8mYk1Xr0tV6sZ2cN9hLw4pJ7gEaUqFyRiOoCxKvBnMlSjTfHdGzWePuA5kXc8bQe"  # noqa: S105
_TICKET = "MTQwODEzMzUwMTgwNzQ5MzEyMA.dGlja2V0.cHJvb2Y"
_CREDENTIAL = '{"rawId": "aWQ", "response": {"signature": "c2ln"}}'
LATER = "2026-01-02T12:00:00.000000+00:00"
NOW = "2026-01-01T12:00:00.000000+00:00"

FIELDS: Final[dict[str, Any]] = {
    "access_token": _TOKEN,
    "after": MESSAGE_ID,
    "allow": "1024",
    "application_id": APPLICATION_ID,
    "attachment_extension": "png",
    "attachment_filename": "engine",
    "attachment_urls": [f"https://chat.example.org/attachments/{CHANNEL_ID}/{FILE_ID}/engine.png"],
    "attachments": [],
    "around": MESSAGE_ID,
    "author_id": ADA_ID,
    "before": MESSAGE_ID,
    "channel": CHANNEL_ID,
    "channel_id": CHANNEL_ID,
    "code": "k3XyTq8B",
    "client_id": APPLICATION_ID,
    "color": 3447003,
    "command_id": COMMAND_ID,
    "content": "Hello, Bob",
    "content_type": "image/png",
    "deny": "2048",
    "discriminator": "0",
    "email": "ada@example.org",
    "embed_provider": "Example",
    "embeds": [],
    "emoji": "👍",
    "ex": "695a4b80",
    "expires_in": 900,
    "file": FILE_ID,
    "filename": "engine.png",
    "guild": GUILD_ID,
    "guild_id": GUILD_ID,
    "hm": _SIGNATURE,
    "id_hash": "9b1d0c5e7f2a4863",
    "integration_id": APPLICATION_ID,
    "interaction_id": INTERACTION_ID,
    "interaction_token": "Yv3kQ0pX7dLw2sZt9bNc5hRj1mGf8aUe4iOyTq6nKxBvCzMl",
    "invitation": "x8Vd2LmQ",
    "is": "6958fa00",
    "joined_at": NOW,
    "last_message_id": MESSAGE_ID,
    "locale": "en-US",
    "link_hostname": "example.org",
    "max_id": MESSAGE_ID,
    "max_members": 500_000,
    "mention_roles": [],
    "mentions": [],
    "message_id": MESSAGE_ID,
    "min_id": MESSAGE_ID,
    "name": "general",
    "new_password": "Another-Password-456",
    "owner_id": ADA_ID,
    "parent_id": "1408133746352128002",
    "password": "Analytical-Engine-1843",
    "permissions": "1071698660929",
    "preferred_locale": "en-US",
    "primary_color": 3447003,
    "provider": "company",
    "query": "ad",
    "reason": "Spam",
    "refresh_token": "2sKq0bXw7dV5nQ1rT8yZ",
    "region": "deprecated",
    "retry_after": 1.5,
    "role_id": ROLE_ID,
    "scope": "bot applications.commands",
    "session_id_hashes": ["9b1d0c5e7f2a4863"],
    "system_channel_id": CHANNEL_ID,
    "target_id": ROLE_ID,
    "token": _TOKEN,
    "token_id": APPLICATION_ID,
    "total_results": 1,
    "type": 0,
    "upload": _UPLOAD_ID,
    "export": _UPLOAD_ID,
    "uploaded_filename": f"{_UPLOAD_ID}/engine.png",
    "url": "https://chat.example.org/attachments/…/engine.png",
    "user": BOB_ID,
    "user_id": BOB_ID,
    "username": "ada",
    "webhook_id": WEBHOOK_ID,
    "webhook_token": _WEBHOOK_TOKEN,
    "with_counts": "true",
    "X-GitHub-Event": "watch",
}
"""Typical values by the name of a field or parameter, where the schema allows them."""

_BOB: Final = {
    "id": BOB_ID,
    "username": "bob",
    "discriminator": "0",
    "global_name": None,
    "avatar": None,
    "bot": False,
    "flags": 0,
    "public_flags": 0,
    "banner": None,
    "accent_color": None,
    "avatar_decoration_data": None,
    "primary_guild": None,
}
_BOT: Final = {**_BOB, "id": APPLICATION_ID, "username": "helper", "bot": True}
_APPLICATION: Final = {
    "id": APPLICATION_ID,
    "name": "helper",
    "description": "Answers pings",
    "bot": _BOT,
    "flags_new": "0",
    "verify_key": "1659e1249a2507d19ebbf215a3251b13216156080943a85d16f5f7a631a451db",
}
_SCOPES: Final = ["bot", "applications.commands"]
_LINK = f"https://chat.example.org/attachments/{CHANNEL_ID}/{FILE_ID}/engine.png"
_SETTINGS_AS_BASE64 = "agIIAQ=="  # {"appearance": {"theme": "THEME_DARK"}}

OF_SCHEMAS: Final[dict[str, dict[str, Any]]] = {
    "User": {"id": ADA_ID, "global_name": "Ada Lovelace"},
    "OwnUser": {"id": ADA_ID, "global_name": "Ada Lovelace"},
    "UserWithBio": {"id": ADA_ID, "bio": "Poetical science"},
    "UserProfile": {"bio": "Poetical science"},
    "Guild": {"id": GUILD_ID, "name": "The Analytical Engine"},
    "GuildSummary": {"id": GUILD_ID, "name": "The Analytical Engine"},
    "InviteGuild": {"id": GUILD_ID, "name": "The Analytical Engine"},
    "MutualGuild": {"id": GUILD_ID},
    "Channel": {"id": CHANNEL_ID},
    "PrivateChannel": {"id": CHANNEL_ID},
    "InviteChannel": {"id": CHANNEL_ID},
    "ReadState": {"id": CHANNEL_ID},
    "Message": {"id": MESSAGE_ID},
    "ReferencedMessage": {"id": MESSAGE_ID},
    "Hit": {"id": MESSAGE_ID},
    "Role": {"id": ROLE_ID, "name": "Moderators"},
    "Overwrite": {"id": ROLE_ID},
    "Attachment": {"id": FILE_ID, "size": 48_213},
    "Relationship": {"id": BOB_ID, "user": {**_BOB, "bio": "Plays the flute"}},
    "Note": {"note": "Knows Babbage", "note_user_id": BOB_ID, "user_id": ADA_ID},
    "ReservedUploads": {
        "attachments": [
            {
                "id": "0",
                "upload_url": f"https://chat.example.org/uploads/{_UPLOAD_ID}?ex=…&is=…&hm=…",
                "upload_filename": f"{_UPLOAD_ID}/engine.png",
            }
        ]
    },
    "RefreshedUrls": {
        "refreshed_urls": [{"original": _LINK, "refreshed": f"{_LINK}?ex=…&is=…&hm=…"}]
    },
    "SettingsProto": {"settings": _SETTINGS_AS_BASE64},
    "ChangedSettingsProto": {"settings": _SETTINGS_AS_BASE64},
    "Command": {"id": COMMAND_ID, "name": "blep", "description": "Sends a photo of an animal"},
    "IndexedCommand": {"id": COMMAND_ID, "name": "blep", "description": "Sends a photo"},
    "CommandPermissions": {"id": COMMAND_ID},
    "CommandOverwrite": {"id": ROLE_ID, "type": 1},
    "IndexedApplication": {
        "id": APPLICATION_ID,
        "name": "helper",
        "bot_id": APPLICATION_ID,
        "flags": "0",
    },
    "Application": _APPLICATION,
    "Webhook": {
        "id": WEBHOOK_ID,
        "name": "Builds",
        "type": 1,
        "application_id": None,
        "token": _WEBHOOK_TOKEN,
        "url": f"https://chat.example.org/api/webhooks/{WEBHOOK_ID}/{_WEBHOOK_TOKEN}",
    },
    "RespondedInteraction": {"id": INTERACTION_ID, "type": 2, "guild_id": GUILD_ID},
    "PublicApplication": _APPLICATION,
    "BotToAdd": {"id": APPLICATION_ID},
    "Authorization": {"id": APPLICATION_ID, "scopes": ["applications.commands"]},
    "AuthorizationGuild": {"id": GUILD_ID, "name": "The Analytical Engine"},
    "Authorized": {"location": "https://chat.example.org/oauth2/authorized"},
    "Integration": {
        "id": APPLICATION_ID,
        "name": "helper",
        "enabled": True,
        "scopes": _SCOPES,
    },
    "IntegrationAccount": {"id": APPLICATION_ID, "name": "helper"},
    "IntegrationApplication": {"id": APPLICATION_ID, "name": "helper"},
    "PartialIntegration": {"id": APPLICATION_ID, "name": "helper"},
    "AuditLogEntry": {"user_id": ADA_ID, "target_id": BOB_ID, "action_type": 22},
    "AuditLogChange": {"key": "nick"},
    "Gateway": {"url": "wss://chat.example.org/gateway"},
    "GatewayOfBot": {"url": "wss://chat.example.org/gateway", "shards": 1},
    "SessionStartLimit": {
        "total": 1000,
        "remaining": 998,
        "reset_after": 84_000_000,
        "max_concurrency": 16,
    },
    "Invite": {"expires_at": LATER},
    "InviteWithUses": {"expires_at": LATER, "max_age": 86_400},
    "Emoji": {"name": "👍"},
    "Reaction": {"count": 1, "me": True},
    "RateLimited": {"message": "You are being rate limited."},
    "Invitation": {"created_by": ADA_ID, "max_uses": 5, "expires_at": LATER},
    "FriendSources": {"all": True, "mutual_friends": True, "mutual_guilds": True},
}
"""Typical values of the fields of single schemas. An example has these optional fields as well."""

BODIES: Final[dict[str, Any]] = {
    "Logout": {"refresh_token": FIELDS["refresh_token"]},
    "Confirmation": {"password": FIELDS["password"]},
    "MfaCode": {"code": "123456"},
    "MfaCodeLogin": {"ticket": _TICKET, "code": "123456"},
    "MfaPasskeyLogin": {"ticket": _TICKET, "code": _CREDENTIAL},
    "MfaProof": {"ticket": _TICKET, "mfa_type": "totp", "data": "123456"},
    "NewTotp": {
        "password": FIELDS["password"],
        "secret": "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP",
        "code": "123456",
    },
    "RecoveryCodesRequest": {"password": FIELDS["password"]},
    "NewPasskey": {"password": FIELDS["password"]},
    "PasskeyChange": {"name": "Phone"},
    "OwnerProof": {"password": FIELDS["password"]},
    "MfaLevel": {"level": 1},
    "AccountChange": {"disabled": True},
    "AccountDeletion": {"delete_guilds": True},
    "NewInvitation": {"max_uses": 5, "max_age": 604_800},
    "ProfileChange": {"global_name": "Ada Lovelace", "bio": "Poetical science"},
    "BioChange": {"bio": "Poetical science"},
    "WidgetChange": {"enabled": False},
    "FriendRequest": {"username": "bob"},
    "NewRelationship": {"type": 1},
    "RelationshipChange": {"nickname": "Bobby"},
    "SettingsChange": {"direct_messages": "friends"},
    "SettingsProtoChange": {"settings": _SETTINGS_AS_BASE64},
    "SettingsJsonChange": {"settings": {"appearance": {"theme": "THEME_DARK"}}},
    "NotificationsChange": {
        "muted": True,
        "mute_config": {"selected_time_window": 3600, "end_time": LATER},
        "channel_overrides": {CHANNEL_ID: {"message_notifications": 1}},
    },
    "BulkNotificationsChange": {"guilds": {GUILD_ID: {"suppress_everyone": True}}},
    "NewNote": {"note": "Knows Babbage"},
    "BulkAcknowledgement": {"read_states": [{"channel_id": CHANNEL_ID, "message_id": MESSAGE_ID}]},
    "NewUploads": {"files": [{"id": "0", "filename": "engine.png", "file_size": 48_213}]},
    "InteractionMessageChange": {"content": "The build has failed"},
    "Consent": {"guild_id": GUILD_ID, "permissions": "8192", "authorize": True},
    "NewGuild": {"name": "The Analytical Engine"},
    "GuildChange": {"name": "The Difference Engine", "system_channel_id": CHANNEL_ID},
    "NewReport": {
        "type": "message",
        "category": "spam",
        "channel_id": CHANNEL_ID,
        "message_id": MESSAGE_ID,
    },
    "ReportDecision": {"outcome": "message_deleted", "note": "Advertising", "similar": True},
    "IncidentActions": {"invites_disabled_until": "2025-08-22T12:00:00+00:00"},
    "Prune": {"days": 30},
    "NewMessage": {"content": "Hello, Bob", "message_reference": {"message_id": MESSAGE_ID}},
    "MessageChange": {"content": "Hello, dear Bob"},
    "BulkDelete": {"messages": [MESSAGE_ID, "1408140311201316865"]},
    "NewChannel": {"name": "engines", "type": 0, "topic": "Brass and steam"},
    "ChannelMove": {"id": CHANNEL_ID, "position": 2},
    "ChannelChange": {"topic": "Steam and brass", "rate_limit_per_user": 10},
    "OverwriteChange": {"type": 0, "allow": "1024", "deny": "2048"},
    "NewPrivateChannel": {"recipient_id": BOB_ID},
    "Acknowledgement": {},
    "NewMember": {},
    "OwnMemberChange": {"nick": "Countess"},
    "MemberChange": {"nick": "Bobby", "roles": [ROLE_ID]},
    "NewRole": {"name": "Moderators", "permissions": "8192", "color": 3447003, "hoist": True},
    "RoleMove": {"id": ROLE_ID, "position": 1},
    "RoleChange": {"name": "Helpers", "mentionable": True},
    "NewBan": {"delete_message_seconds": 86_400},
    "NewBans": {"user_ids": [BOB_ID], "delete_message_seconds": 0},
    "NewInvite": {"max_age": 86_400, "max_uses": 5},
    "NewAutoModRule": {
        "name": "No gambling",
        "event_type": 1,
        "trigger_type": 1,
        "trigger_metadata": {"keyword_filter": ["casino*", "free spins"]},
        "actions": [{"type": 1, "metadata": {"custom_message": "No advertising here."}}],
        "enabled": True,
    },
    "AutoModRuleChange": {"enabled": False},
    "NewWebhook": {"name": "Builds"},
    "NewWebhookMessage": {"content": "The build has passed", "username": "Builds"},
    "WebhookTokenChange": {"name": "Releases"},
    "NewFollower": {"webhook_channel_id": _FOLLOWING_ID},
    "SlackMessage": {"text": "Build 4 has passed"},
    "GithubEvent": {
        "action": "started",
        "sender": {"login": "ada"},
        "repository": {"full_name": "ada/engine", "html_url": "https://github.com/ada/engine"},
    },
    "WebhookChange": {"name": "Releases", "channel_id": CHANNEL_ID},
    "Empty": {},
    "NewApplication": {"name": "helper", "description": "Answers pings"},
    "NewCommand": {
        "name": "blep",
        "description": "Sends a photo of an animal",
        "options": [
            {
                "type": 3,
                "name": "animal",
                "description": "The animal",
                "required": True,
                "choices": [{"name": "Dog", "value": "dog"}, {"name": "Cat", "value": "cat"}],
            }
        ],
    },
    "NewInteraction": {
        "type": 2,
        "application_id": APPLICATION_ID,
        "guild_id": GUILD_ID,
        "channel_id": CHANNEL_ID,
        "data": {
            "id": COMMAND_ID,
            "name": "blep",
            "type": 1,
            "options": [{"name": "animal", "type": 3, "value": "dog"}],
        },
    },
    "MessageCallback": {"type": 4, "data": {"content": "A dog", "flags": 64}},
    "ListedCommand": {"name": "High Five", "type": 2},
    "CommandChange": {"description": "Sends a picture of an animal"},
    "PermissionsChange": {"permissions": [{"id": ROLE_ID, "type": 1, "permission": False}]},
    "ApplicationChange": {"description": "Answers pings", "bot_public": False},
}
"""Typical bodies by schema; a schema without an entry gets an example of its required fields."""

ERRORS: Final[dict[int, JsonObject]] = {
    400: {
        "code": 50035,
        "message": "Invalid Form Body",
        "errors": {
            "name": {
                "_errors": [{"code": "BASE_TYPE_REQUIRED", "message": "This field is required"}]
            }
        },
    },
    401: {"code": 0, "message": "401: Unauthorized"},
    403: {"code": 50013, "message": "Missing Permissions"},
    404: {"code": 10003, "message": "Unknown Channel"},
    413: {"code": 40005, "message": "Request entity too large"},
    429: {"message": "You are being rate limited.", "retry_after": 1.5, "global": False},
    503: {"code": 0, "message": "The server is busy; try again in a moment."},
}
"""Errors whose body contains more than the status."""
