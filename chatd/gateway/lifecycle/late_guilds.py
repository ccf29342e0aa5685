"""Late guilds: guilds whose data is too large to be read with READY."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from chatd.core.errors import ServiceUnavailable
from chatd.core.ids import GuildId, StreamId
from chatd.core.intents import Intents
from chatd.db.pool import Database
from chatd.gateway.fanout.guild_feed import GuildFeed
from chatd.gateway.fanout.hub import Hub
from chatd.gateway.lifecycle.startup_listener import (
    ATTEMPTS,
    CATCH_UP_S,
    BufferingListener,
)
from chatd.gateway.session.session import Session
from chatd.services import guild_snapshot
from chatd.services.guild_snapshot import (
    KnownGuilds,
    OwnMembership,
    UserGuilds,
)
from chatd.wire import payloads


class LateGuilds(BufferingListener):
    """Sends one part of the guilds. Used once."""

    def __init__(
        self,
        database: Database,
        hub: Hub,
        session: Session,
        guild_ids: Sequence[GuildId],
        *,
        large_threshold: int,
    ) -> None:
        super().__init__(database, hub, session)
        self._guild_ids = guild_ids
        self._large_threshold = large_threshold

    async def send(self) -> None:
        """Send GUILD_CREATE for each guild of this part, and let the session follow its feed.

        A guild that the user has left since READY is sent as GUILD_DELETE. Raises
        ServiceUnavailable, DatabaseUnavailable; then the client has to identify again.
        """
        session = self._session
        self._hub.add_startup(session.user_id, self)
        try:
            found, bodies = await self._consistent_snapshots()
            # The code from here to the end does not await, so the feeds do not change.
            positions: dict[StreamId, int] = {}
            for guild_id in self._guild_ids:
                feed = self._hub.guild_feed(guild_id)
                if feed in session.feeds:
                    continue  # the user left the guild and joined it again
                if guild_id in found:
                    self._send("GUILD_CREATE", bodies[guild_id], Intents.GUILDS)
                    own, own_seq = found[guild_id].own, found[guild_id].seq
                    feed.add_member_session(session, own.roles, own.timeout_end)
                    position = feed.position
                    positions[feed.stream] = own_seq if position is None else position
                else:
                    body = payloads.encode({"id": str(guild_id)})
                    self._send("GUILD_DELETE", body, Intents.GUILDS)
            self._buffered = [each for each in self._buffered if each[0].stream in positions]
            self._replay_buffered(positions)
        finally:
            self._hub.remove_startup(session.user_id, self, self._feeds)

    async def _consistent_snapshots(
        self,
    ) -> tuple[dict[GuildId, OwnMembership], Mapping[GuildId, bytes]]:
        """Read the guilds of this part so that the buffered events continue them.

        Returns the memberships and the GUILD_CREATE of each. Raises ServiceUnavailable,
        DatabaseUnavailable.
        """
        for _ in range(ATTEMPTS):
            wanted = [each for each in self._guild_ids if not self._session.follows(each)]
            feeds = {guild_id: self._hub.guild_feed(guild_id) for guild_id in wanted}
            self._listen(feeds.values())
            guilds = await self._read(wanted, self._known(feeds, self._large_threshold))
            encoded = await self._encode(guilds)
            await self._start_feeds(feeds, guilds.loaded.values())
            positions = {feeds[each.guild_id]: each.seq for each in guilds.memberships}
            if not await _catch_up(positions):
                continue
            bodies = await self._bodies(feeds, guilds, encoded, self._join)
            if bodies is not None:
                return {each.guild_id: each for each in guilds.memberships}, bodies
        raise ServiceUnavailable

    def _join(self, feed: GuildFeed, membership: OwnMembership) -> bytes | None:
        return self._guild_create(feed, membership.own, self._large_threshold)

    async def _read(self, guild_ids: Sequence[GuildId], known: KnownGuilds) -> UserGuilds:
        """Read those of these guilds that the user is a member of, in one snapshot."""
        transaction = await self._database.begin(snapshot=True)
        try:
            return await guild_snapshot.read_for_user_id(
                transaction.cur,
                self._session.user_id,
                large_threshold=self._large_threshold,
                known=known,
                is_wanted=guild_ids.__contains__,
            )
        finally:
            await transaction.rollback()


async def _catch_up(positions: Mapping[GuildFeed, int]) -> bool:
    """Wait until each feed has the events up to its position. Returns False after CATCH_UP_S.

    If events are lost, the gap monitor invalidates the feed.
    """
    try:
        async with asyncio.timeout(CATCH_UP_S):
            for feed, seq in positions.items():
                await feed.wait_for(seq)
    except TimeoutError:
        return False
    return True
