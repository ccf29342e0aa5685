"""How applications respond to interactions: exactly once, and in time.

Rule: Discord docs, "Interaction Callback".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from chatd.core import interactions as rules
from chatd.core.errors import InteractionAcknowledged, InvalidForm, UnknownInteraction
from chatd.core.ids import MessageId
from chatd.core.interactions import (
    EPHEMERAL,
    LOADING,
    CallbackType,
    Interaction,
    InteractionState,
    InteractionType,
)
from chatd.core.json import JsonObject
from chatd.core.models import Message
from chatd.events import interactions as events
from chatd.queries import applications, interactions
from chatd.services.interactions import messages
from chatd.services.interactions.ages import age_s
from chatd.services.interactions.channels import LockedInteraction, locked
from chatd.services.interactions.webhook import InteractionWebhook, update_locked
from chatd.services.media.uploads import PendingUploads
from chatd.wire import payloads
from chatd.wire.schemas.interactions import Callback, Deferral
from chatd.wire.schemas.messages import MessageChange

_MESSAGES: Final = {CallbackType.MESSAGE, CallbackType.DEFERRED_MESSAGE}
_UPDATES: Final = {CallbackType.UPDATE, CallbackType.DEFERRED_UPDATE}


@dataclass(frozen=True, slots=True)
class Response:
    """What a callback has created."""

    interaction: Interaction
    type: CallbackType
    message: Message | None = None
    """The response, or the message with the component that was updated."""

    @property
    def is_loading(self) -> bool:
        """Whether the application will edit the message."""
        return self.message is not None and bool(self.message.flags & LOADING)

    @property
    def is_ephemeral(self) -> bool:
        """Whether only the user sees the message."""
        return self.message is not None and bool(self.message.flags & EPHEMERAL)


async def respond(
    webhook: InteractionWebhook, callback: Callback, uploads: PendingUploads
) -> Response:
    """Respond to an interaction that is pending.

    An invalid response leaves it pending. Raises UnknownInteraction (also when it is too late),
    InteractionAcknowledged, UnknownChannel, UnknownMessage, MissingAccess, EmptyMessage,
    InvalidForm, TooManyAttachments.
    """
    require_pending(webhook.interaction)
    _require_allowed(webhook.interaction, callback.type)
    async with locked(webhook.ctx, webhook.interaction) as held:
        require_pending(held.interaction)
        message = await _apply(held, callback, uploads)
        held.work.emit(events.interaction_succeeded(held.interaction))
    return Response(held.interaction, callback.type, message)


def require_pending(interaction: Interaction) -> None:
    """Require that an interaction can still be acknowledged.

    Raises InteractionAcknowledged, UnknownInteraction.
    """
    if interaction.state not in (InteractionState.PENDING, InteractionState.FAILED):
        raise InteractionAcknowledged
    is_late = age_s(interaction) > rules.ACKNOWLEDGE_S
    if interaction.state == InteractionState.FAILED or is_late:
        raise UnknownInteraction


async def _apply(
    held: LockedInteraction, callback: Callback, uploads: PendingUploads
) -> Message | None:
    """Do what a callback says. Return the message that it has created or updated."""
    match callback.type:
        case CallbackType.MESSAGE:
            files = uploads.in_order_with_metadata(callback.data.attachments)
            message = await messages.send(held, callback.data, files, is_response=True)
            await _record(held, InteractionState.RESPONDED, message)
            return message
        case CallbackType.DEFERRED_MESSAGE:
            wanted = callback.data or Deferral()
            is_ephemeral = bool(wanted.flags & EPHEMERAL)
            message = await messages.send_loading(held, is_ephemeral=is_ephemeral)
            await _record(held, InteractionState.DEFERRED, message)
            return message
        case CallbackType.UPDATE:
            change = callback.data or MessageChange()
            message = await update_locked(held, _component_message_id(held), change, uploads)
            await _record(held, InteractionState.ACKNOWLEDGED, message)
            return message
        case CallbackType.DEFERRED_UPDATE:
            message_id = _component_message_id(held)
            message = await messages.get(held.work.cur, held.ctx, held.interaction, message_id)
            await _record(held, InteractionState.ACKNOWLEDGED, message)
            return None
        case CallbackType.AUTOCOMPLETE:
            await interactions.set_state(
                held.work.cur, held.interaction.id, InteractionState.ACKNOWLEDGED
            )
            held.work.emit(events.choices_suggested(held.interaction, callback.data))
            return None
        case CallbackType.MODAL:
            await _open_modal(held, callback.data)
            return None
        case _:
            raise AssertionError(callback.type)


async def _open_modal(held: LockedInteraction, modal: JsonObject) -> None:
    application = await applications.get(held.work.cur, held.interaction.application_id)
    if application is None:
        raise UnknownInteraction
    await interactions.set_state(
        held.work.cur, held.interaction.id, InteractionState.ACKNOWLEDGED, modal=modal
    )
    shown = payloads.modal_opened(held.interaction, application, modal)
    held.work.emit(events.modal_opened(held.interaction, shown))


def _component_message_id(held: LockedInteraction) -> MessageId:
    message_id = held.interaction.origin.message_id
    assert message_id is not None  # see `_require_allowed`
    return message_id


async def _record(held: LockedInteraction, state: InteractionState, message: Message) -> None:
    await interactions.set_response(
        held.work.cur,
        held.interaction.id,
        state,
        message.id,
        is_ephemeral=bool(message.flags & EPHEMERAL),
    )


def _require_allowed(interaction: Interaction, kind: CallbackType) -> None:
    """Require a type of response that fits the interaction. Raises InvalidForm."""
    allowed = _allowed(interaction)
    if kind not in allowed:
        listed = ", ".join(f"{each:d}" for each in sorted(allowed))
        text = f"Value must be one of {{{listed}}} for this interaction."
        raise InvalidForm.of("type", "BASE_TYPE_CHOICES", text)


def _allowed(interaction: Interaction) -> set[CallbackType]:
    if interaction.type == InteractionType.AUTOCOMPLETE:
        return {CallbackType.AUTOCOMPLETE}
    allowed = set(_MESSAGES)
    if interaction.origin.message_id is not None:
        allowed |= _UPDATES
    if interaction.type != InteractionType.MODAL_SUBMIT:
        allowed.add(CallbackType.MODAL)
    return allowed
