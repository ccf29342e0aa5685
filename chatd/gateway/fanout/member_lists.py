"""Member lists: the members of a guild that user clients show beside a channel.

A client requests windows of a channel's list: the parts that it shows. The list changes when a
member joins, leaves, or gets another presence, name or role. Then the client receives operations
that change its windows in the same way (`core.member_list`), in a GUILD_MEMBER_LIST_UPDATE.

Costs, all in time slices:

- The members of a guild are read when the first client requests a list. 100,000 members that are
  online take 1.8 s of CPU time and 95 MB. They are dropped a minute after the last client has ended
  its lists.
- Changes are collected for `_INTERVAL_S`. One costs 0.2 ms in each list, 1,000 cost 8 to 50 ms.
  Sessions with the same windows share an encoded update. After many changes, an update contains the
  whole windows instead of operations.
- When roles or channels change, the lists are built again. 100,000 members take 0.3 s of CPU time.
  Pauses keep this below a tenth of the time.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import partial

from chatd.core.errors import ServiceUnavailable
from chatd.core.ids import ChannelId, GuildId, StreamId, UserId
from chatd.core.json import JsonObject
from chatd.core.member_list import Window
from chatd.core.presence_table import PresenceTable
from chatd.db.pool import Database
from chatd.events import members as events
from chatd.gateway.fanout.delivery_queue import DeliveryQueue
from chatd.gateway.fanout.guild_feed import GuildFeed
from chatd.gateway.fanout.guild_lists import GuildLists
from chatd.gateway.fanout.hub import Hub
from chatd.gateway.session.session import Session
from chatd.wire import payloads
from chatd.wire.schemas.gateway import WINDOW_SIZE

log = logging.getLogger(__name__)

_INTERVAL_S = 0.5
"""How often in seconds lists are updated."""

_KEPT_S = 60.0
"""How long in seconds the members of a guild are kept while no session has a list. So they are not
read again for a client that ends its lists and requests them again."""

_BUILT_PER_LISTED = 3
"""How many members can be sorted into a list in the time that sending one takes, which is 10 us.
The throttle also counts sorting, because a client may request lists of other channels each time,
and have one built for each request."""

MAX_GUILDS = 10
"""The maximum of guilds whose lists one session can have. When it requests those of one more, its
lists of one of the others end."""


class MemberLists:
    """All member lists of this instance."""

    def __init__(
        self,
        hub: Hub,
        database: Database,
        *,
        presence_table: PresenceTable,
        delivery_queue: DeliveryQueue,
    ) -> None:
        self._hub = hub
        self._database = database
        self._presence_table = presence_table
        self._delivery_queue = delivery_queue
        self._guilds: dict[GuildId, GuildLists] = {}

    def mark(self, guild_ids: Iterable[GuildId], user_id: UserId) -> None:
        """Note that the presence of a user changed in these guilds."""
        if self._guilds:
            for guild_id in guild_ids:
                if (lists := self._guilds.get(guild_id)) is not None:
                    lists.members.mark(user_id)

    def cost(
        self, session: Session, guild_id: GuildId, channels: Mapping[ChannelId, Sequence[Window]]
    ) -> int:
        """Return what `subscribe` costs, in members that are listed for a client."""
        if all(each.stream != StreamId(guild_id) for each in session.feeds):
            return 0  # `subscribe` does nothing then
        lists = self._guilds.get(guild_id)
        built = 0 if lists is None else lists.members_to_build(session, channels)
        return WINDOW_SIZE * sum(map(len, channels.values())) + built // _BUILT_PER_LISTED

    async def subscribe(
        self,
        session: Session,
        guild_id: GuildId,
        channels: Mapping[ChannelId, Sequence[Window]],
    ) -> None:
        """Replace the windows that a session has of the lists of a guild, and send them.

        Channels that the session cannot see are left out. Bots get no lists: these have members and
        presences, for which bots need privileged intents. Raises ServiceUnavailable.
        """
        feed = self._hub.feed(StreamId(guild_id))
        if session.is_bot or not isinstance(feed, GuildFeed) or feed not in session.feeds:
            return
        session.member_lists.pop(guild_id, None)
        if channels:
            session.member_lists[guild_id] = channels
        lists = self._guilds.get(guild_id)
        if lists is None or lists.feed is not feed:
            if not channels:
                return
            lists = self._guilds[guild_id] = GuildLists(
                feed, self._presence_table, send=partial(self._send, guild_id)
            )
        self._bound_guilds(session, guild_id)
        async with lists.lock:
            if self._guilds.get(guild_id) is not lists:  # dropped during the await
                self._guilds[guild_id] = lists
                lists.reuse()
            await lists.subscribe(self._database, session, channels)

    async def run(self) -> None:
        """Update the lists until cancelled."""
        while True:
            await asyncio.sleep(_INTERVAL_S)
            await self.update()

    async def update(self) -> None:
        """Send what changed since the last update."""
        for lists in list(self._guilds.values()):
            if lists.lock.locked():
                continue  # its members are being read, which may take seconds
            async with lists.lock:
                try:
                    await lists.update(self._database)
                except ServiceUnavailable as error:
                    log.info("member lists are late: %s", error)
            self._drop_if_unused(lists)

    def _send(self, guild_id: GuildId, body: JsonObject, sessions: Collection[Session]) -> None:
        """Deliver an update to these sessions."""
        event = events.member_list_updated(guild_id, payloads.encode(body))
        self._delivery_queue.add(event, sessions)

    def _bound_guilds(self, session: Session, guild_id: GuildId) -> None:
        """End the session's lists of another guild, if it has lists of too many guilds."""
        listed = [each for each in self._guilds.values() if each.has(session)]
        if len(listed) >= MAX_GUILDS and guild_id not in [each.members.guild_id for each in listed]:
            listed[0].remove(session)
            session.member_lists.pop(listed[0].members.guild_id, None)

    def _drop_if_unused(self, lists: GuildLists) -> None:
        now = asyncio.get_running_loop().time()
        if not lists.is_unused:
            lists.used_at = now
        elif now - lists.used_at > _KEPT_S and self._guilds.get(lists.members.guild_id) is lists:
            del self._guilds[lists.members.guild_id]
            lists.feed.remove_listener(lists.members)
            self._hub.drop_if_unused(lists.feed)
