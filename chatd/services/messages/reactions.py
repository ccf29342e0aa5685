"""Reactions: adding, removing, listing and clearing them."""

from __future__ import annotations

from chatd.context.context import Context
from chatd.context.unit_of_work import UnitOfWork
from chatd.core.emojis import is_emoji
from chatd.core.errors import TooManyReactions, UnknownEmoji, UnknownMessage
from chatd.core.ids import ChannelId, MessageId, UserId
from chatd.core.models import Message, MessageOrigin, User
from chatd.core.permissions import Permissions
from chatd.events import reactions as events
from chatd.queries import history, reactions
from chatd.services.access import access
from chatd.services.access.access import AnyAccess, ChannelAccess
from chatd.services.access.access_cache import AccessCache
from chatd.services.messages.edit import get_existing

MAX_EMOJIS = 20
"""The maximum of different emojis among the reactions to a message, as on Discord."""
_MAX_ATTEMPTS = 2
"""Attempts to react in one statement: with the cached access, then with access read again."""
MAX_CLEARED = 2000
"""The maximum of reactions that one request deletes; the background task deletes the others. So the
request locks the stream for at most 10 ms, as measured."""


async def add(
    ctx: Context,
    access_cache: AccessCache,
    channel_id: ChannelId,
    message_id: MessageId,
    emoji: str,
) -> None:
    """React to a message. Needs READ_MESSAGE_HISTORY, and ADD_REACTIONS for a new emoji.

    Raises UnknownChannel, MissingAccess, MissingPermissions (also for a timed-out member),
    UnknownMessage, UnknownEmoji, TooManyReactions.
    """
    _require_emoji(emoji)
    for _ in range(_MAX_ATTEMPTS):
        if access_cache.get(ctx, channel_id) is None:
            await access_cache.load(ctx, channel_id)
        known = access_cache.get_untimed(ctx, channel_id)
        if known is None or Permissions.READ_MESSAGE_HISTORY not in known.permissions:
            break
        adding = _add_at_version(ctx, known, message_id, emoji)
        is_done, is_stale = await ctx.dependencies.tasks.run_shielded(adding)
        if is_done:
            return
        if not is_stale:
            break
        access_cache.invalidate(ctx, channel_id)
    await _add_in_transaction(ctx, channel_id, message_id, emoji)


async def _add_at_version(
    ctx: Context, known: ChannelAccess, message_id: MessageId, emoji: str
) -> tuple[bool, bool]:
    """React in one statement, without waiting for the lock of the guild.

    Returns whether the caller has reacted, and whether its permissions may have changed since they
    were cached. The statement does not return why it refuses.
    """
    location = known.location
    async with ctx.database.cursor() as cur:
        added = await reactions.add_at_version(
            cur,
            known.guild.id,
            known.version,
            (location.channel_id, message_id, emoji, ctx.user.id),
            may_add=Permissions.ADD_REACTIONS in known.permissions,
            max_emojis=MAX_EMOJIS,
        )
    if added.seq is not None:
        ctx.database.counters.commits += 1
        origin = None if added.origin is None else MessageOrigin.stored(added.origin)
        webhook = None if origin is None else origin.author
        author_id = added.author_id if webhook is None else webhook.id
        assert author_id is not None
        [event] = events.reaction_added(
            message_id,
            location,
            emoji,
            author_id=author_id,
            user_id=ctx.user.id,
            member=known.member,
        )
        await ctx.dependencies.bus.publish([event.numbered(added.seq)])
    return added.is_done, added.version not in (None, known.version)


async def _add_in_transaction(
    ctx: Context, channel_id: ChannelId, message_id: MessageId, emoji: str
) -> None:
    """React as `add` does, but wait for the lock of the channel, and read the permissions again."""
    async with ctx.begin() as work:
        granted, message = await _locked_message(ctx, work, channel_id, message_id)
        granted.require(Permissions.READ_MESSAGE_HISTORY)
        granted.require_communication_enabled()  # also for an emoji that others have used
        used = await reactions.emojis(work.cur, channel_id, message_id)
        if emoji not in used:
            granted.require(Permissions.ADD_REACTIONS)
            if len(used) >= MAX_EMOJIS:
                raise TooManyReactions
        if await reactions.insert(work.cur, channel_id, message_id, emoji, ctx.user.id):
            added = events.reaction_added(
                message_id,
                granted.location,
                emoji,
                author_id=message.author.id,
                user_id=ctx.user.id,
                member=granted.member,
            )
            work.emit(*added)


async def remove(
    ctx: Context, channel_id: ChannelId, message_id: MessageId, emoji: str, user_id: UserId
) -> None:
    """Remove the caller's own reaction, or with MANAGE_MESSAGES that of another user.

    Raises UnknownChannel, MissingAccess, MissingPermissions, UnknownMessage, UnknownEmoji.
    """
    _require_emoji(emoji)
    async with ctx.begin() as work:
        granted, message = await _locked_message(ctx, work, channel_id, message_id)
        if user_id != ctx.user.id:
            granted.require(Permissions.MANAGE_MESSAGES)
        if await reactions.delete(work.cur, channel_id, message_id, emoji, user_id):
            work.emit(*events.reaction_removed(message, granted.location, emoji, user_id))


async def clear(ctx: Context, channel_id: ChannelId, message_id: MessageId) -> None:
    """Remove all reactions to a message. Needs MANAGE_MESSAGES.

    Raises UnknownChannel, MissingAccess, MissingPermissions, UnknownMessage.
    """
    async with ctx.begin() as work:
        granted, message = await _locked_message(ctx, work, channel_id, message_id)
        granted.require(Permissions.MANAGE_MESSAGES)
        if await _clear(ctx, work, channel_id, message_id):
            work.emit(*events.reactions_removed(message, granted.location))


async def clear_emoji(
    ctx: Context, channel_id: ChannelId, message_id: MessageId, emoji: str
) -> None:
    """Remove all reactions with one emoji. Needs MANAGE_MESSAGES.

    Raises UnknownChannel, MissingAccess, MissingPermissions, UnknownMessage, UnknownEmoji.
    """
    _require_emoji(emoji)
    async with ctx.begin() as work:
        granted, message = await _locked_message(ctx, work, channel_id, message_id)
        granted.require(Permissions.MANAGE_MESSAGES)
        if await _clear(ctx, work, channel_id, message_id, emoji):
            work.emit(*events.emoji_removed(message, granted.location, emoji))


async def page(
    ctx: Context,
    channel_id: ChannelId,
    message_id: MessageId,
    emoji: str,
    *,
    after: int,
    limit: int,
    burst: bool,
) -> list[User]:
    """Return users that have reacted with an emoji, by ascending id. Needs READ_MESSAGE_HISTORY.

    With `burst`, returns none: this server has no burst reactions. Raises UnknownChannel,
    MissingAccess, MissingPermissions, UnknownMessage, UnknownEmoji.
    """
    _require_emoji(emoji)
    async with ctx.database.cursor() as cur:
        granted = await access.channel(cur, ctx.user.id, channel_id)
        granted.require(Permissions.READ_MESSAGE_HISTORY)
        await get_existing(cur, ctx, channel_id, message_id)
        if burst:
            return []
        return await reactions.page(cur, channel_id, message_id, emoji, after=after, limit=limit)


async def _clear(
    ctx: Context,
    work: UnitOfWork,
    channel_id: ChannelId,
    message_id: MessageId,
    emoji: str | None = None,
) -> bool:
    """Delete reactions, at most MAX_CLEARED now. Returns False if there are none.

    The background task deletes the others moments later. Until then, clients may still see them.
    """
    count = await reactions.delete_batch(work.cur, channel_id, message_id, emoji, limit=MAX_CLEARED)
    if count == MAX_CLEARED:
        await reactions.schedule_deletion(work.cur, channel_id, message_id, emoji)
        ctx.dependencies.deletions_added.set()
    return count > 0


async def _locked_message(
    ctx: Context, work: UnitOfWork, channel_id: ChannelId, message_id: MessageId
) -> tuple[AnyAccess, Message]:
    """Lock a channel. Return the caller's access to it, and a message without its reactions.

    Counting the reactions would hold the lock for long.

    Raises UnknownChannel, MissingAccess, UnknownMessage.
    """
    granted = await access.locked_channel(work, ctx.user.id, channel_id)
    message = await history.get_bare(work.cur, ctx.viewer, channel_id, message_id)
    if message is None:
        raise UnknownMessage
    return granted, message


def _require_emoji(emoji: str) -> None:
    """Raise UnknownEmoji unless this is a Unicode emoji: this server has no custom emojis."""
    if not is_emoji(emoji):
        raise UnknownEmoji
