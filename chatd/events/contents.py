"""Message events without content, for bots without the MESSAGE_CONTENT intent.

Rule: Discord docs, Gateway, "Message Content Intent".
"""

from __future__ import annotations

from dataclasses import replace

import orjson

from chatd.core.ids import UserId
from chatd.core.intents import Intents
from chatd.core.json import JsonObject
from chatd.events.auto_moderation import ACTION_EXECUTED
from chatd.events.event import Event
from chatd.wire import payloads

_CONTENT = {"content": "", "embeds": [], "attachments": [], "components": []}
_NAMES = frozenset({"MESSAGE_CREATE", "MESSAGE_UPDATE"})
_MODERATED = {"content": "", "matched_content": ""}


def has_content(event: Event) -> bool:
    """Return whether an event contains content of a guild message.

    Content of private channels is never removed.
    """
    if event.name == ACTION_EXECUTED:
        return True
    return event.name in _NAMES and event.intent == Intents.GUILD_MESSAGES


def readers(event: Event) -> frozenset[UserId]:
    """Return the users that read a message regardless of intents: its author and its mentions.

    No user reads the findings of AutoModeration without the intent.
    """
    if event.name == ACTION_EXECUTED:
        return frozenset()
    return _readers(orjson.loads(event.body))


def readers_of_referenced(event: Event) -> frozenset[UserId] | None:
    """Return the readers of the referenced message; None if the event contains none."""
    answered = orjson.loads(event.body).get("referenced_message")
    return None if answered is None else _readers(answered)


def _readers(message: JsonObject) -> frozenset[UserId]:
    return frozenset(UserId(int(user["id"])) for user in (message["author"], *message["mentions"]))


def without_referenced_content(event: Event) -> Event:
    """Return the event without the content of the referenced message."""
    message = orjson.loads(event.body)
    message["referenced_message"] |= _CONTENT
    return replace(event, body=payloads.encode(message))


def without_content(event: Event) -> Event:
    """Return the event without the content of the message and of the referenced one."""
    if event.name == ACTION_EXECUTED:
        return replace(event, body=payloads.encode(orjson.loads(event.body) | _MODERATED))
    message = orjson.loads(event.body) | _CONTENT
    if message.get("referenced_message"):
        message["referenced_message"] |= _CONTENT
    return replace(event, body=payloads.encode(message))
