"""What was decided on who may do what in a channel, for the routes that are called the most."""

from __future__ import annotations

from collections import OrderedDict

from chatd.context import Context
from chatd.core.ids import ChannelId, UserId
from chatd.services import access
from chatd.services.access import AnyAccess, ChannelAccess


class Grants:
    """Who may do what in which channel, remembered at a version of the guild.

    What is remembered may have been withdrawn since, on whichever instance. So whoever goes by it
    has the version checked by the statement that it is for. Outside of guilds there is no version,
    and it is decided anew.
    """

    _REMEMBERED = 50_000
    _OVERWRITES = 200_000  # of all those channels together; one can have a thousand

    def __init__(self) -> None:
        self._granted: OrderedDict[tuple[UserId, ChannelId], AnyAccess] = OrderedDict()
        self._overwrites = 0

    def known(self, ctx: Context, channel_id: ChannelId) -> AnyAccess | None:
        """What the caller could do in a channel, as far as that is remembered."""
        return self._granted.get((ctx.user.id, channel_id))

    async def decide(self, ctx: Context, channel_id: ChannelId) -> AnyAccess:
        """What the caller may do in a channel now. Raises what `access.channel` raises."""
        async with ctx.database.cursor() as cur:
            granted = await access.channel(cur, ctx.user.id, channel_id)
        self.remember(ctx.user.id, granted)
        return granted

    def remember(self, user_id: UserId, granted: AnyAccess) -> None:
        """Keep what a user may do in a channel, instead of the oldest when it is too much."""
        key = user_id, granted.channel.id
        self._forget(key)
        self._granted[key] = granted
        self._overwrites += _overwrites(granted)
        while len(self._granted) > self._REMEMBERED or self._overwrites > self._OVERWRITES:
            self._forget(next(iter(self._granted)))

    def forget(self, ctx: Context, channel_id: ChannelId) -> None:
        """Decide anew the next time."""
        self._forget((ctx.user.id, channel_id))

    def _forget(self, key: tuple[UserId, ChannelId]) -> None:
        if (granted := self._granted.pop(key, None)) is not None:
            self._overwrites -= _overwrites(granted)


def _overwrites(granted: AnyAccess) -> int:
    """How many are kept with what is remembered: they are most of it."""
    return len(granted.channel.overwrites) if isinstance(granted, ChannelAccess) else 0
