"""The base of session startup and late guilds: buffered events that continue a snapshot."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping

from chatd.core.ids import GuildId, StreamId, UserId
from chatd.core.intents import Intents
from chatd.core.json import JsonObject
from chatd.db.pool import Database
from chatd.events.event import Event, to_user
from chatd.events.users import revoked_login
from chatd.gateway.fanout.feed import Feed
from chatd.gateway.fanout.guild_feed import GuildFeed
from chatd.gateway.fanout.hub import Hub
from chatd.gateway.fanout.time_slicing import build_visibility, run_in_slices
from chatd.gateway.session.session import Session
from chatd.services.guild_snapshot import GuildSnapshot
from chatd.wire import payloads

ATTEMPTS = 20
"""How often, at most, a snapshot is read until the buffered events continue it. Without a maximum,
a guild whose permissions change all the time could keep a database connection busy."""

CATCH_UP_S = 2.0
"""How long in seconds the events of a snapshot may take to arrive here. They take milliseconds,
unless Redis is unavailable."""


class BufferingListener:
    """Buffers the events of feeds until a snapshot has been read that they continue."""

    def __init__(self, database: Database, hub: Hub, session: Session) -> None:
        self._database = database
        self._hub = hub
        self._session = session
        self._buffered: list[tuple[Feed, Event]] = []
        self._buffered_after: dict[Feed, int] = {}
        """By feed: every event after this number is buffered."""
        self._feeds: set[Feed] = set()
        """All feeds that were listened to."""
        self._is_stale = False
        """Whether the snapshot must be read again."""

    @property
    def user_id(self) -> UserId:
        """The user of the session."""
        return self._session.user_id

    def buffer(self, feed: Feed, event: Event) -> None:
        """Keep an event of a feed."""
        self._buffered.append((feed, event))

    def mark_buffered_after(self, feed: Feed, seq: int) -> None:
        """Note that every event of a feed after `seq` is buffered."""
        self._buffered_after[feed] = seq

    def invalidate_snapshot(self) -> None:
        """Note that the snapshot must be read again."""
        self._is_stale = True

    def _listen(self, feeds: Iterable[Feed]) -> None:
        """Buffer the events of these feeds, and begin another attempt to read a snapshot."""
        self._is_stale = False
        self._buffered = [each for each in self._buffered if self._is_current(each[0])]
        for feed in feeds:
            feed.add_listener(self)
            self._feeds.add(feed)

    async def _start_feeds(
        self, feeds: Mapping[GuildId, GuildFeed], snapshots: Iterable[GuildSnapshot]
    ) -> None:
        """Start the feeds that have not been started, from these snapshots."""
        for snapshot in snapshots:
            feed = feeds[snapshot.guild.id]
            if not feed.is_started and not feed.is_starting:
                visibility = await build_visibility(snapshot)
                if not feed.is_started and not feed.is_starting:  # still, after the await
                    now = asyncio.get_running_loop().time()
                    feed.start_from_outline(visibility, snapshot.seq, now)

    def _is_continued(self, feed: Feed, seq: int) -> bool:
        """Return whether the buffered events continue a snapshot at position `seq`.

        Visibility must not have changed since: the buffered events were not filtered for it.
        """
        buffered_after = self._buffered_after.get(feed)
        return (
            self._is_current(feed)
            and buffered_after is not None
            and seq >= max(buffered_after, feed.visibility_seq)
        )

    def _is_current(self, feed: Feed) -> bool:
        """Return whether the hub still has this feed: it may have been invalidated."""
        return self._hub.feed(feed.stream) is feed

    def _send_guild_create(self, guild: GuildSnapshot, body: bytes) -> None:
        """Send GUILD_CREATE, with presences if the session has the intent."""
        session = self._session
        shown: list[JsonObject] = []
        if session.wants(Intents.GUILD_PRESENCES):
            shown = self._hub.presences_of_users(each.user.id for each in guild.members)
        body = payloads.add_keys(body, {"unavailable": False, "presences": shown})
        self._send("GUILD_CREATE", body, Intents.GUILDS)

    def _send(self, name: str, body: bytes, intent: Intents) -> None:
        user_id = self._session.user_id
        self._session.send_event(Event(name, StreamId(user_id), to_user(user_id), body, intent))

    def _replay_buffered(self, positions: Mapping[StreamId, int]) -> None:
        """Send the buffered events that are newer than snapshots at these positions."""
        for feed, event in self._buffered:
            is_newer = event.seq == 0 or event.seq > positions.get(feed.stream, event.seq)
            if not is_newer or not feed.may_receive(self._session, event):
                continue
            if revoked_login(event) is None:
                self._session.send_event(event)
            elif revoked_login(event) == self._session.login_id:
                self._hub.revoke(self._session)
                return  # later events must not reach this login


async def encode_guilds(
    snapshots: Iterable[GuildSnapshot], render: Callable[[GuildSnapshot], JsonObject]
) -> dict[GuildId, bytes]:
    """Render and encode guilds in time slices, because each can be a megabyte."""
    bodies: dict[GuildId, bytes] = {}

    def encoding() -> Iterator[None]:
        for snapshot in snapshots:
            bodies[snapshot.guild.id] = payloads.encode(render(snapshot))
            yield

    await run_in_slices(encoding())
    return bodies
