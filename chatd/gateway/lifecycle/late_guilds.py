"""Late guilds: guilds whose data is too large to be read with READY."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from chatd.core.errors import ServiceUnavailable
from chatd.core.ids import GuildId, StreamId
from chatd.core.intents import Intents
from chatd.core.json import JsonObject
from chatd.db.pool import Database
from chatd.gateway.fanout.guild_feed import GuildFeed
from chatd.gateway.fanout.hub import Hub
from chatd.gateway.lifecycle.startup_listener import (
    ATTEMPTS,
    CATCH_UP_S,
    BufferingListener,
    encode_guilds,
)
from chatd.gateway.session.session import Session
from chatd.services import guild_snapshot
from chatd.services.guild_snapshot import GuildSnapshot
from chatd.wire import payloads
from chatd.wire.payloads import client_ready


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
            for guild_id in self._guild_ids:
                feed = self._hub.guild_feed(guild_id)
                if feed in session.feeds:
                    continue  # the user left the guild and joined it again
                if guild_id in found:
                    self._send_guild_create(found[guild_id], bodies[guild_id])
                    own = found[guild_id].own
                    feed.add_member_session(session, own.roles, own.timeout_end)
                else:
                    body = payloads.encode({"id": str(guild_id)})
                    self._send("GUILD_DELETE", body, Intents.GUILDS)
            positions = {StreamId(each): guild.seq for each, guild in found.items()}
            self._buffered = [each for each in self._buffered if each[0].stream in positions]
            self._replay_buffered(positions)
        finally:
            self._hub.remove_startup(session.user_id, self, self._feeds)

    async def _consistent_snapshots(
        self,
    ) -> tuple[dict[GuildId, GuildSnapshot], dict[GuildId, bytes]]:
        """Read the guilds of this part so that the buffered events continue them.

        Returns them and their encoded payloads. Raises ServiceUnavailable, DatabaseUnavailable.
        """
        for _ in range(ATTEMPTS):
            wanted = [each for each in self._guild_ids if not self._session.follows(each)]
            feeds = {guild_id: self._hub.guild_feed(guild_id) for guild_id in wanted}
            self._listen(feeds.values())
            read = await self._read(wanted)
            bodies = await encode_guilds(read, self._render)
            await self._start_feeds(feeds, read)
            positions = {feeds[guild.guild.id]: guild.seq for guild in read}
            if await _catch_up(positions) and self._is_consistent(positions):
                return {each.guild.id: each for each in read}, bodies
        raise ServiceUnavailable

    def _is_consistent(self, positions: Mapping[GuildFeed, int]) -> bool:
        """Return whether the buffered events continue the snapshots at these positions."""
        is_continued = all(self._is_continued(*each) for each in positions.items())
        return is_continued and not self._is_stale

    async def _read(self, guild_ids: Sequence[GuildId]) -> list[GuildSnapshot]:
        """Read those of these guilds that the user is a member of, in one snapshot."""
        transaction = await self._database.begin(snapshot=True)
        try:
            return await guild_snapshot.list_for_user(
                transaction.cur,
                self._session.user_id,
                large_threshold=self._large_threshold,
                only=guild_ids,
            )
        finally:
            await transaction.rollback()

    def _render(self, guild: GuildSnapshot) -> JsonObject:
        client = self._session.user_client
        return (
            guild.state() if client is None else client_ready.guild_created(guild.state(), client)
        )


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
