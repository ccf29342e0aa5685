"""Filter for the events of bots: without privileged intents, a bot receives less than a person."""

from __future__ import annotations

from chatd.core.ids import UserId
from chatd.core.intents import NO_INTENT, PRIVILEGED, Intents
from chatd.core.models import Application
from chatd.events import contents
from chatd.events.application_commands import COMMAND_INDEX_UPDATED
from chatd.gateway.protocol.batch import Batch
from chatd.gateway.protocol.frames import Dispatch


def missing_privileged_intents(application: Application, intents: Intents) -> Intents:
    """Return the requested intents that the application has no permission for."""
    missing = NO_INTENT
    for intent, flags in PRIVILEGED.items():
        if intents & intent and not application.flags & flags:
            missing |= intent
    return missing


def filter_for_bot(batch: Batch, user_id: UserId, intents: Intents) -> Batch | None:
    """Return the batch as a bot with these intents receives it; None if nothing is left."""
    filtered = [_filter(each, user_id, intents) for each in batch.dispatches]
    if filtered == list(batch.dispatches):
        return batch
    left = [each for each in filtered if each is not None]
    return Batch(left) if left else None


def _filter(dispatch: Dispatch, user_id: UserId, intents: Intents) -> Dispatch | None:
    """Return a dispatch as a bot receives it; None if it does not receive it.

    A bot receives no CHANNEL_CREATE for a private channel; the first message names the channel.
    It receives no GUILD_APPLICATION_COMMAND_INDEX_UPDATE, because it cannot request the index.
    Without MESSAGE_CONTENT a bot receives the content of its own messages, of messages that mention
    it, and of messages in private channels. It receives all other messages without content.
    """
    event = dispatch.event
    if event.name == "CHANNEL_CREATE" and event.intent == Intents.DIRECT_MESSAGES:
        return None
    if event.name == COMMAND_INDEX_UPDATED:
        return None
    if intents & Intents.MESSAGE_CONTENT or not contents.has_content(event):
        return dispatch
    if user_id not in dispatch.always_visible_to:
        return dispatch.without_content
    referenced = dispatch.referenced_always_visible_to
    if referenced is None or user_id in referenced:
        return dispatch
    return dispatch.without_referenced_content
