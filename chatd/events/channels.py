"""Dispatches about channels, to members that can see the channel."""

from __future__ import annotations

from chatd.core.ids import StreamId
from chatd.core.intents import Intents
from chatd.core.models import Channel
from chatd.events.event import Event, to_channel
from chatd.wire import payloads


def channel_created(channel: Channel) -> Event:
    """CHANNEL_CREATE."""
    return _about("CHANNEL_CREATE", channel)


def channel_updated(channel: Channel) -> Event:
    """CHANNEL_UPDATE."""
    return _about("CHANNEL_UPDATE", channel)


def channel_deleted(channel: Channel) -> Event:
    """CHANNEL_DELETE, to members that could see the channel."""
    return _about("CHANNEL_DELETE", channel)


def _about(name: str, channel: Channel) -> Event:
    body = payloads.encode(payloads.listed_channel(channel))
    stream = StreamId(channel.guild_id)
    return Event(name, stream, to_channel(channel.id), body, Intents.GUILDS)
