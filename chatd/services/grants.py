"""What was decided on who may do what in a channel, for the routes that are called the most."""

from __future__ import annotations

from collections import OrderedDict

from chatd.context import Context
from chatd.core.ids import ChannelId, UserId
from chatd.services import access
from chatd.services.access import AnyAccess


class Grants:
    """Who may do what in which channel, remembered at a version of the guild.

    What is remembered may have been withdrawn since, on whichever instance. So whoever goes by it
    has the version checked by the statement that it is for. Outside of guilds there is no version,
    and it is decided anew.
    """

    _REMEMBERED = 50_000

    def __init__(self) -> None:
        self._granted: OrderedDict[tuple[UserId, ChannelId], AnyAccess] = OrderedDict()

    def known(self, ctx: Context, channel_id: ChannelId) -> AnyAccess | None:
        """What the caller could do in a channel, as far as that is remembered."""
        return self._granted.get((ctx.user.id, channel_id))

    async def decide(self, ctx: Context, channel_id: ChannelId) -> AnyAccess:
        """What the caller may do in a channel now. Raises what `access.channel` raises."""
        async with ctx.database.cursor() as cur:
            granted = await access.channel(cur, ctx.user.id, channel_id)
        self._granted[ctx.user.id, channel_id] = granted
        while len(self._granted) > self._REMEMBERED:
            self._granted.popitem(last=False)
        return granted

    def forget(self, ctx: Context, channel_id: ChannelId) -> None:
        """Decide anew the next time."""
        self._granted.pop((ctx.user.id, channel_id), None)
