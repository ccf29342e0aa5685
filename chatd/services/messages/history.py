"""Message history: pages of a channel, which clients read whenever a user opens it."""

from __future__ import annotations

from collections.abc import Sequence

from chatd.context.context import Context
from chatd.core.ids import ChannelId
from chatd.core.models import Message, StoredText
from chatd.core.permissions import Permissions
from chatd.queries import history_pages
from chatd.queries.history_pages import HistoryRange
from chatd.services.access.access import AnyAccess, ChannelAccess
from chatd.services.access.access_cache import AccessCache
from chatd.services.messages.send import require_text_channel

_NEWEST = 2**63 - 1  # above every id


class MessageReader:
    """Reads pages of messages for users."""

    def __init__(self, access_cache: AccessCache) -> None:
        self._access_cache = access_cache

    async def page(
        self,
        ctx: Context,
        channel_id: ChannelId,
        *,
        limit: int,
        before: int | None,
        after: int | None,
        around: int | None,
    ) -> Sequence[Message | StoredText]:
        """Return messages of a channel, newest first. At most one of the three cursors is given.

        For a bot each is a Message, from which the content can be removed, and none a StoredText.
        Returns no messages without READ_MESSAGE_HISTORY. Raises UnknownChannel, MissingAccess,
        NotATextChannel.
        """
        if around is not None:
            granted = await self._access_cache.load(ctx, channel_id)
            older = limit // 2
            return [
                *await _read_at_version(
                    ctx, granted, HistoryRange(limit - older, after=around - 1)
                ),
                *await _read_at_version(ctx, granted, HistoryRange(older, before=around)),
            ]
        part = HistoryRange(limit, before=_NEWEST if before is None else before, after=after)
        known = self._access_cache.get(ctx, channel_id)
        if isinstance(known, ChannelAccess):
            found = await _read_at_version(ctx, known, part, version=known.version)
            if found:
                return found
            # The page is empty, or the access is stale.
            self._access_cache.invalidate(ctx, channel_id)
        return await _read_at_version(ctx, await self._access_cache.load(ctx, channel_id), part)


async def _read_at_version(
    ctx: Context, granted: AnyAccess, part: HistoryRange, *, version: int | None = None
) -> Sequence[Message | StoredText]:
    """Return a page; an empty one if `version` is not the guild's current permission version."""
    require_text_channel(granted)
    if Permissions.READ_MESSAGE_HISTORY not in granted.permissions:
        return []
    location = granted.location
    async with ctx.database.cursor() as cur:
        read = history_pages.page if ctx.user.bot else history_pages.shown_page
        return await read(cur, ctx.viewer, location, part, version=version)
