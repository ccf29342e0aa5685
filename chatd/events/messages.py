"""Dispatches about messages, to users that can see their channel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import lru_cache

from orjson import Fragment

from chatd.core.ids import GuildId, MessageId, StreamId, UserId
from chatd.core.intents import Intents
from chatd.core.json import JsonObject
from chatd.core.models import Member, Message, MessageLocation
from chatd.events.event import Event, at_location, to_channel, to_user
from chatd.wire import payloads

MESSAGE_CREATE = "MESSAGE_CREATE"

_MAX_IDS_PER_EVENT = 1000  # of deleted messages


def message_created(
    message: Message,
    location: MessageLocation,
    member: Member | None,
    mentioned: Mapping[UserId, Member],
    nonce: str | int | None,
) -> list[Event]:
    """MESSAGE_CREATE, with the member data of the author and of mentioned users, and the nonce."""
    payload = payloads.message(message)
    if nonce is not None:
        payload["nonce"] = nonce
    return _about(MESSAGE_CREATE, payload, location, member, mentioned)


def message_created_in_guild(
    encoded: bytes, location: MessageLocation, guild_id: GuildId, member: Member
) -> Event:
    """MESSAGE_CREATE of an encoded message with its nonce, which mentions no member of the guild.

    The bytes are those of `message_created`.
    """
    body = b"%b,%b" % (encoded[:-1], _keys_in_guild(guild_id, member))
    audience = to_channel(location.channel_id)
    return Event(MESSAGE_CREATE, StreamId(guild_id), audience, body, Intents.GUILD_MESSAGES)


@lru_cache(1024)
def _keys_in_guild(guild_id: GuildId, member: Member) -> bytes:
    """Return the encoded keys of MESSAGE_CREATE that are the same in many messages, and the end."""
    keys = {"member": payloads.partial_member(member), "guild_id": str(guild_id)}
    return payloads.encode(keys)[1:]


def message_updated(
    message: Message,
    location: MessageLocation,
    member: Member | None,
    mentioned: Mapping[UserId, Member],
) -> list[Event]:
    """MESSAGE_UPDATE, with the complete message."""
    return _about("MESSAGE_UPDATE", payloads.message(message), location, member, mentioned)


def ephemeral_created(
    message: Message,
    user_id: UserId,
    location: MessageLocation,
    member: Member | None,
    nonce: str | int | None,
) -> Event:
    """MESSAGE_CREATE, to the only user that sees the message."""
    payload = payloads.message(message)
    if nonce is not None:
        payload["nonce"] = nonce
    return _to_one(_about(MESSAGE_CREATE, payload, location, member, {}), user_id)


def ephemeral_updated(
    message: Message, user_id: UserId, location: MessageLocation, member: Member | None
) -> Event:
    """MESSAGE_UPDATE, to the only user that sees the message."""
    payload = payloads.message(message)
    return _to_one(_about("MESSAGE_UPDATE", payload, location, member, {}), user_id)


def ephemeral_deleted(message_id: MessageId, user_id: UserId, location: MessageLocation) -> Event:
    """MESSAGE_DELETE, to the only user that saw the message."""
    return _to_one(message_deleted(message_id, location), user_id)


def _to_one(events: Sequence[Event], user_id: UserId) -> Event:
    """Return the event for one user, in the stream of that user, instead of those for all."""
    return replace(events[0], stream=StreamId(user_id), audience=to_user(user_id))


def message_deleted(message_id: MessageId, location: MessageLocation) -> list[Event]:
    """MESSAGE_DELETE."""
    return _about("MESSAGE_DELETE", {"id": str(message_id)}, location, None, {})


def messages_deleted(message_ids: Sequence[MessageId], location: MessageLocation) -> list[Event]:
    """MESSAGE_DELETE_BULK, one for each 1,000 messages: a ban can delete many more."""
    found: list[Event] = []
    for start in range(0, len(message_ids), _MAX_IDS_PER_EVENT):
        ids = [str(each) for each in message_ids[start : start + _MAX_IDS_PER_EVENT]]
        found += _about("MESSAGE_DELETE_BULK", {"ids": ids}, location, None, {})
    return found


def pins_updated(location: MessageLocation, last_pin: datetime | None) -> list[Event]:
    """CHANNEL_PINS_UPDATE."""
    newest = None if last_pin is None else payloads.timestamp(last_pin)
    return at_location(
        "CHANNEL_PINS_UPDATE",
        location,
        {"last_pin_timestamp": newest},
        in_guild=Intents.GUILDS,
        in_private=Intents.DIRECT_MESSAGES,
    )


def last_messages(user_id: UserId, guild_id: GuildId, messages: Fragment) -> Event:
    """LAST_MESSAGES, to the session that requested them. `messages` is an encoded array."""
    body = payloads.encode({"guild_id": str(guild_id), "messages": messages})
    return Event("LAST_MESSAGES", StreamId(user_id), to_user(user_id), body)


def typing_started(
    location: MessageLocation, user_id: UserId, member: Member | None, timestamp_s: int
) -> list[Event]:
    """TYPING_START. It has no `seq`: a missed one does not matter."""
    payload: JsonObject = {"user_id": str(user_id), "timestamp": timestamp_s}
    if member is not None:
        payload["member"] = payloads.member(member)
    return at_location(
        "TYPING_START",
        location,
        payload,
        in_guild=Intents.GUILD_MESSAGE_TYPING,
        in_private=Intents.DIRECT_MESSAGE_TYPING,
    )


def _about(
    name: str,
    payload: JsonObject,
    location: MessageLocation,
    member: Member | None,
    mentioned: Mapping[UserId, Member],
) -> list[Event]:
    if member is not None:
        payload["member"] = payloads.partial_member(member)
    for user in payload.get("mentions", ()):
        if (as_member := mentioned.get(UserId(int(user["id"])))) is not None:
            user["member"] = payloads.partial_member(as_member)
    return at_location(
        name,
        location,
        payload,
        in_guild=Intents.GUILD_MESSAGES,
        in_private=Intents.DIRECT_MESSAGES,
    )
