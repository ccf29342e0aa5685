"""Payloads of webhooks."""

from __future__ import annotations

from chatd.core.json import JsonObject
from chatd.core.models import User
from chatd.core.webhooks import Webhook, WebhookAddress, WebhookSource, WebhookType
from chatd.wire.payloads._encoding import id_or_none
from chatd.wire.payloads._users import user


def webhook(
    webhook: Webhook, address: WebhookAddress | None, *, with_creator: bool = True
) -> JsonObject:
    """GuildIncomingWebhookResponse or ChannelFollowerWebhookResponse.

    `address` is None where the reader of the payload must not use the webhook.
    """
    payload: JsonObject = {
        "id": str(webhook.id),
        "type": webhook.type,
        "guild_id": str(webhook.guild_id),
        "channel_id": str(webhook.channel_id),
        "application_id": id_or_none(webhook.application_id),
        "name": webhook.name,
        "avatar": webhook.avatar,
    }
    if with_creator:
        payload["user"] = user(webhook.creator)
    if address is not None:
        payload |= {"token": address.token, "url": address.url}
    if webhook.source is not None:
        payload |= _source(webhook.source)
    return payload


def application_webhook(bot: User) -> JsonObject:
    """ApplicationIncomingWebhookResponse: what an application responds to interactions with."""
    return {
        "id": str(bot.id),
        "type": WebhookType.APPLICATION,
        "guild_id": None,
        "channel_id": None,
        "application_id": str(bot.id),
        "name": bot.username,
        "avatar": bot.avatar,
    }


def _source(source: WebhookSource) -> JsonObject:
    return {
        "source_guild": {
            "id": str(source.guild_id),
            "name": source.guild_name,
            "icon": source.guild_icon,
        },
        "source_channel": {"id": str(source.channel_id), "name": source.channel_name},
    }
