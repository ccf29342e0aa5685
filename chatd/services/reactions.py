"""Reactions: adding, taking back, listing and clearing them."""

from __future__ import annotations

import emoji as unicode_emoji

from chatd.context import Context, Work
from chatd.core.errors import TooManyReactions, UnknownEmoji
from chatd.core.ids import ChannelId, MessageId, UserId
from chatd.core.models import Message, User
from chatd.core.permissions import Permissions
from chatd.events import reactions as events
from chatd.queries import reactions
from chatd.services import access
from chatd.services.access import AnyAccess
from chatd.services.messages import existing

MAX_EMOJIS = 20
"""With how many different emojis a message can be reacted to."""


async def add(ctx: Context, channel_id: ChannelId, message_id: MessageId, emoji: str) -> None:
    """React to a message. Needs READ_MESSAGE_HISTORY, and ADD_REACTIONS for a new emoji.

    Raises UnknownChannel, MissingAccess, MissingPermissions, UnknownMessage, UnknownEmoji,
    TooManyReactions.
    """
    _require_emoji(emoji)
    async with ctx.begin() as work:
        granted, message = await _message(ctx, work, channel_id, message_id)
        granted.require(Permissions.READ_MESSAGE_HISTORY)
        used = await reactions.emojis(work.cur, channel_id, message_id)
        if emoji not in used:
            granted.require(Permissions.ADD_REACTIONS)
            if len(used) >= MAX_EMOJIS:
                raise TooManyReactions
        if await reactions.insert(work.cur, channel_id, message_id, emoji, ctx.user.id):
            told = events.reaction_added(message, granted.place, emoji, ctx.user.id, granted.member)
            work.emit(*told)


async def remove(
    ctx: Context, channel_id: ChannelId, message_id: MessageId, emoji: str, user_id: UserId
) -> None:
    """Take back one's own reaction, or with MANAGE_MESSAGES that of another.

    Raises UnknownChannel, MissingAccess, MissingPermissions, UnknownMessage, UnknownEmoji.
    """
    _require_emoji(emoji)
    async with ctx.begin() as work:
        granted, message = await _message(ctx, work, channel_id, message_id)
        if user_id != ctx.user.id:
            granted.require(Permissions.MANAGE_MESSAGES)
        if await reactions.delete(work.cur, channel_id, message_id, emoji, user_id):
            work.emit(*events.reaction_removed(message, granted.place, emoji, user_id))


async def clear(ctx: Context, channel_id: ChannelId, message_id: MessageId) -> None:
    """Take away all reactions to a message. Needs MANAGE_MESSAGES.

    Raises UnknownChannel, MissingAccess, MissingPermissions, UnknownMessage.
    """
    async with ctx.begin() as work:
        granted, message = await _message(ctx, work, channel_id, message_id)
        granted.require(Permissions.MANAGE_MESSAGES)
        if await reactions.delete_all(work.cur, channel_id, message_id):
            work.emit(*events.reactions_removed(message, granted.place))


async def clear_emoji(
    ctx: Context, channel_id: ChannelId, message_id: MessageId, emoji: str
) -> None:
    """Take away all reactions with one emoji. Needs MANAGE_MESSAGES.

    Raises UnknownChannel, MissingAccess, MissingPermissions, UnknownMessage, UnknownEmoji.
    """
    _require_emoji(emoji)
    async with ctx.begin() as work:
        granted, message = await _message(ctx, work, channel_id, message_id)
        granted.require(Permissions.MANAGE_MESSAGES)
        if await reactions.delete_all(work.cur, channel_id, message_id, emoji):
            work.emit(*events.emoji_removed(message, granted.place, emoji))


async def page(
    ctx: Context,
    channel_id: ChannelId,
    message_id: MessageId,
    emoji: str,
    *,
    after: int,
    limit: int,
) -> list[User]:
    """Who has reacted so, in the order of ids. Needs READ_MESSAGE_HISTORY.

    Raises UnknownChannel, MissingAccess, MissingPermissions, UnknownMessage, UnknownEmoji.
    """
    _require_emoji(emoji)
    async with ctx.database.cursor() as cur:
        granted = await access.channel(cur, ctx.user.id, channel_id)
        granted.require(Permissions.READ_MESSAGE_HISTORY)
        await existing(cur, ctx, channel_id, message_id)
        return await reactions.page(cur, channel_id, message_id, emoji, after=after, limit=limit)


async def _message(
    ctx: Context, work: Work, channel_id: ChannelId, message_id: MessageId
) -> tuple[AnyAccess, Message]:
    granted = await access.locked_channel(work, ctx.user.id, channel_id)
    return granted, await existing(work.cur, ctx, channel_id, message_id)


def _require_emoji(emoji: str) -> None:
    """Unicode emoji only: this server has no emojis of its own yet, so every other is unknown."""
    if len(emoji) > 64 or not unicode_emoji.is_emoji(emoji):
        raise UnknownEmoji
