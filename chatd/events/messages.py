"""Dispatches about messages, to those who may see their channel."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from chatd.core.ids import ChannelId, GuildId, MessageId, StreamId
from chatd.core.intents import Intents
from chatd.core.models import Member, Message
from chatd.events.event import Event, to_channel
from chatd.wire import payloads


def message_created(
    message: Message, guild_id: GuildId, member: Member, nonce: str | int | None
) -> Event:
    """MESSAGE_CREATE, with the author as a member and the nonce it was sent with."""
    payload = payloads.message(message)
    if nonce is not None:
        payload["nonce"] = nonce
    return _in_guild("MESSAGE_CREATE", payload, message.channel_id, guild_id, member)


def message_updated(message: Message, guild_id: GuildId, member: Member | None) -> Event:
    """MESSAGE_UPDATE, with the whole message as it is now."""
    payload = payloads.message(message)
    return _in_guild("MESSAGE_UPDATE", payload, message.channel_id, guild_id, member)


def message_deleted(message_id: MessageId, channel_id: ChannelId, guild_id: GuildId) -> Event:
    """MESSAGE_DELETE."""
    payload: payloads.Json = {"id": str(message_id), "channel_id": str(channel_id)}
    return _in_guild("MESSAGE_DELETE", payload, channel_id, guild_id, None)


def messages_deleted(
    message_ids: Iterable[MessageId], channel_id: ChannelId, guild_id: GuildId
) -> Event:
    """MESSAGE_DELETE_BULK."""
    payload: payloads.Json = {
        "ids": [str(message_id) for message_id in message_ids],
        "channel_id": str(channel_id),
    }
    return _in_guild("MESSAGE_DELETE_BULK", payload, channel_id, guild_id, None)


def pins_updated(channel_id: ChannelId, guild_id: GuildId, last_pin: datetime | None) -> Event:
    """CHANNEL_PINS_UPDATE."""
    payload = {
        "channel_id": str(channel_id),
        "guild_id": str(guild_id),
        "last_pin_timestamp": None if last_pin is None else payloads.timestamp(last_pin),
    }
    body = payloads.encode(payload)
    stream = StreamId(guild_id)
    return Event("CHANNEL_PINS_UPDATE", stream, to_channel(channel_id), body, Intents.GUILDS)


def typing_started(
    channel_id: ChannelId, guild_id: GuildId, member: Member, timestamp_s: int
) -> Event:
    """TYPING_START. It belongs to no order: whoever misses it has missed nothing."""
    payload = {
        "channel_id": str(channel_id),
        "guild_id": str(guild_id),
        "user_id": str(member.user.id),
        "member": payloads.member(member),
        "timestamp": timestamp_s,
    }
    body = payloads.encode(payload)
    intent = Intents.GUILD_MESSAGE_TYPING
    return Event("TYPING_START", StreamId(guild_id), to_channel(channel_id), body, intent)


def _in_guild(
    name: str,
    payload: payloads.Json,
    channel_id: ChannelId,
    guild_id: GuildId,
    member: Member | None,
) -> Event:
    payload["guild_id"] = str(guild_id)
    if member is not None:
        payload["member"] = payloads.partial_member(member)
    body = payloads.encode(payload)
    stream = StreamId(guild_id)
    return Event(name, stream, to_channel(channel_id), body, Intents.GUILD_MESSAGES)
