"""Typing indicators: TYPING_START, which clients show for ten seconds."""

from __future__ import annotations

from datetime import UTC, datetime

from chatd.context.context import Context
from chatd.core.ids import ChannelId
from chatd.core.permissions import Permissions
from chatd.events import messages as events
from chatd.services.access.access_cache import AccessCache
from chatd.services.messages.send import require_text_channel


async def start_typing(ctx: Context, access_cache: AccessCache, channel_id: ChannelId) -> None:
    """Send TYPING_START for the caller. Needs SEND_MESSAGES.

    Raises UnknownChannel, MissingAccess, MissingPermissions, NotATextChannel.
    """
    granted = await access_cache.current(ctx, channel_id)
    require_text_channel(granted)
    granted.require(Permissions.SEND_MESSAGES)
    now_s = int(datetime.now(UTC).timestamp())
    started = events.typing_started(granted.location, ctx.user.id, granted.member, now_s)
    await ctx.dependencies.bus.publish(started)
