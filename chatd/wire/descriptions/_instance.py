"""Descriptions of fields of the server itself, as clients of Spacebar read them."""

from __future__ import annotations

from typing import Final

from chatd.wire.descriptions._always import ALWAYS_EMPTY

INSTANCE: Final[dict[str, dict[str, str]]] = {
    "Spacebar": {"api": "The URL of the API, without a version."},
    "SpacebarClient": {
        "api": "Where the API is.",
        "cdn": "Where files are.",
        "gateway": "Where the gateway is.",
    },
    "ApiAddress": {"baseUrl": "The URL before `/api`.", "apiVersions": "The versions of the API."},
    "ApiVersions": {"default": "The version to use.", "active": "All versions that work."},
    "CdnAddress": {"baseUrl": "The URL before the paths of files."},
    "GatewayAddress": {
        "baseUrl": "The URL of the gateway, without a query.",
        "encoding": "Values of `encoding` in the query.",
        "compression": "Values of `compress` in the query; null means none.",
    },
    "Ping": {"ping": "Always `pong!`.", "instance": "The server."},
    "InstanceSummary": {"id": "The host of the server.", "name": "The host of the server."},
    "Instance": {
        "instanceId": "The host of the server.",
        "instanceName": "The host of the server.",
        "autoCreateBotUsers": "Always false.",
    },
    "InstanceDomains": {
        "api": "The URL of the API, without a version.",
        "apiEndpoint": "The URL of the default version of the API.",
        "cdn": "The URL before the paths of files.",
        "defaultApiVersion": "The version of the API to use.",
        "gateway": "The URL of the gateway, without a query.",
    },
    "InstanceConfig": {
        "limits_user_maxGuilds": "Guilds of an account.",
        "limits_user_maxBio": "Characters of the text about a user.",
        "limits_user_maxPronouns": "Always 0: there is no such field.",
        "limits_guild_maxEmojis": "Always 0: there are no custom emojis.",
        "limits_guild_maxRoles": "Roles of a guild.",
        "limits_message_maxCharacters": "Characters of a message.",
        "limits_message_maxAttachmentSize": "Bytes of a file.",
        "limits_message_maxEmbedDownloadSize": "Always 0: the server does not load links.",
        "limits_channel_maxWebhooks": "Webhooks of a channel.",
        "register_dateOfBirth_required": "Always false.",
        "register_password_required": "Always true.",
        "register_email_required": "Always true.",
        "register_disabled": "Whether an administrator has to create accounts.",
        "register_requireInvite": "Whether a registration needs a code of an administrator.",
        "register_requireApproval": "Whether an administrator has to approve new accounts.",
        "register_allowNewRegistration": "Whether users can register.",
        "register_allowMultipleAccounts": "Always true.",
        "guild_autoJoin_canLeave": "Always true.",
        "guild_autoJoin_guilds_x": ALWAYS_EMPTY,
        "can_recover_account": "Always false: the server sends no email.",
    },
    "InstanceLimits": {
        "user": "The limits of an account.",
        "guild": "The limits of a guild.",
        "message": "The limits of a message.",
        "channel": "The limits of a channel.",
    },
    "UserLimits": {
        "maxGuilds": "Guilds.",
        "maxUsername": "Characters of the username.",
        "maxFriends": "Friends.",
        "maxBio": "Characters of the text about the user.",
    },
    "GuildLimits": {
        "maxRoles": "Roles.",
        "maxEmojis": "Always 0: there are no custom emojis.",
        "maxStickers": "Always 0: there are no stickers.",
        "maxChannels": "Channels.",
        "maxBulkBanUsers": "Users of one bulk ban.",
    },
    "MessageLimits": {
        "maxCharacters": "Characters.",
        "maxReactions": "Different emojis of its reactions.",
        "maxAttachments": "Files.",
        "maxAttachmentSize": "Bytes of a file.",
        "maxEmbeds": "Embeds.",
    },
    "ChannelLimits": {
        "maxPins": "Pinned messages.",
        "maxTopic": "Characters of the topic.",
        "maxName": "Characters of the name.",
    },
    "TrendingGifs": {"categories": ALWAYS_EMPTY, "gifs": ALWAYS_EMPTY},
    "UserAffinities": {"user_affinities": ALWAYS_EMPTY, "inverse_user_affinities": ALWAYS_EMPTY},
    "GuildAffinities": {"guild_affinities": ALWAYS_EMPTY},
    "ChannelAffinities": {"channel_affinities": ALWAYS_EMPTY},
    "DiscoverableGuilds": {
        "guilds": ALWAYS_EMPTY,
        "total": "Always 0.",
        "limit": "As requested.",
        "offset": "As requested.",
    },
    "WidgetSettings": {"enabled": "Always false."},
    "WelcomeScreen": {"welcome_channels": ALWAYS_EMPTY},
}
