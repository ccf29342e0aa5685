"""Examples of requests and responses, generated from the schemas of the document.

Fields with typical values take them from the tables here. All other values follow from the schema.
Tests check each example against its schema, and load each body with the schema of the server.
"""

from __future__ import annotations

import json
import re
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import quote

from chatd.core.json import JsonObject
from chatd.rest.routing import APPLICATION, APPLICATION_OWNER, BOT

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
_HASH = "5f2b8c1d9e0a47c3b6d1f08e2a9c4d75"
_TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl"  # noqa: S105
_LATER = "2026-01-02T12:00:00.000000+00:00"
_NOW = "2026-01-01T12:00:00.000000+00:00"

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
    "expires_in": 900,
    "file": FILE_ID,
    "filename": "engine.png",
    "guild": GUILD_ID,
    "guild_id": GUILD_ID,
    "id_hash": "9b1d0c5e7f2a4863",
    "integration_id": APPLICATION_ID,
    "invitation": "x8Vd2LmQ",
    "joined_at": _NOW,
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
    "url": "https://chat.example.org/attachments/…/engine.png",
    "user": BOB_ID,
    "user_id": BOB_ID,
    "username": "ada",
    "webhook_id": WEBHOOK_ID,
    "webhook_token": "dQ3b8mYk1Xr0tV6sZ2cN9hLw4pJ7gEaUqFyRiOoCxKvBnMlSjTfHdGzWePuA5kXc8bQe",
    "with_counts": "true",
}
"""Typical values by the name of a field or parameter, where the schema allows them."""

_OF_SCHEMAS: Final[dict[str, dict[str, Any]]] = {
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
    "Relationship": {"id": BOB_ID},
    "Command": {"id": COMMAND_ID, "name": "blep", "description": "Sends a photo of an animal"},
    "IndexedCommand": {"id": COMMAND_ID, "name": "blep", "description": "Sends a photo"},
    "CommandPermissions": {"id": COMMAND_ID},
    "CommandOverwrite": {"id": ROLE_ID, "type": 1},
    "IndexedApplication": {"id": APPLICATION_ID, "name": "helper"},
    "Application": {"id": APPLICATION_ID, "name": "helper", "description": "Answers pings"},
    "Webhook": {"id": WEBHOOK_ID, "name": "Builds", "type": 1},
    "PublicApplication": {"id": APPLICATION_ID, "name": "helper"},
    "BotToAdd": {"id": APPLICATION_ID},
    "Authorization": {"id": APPLICATION_ID},
    "AuthorizationGuild": {"id": GUILD_ID, "name": "The Analytical Engine"},
    "Authorized": {"location": "https://chat.example.org/oauth2/authorized"},
    "Integration": {"id": APPLICATION_ID, "name": "helper"},
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
    "Invite": {"expires_at": _LATER},
    "InviteWithUses": {"expires_at": _LATER, "max_age": 86_400},
    "Emoji": {"name": "👍"},
    "Reaction": {"count": 1, "me": True},
    "RateLimited": {"message": "You are being rate limited."},
    "Invitation": {"created_by": ADA_ID, "max_uses": 5, "expires_at": _LATER},
    "FriendSources": {"all": True, "mutual_friends": True, "mutual_guilds": True},
}

BODIES: Final[dict[str, Any]] = {
    "Logout": {"refresh_token": FIELDS["refresh_token"]},
    "Confirmation": {"password": FIELDS["password"]},
    "NewInvitation": {"max_uses": 5, "max_age": 604_800},
    "ProfileChange": {"global_name": "Ada Lovelace", "bio": "Poetical science"},
    "FriendRequest": {"username": "bob"},
    "NewRelationship": {"type": 1},
    "RelationshipChange": {"nickname": "Bobby"},
    "SettingsChange": {"direct_messages": "friends"},
    "NewGuild": {"name": "The Analytical Engine"},
    "GuildChange": {"name": "The Difference Engine", "system_channel_id": CHANNEL_ID},
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
    "NewWebhook": {"name": "Builds"},
    "NewWebhookMessage": {"content": "The build has passed", "username": "Builds"},
    "WebhookTokenChange": {"name": "Releases"},
    "NewFollower": {"webhook_channel_id": CHANNEL_ID},
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


def error(status: int) -> JsonObject:
    """Return a typical error with this status."""
    plain = {"code": 0, "message": f"{status}: {HTTPStatus(status).phrase}"}
    return ERRORS.get(status, plain)


class Examples:
    """Builds examples for the schemas of a document."""

    def __init__(self, schemas: JsonObject) -> None:
        self._schemas = schemas

    def body(self, schema: JsonObject) -> Any:
        """Return a typical body of a request."""
        if schema.get("type") == "array":
            return [self.body(schema["items"])]
        name = _name(schema)
        return BODIES[name] if name in BODIES else self.value(schema)

    def value(self, schema: JsonObject, field: str = "", owner: str = "") -> Any:
        """Return a value that the schema allows; `field` is its name, in the schema `owner`."""
        for typical in (_OF_SCHEMAS.get(owner, {}).get(field), FIELDS.get(field)):
            if typical is not None and _allows(schema, typical):
                return typical
        if name := _name(schema):
            return self._object(self._schemas[name], name)
        if "anyOf" in schema:
            return self.value(schema["anyOf"][0], field, owner)
        if "enum" in schema:
            return schema.get("default", schema["enum"][0])
        if "default" in schema:
            return schema["default"]
        kinds = schema.get("type", "string")
        return self._of_type(schema, kinds if isinstance(kinds, list) else [kinds], field)

    def _of_type(self, schema: JsonObject, kinds: list[str], field: str) -> Any:
        if "null" in kinds:
            return None  # there is no typical value
        if kinds[0] == "array":
            return [] if schema.get("maxItems") == 0 else self._array(schema, field)
        if kinds[0] == "object":
            return self._object(schema, "")
        if kinds[0] == "boolean":
            return False
        return schema.get("minimum", 0) if kinds[0] in ("integer", "number") else _text(schema)

    def _array(self, schema: JsonObject, field: str) -> list[Any]:
        items = schema["items"]
        if not _name(items) and "array" not in str(items.get("type")):
            return [_text(items)] if items.get("format") == "snowflake" else []
        return [self.value(items, field)]

    def _object(self, schema: JsonObject, name: str) -> JsonObject:
        required = schema.get("required", ())
        return {
            key: self.value(each, key, name)
            for key, each in schema.get("properties", {}).items()
            if key in required
        }


def _name(schema: JsonObject) -> str:
    reference: str = schema.get("$ref", "")
    return reference.rpartition("/")[2]


def _text(schema: JsonObject) -> str:
    match schema.get("format"):
        case "snowflake":
            return ROLE_ID
        case "date-time":
            return _NOW
    if "[0-9]" in schema.get("pattern", ""):
        return "0"
    return "text" if schema.get("minLength") else ""


_KINDS = {str: "string", bool: "boolean", int: "integer", float: "number", list: "array"}


def _allows(schema: JsonObject, value: Any) -> bool:
    """Return whether the schema allows a typical value."""
    if "anyOf" in schema or "$ref" in schema:
        return False
    if "enum" in schema:
        return value in schema["enum"]
    if isinstance(value, str) and not re.search(schema.get("pattern", ""), value):
        return False
    if schema.get("format") == "date-time" and value not in (_NOW, _LATER):
        return False
    kinds = schema.get("type", [])
    return _KINDS[type(value)] in (kinds if isinstance(kinds, list) else [kinds])


_OF_BOTS = {each.value for each in (APPLICATION, APPLICATION_OWNER, BOT)}


def curl(method: str, path: str, operation: JsonObject) -> str:
    """Return a curl command for the operation; the reader sets `$API` and `$TOKEN`."""
    query = []
    for each in operation["parameters"]:
        if "$ref" in each:
            continue
        value = quote(str(each["example"]), safe="")
        if each["in"] == "path":
            path = path.replace(f"{{{each['name']}}}", value)
        elif each.get("required"):
            query.append(f"{each['name']}={value}")
    address = f'"$API{path}{"?" if query else ""}{"&".join(query)}"'
    parts = ["curl" if method == "get" else f"curl -X {method.upper()}", address]
    if "security" in operation:
        scheme = "Bot" if operation["x-needs"] in _OF_BOTS else "Bearer"
        parts.append(f'-H "Authorization: {scheme} $TOKEN"')
    content = operation.get("requestBody", {}).get("content", {})
    if "application/json" in content:
        body = json.dumps(content["application/json"]["example"], ensure_ascii=False)
        parts += ["-H 'Content-Type: application/json'", "-d '" + body.replace("'", "'\\''") + "'"]
    return " \\\n  ".join([" ".join(parts[:2]), *parts[2:]])
