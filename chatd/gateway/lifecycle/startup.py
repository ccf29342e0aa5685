"""Session startup: READY, the guilds, and then the events after them, without gap or duplicate.

First it listens to the feeds of the user and its guilds, and buffers their events. Then it reads a
snapshot from Postgres, and sends it as READY and GUILD_CREATE. Last it sends the buffered events
that are newer than the snapshot. If visibility changed in between, or the user joined or left a
guild, it reads the snapshot again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import orjson

from chatd.core.errors import ServiceUnavailable
from chatd.core.ids import ChannelId, GuildId, StreamId
from chatd.core.intents import NO_INTENT
from chatd.core.json import JsonObject
from chatd.gateway.fanout.encoded_guild import EncodedGuild
from chatd.gateway.fanout.feed import Feed
from chatd.gateway.fanout.guild_feed import GuildFeed
from chatd.gateway.lifecycle import client_ready
from chatd.gateway.lifecycle.client_ready import ClientReady
from chatd.gateway.lifecycle.startup_listener import (
    ATTEMPTS,
    CATCH_UP_S,
    BufferingListener,
    JoinGuild,
)
from chatd.gateway.protocol.commands import Identify
from chatd.gateway.session import bot_filter
from chatd.gateway.session.session import SessionSink
from chatd.services import client_snapshot, guild_snapshot, ready_snapshot
from chatd.services.accounts import relationships
from chatd.services.guild_snapshot import KnownGuilds
from chatd.services.ready_snapshot import ReadySnapshot
from chatd.wire import payloads


class DisallowedIntents(Exception):
    """A bot requests privileged intents that its application does not have."""


@dataclass(frozen=True, slots=True)
class _Snapshot:
    """The data of READY and of the GUILD_CREATE dispatches after it."""

    ready: ReadySnapshot
    client_ready: ClientReady | None
    """READY for a user client, which contains the guilds; None for other clients."""
    encoded: Mapping[GuildId, EncodedGuild]
    """The guilds that were loaded, encoded to be kept by their feeds."""
    relationships: Sequence[JsonObject] = ()
    """For the READY of other clients."""
    private_channels: bytes = b"[]"
    """For the READY of other clients, encoded."""


class SessionStartup(BufferingListener):
    """Starts one session. Used once."""

    later: Sequence[Sequence[GuildId]] = ()
    """The guilds that LateGuilds sends, in parts. READY lists them as unavailable, except for user
    clients: some expect each guild of READY to have all its data."""

    async def start(self, sink: SessionSink, identify: Identify, gateway_url: str) -> None:
        """Send READY and the guilds, and let the session follow its feeds.

        Raises Unauthorized, DisallowedIntents, ServiceUnavailable, DatabaseUnavailable; then there
        is no session.
        """
        session = self._session
        self._hub.add_startup(session.user_id, self)
        try:
            snapshot, bodies = await self._consistent_snapshot(identify.large_threshold)
            # The code from here to the end does not await, so the feeds do not change.
            session.sink = sink
            session.has_all_guilds = not self.later
            if snapshot.client_ready is None:
                self._send_ready(snapshot, identify, gateway_url)
                self._send_guild_creates(bodies.values())
                positions = self._subscribe(snapshot.ready, bodies)
            else:
                if not identify.knows_status:
                    status = snapshot.client_ready.stored_status
                    session.set_presence(replace(session.presence, status=status))
                self._send_client_ready(snapshot.client_ready, gateway_url, bodies.values())
                positions = self._subscribe(snapshot.ready, ())
            self._hub.add(session)
            positions[StreamId(session.user_id)] = snapshot.ready.user_seq
            self._replay_buffered(positions)
        finally:
            self._hub.remove_startup(session.user_id, self, self._feeds)

    async def _consistent_snapshot(
        self, large_threshold: int
    ) -> tuple[_Snapshot, Mapping[GuildId, bytes]]:
        """Read a snapshot that the buffered events continue.

        Returns it with the body of each guild, for its GUILD_CREATE or inside READY. Raises
        Unauthorized, DisallowedIntents, ServiceUnavailable, DatabaseUnavailable.
        """
        sizes = self._expected_sizes(large_threshold) or await self._sizes(large_threshold)
        for _ in range(ATTEMPTS):
            first, *self.later = guild_snapshot.parts(sizes, first_size=self._first_size)
            user_feed: Feed = self._hub.user_feed(self._session.user_id)
            feeds = {guild_id: self._hub.guild_feed(guild_id) for guild_id in first}
            self._listen((user_feed, *feeds.values()))
            known = self._known(feeds, large_threshold)
            only = first if self.later else None
            snapshot = await self._read(only, feeds, known, large_threshold)
            if set(snapshot.ready.guild_ids) != sizes.keys():
                sizes = await self._sizes(large_threshold)
                continue
            await self._wait_for_feeds(user_feed, feeds, snapshot.ready)
            if self._is_stale:
                continue
            guilds, join = snapshot.ready.guilds, self._joining(large_threshold)
            bodies = await self._bodies(feeds, guilds, snapshot.encoded, join)
            if bodies is not None and self._is_continued(user_feed, snapshot.ready.user_seq):
                return snapshot, bodies
        raise ServiceUnavailable

    def _joining(self, large_threshold: int) -> JoinGuild:
        """Return the function that joins guilds in the form that this session receives."""
        client = self._session.user_client
        if client is not None:
            return partial(self._guild_in_ready, client, large_threshold=large_threshold)
        return lambda feed, each: self._guild_create(feed, each.own, large_threshold)

    @property
    def _first_size(self) -> int:
        """The maximum size of the guilds that are sent with READY, or inside it."""
        is_client = self._session.user_client is not None
        return client_ready.MAX_SIZE if is_client else guild_snapshot.MAX_PART_SIZE

    def _expected_sizes(self, large_threshold: int) -> dict[GuildId, int]:
        """Return the guilds that another session of the user follows, with their sizes.

        If these are the guilds of the snapshot, the startup needs no query for their sizes. Returns
        none if the size of one is not known.
        """
        session = self._session
        for other in self._hub.sessions_of(session.user_id):
            if other.has_all_guilds and other.shard == session.shard:
                ids = [GuildId(each.stream) for each in other.feeds if isinstance(each, GuildFeed)]
                size = partial(self._known_size, large_threshold=large_threshold)
                sizes = ready_snapshot.known_sizes(ids, size)
                return sizes if len(sizes) == len(ids) else {}
        return {}

    async def _sizes(self, large_threshold: int) -> dict[GuildId, int]:
        async with self._database.cursor() as cur:
            return await ready_snapshot.guild_sizes(
                cur,
                self._session.user_id,
                is_in_shard=self._session.shard_includes,
                known_size=partial(self._known_size, large_threshold=large_threshold),
            )

    async def _read(
        self,
        only: Sequence[GuildId] | None,
        feeds: Mapping[GuildId, GuildFeed],
        known: KnownGuilds,
        large_threshold: int,
    ) -> _Snapshot:
        """Read and encode a snapshot, with `only` these guilds or all of the shard.

        Raises Unauthorized, DisallowedIntents, ServiceUnavailable, DatabaseUnavailable.
        """
        session = self._session
        transaction = await self._database.begin(snapshot=True)
        try:
            cur = transaction.cur
            identity = await ready_snapshot.read_identity(cur, session.login_id, session.user_id)
            application = identity.application
            if application is not None and bot_filter.missing_privileged_intents(
                application, session.intents
            ):
                raise DisallowedIntents
            ready = await ready_snapshot.read(
                cur,
                identity,
                only=only,
                known=known,
                large_threshold=large_threshold,
                is_in_shard=session.shard_includes,
                with_private_channels=session.shard_includes_dms,
            )
            client = None
            if session.user_client is not None:
                client = await client_snapshot.read(
                    cur,
                    ready,
                    session.login_id,
                    _readable_channels(feeds, ready),
                    with_notes=session.user_client.takes_notes,
                )
        finally:
            await transaction.rollback()
        encoded = await self._encode(ready.guilds)
        if session.user_client is not None and client is not None:
            rendered = ClientReady(self._hub, session, session.user_client, ready, client)
            await rendered.render()
            return _Snapshot(ready, rendered, encoded)
        shown = await relationships.rendered(ready.relationships)
        private_channels = await payloads.encode_array(
            ready.private_channels, lambda each: payloads.private_channel(each, session.user_id)
        )
        return _Snapshot(ready, None, encoded, shown, private_channels)

    async def _wait_for_feeds(
        self, user_feed: Feed, feeds: Mapping[GuildId, GuildFeed], ready: ReadySnapshot
    ) -> None:
        """Start the feeds that are new, and wait until the others have the snapshot's events."""
        if not user_feed.is_started:
            user_feed.start(ready.user_seq, asyncio.get_running_loop().time())
        await self._start_feeds(feeds, ready.guilds.loaded.values())
        try:
            async with asyncio.timeout(CATCH_UP_S):
                await user_feed.wait_for(ready.user_seq)
                for each in ready.guilds.memberships:
                    if (feeds[each.guild_id].position or 0) < each.seq:
                        await feeds[each.guild_id].wait_for(each.seq)
        except TimeoutError:
            self._is_stale = True  # if events are lost, the gap monitor invalidates the feed

    def _send_ready(self, snapshot: _Snapshot, identify: Identify, gateway_url: str) -> None:
        session, ready = self._session, snapshot.ready
        body = {
            "v": 10,
            "user": payloads.own_user(ready.account),
            "guilds": [{"id": str(each), "unavailable": True} for each in ready.guild_ids],
            "private_channels": orjson.Fragment(snapshot.private_channels),
            **self._relationships(snapshot),
            "session_id": session.id,
            "session_type": "normal",
            "resume_gateway_url": gateway_url,
            "shard": list(identify.shard),
            "application": {
                "id": str(session.user_id),
                "flags": 0 if ready.application is None else ready.application.flags,
            },
            "_trace": [],
        }
        self._send("READY", payloads.encode(body), NO_INTENT)

    def _send_client_ready(
        self, rendered: ClientReady, gateway_url: str, guilds: Iterable[bytes]
    ) -> None:
        events = [self._event("READY", rendered.ready(gateway_url, guilds), NO_INTENT)]
        if rendered.client.awaits_supplement:
            events.append(self._event("READY_SUPPLEMENTAL", rendered.supplement(), NO_INTENT))
        self._session.send_events(events)

    def _relationships(self, snapshot: _Snapshot) -> JsonObject:
        if snapshot.ready.account.user.bot:
            return {}
        return {"relationships": snapshot.relationships}

    def _subscribe(self, ready: ReadySnapshot, sent: Container[GuildId]) -> dict[StreamId, int]:
        """Let the session follow its feeds. Returns the position at which each guild was sent.

        `sent` are the guilds whose GUILD_CREATE was sent: their positions are those of their feeds.
        The positions of all other guilds are those of the snapshot.
        """
        self._hub.user_feed(self._session.user_id).attach(self._session)
        positions = {}
        for each in ready.guilds.memberships:
            feed = self._hub.guild_feed(each.guild_id)
            feed.add_member_session(self._session, each.own.roles, each.own.timeout_end)
            position = feed.position if each.guild_id in sent else None
            positions[feed.stream] = each.seq if position is None else position
        return positions


def _readable_channels(
    feeds: Mapping[GuildId, GuildFeed], ready: ReadySnapshot
) -> dict[GuildId, Collection[ChannelId]]:
    """Return the channels of each guild whose read states READY may contain.

    In a guild that was just loaded these are the channels with messages. In a guild in memory they
    are the channels that the user may see now; if that changes, the snapshot is read again.
    """
    channels: dict[GuildId, Collection[ChannelId]] = {}
    for each in ready.guilds.memberships:
        loaded = ready.guilds.loaded.get(each.guild_id)
        if loaded is not None:
            channels[each.guild_id] = [
                channel.id for channel in loaded.channels if channel.last_message_id is not None
            ]
        else:
            visibility = feeds[each.guild_id].visibility
            visible = visibility.visible_with(each.own.user.id, each.own.roles)
            channels[each.guild_id] = visibility.channels_in(visible)
    return channels
