"""Responses about the server, as clients of Spacebar read them."""

from __future__ import annotations

from chatd.wire.json_schema import (
    BOOL,
    COUNT,
    EMPTY,
    NULL,
    STRING,
    array_of,
    nullable,
    object_schema,
)

SPACEBAR = object_schema("Spacebar", "Where the API is.", {"api": STRING})
SPACEBAR_CLIENT = object_schema(
    "SpacebarClient",
    "Where the API, files and the gateway are.",
    {
        "api": object_schema(
            "ApiAddress",
            "Where the API is; the paths of its versions are below `/api/v`.",
            {
                "baseUrl": STRING,
                "apiVersions": object_schema(
                    "ApiVersions",
                    "The versions of Discord's API that clients can use.",
                    {"default": STRING, "active": array_of(STRING)},
                ),
            },
        ),
        "cdn": object_schema("CdnAddress", "Where files are.", {"baseUrl": STRING}),
        "gateway": object_schema(
            "GatewayAddress",
            "Where the gateway is, and what its query can request.",
            {
                "baseUrl": STRING,
                "encoding": array_of(STRING),
                "compression": array_of(nullable(STRING)),
            },
        ),
    },
)
_ABOUT = {
    "image": NULL,
    "correspondenceEmail": NULL,
    "correspondenceUserID": NULL,
    "frontPage": NULL,
    "tosPage": NULL,
}
PING = object_schema(
    "Ping",
    "The server answers.",
    {
        "ping": STRING,
        "instance": object_schema(
            "InstanceSummary",
            "The server, as clients show it.",
            {"id": STRING, "name": STRING, "description": NULL, **_ABOUT},
        ),
    },
)
INSTANCE = object_schema(
    "Instance",
    "The server, as clients show it.",
    {
        "instanceId": STRING,
        "instanceName": STRING,
        "instanceDescription": NULL,
        **_ABOUT,
        "autoCreateBotUsers": BOOL,
    },
)
INSTANCE_DOMAINS = object_schema(
    "InstanceDomains",
    "Where the API, files and the gateway are.",
    {
        "api": STRING,
        "apiEndpoint": STRING,
        "cdn": STRING,
        "defaultApiVersion": STRING,
        "gateway": STRING,
    },
)
INSTANCE_CONFIG = object_schema(
    "InstanceConfig",
    "The limits and rules that clients show before a login.",
    {
        "limits_user_maxGuilds": COUNT,
        "limits_user_maxBio": COUNT,
        "limits_user_maxPronouns": COUNT,
        "limits_guild_maxEmojis": COUNT,
        "limits_guild_maxRoles": COUNT,
        "limits_message_maxCharacters": COUNT,
        "limits_message_maxAttachmentSize": COUNT,
        "limits_message_maxEmbedDownloadSize": COUNT,
        "limits_channel_maxWebhooks": COUNT,
        "register_dateOfBirth_required": BOOL,
        "register_password_required": BOOL,
        "register_email_required": BOOL,
        "register_disabled": BOOL,
        "register_requireInvite": BOOL,
        "register_requireApproval": BOOL,
        "register_allowNewRegistration": BOOL,
        "register_allowMultipleAccounts": BOOL,
        "guild_autoJoin_canLeave": BOOL,
        "guild_autoJoin_guilds_x": EMPTY,
        "can_recover_account": BOOL,
    },
)
INSTANCE_LIMITS = object_schema(
    "InstanceLimits",
    "The limits of accounts, guilds, channels and messages.",
    {
        "user": object_schema(
            "UserLimits",
            "The limits of an account.",
            {"maxGuilds": COUNT, "maxUsername": COUNT, "maxFriends": COUNT, "maxBio": COUNT},
        ),
        "guild": object_schema(
            "GuildLimits",
            "The limits of a guild.",
            {
                "maxRoles": COUNT,
                "maxEmojis": COUNT,
                "maxStickers": COUNT,
                "maxChannels": COUNT,
                "maxBulkBanUsers": COUNT,
            },
        ),
        "message": object_schema(
            "MessageLimits",
            "The limits of a message.",
            {
                "maxCharacters": COUNT,
                "maxReactions": COUNT,
                "maxAttachments": COUNT,
                "maxAttachmentSize": COUNT,
                "maxEmbeds": COUNT,
            },
        ),
        "channel": object_schema(
            "ChannelLimits",
            "The limits of a channel.",
            {"maxPins": COUNT, "maxTopic": COUNT, "maxName": COUNT},
        ),
    },
)
