"""A cache of channel access, for the routes that are called most: reading and sending messages."""

from __future__ import annotations

from collections import OrderedDict

from chatd.context.context import Context
from chatd.core.ids import ChannelId, UserId
from chatd.services.access import access
from chatd.services.access.access import AnyAccess, ChannelAccess


class AccessCache:
    """The access of users to channels, each entry at a permission version of the guild.

    Any instance may have changed the permissions since an entry was loaded. So a statement that
    relies on an entry has to compare the version. Private channels have no version: callers have
    to read their access again before they rely on it.
    """

    _MAX_ENTRIES = 50_000
    """An entry without role ids takes about 1.4 kB, so all of them take 70 MB."""
    _MAX_ROLE_IDS = 200_000
    """The role ids of all entries together, which are most of their size. A member has up to 249,
    so a bound of entries alone would not bound the memory."""

    def __init__(self) -> None:
        self._entries: OrderedDict[tuple[UserId, ChannelId], AnyAccess] = OrderedDict()
        self._role_ids = 0

    def get(self, ctx: Context, channel_id: ChannelId) -> AnyAccess | None:
        """Return the cached access of the caller to a channel, or None."""
        return self._entries.get((ctx.user.id, channel_id))

    async def load(self, ctx: Context, channel_id: ChannelId) -> AnyAccess:
        """Read the current access of the caller to a channel, and cache it.

        Raises what `access.channel` raises.
        """
        async with ctx.database.cursor() as cur:
            granted = await access.channel(cur, ctx.user.id, channel_id)
        self.put(ctx.user.id, granted)
        return granted

    def put(self, user_id: UserId, granted: AnyAccess) -> None:
        """Cache the access of a user, and evict the oldest entries beyond the bounds."""
        key = user_id, granted.channel.id
        self._remove(key)
        self._entries[key] = granted
        self._role_ids += _role_ids(granted)
        while len(self._entries) > self._MAX_ENTRIES or self._role_ids > self._MAX_ROLE_IDS:
            self._remove(next(iter(self._entries)))

    def invalidate(self, ctx: Context, channel_id: ChannelId) -> None:
        """Remove the access of the caller to a channel."""
        self._remove((ctx.user.id, channel_id))

    def _remove(self, key: tuple[UserId, ChannelId]) -> None:
        if (granted := self._entries.pop(key, None)) is not None:
            self._role_ids -= _role_ids(granted)


def _role_ids(granted: AnyAccess) -> int:
    """Return how many role ids an entry keeps."""
    return len(granted.member.roles) if isinstance(granted, ChannelAccess) else 0
