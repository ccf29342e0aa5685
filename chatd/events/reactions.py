"""Dispatches about reactions, to those who may see the channel."""

from __future__ import annotations

from chatd.core.ids import StreamId, UserId
from chatd.core.intents import Intents
from chatd.core.models import Member, Message
from chatd.events.event import Event, to_channel
from chatd.wire import payloads


def reaction_added(message: Message, emoji: str, member: Member) -> Event:
    """MESSAGE_REACTION_ADD."""
    payload = {
        "user_id": str(member.user.id),
        "member": payloads.member(member),
        "message_author_id": str(message.author.id),
        "emoji": payloads.emoji(emoji),
        "burst": False,
        "type": 0,
    }
    return _about("MESSAGE_REACTION_ADD", message, payload)


def reaction_removed(message: Message, emoji: str, user_id: UserId) -> Event:
    """MESSAGE_REACTION_REMOVE."""
    payload = {
        "user_id": str(user_id),
        "emoji": payloads.emoji(emoji),
        "burst": False,
        "type": 0,
    }
    return _about("MESSAGE_REACTION_REMOVE", message, payload)


def reactions_removed(message: Message) -> Event:
    """MESSAGE_REACTION_REMOVE_ALL."""
    return _about("MESSAGE_REACTION_REMOVE_ALL", message, {})


def emoji_removed(message: Message, emoji: str) -> Event:
    """MESSAGE_REACTION_REMOVE_EMOJI."""
    payload = {"emoji": payloads.emoji(emoji)}
    return _about("MESSAGE_REACTION_REMOVE_EMOJI", message, payload)


def _about(name: str, message: Message, payload: payloads.Json) -> Event:
    assert message.guild_id is not None
    where = {
        "channel_id": str(message.channel_id),
        "message_id": str(message.id),
        "guild_id": str(message.guild_id),
    }
    body = payloads.encode({**where, **payload})
    audience = to_channel(message.channel_id)
    stream = StreamId(message.guild_id)
    return Event(name, stream, audience, body, Intents.GUILD_MESSAGE_REACTIONS)
