"""Private channels: opening one with somebody, groups and who is in them, closing."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from chatd.context import Context, Work
from chatd.core.errors import (
    InvalidRecipient,
    MissingPermissions,
    TooManyRecipients,
    UnknownUser,
    WrongChannelType,
)
from chatd.core.ids import ChannelId, UserId
from chatd.core.models import ChannelType, MessageType, PrivateChannel, User
from chatd.db import Cursor
from chatd.events import private_channels as events
from chatd.queries import private_channels, users
from chatd.services import access
from chatd.services.access import PrivateAccess
from chatd.services.drafts import Draft, post
from chatd.services.mentions import Mentions
from chatd.wire.schemas.private_channels import NewPrivateChannel

MAX_RECIPIENTS = 10
"""How many can be in a group."""


async def of_caller(ctx: Context) -> list[PrivateChannel]:
    """The private channels that the caller has not closed, the liveliest first."""
    async with ctx.database.cursor() as cur:
        return await private_channels.open_of_user(cur, ctx.user.id)


async def open_for(ctx: Context, wanted: NewPrivateChannel) -> PrivateChannel:
    """The one private channel with somebody, or a new group with several.

    Raises InvalidRecipient, TooManyRecipients.
    """
    if wanted.recipient_id is not None:
        return await open_with(ctx, wanted.recipient_id)
    others = {*(wanted.recipients or ())} - {ctx.user.id}
    if not others:
        raise InvalidRecipient
    if len(others) == 1:
        return await open_with(ctx, *others)
    return await open_group(ctx, sorted(others))


async def open_with(ctx: Context, user_id: UserId) -> PrivateChannel:
    """The one private channel with somebody, made if there is none yet.

    The other sees it once there is a message in it. Raises InvalidRecipient.
    """
    if user_id == ctx.user.id:
        raise InvalidRecipient
    async with ctx.begin() as work:
        people = await _locked_people(work, {ctx.user.id, user_id})
        await access.require_account(work.cur, ctx.user.id)
        channel_id = await private_channels.between(work.cur, ctx.user.id, user_id)
        if channel_id is None:
            channel = _new(ctx, ChannelType.DM, people)
            await work.open(channel.id)
            await private_channels.insert(work.cur, channel, closed_for=user_id)
            work.emit(events.channel_opened(channel, ctx.user.id))
            return channel
        found = await private_channels.get(work.cur, channel_id)
        assert found is not None
        for reopened in await private_channels.reopen(work.cur, channel_id, ctx.user.id):
            work.emit(events.channel_opened(found, reopened))
        return found


async def open_group(ctx: Context, user_ids: Sequence[UserId]) -> PrivateChannel:
    """A new group of the caller and these. Raises InvalidRecipient, TooManyRecipients."""
    ids = {ctx.user.id, *user_ids}
    if len(ids) > MAX_RECIPIENTS:
        raise TooManyRecipients
    async with ctx.begin() as work:
        people = await _locked_people(work, ids)
        channel = _new(ctx, ChannelType.GROUP_DM, people)
        await access.require_account(work.cur, ctx.user.id)
        await work.open(channel.id)
        await private_channels.insert(work.cur, channel)
        for user in people:
            work.emit(events.channel_opened(channel, user.id))
    return channel


async def rename(
    ctx: Context, work: Work, granted: PrivateAccess, name: str | None
) -> PrivateChannel:
    """Name a group. Everyone in it may. Raises WrongChannelType for a channel of two."""
    if granted.channel.type != ChannelType.GROUP_DM:
        raise WrongChannelType
    if name == granted.channel.name:
        return granted.channel
    changed = replace(granted.channel, name=name)
    await private_channels.update(work.cur, changed)
    work.emit(*events.channel_updated(changed))
    await _tell(ctx, work, changed, MessageType.CHANNEL_NAME_CHANGE, content=name or "")
    return changed


async def add_recipient(ctx: Context, channel_id: ChannelId, user_id: UserId) -> None:
    """Put somebody into a group; everyone in it may. Who is in it already stays.

    Raises UnknownChannel, MissingAccess, WrongChannelType, UnknownUser, TooManyRecipients.
    """
    async with ctx.begin() as work:
        # Whatever else has this id is not to be locked after the users in the group.
        besides = [user_id] if await users.is_living(work.cur, user_id) else []
        granted = await _locked_group(ctx, work, channel_id, besides=besides)
        if any(user.id == user_id for user in granted.channel.recipients):
            return
        if len(granted.channel.recipients) >= MAX_RECIPIENTS:
            raise TooManyRecipients
        added = await users.get(work.cur, user_id)
        if added is None or not await users.is_living(work.cur, user_id):
            raise UnknownUser
        await private_channels.add_recipient(work.cur, channel_id, user_id)
        channel = await private_channels.get(work.cur, channel_id)
        assert channel is not None
        work.emit(*events.recipient_added(channel, added))
        work.emit(events.channel_opened(channel, user_id))
        await _tell(ctx, work, channel, MessageType.RECIPIENT_ADD, about=added)


async def remove_recipient(ctx: Context, channel_id: ChannelId, user_id: UserId) -> None:
    """Take somebody out of a group. Who leads it may, and everyone may leave.

    Raises UnknownChannel, MissingAccess, WrongChannelType, MissingPermissions, UnknownUser.
    """
    async with ctx.begin() as work:
        granted = await _locked_group(ctx, work, channel_id)
        if ctx.user.id not in (user_id, granted.channel.owner_id):
            raise MissingPermissions
        await _remove(ctx, work, granted.channel, user_id)


async def reopen(work: Work, granted: PrivateAccess) -> None:
    """Show a channel again to all who have closed it: there is something new in it."""
    for user_id in await private_channels.reopen(work.cur, granted.channel.id):
        work.emit(events.channel_opened(granted.channel, user_id))


async def close(ctx: Context, work: Work, granted: PrivateAccess) -> PrivateChannel:
    """Hide a channel of two from one's list until there is something new in it; leave a group."""
    channel = granted.channel
    if channel.type == ChannelType.GROUP_DM:
        await _remove(ctx, work, channel, ctx.user.id)
    elif await private_channels.close(work.cur, channel.id, ctx.user.id):
        work.emit(events.channel_closed(channel, ctx.user.id))
    return channel


async def _remove(ctx: Context, work: Work, channel: PrivateChannel, user_id: UserId) -> None:
    removed = next((user for user in channel.recipients if user.id == user_id), None)
    if removed is None:
        raise UnknownUser
    await private_channels.remove_recipient(work.cur, channel.id, user_id)
    work.emit(events.channel_closed(channel, user_id))
    left = replace(channel, recipients=tuple(channel.others(user_id)))
    ids = [user.id for user in left.recipients]
    living = await users.by_ids(work.cur, ids, only_living=True)
    if not living:
        await private_channels.delete(work.cur, channel.id)
        return
    work.emit(*events.recipient_removed(channel, removed))
    if channel.owner_id == user_id:
        left = replace(left, owner_id=living[0].id)
        await private_channels.update(work.cur, left)
        work.emit(*events.channel_updated(left))
    await _tell(ctx, work, left, MessageType.RECIPIENT_REMOVE, about=removed)


async def _tell(
    ctx: Context,
    work: Work,
    channel: PrivateChannel,
    kind: MessageType,
    *,
    content: str = "",
    about: User | None = None,
) -> None:
    """Tell in the group what the caller has done."""
    draft = Draft(
        author=ctx.user,
        member=None,
        place=PrivateAccess(ctx.user, channel).place,
        type=kind,
        content=content,
        mentions=Mentions([] if about is None else [about]),
    )
    await post(ctx, work, draft)


async def _locked_group(
    ctx: Context, work: Work, channel_id: ChannelId, *, besides: Sequence[UserId] = ()
) -> PrivateAccess:
    granted = await access.locked_channel(work, ctx.user.id, channel_id, besides=besides)
    if not isinstance(granted, PrivateAccess) or granted.channel.type != ChannelType.GROUP_DM:
        raise WrongChannelType
    return granted


async def _locked_people(work: Work, user_ids: Collection[UserId]) -> list[User]:
    """These users in the order of their ids, who stay what they are until the work commits.

    Raises InvalidRecipient when one is not there.
    """
    await _people(work.cur, user_ids)  # only users are locked
    await work.open(*user_ids)
    return await _people(work.cur, user_ids)


async def _people(cur: Cursor, user_ids: Collection[UserId]) -> list[User]:
    found = await users.by_ids(cur, user_ids, only_living=True)
    if len(found) != len(user_ids):
        raise InvalidRecipient
    return found


def _new(ctx: Context, kind: ChannelType, people: Sequence[User]) -> PrivateChannel:
    leads = ctx.user.id if kind == ChannelType.GROUP_DM else None
    return PrivateChannel(ctx.new_id(ChannelId), kind, None, leads, tuple(people), None)
