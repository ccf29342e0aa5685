"""Dispatches about reactions, to those who may see the channel."""

from __future__ import annotations

from chatd.core.ids import UserId
from chatd.core.intents import Intents
from chatd.core.models import Member, Message, Place
from chatd.events.event import Event, at_place
from chatd.wire import payloads


def reaction_added(
    message: Message, place: Place, emoji: str, user_id: UserId, member: Member | None
) -> list[Event]:
    """MESSAGE_REACTION_ADD."""
    payload = {
        "user_id": str(user_id),
        "message_author_id": str(message.author.id),
        "emoji": payloads.emoji(emoji),
        "burst": False,
        "type": 0,
    }
    if member is not None:
        payload["member"] = payloads.member(member)
    return _about("MESSAGE_REACTION_ADD", message, place, payload)


def reaction_removed(message: Message, place: Place, emoji: str, user_id: UserId) -> list[Event]:
    """MESSAGE_REACTION_REMOVE."""
    payload = {
        "user_id": str(user_id),
        "emoji": payloads.emoji(emoji),
        "burst": False,
        "type": 0,
    }
    return _about("MESSAGE_REACTION_REMOVE", message, place, payload)


def reactions_removed(message: Message, place: Place) -> list[Event]:
    """MESSAGE_REACTION_REMOVE_ALL."""
    return _about("MESSAGE_REACTION_REMOVE_ALL", message, place, {})


def emoji_removed(message: Message, place: Place, emoji: str) -> list[Event]:
    """MESSAGE_REACTION_REMOVE_EMOJI."""
    payload = {"emoji": payloads.emoji(emoji)}
    return _about("MESSAGE_REACTION_REMOVE_EMOJI", message, place, payload)


def _about(name: str, message: Message, place: Place, payload: payloads.Json) -> list[Event]:
    return at_place(
        name,
        place,
        {"message_id": str(message.id), **payload},
        in_guild=Intents.GUILD_MESSAGE_REACTIONS,
        in_private=Intents.DIRECT_MESSAGE_REACTIONS,
    )
