"""What a message event is without its content, for bots that may not read everything.

Rule: Discord docs, Gateway, "Message Content Intent".
"""

from __future__ import annotations

from dataclasses import replace

import orjson

from chatd.core.ids import UserId
from chatd.core.intents import Intents
from chatd.events.event import Event
from chatd.wire import payloads

_CONTENT = {"content": "", "embeds": [], "attachments": [], "components": []}
_NAMES = frozenset({"MESSAGE_CREATE", "MESSAGE_UPDATE"})


def has_content(event: Event) -> bool:
    """Whether it tells what somebody wrote in a guild; in private, whoever gets it may read it."""
    return event.name in _NAMES and event.intent == Intents.GUILD_MESSAGES


def readers(event: Event) -> frozenset[UserId]:
    """Who may read a message whatever they have asked for: its author, and whom it mentions."""
    message = orjson.loads(event.body)
    return frozenset(UserId(int(user["id"])) for user in (message["author"], *message["mentions"]))


def without_content(event: Event) -> Event:
    """The same message without what was written, also in the one that it answers."""
    message = orjson.loads(event.body) | _CONTENT
    if message.get("referenced_message"):
        message["referenced_message"] |= _CONTENT
    return replace(event, body=payloads.encode(message))
