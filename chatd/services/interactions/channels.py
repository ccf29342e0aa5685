"""Locking interactions with their channels, for what their applications send there."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

from chatd.context.context import Context
from chatd.context.unit_of_work import UnitOfWork
from chatd.core import permissions
from chatd.core.errors import (
    CannotSendToUser,
    MissingAccess,
    UnknownChannel,
    UnknownInteraction,
)
from chatd.core.interactions import Interaction
from chatd.core.permissions import Permissions
from chatd.core.relationships import RelationshipType
from chatd.db.cursor import Cursor
from chatd.queries import integrations, interactions, relationships
from chatd.services.access import access, webhooks
from chatd.services.access.access import PrivateAccess, SenderAccess, WebhookAccess


@dataclass(frozen=True, slots=True)
class LockedInteraction:
    """An interaction that is locked with its channel and its user until the commit."""

    ctx: Context
    """The context of the application's bot."""
    work: UnitOfWork
    granted: SenderAccess
    interaction: Interaction

    async def require_visible(self) -> None:
        """Require that the user still sees the channel. Raises UnknownChannel, MissingAccess."""
        interaction = self.interaction
        await access.channel(self.work.cur, interaction.user_id, interaction.channel_id)


@asynccontextmanager
async def locked(ctx: Context, interaction: Interaction) -> AsyncIterator[LockedInteraction]:
    """Lock an interaction in its present state, within a unit of work.

    Raises UnknownChannel, MissingAccess, MissingPermissions, UnknownInteraction.
    """
    async with ctx.begin() as work:
        granted = await _locked_channel(work, interaction)
        found = await interactions.lock(work.cur, interaction.id)
        if found is None:
            raise UnknownInteraction
        yield LockedInteraction(ctx, work, granted, found)


async def _locked_channel(
    work: UnitOfWork, interaction: Interaction
) -> WebhookAccess | PrivateAccess:
    """Lock the channel of an interaction and its user, and return the access of its application.

    The interaction authorizes the application, which may not see the channel otherwise. The channel
    still has to exist, and the application has to be installed there. In a private channel its user
    must not have blocked it. Raises UnknownChannel, MissingAccess, MissingPermissions,
    CannotSendToUser.
    """
    application_id, channel_id = interaction.application_id, interaction.channel_id
    if interaction.guild_id is not None:
        granted = await webhooks.locked_channel(
            work, interaction.guild_id, channel_id, application_id
        )
        await work.ensure_and_lock(interaction.user_id)
        await _require_installed(work.cur, granted, interaction)
        return granted
    private = await access.locked_channel(work, application_id, channel_id)
    if not isinstance(private, PrivateAccess):
        raise UnknownChannel
    own = await relationships.get(work.cur, interaction.user_id, application_id)
    if own is not None and own.type == RelationshipType.BLOCKED:
        raise CannotSendToUser
    return replace(private, permissions=permissions.IN_DM)


async def require_installed(cur: Cursor, interaction: Interaction) -> None:
    """Require that an application is still where the interaction was created.

    Raises UnknownChannel, MissingAccess, MissingPermissions.
    """
    if interaction.guild_id is not None:
        application_id, channel_id = interaction.application_id, interaction.channel_id
        granted = await webhooks.channel(cur, interaction.guild_id, channel_id, application_id)
        await _require_installed(cur, granted, interaction)


async def _require_installed(cur: Cursor, granted: WebhookAccess, interaction: Interaction) -> None:
    """Require that an application is still installed in a guild, or by its user.

    Otherwise a bot that was banned could send messages for as long as its tokens are valid. So
    could a banned or timed out person, with an application of its own that it has added for itself.
    """
    if granted.member is not None:
        return
    application_id, user_id = interaction.application_id, interaction.user_id
    if await integrations.get(cur, granted.guild.id, application_id) is not None:
        return
    if not interaction.origin.of_user:
        raise MissingAccess
    if application_id not in await integrations.applications_of_user(cur, user_id):
        raise MissingAccess
    user = await access.channel(cur, user_id, interaction.channel_id)
    user.require_communication_enabled()
    user.require(Permissions.USE_EXTERNAL_APPS)
