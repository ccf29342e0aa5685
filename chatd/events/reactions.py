"""Dispatches about reactions, to users that can see the channel."""

from __future__ import annotations

from chatd.core.ids import MessageId, UserId
from chatd.core.intents import Intents
from chatd.core.json import JsonObject
from chatd.core.models import Member, Message, MessageLocation
from chatd.events.event import Event, at_location
from chatd.wire import payloads


def reaction_added(
    message_id: MessageId,
    location: MessageLocation,
    emoji: str,
    *,
    author_id: UserId,
    user_id: UserId,
    member: Member | None,
) -> list[Event]:
    """MESSAGE_REACTION_ADD. `author_id` is the author of the message, not of the reaction."""
    payload = {
        "user_id": str(user_id),
        "message_author_id": str(author_id),
        "emoji": payloads.emoji(emoji),
        "burst": False,
        "type": 0,
    }
    if member is not None:
        payload["member"] = payloads.member(member)
    return _about("MESSAGE_REACTION_ADD", message_id, location, payload)


def reaction_removed(
    message: Message, location: MessageLocation, emoji: str, user_id: UserId
) -> list[Event]:
    """MESSAGE_REACTION_REMOVE."""
    payload = {
        "user_id": str(user_id),
        "emoji": payloads.emoji(emoji),
        "burst": False,
        "type": 0,
    }
    return _about("MESSAGE_REACTION_REMOVE", message.id, location, payload)


def reactions_removed(message: Message, location: MessageLocation) -> list[Event]:
    """MESSAGE_REACTION_REMOVE_ALL."""
    return _about("MESSAGE_REACTION_REMOVE_ALL", message.id, location, {})


def emoji_removed(message: Message, location: MessageLocation, emoji: str) -> list[Event]:
    """MESSAGE_REACTION_REMOVE_EMOJI."""
    payload = {"emoji": payloads.emoji(emoji)}
    return _about("MESSAGE_REACTION_REMOVE_EMOJI", message.id, location, payload)


def _about(
    name: str, message_id: MessageId, location: MessageLocation, payload: JsonObject
) -> list[Event]:
    return at_location(
        name,
        location,
        {"message_id": str(message_id), **payload},
        in_guild=Intents.GUILD_MESSAGE_REACTIONS,
        in_private=Intents.DIRECT_MESSAGE_REACTIONS,
    )
