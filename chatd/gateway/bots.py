"""What bots are told of events: less than people, unless their application may ask for more."""

from __future__ import annotations

from chatd.core.ids import UserId
from chatd.core.intents import NO_INTENT, PRIVILEGED, Intents
from chatd.core.models import Application
from chatd.events import contents
from chatd.gateway.batch import Batch
from chatd.gateway.frames import Dispatch


def disallowed(application: Application, intents: Intents) -> Intents:
    """What an application asks for and may not have."""
    refused = NO_INTENT
    for intent, flags in PRIVILEGED.items():
        if intents & intent and not application.flags & flags:
            refused |= intent
    return refused


def as_told(batch: Batch, user_id: UserId, intents: Intents) -> Batch | None:
    """Events as this bot gets them, given what it has asked for; None when it gets none."""
    told = [_as_told(each, user_id, intents) for each in batch.dispatches]
    if told == list(batch.dispatches):
        return batch
    left = [each for each in told if each is not None]
    return Batch(left) if left else None


def _as_told(dispatch: Dispatch, user_id: UserId, intents: Intents) -> Dispatch | None:
    """An event as this bot gets it; None when it does not get it.

    Of a private channel it learns by what happens in it. Without MESSAGE_CONTENT it reads what is
    to it, of its own or in private, and of all other messages only that they are there.
    """
    event = dispatch.event
    if event.name == "CHANNEL_CREATE" and event.intent == Intents.DIRECT_MESSAGES:
        return None
    if intents & Intents.MESSAGE_CONTENT or not contents.has_content(event):
        return dispatch
    return dispatch if user_id in dispatch.readers else dispatch.without_content
