"""Texts and constants of the OpenAPI document that do not come from the routes."""

from __future__ import annotations

from chatd.core.json import JsonObject
from chatd.rest.request import MAX_REASON
from chatd.wire import responses
from chatd.wire.json_schema import ID

TAGS = {
    "auth": ("Accounts", "Registration, login, logout, and the logins of an account."),
    "account_mail": (
        "Mail",
        "Verified email addresses, lost passwords, and undoing a change by the link of a mail.",
    ),
    "mfa": (
        "Second factors",
        "One-time codes, passkeys and recovery codes: logins with them, and their settings.",
    ),
    "oidc": (
        "Logins at providers",
        "Single sign-on by OpenID Connect, and linking accounts there with the caller's.",
    ),
    "users": ("Users", "The caller's own account, and other users."),
    "relationships": ("Friends and blocks", "Friends, friend requests and blocked users."),
    "user_settings": ("Settings", "The settings of an account."),
    "notifications": (
        "Notification settings",
        "About which messages the caller is notified, in guilds and channels.",
    ),
    "user_exports": ("Exports", "Archives with everything of the caller's account."),
    "notes": ("Notes", "What the caller has noted about other users."),
    "guilds": ("Guilds", "Guilds, which have channels, roles and members."),
    "channels": (
        "Channels",
        "The channels of guilds, and the permissions that they allow and deny.",
    ),
    "messages": ("Messages", "Messages of any channel, with text, embeds and files."),
    "reactions": ("Reactions", "Reactions of users to messages, as emojis."),
    "pins": ("Pins", "Messages that are pinned to their channel."),
    "search": ("Search", "Search for messages by words and filters."),
    "private_channels": ("Private channels", "Direct messages between two users, and groups."),
    "read_states": ("Read states", "The last message that the caller has read in each channel."),
    "recent_mentions": ("Mentions", "Messages that mention the caller, in all its channels."),
    "members": ("Members", "The users in a guild, with their nicknames and timeouts."),
    "roles": ("Roles", "The roles of a guild, and assigning them to members."),
    "bans": ("Bans", "Users who are banned from a guild."),
    "auto_moderation": ("Auto moderation", "Rules that messages of members are checked with."),
    "invites": ("Invites", "Codes that let users join a guild."),
    "webhooks": ("Webhooks", "URLs by which programs send messages to a channel."),
    "announcements": (
        "Announcement channels",
        "Following announcement channels, and publishing their messages.",
    ),
    "webhook_services": (
        "Webhooks of other services",
        "Messages of webhooks in the formats of Slack and GitHub.",
    ),
    "webhook_messages": (
        "Messages with a token",
        "Messages of webhooks and of applications. The token in the path authorizes them, without"
        " a login.",
    ),
    "interactions": (
        "Interactions",
        "The use of commands and components, and how applications respond.",
    ),
    "audit_logs": ("Audit log", "The log of changes to a guild: by which user, and why."),
    "applications": (
        "Applications and bots",
        "Applications, and the bot accounts that belong to them.",
    ),
    "oauth2": (
        "Authorizations",
        "Adding applications to guilds, or to the caller's account. There are no OAuth2 tokens.",
    ),
    "integrations": ("Integrations", "The applications in a guild."),
    "application_commands": (
        "Application commands",
        "What an application offers: slash commands, and entries in the menus of users and"
        " messages.",
    ),
    "command_permissions": (
        "Command permissions",
        "Which members may use the commands of an application in a guild, and in which channels.",
    ),
    "command_index": (
        "Command index",
        "The commands that a person can use, for the clients of people.",
    ),
    "gateway": ("Gateway", "The WebSocket that sends events; the guide above describes it."),
    "uploads": ("Uploads", "Files that are sent before the message that will have them."),
    "files": ("Files", "Files of messages, avatars and icons."),
    "invitations": (
        "Registration codes",
        "Codes that allow registration; administrators create them.",
    ),
    "registrations": (
        "Registrations",
        "Accounts that wait for the approval of an administrator.",
    ),
    "reports": ("Reports", "Messages, users and guilds that people report to administrators."),
    "administration": (
        "Administration",
        "Accounts, guilds and figures of the whole server, for its administrators.",
    ),
    "stubs": (
        "Empty lists",
        "Objects that clients request at startup, and that chatd does not support.",
    ),
    "spacebar": (
        "Addresses and limits",
        "Where everything is, for clients of Spacebar, which know only the address of the server.",
    ),
    "health": ("Health", "Whether the server runs, for monitoring."),
    "docs": ("Documentation", "This description of the API."),
}
"""The sections of the document by handler module, in the order in which readers need them."""

ERRORS = {
    400: "The request is not as described here, or conflicts with a rule.",
    401: "The token is missing, wrong, expired or revoked.",
    403: "The caller is not allowed to do this.",
    404: "The object does not exist, or the caller may not see it.",
    408: "The body did not arrive in time.",
    413: "The body is larger than this route takes.",
    415: "The body is compressed; send it without a Content-Encoding.",
    429: "Too many requests, or a message too soon after another in a channel with slow mode.",
    431: "The URL or the headers are too long.",
    503: "The server or its database is busy or unavailable; try again in a moment.",
}

STATUSES = {
    **ERRORS,
    302: "The picture is on another server.",
    303: "The browser goes elsewhere.",
    304: "The copy of the client is current.",
    416: "The requested range is beyond the end of the file.",
}

SECURITY: dict[str, JsonObject] = {
    "Bearer": {
        "type": "http",
        "scheme": "bearer",
        "description": "An access token from /auth/login; the token alone works as well.",
    },
    "Bot": {
        "type": "apiKey",
        "in": "header",
        "name": "Authorization",
        "description": "`Bot <token>`, as libraries for bots send it.",
    },
}

PATH_PARAMETERS: dict[str, JsonObject] = {
    "application": ID,
    "code": {"type": "string", "pattern": "^[0-9A-Za-z]{1,32}$"},
    "emoji": {"type": "string", "minLength": 1},
    "webhook_token": {"type": "string", "pattern": "^[0-9A-Za-z_-]{1,256}$"},
    "id_hash": {"type": "string", "minLength": 1},
    "channel": ID,
    "file": ID,
    "filename": {"type": "string", "minLength": 1},
    "guild": ID,
    "upload": ID,
    "export": ID,
    "uploaded_filename": {"type": "string", "minLength": 1},
    "settings_type": {"type": "string", "enum": ["1", "2"]},
    "user": ID,
    "name": {"type": "string", "minLength": 1, "examples": ["5f2b8c1d9e0a47c3.png"]},
    "interaction_token": {"type": "string", "minLength": 1},
    "provider": {"type": "string", "pattern": "^[a-z0-9-]{1,32}$"},
}

REASON: JsonObject = {
    "name": "X-Audit-Log-Reason",
    "in": "header",
    "description": "The reason, for the audit log; percent-encoded UTF-8.",
    "schema": {"type": "string", "maxLength": MAX_REASON},
}

HEADERS: dict[str, JsonObject] = {
    "webhook_services.github_event": {
        "name": "X-GitHub-Event",
        "in": "header",
        "schema": {"type": "string"},
    },
}
"""Headers that a single operation reads, by its id."""

GATEWAY = (
    (
        "/gateway",
        False,
        "Get the address of the gateway. An upgrade request opens a WebSocket connection there. Its"
        " query has `v` (6 to 10), `encoding` (json) and `compress` (zlib-stream, zstd-stream).",
        responses.GATEWAY,
    ),
    (
        "/gateway/bot",
        True,
        "Get the address of the gateway, and how many sessions the caller can start.",
        responses.GATEWAY_OF_BOT,
    ),
)
"""The routes of the gateway, which are not in the table: path, whether it needs a login,
description, response."""
