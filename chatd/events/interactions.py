"""Dispatches about interactions: to the bot of the application, and to the client of the person.

Events for one gateway session of a person have the digest of its id in the body, under SESSION. The
feed of the user removes it again. Instances of earlier versions send them to all its sessions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import orjson

from chatd.core.ids import GuildId, StreamId, UserId
from chatd.core.interactions import FailureReason, Interaction
from chatd.core.json import JsonObject
from chatd.events.event import Event, to_user
from chatd.wire import payloads

CREATED: Final = "INTERACTION_CREATE"

SESSION: Final = "session"
"""The key of the digest of the session's id."""

_FOR_A_SESSION: Final = frozenset(
    {
        CREATED,
        "INTERACTION_SUCCESS",
        "INTERACTION_FAILURE",
        "INTERACTION_MODAL_CREATE",
        "APPLICATION_COMMAND_AUTOCOMPLETE_RESPONSE",
    }
)


def interaction_received(
    application_id: UserId, guild_id: GuildId | None, payload: JsonObject
) -> Event:
    """INTERACTION_CREATE, to the bot of the application.

    In a guild it is an event of the guild: only sessions of the shard with that guild follow it.
    """
    stream = StreamId(application_id if guild_id is None else guild_id)
    return Event(CREATED, stream, to_user(application_id), payloads.encode(payload))


def interaction_created(interaction: Interaction) -> Event:
    """INTERACTION_CREATE, to the client of the person: its interaction has this id."""
    return _to_client(CREATED, interaction, {"id": str(interaction.id)})


def interaction_succeeded(interaction: Interaction) -> Event:
    """INTERACTION_SUCCESS: the application has acknowledged it."""
    return _to_client("INTERACTION_SUCCESS", interaction, {"id": str(interaction.id)})


def interaction_failed(interaction: Interaction, reason: FailureReason) -> Event:
    """INTERACTION_FAILURE: the application has not acknowledged it."""
    payload = {"id": str(interaction.id), "reason_code": reason}
    return _to_client("INTERACTION_FAILURE", interaction, payload)


def modal_opened(interaction: Interaction, modal: JsonObject) -> Event:
    """INTERACTION_MODAL_CREATE: the client shows a form, which the person can submit."""
    return _to_client("INTERACTION_MODAL_CREATE", interaction, modal)


def choices_suggested(interaction: Interaction, choices: Sequence[Mapping[str, Any]]) -> Event:
    """APPLICATION_COMMAND_AUTOCOMPLETE_RESPONSE, with the choices for an option."""
    payload: JsonObject = {"choices": list(choices)}
    return _to_client("APPLICATION_COMMAND_AUTOCOMPLETE_RESPONSE", interaction, payload)


def _to_client(name: str, interaction: Interaction, payload: JsonObject) -> Event:
    if interaction.nonce is not None:
        payload["nonce"] = interaction.nonce
    if interaction.session is not None:
        payload[SESSION] = interaction.session
    user_id = interaction.user_id
    return Event(name, StreamId(user_id), to_user(user_id), payloads.encode(payload))


def may_be_for_a_session(event: Event) -> bool:
    """Return whether an event may be for one session of its user."""
    return event.name in _FOR_A_SESSION


def without_session(event: Event) -> tuple[Event, str | None]:
    """Return an event as clients receive it, and the digest of the session that it is for.

    Without a digest it is for all sessions of the user.
    """
    payload = orjson.loads(event.body)
    digest = payload.pop(SESSION, None)
    if digest is None:
        return event, None
    return replace(event, body=payloads.encode(payload)), digest
