"""Privileged data over REST: applications receive it only with the flag of a privileged intent.

REST checks the same flags as the gateway. User accounts need none. Rule: Discord docs, Gateway,
"Privileged Intents" and "Message Content Intent".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from chatd.context.context import Context
from chatd.core.errors import MissingAccess
from chatd.core.models import ApplicationFlags, Message, User
from chatd.db.cursor import Cursor
from chatd.queries import applications


async def require(cur: Cursor, ctx: Context, needed: ApplicationFlags) -> None:
    """Raise MissingAccess for an application with none of these flags."""
    if ctx.user.bot and not await applications.flags(cur, ctx.user.id) & needed:
        raise MissingAccess


async def shown(ctx: Context, found: Sequence[Message]) -> Sequence[Message]:
    """Return messages with the content that the caller may read.

    An application without MESSAGE_CONTENT reads its own messages, those that mention it, and those
    of private channels. All other messages, also as references, are returned without content.
    """
    if not ctx.user.bot:
        return found
    redacted = [_redacted(each, ctx.user) for each in found]
    if redacted == list(found):
        return found
    async with ctx.database.cursor() as cur:
        flags = await applications.flags(cur, ctx.user.id)
    return found if flags & ApplicationFlags.MESSAGE_CONTENT else redacted


def _redacted(message: Message, bot: User) -> Message:
    """Return a message as an application without MESSAGE_CONTENT receives it."""
    if message.guild_id is None:
        return message
    if not _is_by_or_mentions(message, bot):
        reference = None if message.reference is None else _without_content(message.reference)
        return replace(_without_content(message), reference=reference)
    if message.reference is not None and not _is_by_or_mentions(message.reference, bot):
        return replace(message, reference=_without_content(message.reference))
    return message


def _is_by_or_mentions(message: Message, bot: User) -> bool:
    return any(user.id == bot.id for user in (message.author, *message.mentions))


def _without_content(message: Message) -> Message:
    return replace(message, content="", embeds=(), attachments=(), components=())
