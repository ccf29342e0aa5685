"""Responses about the server itself: errors, health, documentation, files, the gateway."""

from __future__ import annotations

from dataclasses import replace

from chatd.wire.json_schema import (
    BOOL,
    COUNT,
    EMPTY,
    INT,
    NULL,
    STRING,
    ResponseSchema,
    object_schema,
    one_of,
)

TEXT = ResponseSchema(STRING, media="text/plain")
HTML = ResponseSchema(STRING, media="text/html")
STYLE = ResponseSchema(STRING, media="text/css")
SCRIPT = ResponseSchema(STRING, media="text/javascript")
_BINARY = ResponseSchema({"type": "string", "format": "binary"}, media="*/*")
FILE = {200: _BINARY, 206: _BINARY, 304: None, 416: None}
"""The responses of downloads."""
GATEWAY = object_schema("Gateway", "The address of the gateway.", {"url": STRING})
GATEWAY_OF_BOT = object_schema(
    "GatewayOfBot",
    "The address of the gateway, and how many sessions a bot can start.",
    {
        "url": STRING,
        "shards": COUNT,
        "session_start_limit": object_schema(
            "SessionStartLimit",
            "How many sessions a bot can start; `reset_after` is in milliseconds.",
            {"total": COUNT, "remaining": COUNT, "reset_after": COUNT, "max_concurrency": COUNT},
        ),
    },
)
DOCUMENT = ResponseSchema({"type": "object", "description": "An OpenAPI 3.1 document."})
ERROR = object_schema(
    "Error",
    "An error. `code` is Discord's; `errors` mirrors the request, and its leaves are"
    ' `{"_errors": [{"code": "...", "message": "..."}]}`.',
    {"code": INT, "message": STRING},
    {"errors": {"type": "object"}},
)
ERROR_OR_PAGE = replace(ERROR, has_page=True)
"""An error, which browsers get as a page."""
RATE_LIMITED = object_schema(
    "RateLimited",
    "Too many requests: retry after `retry_after` seconds. Slow mode has the code 20016.",
    {"message": STRING, "retry_after": {"type": "number", "minimum": 0}},
    {"code": INT, "global": BOOL},
)
HEALTH = object_schema("Health", "The process runs.", {"status": one_of("ok")})
READINESS = object_schema(
    "Readiness",
    "Whether the server can serve requests, and which services it reaches.",
    {
        "status": one_of("ok", "degraded", "unavailable"),
        "database": one_of("ok", "unavailable", "busy"),
        "redis": one_of("ok", "unavailable"),
    },
)
STICKER_PACKS = object_schema("StickerPacks", "Sticker packs.", {"sticker_packs": EMPTY})
SOUNDS = object_schema("Sounds", "Soundboard sounds.", {"items": EMPTY})
TRENDING_GIFS = object_schema(
    "TrendingGifs", "Categories of GIFs.", {"categories": EMPTY, "gifs": EMPTY}
)
USER_AFFINITIES = object_schema(
    "UserAffinities",
    "Whom the caller writes to most.",
    {"user_affinities": EMPTY, "inverse_user_affinities": EMPTY},
)
GUILD_AFFINITIES = object_schema(
    "GuildAffinities", "The guilds that the caller uses most.", {"guild_affinities": EMPTY}
)
CHANNEL_AFFINITIES = object_schema(
    "ChannelAffinities", "The channels that the caller uses most.", {"channel_affinities": EMPTY}
)
WELCOME_SCREEN = object_schema(
    "WelcomeScreen", "A welcome screen.", {"description": NULL, "welcome_channels": EMPTY}
)
DISCOVERABLE_GUILDS = object_schema(
    "DiscoverableGuilds",
    "A page of the directory of guilds.",
    {"guilds": EMPTY, "total": COUNT, "limit": COUNT, "offset": COUNT},
)
WIDGET_SETTINGS = object_schema(
    "WidgetSettings", "The settings of a widget.", {"enabled": BOOL, "channel_id": NULL}
)
CONNECTION_KINDS = object_schema("ConnectionKinds", "Services, by their names.", {})
THREADS = object_schema(
    "Threads", "Threads.", {"threads": EMPTY, "members": EMPTY, "has_more": BOOL}
)
EMPTY_ARRAY = ResponseSchema({"type": "array", "maxItems": 0})
"""An array of objects that this server does not support."""
