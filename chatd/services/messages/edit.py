"""Editing messages. They are sent in `send` and deleted in `deletion`; `history` reads pages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from chatd.context.context import Context
from chatd.context.unit_of_work import UnitOfWork
from chatd.core import mentions
from chatd.core.components import IS_COMPONENTS_V2, texts
from chatd.core.errors import (
    CannotEditAnothersMessage,
    InvalidForm,
    MessageBlocked,
    SystemMessage,
    TooManyAttachments,
    UnknownMessage,
)
from chatd.core.field_errors import NOT_SUPPORTED
from chatd.core.ids import AttachmentId, ChannelId, MessageId, UserId
from chatd.core.models import Attachment, Member, Message
from chatd.core.permissions import Permissions
from chatd.core.unset import UNSET
from chatd.core.webhooks import CROSSPOSTED
from chatd.db.cursor import Cursor
from chatd.events import messages as events
from chatd.events.event import Event
from chatd.queries import attachments, history, members, messages
from chatd.queries.messages import MessageEdit
from chatd.services.access import access
from chatd.services.access.access import (
    AnyAccess,
    ChannelAccess,
    PrivateAccess,
    SenderAccess,
)
from chatd.services.automod import actions as automod_actions
from chatd.services.automod import screening
from chatd.services.automod.screening import Verdict
from chatd.services.media.uploads import MAX_FILES, PendingUploads
from chatd.services.messages import components, embedded_files
from chatd.services.messages import mentions as mention_service
from chatd.wire.payloads import SUPPRESS_EMBEDS
from chatd.wire.schemas.messages import AttachmentInput, MessageChange


async def get(ctx: Context, channel_id: ChannelId, message_id: MessageId) -> Message:
    """Return a message. Needs READ_MESSAGE_HISTORY.

    Raises UnknownChannel, MissingAccess, MissingPermissions, UnknownMessage.
    """
    async with ctx.database.cursor() as cur:
        granted = await access.channel(cur, ctx.user.id, channel_id)
        granted.require(Permissions.READ_MESSAGE_HISTORY)
        return await get_existing(cur, ctx, channel_id, message_id)


async def update(
    ctx: Context,
    channel_id: ChannelId,
    message_id: MessageId,
    change: MessageChange,
    uploads: PendingUploads,
) -> Message:
    """Edit a message. Its author may change everything, a member with MANAGE_MESSAGES its flags.

    The author needs SEND_MESSAGES, as for a new message. Raises UnknownChannel, MissingAccess,
    MissingPermissions, UnknownMessage, CannotEditAnothersMessage, CannotSendToUser, SystemMessage,
    EmptyMessage, InvalidForm, MessageBlocked.
    """
    async with ctx.begin() as work:
        changed = await _update(ctx, work, channel_id, message_id, change=change, uploads=uploads)
    if isinstance(changed, MessageBlocked):
        raise changed  # after the commit, which keeps the actions of the rules
    wake_crosspost_task(ctx, changed)
    return changed


async def _update(
    ctx: Context,
    work: UnitOfWork,
    channel_id: ChannelId,
    message_id: MessageId,
    *,
    change: MessageChange,
    uploads: PendingUploads,
) -> Message | MessageBlocked:
    """Edit a message, or leave it as it is if a rule of AutoModeration blocks the edit."""
    granted = await access.locked_channel(work, ctx.user.id, channel_id)
    message = await get_existing(work.cur, ctx, channel_id, message_id)
    edited = changes_content(message, change, uploads)
    if not message.is_by(ctx.user.id):
        if edited:
            raise CannotEditAnothersMessage
        # The response contains the content of the message.
        granted.require(Permissions.MANAGE_MESSAGES | Permissions.READ_MESSAGE_HISTORY)
    if not message.type.is_user_message:
        raise SystemMessage
    if message.is_by(ctx.user.id) and (
        edited or Permissions.MANAGE_MESSAGES not in granted.permissions
    ):
        granted.require(Permissions.SEND_MESSAGES)  # members read an edit like a new message
    if uploads.stored:  # also checked before the upload, which may have taken minutes
        granted.require(Permissions.SEND_MESSAGES | Permissions.ATTACH_FILES)
    if change.components is not UNSET and change.components:
        components.require_allowed(ctx.user, granted)
    verdict = None
    if edited:
        verdict = await _screen(ctx, work.cur, granted, message, change=change, uploads=uploads)
    if verdict is not None and isinstance(granted, ChannelAccess) and verdict.blocks:
        await automod_actions.execute(ctx, work, granted, verdict)
        return automod_actions.blocked(verdict)
    edit = await apply_change(work.cur, granted, message, change, uploads)
    await messages.update(work.cur, channel_id, message_id, edit, edited=edited)
    changed = await get_existing(work.cur, ctx, channel_id, message_id)
    work.emit(*await updated_events(work.cur, granted, changed))
    if verdict is not None and isinstance(granted, ChannelAccess):
        await automod_actions.execute(ctx, work, granted, verdict, message_id)
    return changed


async def _screen(
    ctx: Context,
    cur: Cursor,
    granted: AnyAccess,
    message: Message,
    *,
    change: MessageChange,
    uploads: PendingUploads,
) -> Verdict | None:
    """Return the rules of AutoModeration that a message of the caller triggers after an edit.

    Raises InvalidForm.
    """
    content = message.content if change.content is UNSET else change.content or ""
    embeds = message.embeds if change.embeds is UNSET else change.embeds or ()
    files = files_after(message, change, uploads)
    return await screening.screen(ctx, granted, content, embeds, files, cur=cur)


def files_after(
    message: Message, change: MessageChange, uploads: PendingUploads
) -> list[Attachment]:
    """Return the files that a message has after an edit, with their new descriptions.

    Raises InvalidForm.
    """
    if change.attachments is UNSET:
        return [*message.attachments, *uploads.in_order_with_metadata(())]
    listed = change.attachments or ()
    ids = {each.id for each in listed}
    kept = {file.id: file for file in message.attachments if file.id in ids}
    for each in listed:
        if AttachmentId(each.id) in kept and each.description is not UNSET:
            file = kept[AttachmentId(each.id)]
            kept[file.id] = replace(file, description=each.description)
    added = [each for each in listed if AttachmentId(each.id) not in kept]
    return [*kept.values(), *uploads.in_order_with_metadata(added)]


def wake_crosspost_task(ctx: Context, message: Message) -> None:
    """Wake the task that delivers changes of published messages, if this is one."""
    if message.flags & CROSSPOSTED:
        ctx.dependencies.crossposts_due.set()


def changes_content(message: Message, change: MessageChange, uploads: PendingUploads) -> bool:
    """Return whether an edit changes something that only the author can change."""
    adds_v2 = change.flags is not UNSET and (change.flags or 0) & IS_COMPONENTS_V2 & ~message.flags
    return bool(change.changes_content or uploads.stored or adds_v2)


async def apply_change(
    cur: Cursor,
    granted: SenderAccess,
    message: Message,
    change: MessageChange,
    uploads: PendingUploads,
    *,
    table: attachments.Table = "attachments",
) -> MessageEdit:
    """Change the files of a message, and return the new values of its columns.

    `table` has the rows of its files. Raises MissingPermissions, EmptyMessage, InvalidForm,
    TooManyAttachments.
    """
    files = await _apply_attachment_changes(cur, message, change, uploads, table)
    edit = await _new_values(cur, granted, message, change)
    edit = replace(edit, attachment_count=len(files))
    if change.embeds is not UNSET:
        edit = replace(edit, embeds=embedded_files.normalized(edit.embeds, files))
    components.require_layout(edit.flags, edit.components, content=edit.content, embeds=edit.embeds)
    if change.components is not UNSET or change.attachments is not UNSET:
        normalized = embedded_files.normalized_components(edit.components, files)
        edit = replace(edit, components=normalized)
    components.require_content(edit.flags, edit.content, edit.embeds, files, edit.components)
    return edit


async def _apply_attachment_changes(
    cur: Cursor,
    message: Message,
    change: MessageChange,
    uploads: PendingUploads,
    table: attachments.Table,
) -> list[Attachment]:
    """Delete, describe and add attachments of a message. Returns all that it has afterwards.

    Raises InvalidForm, TooManyAttachments.
    """
    kept = {file.id: file for file in message.attachments}
    listed: Sequence[AttachmentInput] = ()
    if change.attachments is not UNSET:
        listed = change.attachments or ()
        kept = await _keep_listed(cur, message, listed, table)
    added = [each for each in listed if AttachmentId(each.id) not in kept]
    new = uploads.in_order_with_metadata(added)
    if len(kept) + len(new) > MAX_FILES:
        raise TooManyAttachments
    await attachments.insert(cur, message.channel_id, message.id, new, table=table)
    return [*kept.values(), *new]


async def _keep_listed(
    cur: Cursor,
    message: Message,
    listed: Sequence[AttachmentInput],
    table: attachments.Table,
) -> dict[AttachmentId, Attachment]:
    """Delete the attachments that an edit does not list; describe the others and return them.

    Raises InvalidForm.
    """
    ids = {AttachmentId(each.id) for each in listed}
    kept = {file.id: file for file in message.attachments if file.id in ids}
    gone = [file.id for file in message.attachments if file.id not in ids]
    await attachments.delete(cur, message.channel_id, message.id, gone, table=table)
    for each in listed:
        file = kept.get(AttachmentId(each.id))
        if file is not None:
            await _describe(cur, message, file, each, table)
    return kept


async def _describe(
    cur: Cursor,
    message: Message,
    file: Attachment,
    wanted: AttachmentInput,
    table: attachments.Table,
) -> None:
    """Give an attachment its new description, if the edit has one. Raises InvalidForm."""
    if wanted.filename not in (None, file.filename):
        text = "A file that was sent cannot be renamed."
        raise InvalidForm.of("attachments", NOT_SUPPORTED, text)
    if wanted.description is not UNSET:
        described = replace(file, description=wanted.description or None)
        await attachments.set_description(
            cur, message.channel_id, message.id, described, table=table
        )


async def _new_values(
    cur: Cursor, granted: SenderAccess, message: Message, change: MessageChange
) -> MessageEdit:
    """Return the new values of a message. Raises MissingPermissions, InvalidForm."""
    edit = _with_given(granted, _present_values(message), change)
    # The texts of components v2 are the content of their message.
    is_text_in_components = change.components is not UNSET and edit.flags & IS_COMPONENTS_V2
    if change.content is UNSET and not is_text_in_components:
        return edit
    return await _with_mentions(cur, granted, message, change, edit)


def _present_values(message: Message) -> MessageEdit:
    return MessageEdit(
        content=message.content,
        flags=message.flags,
        embeds=message.embeds,
        mentions=[user.id for user in message.mentions],
        mention_roles=message.mention_roles,
        mention_everyone=message.mention_everyone,
        attachment_count=len(message.attachments),
        components=message.components,
    )


def _with_given(granted: SenderAccess, edit: MessageEdit, change: MessageChange) -> MessageEdit:
    """Return the values after a change, except for the mentions, which stay as they were.

    Raises MissingPermissions, InvalidForm.
    """
    if change.flags is not UNSET:
        edit = replace(edit, flags=_edited_flags(edit.flags, change.flags))
    if change.embeds is not UNSET:
        if change.embeds:
            granted.require(Permissions.EMBED_LINKS)
        edit = replace(edit, embeds=change.embeds or ())
    if change.components is not UNSET:
        components.require_media(granted, change.components or ())
        edit = replace(edit, components=change.components or ())
    if change.content is not UNSET:
        edit = replace(edit, content=change.content or "")
    return edit


async def _with_mentions(
    cur: Cursor,
    granted: SenderAccess,
    message: Message,
    change: MessageChange,
    edit: MessageEdit,
) -> MessageEdit:
    """Return the edit with the mentions of its new text that `allowed_mentions` admits.

    A reply still mentions the author of the message that it replies to, unless the edit excludes
    this.
    """
    named = mentions.parse_all([edit.content, *texts(edit.components)])
    mentioned = mentions.filtered(named, change.allowed_mentions)
    pings = change.allowed_mentions is None or change.allowed_mentions.replied_user
    if pings and message.reference is not None and message.reference.author in message.mentions:
        mentioned = mentioned.with_user(message.reference.author.id)
    found = await mention_service.resolve(cur, granted, mentioned)
    return replace(
        edit,
        mentions=[user.id for user in found.users],
        mention_roles=found.roles,
        mention_everyone=found.everyone,
    )


def _edited_flags(present: int, wanted: int | None) -> int:
    """Return the flags after an edit.

    Clients also send flags of the message that an edit cannot set; these stay as they are. None
    clears all flags that an edit can clear. Raises InvalidForm.
    """
    settable = SUPPRESS_EMBEDS | IS_COMPONENTS_V2
    if wanted is None:
        wanted = present & IS_COMPONENTS_V2
    if wanted & ~(present | settable):
        text = "An edit can set SUPPRESS_EMBEDS (4) and IS_COMPONENTS_V2 (32768) only."
        raise InvalidForm.of("flags", NOT_SUPPORTED, text)
    if present & IS_COMPONENTS_V2 & ~wanted:
        code = "MESSAGE_CANNOT_REMOVE_COMPONENTS_V2_FLAG"
        raise InvalidForm.of("flags", code, "The components v2 flag cannot be removed.")
    return present & ~settable | wanted & settable


async def get_existing(
    cur: Cursor, ctx: Context, channel_id: ChannelId, message_id: MessageId
) -> Message:
    """Return a message, with the reactions of the caller marked. Raises UnknownMessage."""
    message = await history.get(cur, ctx.viewer, channel_id, message_id)
    if message is None:
        raise UnknownMessage
    return message


async def updated_events(cur: Cursor, granted: SenderAccess, message: Message) -> list[Event]:
    """Return the events of a message that has changed."""
    by_id: Mapping[UserId, Member] = {}
    if not isinstance(granted, PrivateAccess):
        ids = {message.author.id, *(user.id for user in message.mentions)}
        found = await members.by_ids(cur, granted.guild.id, ids)
        by_id = {member.user.id: member for member in found}
    author = by_id.get(message.author.id)
    return events.message_updated(message, granted.location, author, by_id)
