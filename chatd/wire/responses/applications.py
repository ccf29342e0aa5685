"""Responses about applications, their bots and their integrations."""

from __future__ import annotations

from chatd.core.installation import IntegrationType, Scope
from chatd.wire.json_schema import (
    BITS,
    BOOL,
    COUNT,
    DATETIME,
    ID,
    INT,
    NULL,
    STRING,
    array_of,
    extended_schema,
    nullable,
    object_schema,
    one_of,
)
from chatd.wire.responses.accounts import USER

SCOPES = array_of(one_of(*Scope))
INSTALL_PARAMS = object_schema(
    "InstallParams",
    "The scopes and permissions of an installation whose link names none.",
    {"scopes": SCOPES, "permissions": BITS},
)
PUBLIC_APPLICATION = object_schema(
    "PublicApplication",
    "An application, as any account sees it.",
    {
        "id": ID,
        "name": STRING,
        "icon": nullable(STRING),
        "description": STRING,
        "summary": STRING,
        "type": NULL,
        "bot": USER,
        "bot_public": BOOL,
        "bot_require_code_grant": BOOL,
        "flags": INT,
        "flags_new": STRING,
        "tags": array_of(STRING),
        "verify_key": STRING,
        "integration_types_config": {
            "type": "object",
            "additionalProperties": object_schema(
                "IntegrationTypeConfig",
                "A kind of installation that an application supports.",
                {},
                {"oauth2_install_params": INSTALL_PARAMS},
            ),
        },
    },
    {"install_params": INSTALL_PARAMS, "custom_install_url": STRING},
)
APPLICATION = extended_schema(
    PUBLIC_APPLICATION,
    "Application",
    "An application, as its owner sees it. Its bot is an account with the same id.",
    {
        "owner": USER,
        "team": NULL,
        "redirect_uris": array_of(STRING),
        "eligible_oauth2_scopes": array_of(STRING),
        "interactions_endpoint_url": nullable(STRING),
        "role_connections_verification_url": NULL,
        "explicit_content_filter": INT,
    },
    {
        "approximate_guild_count": COUNT,
        "approximate_user_install_count": COUNT,
        "approximate_user_authorization_count": COUNT,
    },
)
BOT_TOKEN = object_schema("BotToken", "The token of a bot.", {"token": STRING})
_ACCOUNT = object_schema(
    "IntegrationAccount", "The bot of an integration.", {"id": ID, "name": STRING}
)
INTEGRATION = object_schema(
    "Integration",
    "An application in a guild. It has the id of the application.",
    {
        "id": ID,
        "type": one_of("discord"),
        "name": STRING,
        "enabled": BOOL,
        "account": _ACCOUNT,
        "scopes": SCOPES,
        "application": object_schema(
            "IntegrationApplication",
            "The application of an integration.",
            {
                "id": ID,
                "name": STRING,
                "icon": nullable(STRING),
                "description": STRING,
                "summary": STRING,
                "type": NULL,
                "bot": USER,
            },
        ),
    },
    {"user": USER},
)
PARTIAL_INTEGRATION = object_schema(
    "PartialIntegration",
    "An integration that an entry of the audit log is about.",
    {
        "id": ID,
        "type": one_of("discord"),
        "name": STRING,
        "account": _ACCOUNT,
        "application_id": ID,
    },
)
AUTHORIZATION_PREVIEW = object_schema(
    "AuthorizationPreview",
    "What an authorization would do. `bot` is present if a bot would be added, and `guilds` if the"
    " application would be added to a guild.",
    {
        "application": PUBLIC_APPLICATION,
        "user": USER,
        "integration_type": one_of(*IntegrationType),
        "authorized": BOOL,
    },
    {
        "bot": extended_schema(
            USER,
            "BotToAdd",
            "The bot that would be added.",
            {"approximate_guild_count": COUNT},
        ),
        "guilds": array_of(
            object_schema(
                "AuthorizationGuild",
                "A guild of the caller, with the caller's permissions.",
                {
                    "id": ID,
                    "name": STRING,
                    "icon": nullable(STRING),
                    "mfa_level": INT,
                    "permissions": BITS,
                },
            )
        ),
    },
)
AUTHORIZED = object_schema("Authorized", "The end of an authorization.", {"location": STRING})
CURRENT_AUTHORIZATION = object_schema(
    "CurrentAuthorization",
    "What an OAuth2 token is for. There are no such tokens.",
    {"application": PUBLIC_APPLICATION, "scopes": array_of(STRING), "expires": DATETIME},
    {"user": USER},
)
AUTHORIZATION = object_schema(
    "Authorization",
    "An application that the caller has added to its account. It has the id of the application.",
    {"id": ID, "scopes": SCOPES, "application": PUBLIC_APPLICATION},
)
