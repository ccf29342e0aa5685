"""Responses about webhooks."""

from __future__ import annotations

from chatd.core.webhooks import WebhookType
from chatd.wire.json_schema import ID, STRING, nullable, object_schema, one_of
from chatd.wire.responses.accounts import USER

_SOURCE_GUILD = object_schema(
    "WebhookSourceGuild",
    "The guild of a channel that a webhook follows.",
    {"id": ID, "name": STRING, "icon": nullable(STRING)},
)
_SOURCE_CHANNEL = object_schema(
    "WebhookSourceChannel", "A channel that a webhook follows.", {"id": ID, "name": STRING}
)
FOLLOWED_CHANNEL = object_schema(
    "FollowedChannel",
    "An announcement channel, and the webhook that sends its messages to another channel.",
    {"channel_id": ID, "webhook_id": ID},
)
WEBHOOK = object_schema(
    "Webhook",
    "A webhook, which sends messages to a channel.",
    {
        "id": ID,
        "type": one_of(*WebhookType),
        "guild_id": nullable(ID),
        "channel_id": nullable(ID),
        "application_id": nullable(ID),
        "name": STRING,
        "avatar": nullable(STRING),
    },
    {
        "user": USER,
        "token": STRING,
        "url": STRING,
        "source_guild": _SOURCE_GUILD,
        "source_channel": _SOURCE_CHANNEL,
    },
)
