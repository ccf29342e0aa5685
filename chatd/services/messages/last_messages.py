"""The last messages of several channels, which user clients request over the gateway."""

from __future__ import annotations

from collections.abc import Iterable

from chatd.auth.signed_urls import SignedUrls
from chatd.core.errors import ApiError
from chatd.core.ids import ChannelId, GuildId, UserId
from chatd.core.models import Message
from chatd.core.permissions import Permissions
from chatd.db.pool import Database
from chatd.queries import history_pages
from chatd.queries.history import Viewer
from chatd.queries.history_pages import HistoryRange
from chatd.services.access import access

_NEWEST = HistoryRange(1, before=2**63 - 1)
_NEEDED = Permissions.VIEW_CHANNEL | Permissions.READ_MESSAGE_HISTORY


async def read(
    database: Database,
    signed_urls: SignedUrls,
    user_id: UserId,
    guild_id: GuildId,
    channel_ids: Iterable[ChannelId],
) -> list[Message]:
    """Return the last message of each channel of a guild that the user can read.

    Other channels are left out. Raises ServiceUnavailable, DatabaseUnavailable.
    """
    viewer = Viewer(user_id, signed_urls)
    found: list[Message] = []
    for channel_id in dict.fromkeys(channel_ids):
        async with database.cursor() as cur:
            try:
                granted = await access.guild_channel(cur, user_id, channel_id)
            except ApiError:
                continue
            if granted.guild.id == guild_id and _NEEDED in granted.permissions:
                found += await history_pages.page(cur, viewer, granted.location, _NEWEST)
    return found
