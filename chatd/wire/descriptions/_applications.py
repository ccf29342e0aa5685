"""Descriptions of the fields of single schemas, about applications and their integrations."""

from __future__ import annotations

from typing import Final

_APPLICATION: Final = {
    "id": "The id of the application, and of its bot.",
    "name": "The name of the application.",
    "icon": "The hash of the picture, at `/app-icons/{application}/{hash}.png`; null without one.",
    "description": "What the application is for.",
    "summary": "Always empty; no longer documented, but some libraries require it.",
    "bot": "The account of the bot.",
    "flags": "Flags of the application: privileged intents that it may use.",
    "tags": "Words that describe the application.",
}

APPLICATIONS: Final[dict[str, dict[str, str]]] = {
    "PublicApplication": _APPLICATION,
    "Application": {
        **_APPLICATION,
        "owner": "The user who created the application.",
        "interactions_endpoint_url": "The address that receives interactions instead of the"
        " gateway; null without one.",
        "explicit_content_filter": "Always 0.",
    },
    "InstallParams": {
        "scopes": "The scopes.",
        "permissions": "The permissions of the bot's role, as bits.",
    },
    "NewApplication": {
        "name": "The name of the application; the username of its bot.",
        "description": "What the application is for.",
    },
    "ApplicationChange": {
        "interactions_endpoint_url": "An https address of a public server that will receive"
        " interactions instead of the gateway, and verifies their signatures. null removes it.",
        "name": "The name of the application.",
        "description": "What the application is for: a text, or an object with it.",
        "icon": "The picture as a data URI (`data:image/png;base64,...`); null removes it.",
        "tags": "Up to 5 words that describe the application.",
        "flags": "Privileged intents that it may use: 1 << 12 presences, 1 << 14 members, 1 << 18"
        " message content; 1 << 13, 1 << 15 and 1 << 19 mean the same.",
    },
    "InstallParamsInput": {
        "scopes": "The scopes; without any, there are no defaults.",
        "permissions": "The permissions of the bot's role, as bits.",
    },
    "IntegrationTypesConfigInput": {
        "0": "Installations in guilds; null ends their support.",
        "1": "Installations for users; null ends their support.",
    },
    "BotToken": {"token": "The token for `Authorization: Bot`. It is shown only once."},
    "BotToAdd": {
        "id": "The id of the bot, and of the application.",
        "bot": "Always true.",
        "flags": "Always 0.",
    },
    "AuthorizationGuild": {
        "id": "The id of the guild.",
        "name": "The name of the guild.",
        "permissions": "The caller's permissions in the guild, as bits.",
    },
    "AuthorizationPreview": {
        "application": "The application.",
        "user": "The caller.",
        "bot": "The bot that would be added; absent if none would be.",
        "integration_type": "0 adds the application to a guild, 1 to the caller's account.",
    },
    "Authorization": {
        "id": "The id of the application.",
        "scopes": "What the caller has authorized it for.",
        "application": "The application.",
    },
    "CurrentAuthorization": {
        "application": "The application.",
        "scopes": "What the token is for.",
        "expires": "When the token expires.",
        "user": "The user who has authorized the application.",
    },
    "Consent": {
        "permissions": "The permissions of the bot's role, as bits. Without it, those of the link.",
        "guild_id": "The guild. Without it, that of the link.",
        "integration_type": "0 adds the application to a guild, 1 to the caller's account.",
    },
    "IntegrationAccount": {"id": "The id of the bot.", "name": "The name of the application."},
    "IntegrationApplication": {
        name: _APPLICATION[name] for name in ("id", "name", "icon", "description", "summary", "bot")
    },
    "Integration": {
        "id": "The id of the integration, and of its application and bot.",
        "type": "Always `discord`.",
        "name": "The name of the application.",
        "scopes": "What the application is authorized for in the guild.",
        "application": "The application.",
        "user": "The user who added it; absent if unknown.",
    },
    "PartialIntegration": {
        "id": "The id of the integration, and of its application and bot.",
        "type": "Always `discord`.",
        "name": "The name of the application.",
        "application_id": "The id of the application.",
    },
}
