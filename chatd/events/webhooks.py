"""Dispatches about webhooks."""

from __future__ import annotations

from chatd.core.ids import ChannelId, GuildId, StreamId
from chatd.core.intents import Intents
from chatd.events.event import Event, to_channel
from chatd.wire import payloads


def webhooks_updated(guild_id: GuildId, channel_id: ChannelId) -> Event:
    """WEBHOOKS_UPDATE, to members that can see the channel: its webhooks have changed."""
    body = payloads.encode({"guild_id": str(guild_id), "channel_id": str(channel_id)})
    audience = to_channel(channel_id)
    return Event("WEBHOOKS_UPDATE", StreamId(guild_id), audience, body, Intents.GUILD_WEBHOOKS)
