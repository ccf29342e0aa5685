"""Interactions: what people do with the commands and components of applications.

A person creates an interaction. Its application acknowledges it within ACKNOWLEDGE_S, and sends
messages with its token for TOKEN_LIFETIME_S. Rule: Discord docs, "Receiving and Responding".
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Final

from chatd.core.ids import ChannelId, GuildId, InteractionId, MessageId, UserId

ACKNOWLEDGE_S: Final = 3.0
"""Seconds in which an application has to acknowledge an interaction. Rule: Discord docs."""

TOKEN_LIFETIME_S: Final = 15 * 60.0
"""Seconds for which a token is valid, from the creation of its interaction. Rule: Discord docs."""

MODAL_LIFETIME_S: Final = 3600.0
"""Seconds for which a person can submit a modal: longer than the token, since forms take time."""

EPHEMERAL: Final = 1 << 6
"""The flag of a message that only one user sees."""

LOADING: Final = 1 << 7
"""The flag of a response that its application will edit: clients show that it is being written."""


class InteractionType(IntEnum):
    """Rule: Discord docs, "Interaction Type"."""

    PING = 1
    COMMAND = 2
    COMPONENT = 3
    AUTOCOMPLETE = 4
    MODAL_SUBMIT = 5


class CallbackType(IntEnum):
    """How an application responds. Rule: Discord docs, "Interaction Callback Type"."""

    PONG = 1
    MESSAGE = 4
    DEFERRED_MESSAGE = 5
    DEFERRED_UPDATE = 6
    UPDATE = 7
    AUTOCOMPLETE = 8
    MODAL = 9


class InteractionState(IntEnum):
    """What has become of an interaction."""

    PENDING = 0
    """The application has not acknowledged it yet."""
    FAILED = 1
    """The application did not acknowledge it in time, or answered with something else."""
    ACKNOWLEDGED = 2
    """Acknowledged without a message: by choices, by a modal, or by an update of the message."""
    DEFERRED = 3
    """There is a response with the flag LOADING."""
    RESPONDED = 4
    """There is a response."""


class FailureReason(IntEnum):
    """Why an interaction failed, in the event for the client of its user."""

    UNKNOWN = 1
    TIMEOUT = 2


@dataclass(frozen=True, slots=True)
class InteractionOrigin:
    """The interaction that a message responds to. It is stored with the message, so it has ids.

    Rule: Discord docs, Message resource, "Message Interaction Metadata".
    """

    id: InteractionId
    type: InteractionType
    user_id: UserId
    guild_id: GuildId | None
    name: str | None = None
    """The command with its subcommands, as the user has entered it."""
    command_type: int | None = None
    interacted_message_id: MessageId | None = None
    """The message with the component."""
    target_user_id: UserId | None = None
    target_message_id: MessageId | None = None
    original_response_id: MessageId | None = None
    """The first response, for messages that follow it."""
    triggering: InteractionOrigin | None = None
    """The interaction whose response was the submitted modal."""
    of_user: bool = False
    """Whether the application is there only because the user has added it for itself."""

    @classmethod
    def stored(cls, stored: Mapping[str, Any]) -> InteractionOrigin:
        """Return an origin that was stored as JSON."""
        fields = {**stored, "type": InteractionType(stored["type"])}
        if stored.get("triggering") is not None:
            fields["triggering"] = cls.stored(stored["triggering"])
        return cls(**fields)

    @property
    def message_id(self) -> MessageId | None:
        """The message with the component, also if that has opened the submitted modal."""
        if self.triggering is not None:
            return self.triggering.message_id
        return self.interacted_message_id

    def user_ids(self) -> Iterator[UserId]:
        """Yield the users that clients are shown with the message."""
        yield self.user_id
        if self.target_user_id is not None:
            yield self.target_user_id
        if self.triggering is not None:
            yield from self.triggering.user_ids()


def session_digest(session_id: str) -> str:
    """Return what identifies a gateway session in events: its id is half of what RESUME needs."""
    return hashlib.sha256(session_id.encode("utf-8", "surrogatepass")).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Interaction:
    """An interaction, as it is stored for as long as its token is valid."""

    id: InteractionId
    application_id: UserId
    channel_id: ChannelId
    origin: InteractionOrigin
    session: str | None
    """A digest of the id of the gateway session for its events. None is all of the user."""
    nonce: str | None
    """The client's own id of the interaction."""
    message_is_ephemeral: bool = False
    """Whether the message with the component is ephemeral."""
    state: InteractionState = InteractionState.PENDING
    response_id: MessageId | None = None
    """The first response: a message of its own, or the updated message with the component."""
    response_is_ephemeral: bool = False
    modal: Mapping[str, Any] | None = None
    """The modal that was the response, as sent to the client."""

    @property
    def type(self) -> InteractionType:
        """The type."""
        return self.origin.type

    @property
    def user_id(self) -> UserId:
        """The person that has created it."""
        return self.origin.user_id

    @property
    def guild_id(self) -> GuildId | None:
        """The guild of the channel; None in a private channel."""
        return self.origin.guild_id
