"""Creating interactions: what people do with commands, components and modals.

The transaction locks the channel. So what was checked still holds at the commit: the permissions of
the person, the component and the application. Rule: Discord docs, "Interaction Object".
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace

from chatd.auth.interaction_tokens import hash_token, new_token
from chatd.context.context import Context
from chatd.context.unit_of_work import UnitOfWork
from chatd.core import interactions as rules
from chatd.core.errors import UnknownApplication, UnknownChannel
from chatd.core.ids import ChannelId, InteractionId
from chatd.core.interactions import Interaction, InteractionType, session_digest
from chatd.core.json import JsonObject
from chatd.core.models import Application, ChannelType
from chatd.core.permissions import Permissions
from chatd.events import interactions as events
from chatd.queries import applications, integrations, interactions
from chatd.services.access import access
from chatd.services.access.access import AnyAccess, PrivateAccess
from chatd.services.interactions.commands import read_command
from chatd.services.interactions.components import read_component
from chatd.services.interactions.invoker import Invocation, Invoker
from chatd.services.interactions.modals import read_submission
from chatd.services.media.uploads import PendingUploads
from chatd.services.messages.send import require_text_channel
from chatd.wire import payloads
from chatd.wire.payloads import InteractionPlace
from chatd.wire.schemas.interactions import NewInteraction

_PERMISSIONS_WITHOUT_BOT = (
    Permissions.ATTACH_FILES
    | Permissions.EMBED_LINKS
    | Permissions.MENTION_EVERYONE
    | Permissions.USE_EXTERNAL_EMOJIS
)
"""Where there are no permissions of the bot: in direct messages, and in guilds without the bot.

Rule: Discord docs, "Interaction Structure", about `app_permissions`.
"""


_READERS: Mapping[InteractionType, Callable[[Invoker], Awaitable[Invocation]]] = {
    InteractionType.COMMAND: read_command,
    InteractionType.COMPONENT: read_component,
    InteractionType.AUTOCOMPLETE: read_command,
    InteractionType.MODAL_SUBMIT: read_submission,
}
"""The function that reads and checks the data of each type."""


@dataclass(frozen=True, slots=True)
class Created:
    """An interaction that was created."""

    interaction: Interaction
    payload: JsonObject
    """What its application receives; it contains the token."""
    endpoint_url: str | None
    """Where the application receives it over HTTP; None if it was sent over the gateway."""


async def create(ctx: Context, wanted: NewInteraction, uploads: PendingUploads) -> Created:
    """Create an interaction, and send it to its application if that uses the gateway.

    Raises UnknownChannel, MissingAccess, MissingPermissions, CannotSendToUser, NotATextChannel,
    UnknownApplication, and what the function for its type raises.
    """
    async with ctx.begin() as work:
        granted = await access.locked_channel(work, ctx.user.id, wanted.channel_id)
        if wanted.guild_id not in (None, granted.location.guild_id):
            raise UnknownChannel
        require_text_channel(granted)
        granted.require_communication_enabled()
        application = await applications.get(work.cur, wanted.application_id)
        if application is None:
            raise UnknownApplication
        place = await _place(ctx, work, granted, application)
        invoker = Invoker(
            ctx,
            work,
            granted,
            application,
            wanted,
            uploads,
            ctx.new_id(InteractionId),
            of_user=place.of_user,
        )
        read = await _READERS[wanted.type](invoker)
        interaction = Interaction(
            id=invoker.interaction_id,
            application_id=application.bot.id,
            channel_id=granted.channel.id,
            origin=read.origin,
            session=None if wanted.session_id is None else session_digest(wanted.session_id),
            nonce=None if wanted.nonce in (None, "") else str(wanted.nonce),
            message_is_ephemeral=read.message_is_ephemeral,
        )
        token = new_token()
        await interactions.insert(work.cur, interaction, hash_token(token))
        payload = payloads.interaction(
            interaction,
            token,
            place,
            read.data,
            about=read.message,
            attachment_size_limit=uploads.max_bytes,
        )
        endpoint_url = application.interactions_endpoint_url
        if granted.location.guild_id is not None:
            others = set() if place.has_bot else {application.bot.id}
            await work.ensure_and_lock(ctx.user.id, *others)
        work.emit(events.interaction_created(interaction))
        if endpoint_url is None:
            guild_id = granted.location.guild_id if place.has_bot else None
            work.emit(events.interaction_received(application.bot.id, guild_id, payload))
    ctx.dependencies.interaction_deadlines.add(rules.ACKNOWLEDGE_S)
    return Created(interaction, payload, endpoint_url)


async def require_channel(ctx: Context, channel_id: ChannelId) -> None:
    """Require that a person can use interactions in a channel, before its files are read.

    Raises UnknownChannel, MissingAccess, MissingPermissions, CannotSendToUser.
    """
    async with ctx.database.cursor() as cur:
        granted = await access.channel(cur, ctx.user.id, channel_id)
    granted.require_communication_enabled()


async def _place(
    ctx: Context, work: UnitOfWork, granted: AnyAccess, application: Application
) -> InteractionPlace:
    """Return where the interaction is created. The application has to be installed there.

    Raises UnknownApplication, MissingPermissions.
    """
    if not isinstance(granted, PrivateAccess):
        place = InteractionPlace(
            ctx.user,
            granted.channel,
            granted.permissions,
            _PERMISSIONS_WITHOUT_BOT,
            granted.guild,
            granted.member,
        )
        bot_id = application.bot.id
        may = await access.permissions_in_channel(work.cur, bot_id, granted.channel.id)
        if may is not None:
            return replace(place, app_permissions=may)
        if await integrations.get(work.cur, granted.guild.id, bot_id) is not None:
            return replace(place, has_bot=False)
        if bot_id not in await integrations.applications_of_user(work.cur, ctx.user.id):
            raise UnknownApplication
        granted.require(Permissions.USE_EXTERNAL_APPS)
        return replace(place, has_bot=False, of_user=True)
    is_recipient = any(each.id == application.bot.id for each in granted.channel.recipients)
    if granted.channel.type != ChannelType.DM or not is_recipient:
        raise UnknownApplication
    return InteractionPlace(
        ctx.user, granted.channel, granted.permissions, _PERMISSIONS_WITHOUT_BOT
    )
