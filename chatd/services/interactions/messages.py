"""Messages that applications send in response to interactions: for all, or for their user only.

Messages for one user (ephemeral ones) have a table of their own. Their events are in the stream of
that user, so that no other session can receive them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from chatd.context.context import Context
from chatd.core.commands import CommandType
from chatd.core.components import texts
from chatd.core.errors import UnknownMessage
from chatd.core.ids import MessageId, WebhookId
from chatd.core.interactions import EPHEMERAL, LOADING, Interaction, InteractionOrigin
from chatd.core.models import (
    Attachment,
    Component,
    Embed,
    Member,
    Message,
    MessageOrigin,
    MessageType,
)
from chatd.db.cursor import Cursor
from chatd.events import messages as events
from chatd.queries import ephemeral_messages, history, members, messages, users
from chatd.services.access import access
from chatd.services.access.access import PrivateAccess, SenderAccess, WebhookAccess
from chatd.services.automod import actions as automod_actions
from chatd.services.automod import screening
from chatd.services.interactions.channels import LockedInteraction
from chatd.services.media.uploads import PendingUploads
from chatd.services.messages import edit
from chatd.services.messages.drafts import Draft, insert_draft
from chatd.services.messages.private_channels import reopen
from chatd.services.messages.send import build_draft
from chatd.wire.schemas.messages import MessageChange, NewMessage


async def send(
    held: LockedInteraction,
    wanted: NewMessage,
    files: Sequence[Attachment],
    *,
    is_response: bool,
) -> Message:
    """Send the response of the application, or a message that follows it.

    Raises MissingAccess, EmptyMessage, InvalidForm, NotATextChannel, MessageBlocked.
    """
    draft = await build_draft(held.work.cur, held.ctx, held.granted, wanted, files)
    if not draft.flags & EPHEMERAL:
        await _screen(held, draft.content, draft.embeds, draft.components, draft.attachments)
    return await _insert(held, draft, is_response=is_response)


async def send_loading(held: LockedInteraction, *, is_ephemeral: bool) -> Message:
    """Send a response without content, which the application will edit. Raises MissingAccess."""
    draft = Draft(
        author=held.ctx.user,
        member=held.granted.member,
        location=held.granted.location,
        type=MessageType.DEFAULT,
        flags=LOADING | (EPHEMERAL if is_ephemeral else 0),
    )
    return await _insert(held, draft, is_response=True)


async def get(
    cur: Cursor, ctx: Context, interaction: Interaction, message_id: MessageId
) -> Message:
    """Return a message that the application can edit with the token of the interaction.

    These are its responses, and the message with the component. Raises UnknownMessage.
    """
    found = await history.get(cur, ctx.viewer, interaction.channel_id, message_id)
    if found is None:
        found = await ephemeral_messages.get(cur, ctx.viewer, interaction.user_id, message_id)
    if found is None or not _is_of(interaction, found):
        raise UnknownMessage
    return found


async def update(
    held: LockedInteraction, message: Message, change: MessageChange, uploads: PendingUploads
) -> Message:
    """Edit a message of the application. The first edit completes a response that was loading.

    Raises MissingAccess, MissingPermissions, EmptyMessage, InvalidForm, TooManyAttachments.
    """
    was_loading = bool(message.flags & LOADING)
    is_ephemeral = bool(message.flags & EPHEMERAL)
    cur, table = held.work.cur, ephemeral_messages.TABLE if is_ephemeral else "attachments"
    files = edit.files_after(message, change, uploads)
    row = await edit.apply_change(cur, held.granted, message, change, uploads, table=table)
    row = replace(row, flags=row.flags & ~LOADING)
    edited = not was_loading and edit.changes_content(message, change, uploads)
    if not is_ephemeral:
        await _screen(held, row.content, row.embeds, row.components, files)
        await messages.update(cur, message.channel_id, message.id, row, edited=edited)
        changed = await get(cur, held.ctx, held.interaction, message.id)
        held.work.emit(*await edit.updated_events(cur, held.granted, changed))
        return changed
    await held.require_visible()
    user_id, granted = held.interaction.user_id, held.granted
    await ephemeral_messages.update(cur, user_id, message.id, row, edited=edited)
    changed = await get(cur, held.ctx, held.interaction, message.id)
    member = await _member(cur, granted, changed)
    held.work.emit(events.ephemeral_updated(changed, user_id, granted.location, member))
    return changed


async def _screen(
    held: LockedInteraction,
    content: str,
    embeds: Sequence[Embed],
    components: Sequence[Component],
    files: Sequence[Attachment],
) -> None:
    """Check a text for all with the rules of the guild, as if the person had written it.

    This is for an application that the guild has not added: a person could write through one of its
    own. Rules do nothing but block here. Raises MessageBlocked.
    """
    if not isinstance(held.granted, WebhookAccess) or held.granted.member is not None:
        return
    interaction = held.interaction
    granted = await access.channel(held.work.cur, interaction.user_id, interaction.channel_id)
    text = "\n".join([content, *texts(components)])
    verdict = await screening.screen(held.ctx, granted, text, embeds, files, cur=held.work.cur)
    if verdict is not None and verdict.blocks:
        raise automod_actions.blocked(verdict)


async def delete(held: LockedInteraction, message: Message) -> None:
    """Delete a message of the application."""
    work, location = held.work, held.granted.location
    if not message.flags & EPHEMERAL:
        await messages.delete(work.cur, message.channel_id, message.id)
        work.emit(*events.message_deleted(message.id, location))
        return
    user_id = held.interaction.user_id
    await ephemeral_messages.delete(work.cur, user_id, message.id)
    work.emit(events.ephemeral_deleted(message.id, user_id, location))


async def _insert(held: LockedInteraction, draft: Draft, *, is_response: bool) -> Message:
    ctx, work, interaction = held.ctx, held.work, held.interaction
    origin = replace(interaction.origin, original_response_id=interaction.response_id)
    answered = await _answered_message(work.cur, ctx, interaction)
    draft = replace(
        draft,
        type=_type(interaction, answered, is_response=is_response),
        reference=answered,
        origin=MessageOrigin(
            WebhookId(ctx.user.id), application_id=ctx.user.id, interaction=origin
        ),
        origin_users=await users.by_ids(work.cur, set(origin.user_ids())),
        nonce=interaction.nonce if is_response else None,
    )
    if draft.flags & EPHEMERAL:
        return await _insert_ephemeral(held, draft)
    if isinstance(held.granted, PrivateAccess):
        await reopen(work, held.granted)
    return await insert_draft(ctx, work, draft)


async def _insert_ephemeral(held: LockedInteraction, draft: Draft) -> Message:
    await held.require_visible()
    work, user_id = held.work, held.interaction.user_id
    newest = await messages.last_of_stream(work.cur, draft.stream_id)
    held.ctx.dependencies.snowflakes.observe(newest)  # clients sort messages by their ids
    message_id = held.ctx.new_id(MessageId)
    await ephemeral_messages.insert(work.cur, message_id, user_id, draft.row())
    message = draft.message(message_id)
    work.emit(events.ephemeral_created(message, user_id, draft.location, draft.member, draft.nonce))
    return message


async def _answered_message(cur: Cursor, ctx: Context, interaction: Interaction) -> Message | None:
    """Return the message that a response replies to, if others than its user can see that.

    The first response replies to the message with the component, further ones to the first.
    """
    if interaction.response_id is not None:
        answered_id, is_ephemeral = interaction.response_id, interaction.response_is_ephemeral
    elif interaction.origin.message_id is not None:
        answered_id = interaction.origin.message_id
        is_ephemeral = interaction.message_is_ephemeral
    else:
        return None
    if is_ephemeral:
        return None
    return await history.get(cur, ctx.viewer, interaction.channel_id, answered_id)


def _type(interaction: Interaction, answered: Message | None, *, is_response: bool) -> MessageType:
    """Return the type of a response. Clients show commands and replies in their own ways."""
    if answered is not None:
        return MessageType.REPLY
    command_type = _command(interaction.origin).command_type
    if not is_response or command_type is None:
        return MessageType.DEFAULT
    if command_type == CommandType.CHAT_INPUT:
        return MessageType.CHAT_INPUT_COMMAND
    return MessageType.CONTEXT_MENU_COMMAND


def _command(origin: InteractionOrigin) -> InteractionOrigin:
    """Return the interaction with the command, if that has opened the submitted modal."""
    return origin if origin.triggering is None else origin.triggering


def _is_of(interaction: Interaction, message: Message) -> bool:
    if message.id in (interaction.response_id, interaction.origin.message_id):
        return True
    origin = None if message.origin is None else message.origin.interaction
    return origin is not None and origin.id == interaction.id


async def _member(cur: Cursor, granted: SenderAccess, message: Message) -> Member | None:
    guild_id = granted.location.guild_id
    return None if guild_id is None else await members.get(cur, guild_id, message.author.id)
