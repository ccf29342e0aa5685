"""Private channels: direct messages between two users, and groups of up to ten."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from chatd.context.context import Context
from chatd.context.unit_of_work import UnitOfWork
from chatd.core.errors import (
    CannotSendToUser,
    InvalidRecipient,
    MissingPermissions,
    NotForBots,
    TooManyGroups,
    TooManyRecipients,
    UnknownUser,
    WrongChannelType,
)
from chatd.core.ids import ChannelId, UserId
from chatd.core.models import ChannelType, MessageType, PrivateChannel, User
from chatd.db.cursor import Cursor
from chatd.events import private_channels as events
from chatd.queries import private_channels, relationships, users
from chatd.services.access import access
from chatd.services.access.access import PrivateAccess
from chatd.services.messages.drafts import Draft, insert_draft
from chatd.services.messages.mentions import Mentions
from chatd.wire.schemas.private_channels import NewPrivateChannel

MAX_RECIPIENTS = 10
"""The maximum of users in a group, as on Discord."""

MAX_GROUPS = 100
"""The maximum of groups that one user is in. Groups to which others have added the user count, too,
because READY contains all of them."""


async def list_for_caller(ctx: Context) -> list[PrivateChannel]:
    """Return the private channels that the caller has not closed, most recently active first."""
    async with ctx.database.cursor() as cur:
        return await private_channels.list_open_for_user(cur, ctx.user.id)


async def create(ctx: Context, wanted: NewPrivateChannel) -> PrivateChannel:
    """Return the DM with one recipient, or create a group with several.

    Raises InvalidRecipient, CannotSendToUser, TooManyRecipients, TooManyGroups.
    """
    if wanted.recipient_id is not None:
        return await get_or_create_dm(ctx, wanted.recipient_id)
    others = {*(wanted.recipients or ())} - {ctx.user.id}
    if not others:
        raise InvalidRecipient
    if len(others) == 1:
        return await get_or_create_dm(ctx, *others)
    if ctx.user.bot:
        raise NotForBots
    return await create_group(ctx, sorted(others))


async def get_or_create_dm(ctx: Context, user_id: UserId) -> PrivateChannel:
    """Return the DM with a user. Create it if there is none.

    The recipient sees a new DM once it has a message. Creating it needs a recipient that accepts
    messages from the caller. An existing DM is returned even if the recipient accepts none: then
    sending fails. Raises InvalidRecipient, CannotSendToUser.
    """
    if user_id == ctx.user.id:
        raise InvalidRecipient
    async with ctx.begin() as work:
        both = await _lock_users(work, {ctx.user.id, user_id})
        await access.require_account(work.cur, ctx.user.id)
        channel_id = await private_channels.find_dm(work.cur, ctx.user.id, user_id)
        if channel_id is None:
            if not await relationships.settings_allow_dms(work.cur, ctx.user.id, user_id):
                raise CannotSendToUser
            channel = _new_channel(ctx, ChannelType.DM, both)
            await work.ensure_and_lock(channel.id)
            await private_channels.insert(work.cur, channel, closed_for=user_id)
            work.emit(events.channel_opened(channel, ctx.user.id))
            return channel
        found = await private_channels.get(work.cur, channel_id)
        assert found is not None
        for reopened in await private_channels.reopen(work.cur, channel_id, ctx.user.id):
            work.emit(events.channel_opened(found, reopened))
        return found


async def create_group(ctx: Context, user_ids: Sequence[UserId]) -> PrivateChannel:
    """Create a group of the caller and users that all accept messages from the caller.

    Raises InvalidRecipient, CannotSendToUser, TooManyRecipients, TooManyGroups.
    """
    ids = {ctx.user.id, *user_ids}
    if len(ids) > MAX_RECIPIENTS:
        raise TooManyRecipients
    async with ctx.begin() as work:
        recipients = await _lock_users(work, ids)
        if any(user.bot for user in recipients):
            raise InvalidRecipient
        channel = _new_channel(ctx, ChannelType.GROUP_DM, recipients)
        await access.require_account(work.cur, ctx.user.id)
        await _require_group_slot(work.cur, ids)
        if await relationships.not_accepting_messages(work.cur, ctx.user.id, user_ids):
            raise CannotSendToUser
        await work.ensure_and_lock(channel.id)
        await private_channels.insert(work.cur, channel)
        for user in recipients:
            work.emit(events.channel_opened(channel, user.id))
    return channel


async def rename(
    ctx: Context, work: UnitOfWork, granted: PrivateAccess, name: str | None
) -> PrivateChannel:
    """Rename a group. Every recipient may do that. Raises WrongChannelType for a DM."""
    if granted.channel.type != ChannelType.GROUP_DM:
        raise WrongChannelType
    if name == granted.channel.name:
        return granted.channel
    changed = replace(granted.channel, name=name)
    await private_channels.update(work.cur, changed)
    work.emit(*events.channel_updated(changed))
    await _post_system_message(
        ctx, work, changed, MessageType.CHANNEL_NAME_CHANGE, content=name or ""
    )
    return changed


async def add_recipient(ctx: Context, channel_id: ChannelId, user_id: UserId) -> None:
    """Add a user to a group, unless it is a recipient already. Every recipient may do that.

    Raises UnknownChannel, MissingAccess, WrongChannelType, UnknownUser, InvalidRecipient,
    CannotSendToUser, TooManyRecipients, TooManyGroups.
    """
    async with ctx.begin() as work:
        # Only users may be locked after the group, and `user_id` could be the id of a guild.
        also_lock = [user_id] if await users.exists(work.cur, user_id) else []
        granted = await _lock_group(ctx, work, channel_id, also_lock=also_lock)
        if any(user.id == user_id for user in granted.channel.recipients):
            return
        if len(granted.channel.recipients) >= MAX_RECIPIENTS:
            raise TooManyRecipients
        added = await users.get(work.cur, user_id)
        if added is None or not await users.exists(work.cur, user_id):
            raise UnknownUser
        if added.bot:
            raise InvalidRecipient
        if await relationships.not_accepting_messages(work.cur, ctx.user.id, [user_id]):
            raise CannotSendToUser
        await _require_group_slot(work.cur, [user_id])
        await private_channels.add_recipient(work.cur, channel_id, user_id)
        channel = await private_channels.get(work.cur, channel_id)
        assert channel is not None
        work.emit(*events.recipient_added(channel, added))
        work.emit(events.channel_opened(channel, user_id))
        await _post_system_message(ctx, work, channel, MessageType.RECIPIENT_ADD, about=added)


async def remove_recipient(ctx: Context, channel_id: ChannelId, user_id: UserId) -> None:
    """Remove a user from a group. The owner may remove others; every recipient may leave.

    Raises UnknownChannel, MissingAccess, WrongChannelType, MissingPermissions, UnknownUser.
    """
    async with ctx.begin() as work:
        granted = await _lock_group(ctx, work, channel_id)
        if ctx.user.id not in (user_id, granted.channel.owner_id):
            raise MissingPermissions
        await _remove(ctx, work, granted.channel, user_id)


async def reopen(work: UnitOfWork, granted: PrivateAccess) -> None:
    """Reopen a channel for the recipients that have closed it, because it gets a new message."""
    for user_id in await private_channels.reopen(work.cur, granted.channel.id):
        work.emit(events.channel_opened(granted.channel, user_id))


async def close(ctx: Context, work: UnitOfWork, granted: PrivateAccess) -> PrivateChannel:
    """Hide a DM from the caller until it has a new message, or leave a group."""
    channel = granted.channel
    if channel.type == ChannelType.GROUP_DM:
        await _remove(ctx, work, channel, ctx.user.id)
    elif await private_channels.close(work.cur, channel.id, ctx.user.id):
        work.emit(events.channel_closed(channel, ctx.user.id))
    return channel


async def _remove(ctx: Context, work: UnitOfWork, channel: PrivateChannel, user_id: UserId) -> None:
    """Remove a user from a group. If it was the owner, another recipient becomes the owner.

    Deletes the group if no account remains in it. Raises UnknownUser.
    """
    removed = next((user for user in channel.recipients if user.id == user_id), None)
    if removed is None:
        raise UnknownUser
    await private_channels.remove_recipient(work.cur, channel.id, user_id)
    work.emit(events.channel_closed(channel, user_id))
    left = replace(channel, recipients=tuple(channel.recipients_except(user_id)))
    ids = [user.id for user in left.recipients]
    remaining = await users.by_ids(work.cur, ids, skip_deleted=True)
    if not remaining:
        await private_channels.delete(work.cur, channel.id)
        return
    work.emit(*events.recipient_removed(channel, removed))
    if channel.owner_id == user_id:
        left = replace(left, owner_id=remaining[0].id)
        await private_channels.update(work.cur, left)
        work.emit(*events.channel_updated(left))
    await _post_system_message(ctx, work, left, MessageType.RECIPIENT_REMOVE, about=removed)


async def _post_system_message(
    ctx: Context,
    work: UnitOfWork,
    channel: PrivateChannel,
    kind: MessageType,
    *,
    content: str = "",
    about: User | None = None,
) -> None:
    """Send a system message about an action of the caller to the group."""
    draft = Draft(
        author=ctx.user,
        member=None,
        location=PrivateAccess(ctx.user, channel).location,
        type=kind,
        content=content,
        mentions=Mentions([] if about is None else [about]),
    )
    await insert_draft(ctx, work, draft)


async def _lock_group(
    ctx: Context, work: UnitOfWork, channel_id: ChannelId, *, also_lock: Sequence[UserId] = ()
) -> PrivateAccess:
    granted = await access.locked_channel(work, ctx.user.id, channel_id, also_lock=also_lock)
    if not isinstance(granted, PrivateAccess) or granted.channel.type != ChannelType.GROUP_DM:
        raise WrongChannelType
    return granted


async def _require_group_slot(cur: Cursor, user_ids: Collection[UserId]) -> None:
    """Raise TooManyGroups if one of these users is in MAX_GROUPS groups.

    The streams of the users are locked, so the counts cannot change before the commit.
    """
    counts = await private_channels.count_groups(cur, user_ids)
    if any(count >= MAX_GROUPS for count in counts.values()):
        raise TooManyGroups


async def _lock_users(work: UnitOfWork, user_ids: Collection[UserId]) -> list[User]:
    """Lock users until the commit, and return them in the order of their ids.

    Raises InvalidRecipient if one does not exist.
    """
    await _load_users(work.cur, user_ids)  # before the lock: only ids of users may be locked
    await work.ensure_and_lock(*user_ids)
    return await _load_users(work.cur, user_ids)


async def _load_users(cur: Cursor, user_ids: Collection[UserId]) -> list[User]:
    """Return users in the order of their ids. Raises InvalidRecipient if one does not exist."""
    found = await users.by_ids(cur, user_ids, skip_deleted=True)
    if len(found) != len(user_ids):
        raise InvalidRecipient
    return found


def _new_channel(ctx: Context, kind: ChannelType, recipients: Sequence[User]) -> PrivateChannel:
    owner_id = ctx.user.id if kind == ChannelType.GROUP_DM else None
    return PrivateChannel(ctx.new_id(ChannelId), kind, None, owner_id, tuple(recipients), None)
