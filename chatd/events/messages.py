"""Dispatches about messages, to those who may see their channel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from chatd.core.ids import MessageId, UserId
from chatd.core.intents import Intents
from chatd.core.models import Member, Message, Place
from chatd.events.event import Event, at_place
from chatd.wire import payloads

_TOLD_AT_ONCE = 1000  # of deleted messages


def message_created(
    message: Message,
    place: Place,
    member: Member | None,
    mentioned: Mapping[UserId, Member],
    nonce: str | int | None,
) -> list[Event]:
    """MESSAGE_CREATE, with the author and those it mentions as members, and its nonce."""
    payload = payloads.message(message)
    if nonce is not None:
        payload["nonce"] = nonce
    return _about("MESSAGE_CREATE", payload, place, member, mentioned)


def message_updated(
    message: Message,
    place: Place,
    member: Member | None,
    mentioned: Mapping[UserId, Member],
) -> list[Event]:
    """MESSAGE_UPDATE, with the whole message as it is now."""
    return _about("MESSAGE_UPDATE", payloads.message(message), place, member, mentioned)


def message_deleted(message_id: MessageId, place: Place) -> list[Event]:
    """MESSAGE_DELETE."""
    return _about("MESSAGE_DELETE", {"id": str(message_id)}, place, None, {})


def messages_deleted(message_ids: Sequence[MessageId], place: Place) -> list[Event]:
    """MESSAGE_DELETE_BULK, as often as it takes: what goes with a ban can be more than a client is
    to be sent at once."""
    told: list[Event] = []
    for start in range(0, len(message_ids), _TOLD_AT_ONCE):
        ids = [str(each) for each in message_ids[start : start + _TOLD_AT_ONCE]]
        told += _about("MESSAGE_DELETE_BULK", {"ids": ids}, place, None, {})
    return told


def pins_updated(place: Place, last_pin: datetime | None) -> list[Event]:
    """CHANNEL_PINS_UPDATE."""
    newest = None if last_pin is None else payloads.timestamp(last_pin)
    return at_place(
        "CHANNEL_PINS_UPDATE",
        place,
        {"last_pin_timestamp": newest},
        in_guild=Intents.GUILDS,
        in_private=Intents.DIRECT_MESSAGES,
    )


def typing_started(
    place: Place, user_id: UserId, member: Member | None, timestamp_s: int
) -> list[Event]:
    """TYPING_START. It belongs to no order: whoever misses it has missed nothing."""
    payload: payloads.Json = {"user_id": str(user_id), "timestamp": timestamp_s}
    if member is not None:
        payload["member"] = payloads.member(member)
    return at_place(
        "TYPING_START",
        place,
        payload,
        in_guild=Intents.GUILD_MESSAGE_TYPING,
        in_private=Intents.DIRECT_MESSAGE_TYPING,
    )


def _about(
    name: str,
    payload: payloads.Json,
    place: Place,
    member: Member | None,
    mentioned: Mapping[UserId, Member],
) -> list[Event]:
    if member is not None:
        payload["member"] = payloads.partial_member(member)
    for user in payload.get("mentions", ()):
        if (as_member := mentioned.get(UserId(int(user["id"])))) is not None:
            user["member"] = payloads.partial_member(as_member)
    return at_place(
        name,
        place,
        payload,
        in_guild=Intents.GUILD_MESSAGES,
        in_private=Intents.DIRECT_MESSAGES,
    )
