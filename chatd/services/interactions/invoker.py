"""A person that creates an interaction, and what was read of its request."""

from __future__ import annotations

from dataclasses import dataclass

from chatd.context.context import Context
from chatd.context.unit_of_work import UnitOfWork
from chatd.core.ids import InteractionId
from chatd.core.interactions import InteractionOrigin
from chatd.core.json import JsonObject
from chatd.core.models import Application, Message
from chatd.services.access.access import AnyAccess
from chatd.services.media.uploads import PendingUploads
from chatd.wire.schemas.interactions import NewInteraction


@dataclass(frozen=True, slots=True)
class Invoker:
    """A person that creates an interaction in a channel that is locked."""

    ctx: Context
    work: UnitOfWork
    granted: AnyAccess
    application: Application
    wanted: NewInteraction
    uploads: PendingUploads
    interaction_id: InteractionId
    of_user: bool
    """Whether the application is there only because this person has added it for itself."""

    def origin(self) -> InteractionOrigin:
        """Return the origin of an interaction, without what is special to its type."""
        return InteractionOrigin(
            self.interaction_id,
            self.wanted.type,
            self.ctx.user.id,
            self.granted.location.guild_id,
            of_user=self.of_user,
        )


@dataclass(frozen=True, slots=True)
class Invocation:
    """An interaction that was checked: what is stored, and what its application receives."""

    origin: InteractionOrigin
    data: JsonObject
    message: Message | None = None
    """The message with the component."""
    message_is_ephemeral: bool = False
