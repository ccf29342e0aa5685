"""A cache of channel access, for the routes that are called most: reading and sending messages."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from chatd.context.context import Context
from chatd.core.errors import MissingAccess
from chatd.core.ids import ChannelId, GuildId, StreamId, UserId
from chatd.core.models import BareChannel
from chatd.core.overwrites import Overwrite
from chatd.queries import access as queries
from chatd.queries import streams
from chatd.services.access import access
from chatd.services.access.access import AnyAccess, ChannelAccess

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class _Bounded(Generic[K, V]):
    """A dictionary with a bounded number of entries and of role ids in them."""

    MAX_ROLE_IDS = 200_000
    """The role ids of all entries together, which are most of their size. A member has up to 249,
    so a bound of entries alone would not bound the memory."""

    def __init__(self, max_entries: int) -> None:
        self._max_entries = max_entries
        self._entries: OrderedDict[K, V] = OrderedDict()
        self._role_ids = 0

    def get(self, key: K) -> V | None:
        """Return an entry, or None."""
        return self._entries.get(key)

    def put(self, key: K, entry: V) -> None:
        """Set an entry, and evict the oldest ones beyond the bounds."""
        self.remove(key)
        self._entries[key] = entry
        self._role_ids += _role_ids(entry)
        while len(self._entries) > self._max_entries or self._role_ids > self.MAX_ROLE_IDS:
            self.remove(next(iter(self._entries)))

    def remove(self, key: K) -> None:
        """Remove an entry, if it exists."""
        if (entry := self._entries.pop(key, None)) is not None:
            self._role_ids -= _role_ids(entry)


@dataclass(frozen=True, slots=True)
class _Shared:
    """A channel with all its overwrites, at a permission version of its guild."""

    channel: BareChannel
    guild_id: GuildId
    version: int
    overwrites: tuple[Overwrite, ...]


class AccessCache:
    """The access of users to channels, each entry at a permission version of the guild.

    Any instance may have changed the permissions since an entry was loaded. So a statement that
    relies on an entry has to compare the version. Private channels have no version: callers have
    to read their access again before they rely on it.

    A member usually comes to a channel that another member has loaded, from another channel of the
    guild. Its access follows from these two entries, if they are of one version.
    """

    _MAX_ENTRIES = 50_000
    """An entry without role ids takes about 1.4 kB, so all of them take 70 MB. One that follows
    from others shares their objects, and takes a fifth."""
    _MAX_MEMBERS = 50_000
    """Members are entries of the first kind: the same ones, or up to 70 MB of evicted ones."""
    _MAX_CHANNELS = 10_000
    """A channel takes 0.5 kB, and 0.2 kB for each of at most 20 overwrites: 45 MB."""

    def __init__(self) -> None:
        self._entries = _Bounded[tuple[UserId, ChannelId], AnyAccess](self._MAX_ENTRIES)
        self._members = _Bounded[tuple[UserId, GuildId], ChannelAccess](self._MAX_MEMBERS)
        self._channels = _Bounded[ChannelId, _Shared](self._MAX_CHANNELS)

    def get(self, ctx: Context, channel_id: ChannelId) -> AnyAccess | None:
        """Return the cached access of the caller to a channel, or None."""
        user_id = ctx.caller.user.id
        known = self._entries.get((user_id, channel_id))
        return known or self._derived(user_id, channel_id)

    def _derived(self, user_id: UserId, channel_id: ChannelId) -> ChannelAccess | None:
        """Return the access that follows from the entries of the member and of the channel."""
        shared = self._channels.get(channel_id)
        if shared is None:
            return None
        member = self._members.get((user_id, shared.guild_id))
        if member is None or member.version != shared.version:
            return None
        try:
            granted = member.for_channel(shared.channel, shared.overwrites)
        except MissingAccess:
            return None  # loading it raises this, if it is still so
        self._entries.put((user_id, channel_id), granted)
        return granted

    async def load(self, ctx: Context, channel_id: ChannelId) -> AnyAccess:
        """Read the current access of the caller to a channel, and cache it.

        Raises what `access.channel` raises.
        """
        user_id = ctx.user.id
        async with ctx.database.cursor() as cur:
            row = await queries.in_channel(cur, channel_id, user_id, for_all=True)
            granted = await access.for_row(cur, user_id, channel_id, row)
        self.put(user_id, granted)
        if isinstance(granted, ChannelAccess) and row is not None and row.has_all_overwrites:
            shared = _Shared(granted.channel, granted.guild.id, granted.version, row.overwrites)
            self._channels.put(channel_id, shared)
        return granted

    async def current(self, ctx: Context, channel_id: ChannelId) -> AnyAccess:
        """Return the present access of the caller to a channel.

        It is the cached one if the guild still has its permission version. Reading the version
        costs Postgres a quarter of reading the access. Raises what `access.channel` raises.
        """
        known = self.get_untimed(ctx, channel_id)
        if known is not None:
            async with ctx.database.cursor() as cur:
                version = await streams.version(cur, StreamId(known.guild.id))
            if version == known.version:
                return known
            self.invalidate(ctx, channel_id)
        return await self.load(ctx, channel_id)

    def get_untimed(self, ctx: Context, channel_id: ChannelId) -> ChannelAccess | None:
        """Return the cached access of the caller to a channel of a guild, with its present account.

        It is what a query would return as long as the guild has its permission version: a change of
        the account raises no version, and a timeout ends without one. So this returns None during
        a timeout.
        """
        known = self.get(ctx, channel_id)
        if not isinstance(known, ChannelAccess) or known.timed_out:
            return None
        if known.member.user != ctx.user:
            return replace(known, member=replace(known.member, user=ctx.user))
        return known

    def put(self, user_id: UserId, granted: AnyAccess) -> None:
        """Cache the access of a user."""
        self._entries.put((user_id, granted.channel.id), granted)
        # A timeout ends, and a second factor can be added, without a new version.
        if isinstance(granted, ChannelAccess) and not (granted.timed_out or granted.lacks_mfa):
            self._members.put((user_id, granted.guild.id), granted)

    def invalidate(self, ctx: Context, channel_id: ChannelId) -> None:
        """Remove the access of the caller to a channel, and that from which it would follow."""
        key = ctx.user.id, channel_id
        known = self._entries.get(key)
        self._entries.remove(key)
        self._channels.remove(channel_id)
        if isinstance(known, ChannelAccess):
            self._members.remove((ctx.user.id, known.guild.id))


def _role_ids(entry: object) -> int:
    """Return how many role ids an entry keeps."""
    return len(entry.member.roles) if isinstance(entry, ChannelAccess) else 0
