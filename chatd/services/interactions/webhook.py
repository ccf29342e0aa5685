"""The webhook of an interaction: what its application does with its token.

Each method is authorized by the interaction, and again by its present state in the transaction.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

from chatd.context.context import Context
from chatd.core.components import IS_COMPONENTS_V2
from chatd.core.errors import UnknownMessage
from chatd.core.ids import ChannelId, MessageId
from chatd.core.interactions import EPHEMERAL, LOADING, Interaction, InteractionState
from chatd.core.models import Message
from chatd.core.unset import UNSET
from chatd.queries import interactions
from chatd.services.interactions import messages
from chatd.services.interactions.channels import LockedInteraction, locked, require_installed
from chatd.services.media.uploads import PendingUploads
from chatd.wire.payloads import SUPPRESS_EMBEDS
from chatd.wire.schemas.messages import MessageChange, NewMessage


@dataclass(frozen=True, slots=True)
class InteractionWebhook:
    """What the token of an interaction can do, as the bot of its application."""

    ctx: Context
    interaction: Interaction

    @property
    def channel_id(self) -> ChannelId:
        """The channel of the messages."""
        return self.interaction.channel_id

    async def execute(self, wanted: NewMessage, uploads: PendingUploads) -> Message:
        """Send a message that follows the response. A response that is loading is edited instead,
        unless it was deleted.

        Raises UnknownChannel, UnknownInteraction, MissingAccess, EmptyMessage, InvalidForm.
        """
        async with locked(self.ctx, self.interaction) as held:
            if held.interaction.state == InteractionState.DEFERRED:
                with suppress(UnknownMessage):
                    return await _complete(held, wanted, uploads)
            files = uploads.in_order_with_metadata(wanted.attachments)
            return await messages.send(held, wanted, files, is_response=False)

    async def get(self, message_id: MessageId | None) -> Message:
        """Return a message; None is the first response.

        Raises UnknownMessage, UnknownChannel, MissingAccess, MissingPermissions.
        """
        async with self.ctx.database.cursor() as cur:
            await require_installed(cur, self.interaction)
            known = _known_id(self.interaction, message_id)
            return await messages.get(cur, self.ctx, self.interaction, known)

    async def update(
        self, message_id: MessageId | None, change: MessageChange, uploads: PendingUploads
    ) -> Message:
        """Edit a message; None is the first response.

        Raises UnknownChannel, UnknownInteraction, UnknownMessage, MissingAccess, EmptyMessage,
        InvalidForm, TooManyAttachments.
        """
        async with locked(self.ctx, self.interaction) as held:
            known = _known_id(held.interaction, message_id)
            return await update_locked(held, known, change, uploads)

    async def delete(self, message_id: MessageId | None) -> None:
        """Delete a message; None is the first response.

        Raises UnknownChannel, UnknownInteraction, UnknownMessage.
        """
        async with locked(self.ctx, self.interaction) as held:
            known = _known_id(held.interaction, message_id)
            message = await messages.get(held.work.cur, self.ctx, held.interaction, known)
            await messages.delete(held, message)


async def update_locked(
    held: LockedInteraction, message_id: MessageId, change: MessageChange, uploads: PendingUploads
) -> Message:
    """Edit a message of an interaction that is locked.

    Raises UnknownMessage, MissingAccess, EmptyMessage, InvalidForm, TooManyAttachments.
    """
    interaction = held.interaction
    message = await messages.get(held.work.cur, held.ctx, interaction, message_id)
    changed = await messages.update(held, message, change, uploads)
    if message.flags & LOADING and message.id == interaction.response_id:
        await interactions.set_response(
            held.work.cur,
            interaction.id,
            InteractionState.RESPONDED,
            message.id,
            is_ephemeral=bool(message.flags & EPHEMERAL),
        )
    return changed


async def _complete(
    held: LockedInteraction, wanted: NewMessage, uploads: PendingUploads
) -> Message:
    """Edit a response that is loading. Rule: Discord docs, "Create Followup Message"."""
    change = MessageChange(
        content=wanted.content,
        # The deferral has decided about the others.
        flags=wanted.flags & (SUPPRESS_EMBEDS | IS_COMPONENTS_V2),
        embeds=wanted.embeds,
        allowed_mentions=wanted.allowed_mentions,
        attachments=wanted.attachments or UNSET,
        components=wanted.components,
    )
    return await update_locked(held, _known_id(held.interaction, None), change, uploads)


def _known_id(interaction: Interaction, message_id: MessageId | None) -> MessageId:
    """Return the id of a message; None is the first response. Raises UnknownMessage."""
    known = interaction.response_id if message_id is None else message_id
    if known is None:
        raise UnknownMessage
    return known
