"""Components of messages: who may send them, and what they need."""

from __future__ import annotations

from collections.abc import Sequence

from chatd.core.components import IS_COMPONENTS_V2, media
from chatd.core.errors import EmptyMessage, InvalidForm
from chatd.core.field_errors import NOT_SUPPORTED
from chatd.core.models import Attachment, Component, Embed, User
from chatd.core.permissions import Permissions
from chatd.services.access.access import SenderAccess, WebhookAccess
from chatd.wire.base_schema import field_errors
from chatd.wire.payloads import EMBEDDED_FILE
from chatd.wire.schemas.components import layout_errors


def require_allowed(user: User, granted: SenderAccess) -> None:
    """Raise InvalidForm unless the sender is a bot or a webhook: others receive no interactions."""
    if not user.bot and not isinstance(granted, WebhookAccess):
        text = "Only bots and webhooks can send components."
        raise InvalidForm.of("components", NOT_SUPPORTED, text)


def require_media(granted: SenderAccess, components: Sequence[Component]) -> None:
    """Require EMBED_LINKS for pictures of other sites, as in embeds. Raises MissingPermissions."""
    if any(not each["url"].lower().startswith(EMBEDDED_FILE) for each in media(components)):
        granted.require(Permissions.EMBED_LINKS)


def require_content(
    flags: int,
    content: str,
    embeds: Sequence[Embed],
    files: Sequence[Attachment],
    components: Sequence[Component],
) -> None:
    """Raise EmptyMessage for a message without any of these.

    Clients show a message with IS_COMPONENTS_V2 as its components, so it needs some.
    """
    if flags & IS_COMPONENTS_V2:
        if not components:
            raise EmptyMessage
    elif not (content or embeds or files or components):
        raise EmptyMessage


def require_layout(
    flags: int, components: Sequence[Component], *, content: str, embeds: Sequence[Embed]
) -> None:
    """Raise InvalidForm if a message with these flags cannot have these components and content."""
    if errors := layout_errors(flags, components, content=content, embeds=embeds):
        raise InvalidForm(field_errors(errors))
