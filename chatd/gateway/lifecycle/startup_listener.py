"""The base of session startup and late guilds: buffered events that continue a snapshot."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping

from chatd.core.ids import GuildId, StreamId, UserId
from chatd.core.intents import Intents
from chatd.core.json import JsonObject
from chatd.core.models import Member
from chatd.db.pool import Database
from chatd.events.event import Event, to_user
from chatd.events.users import revoked_login
from chatd.gateway.fanout.encoded_guild import EncodedGuild
from chatd.gateway.fanout.feed import Feed
from chatd.gateway.fanout.guild_feed import GuildFeed
from chatd.gateway.fanout.hub import Hub
from chatd.gateway.fanout.time_slicing import build_visibility, run_in_slices
from chatd.gateway.session.session import Session
from chatd.services.guild_snapshot import GuildSnapshot, KnownGuilds, OwnMembership, UserGuilds
from chatd.wire import payloads

ATTEMPTS = 20
"""How often, at most, a snapshot is read until the buffered events continue it. Without a maximum,
a guild whose permissions change all the time could keep a database connection busy."""

_EXACT_ATTEMPTS = 5
"""Attempts in which the last message of each channel must be right. After these, a channel may name
one that has just been deleted, as it does for clients that are connected. So sessions also start
where messages are deleted all the time."""

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
        self._attempts = 0
        """Attempts to read a snapshot."""
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
        self._attempts += 1
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

    def _known(self, feeds: Mapping[GuildId, GuildFeed], large_threshold: int) -> KnownGuilds:
        """Return those of these guilds that their feeds have in memory.

        For the client of a person, all guilds are read.
        """
        if self._session.user_client is not None:
            return KnownGuilds()
        known = [
            (guild_id, feed.visibility.payloads.stale)
            for guild_id, feed in feeds.items()
            if _can_list(feed, large_threshold)
        ]
        ids = {guild_id for guild_id, _ in known}
        return KnownGuilds(ids, [channel_id for _, stale in known for channel_id in stale])

    def _known_size(self, guild_id: GuildId, large_threshold: int) -> int | None:
        """Return the size of a guild for `guild_snapshot.parts`, if its feed has it in memory."""
        feed = self._hub.feed(StreamId(guild_id))
        is_known = isinstance(feed, GuildFeed) and _can_list(feed, large_threshold)
        if not is_known or self._session.user_client is not None:
            return None
        assert isinstance(feed, GuildFeed)
        return feed.visibility.payloads.size

    async def _encode(self, guilds: UserGuilds) -> dict[GuildId, EncodedGuild]:
        """Encode the guilds that were loaded, in time slices; none for the client of a person."""
        encoded: dict[GuildId, EncodedGuild] = {}

        def encoding() -> Iterator[None]:
            for guild_id, loaded in guilds.loaded.items():
                encoded[guild_id] = EncodedGuild(
                    loaded.guild, loaded.members, loaded.member_count, self._hub.member_budget
                )
                yield

        if self._session.user_client is None:
            await run_in_slices(encoding())
        return encoded

    def _guild_creates(
        self,
        feeds: Mapping[GuildId, GuildFeed],
        guilds: UserGuilds,
        encoded: Mapping[GuildId, EncodedGuild],
        large_threshold: int,
    ) -> dict[GuildId, bytes] | None:
        """Return the body of each GUILD_CREATE, at the present position of the guild's feed.

        First it completes the feeds by what was read. Returns None when a feed does not have what
        the payload needs, so the guilds must be read again.
        """
        bodies = {}
        shows_presences = self._session.wants(Intents.GUILD_PRESENCES)
        for each in guilds.memberships:
            feed = feeds[each.guild_id]
            if not feed.is_started:
                return None
            self._complete(feed, each, guilds, encoded.get(each.guild_id))
            if feed.visibility.payloads.stale and self._attempts <= _EXACT_ATTEMPTS:
                return None  # a last message was deleted while the others were read
            body = self._guild_create(
                feed, each.own, large_threshold, shows_presences=shows_presences
            )
            if body is None:
                return None
            bodies[each.guild_id] = body
        for new in encoded.values():
            new.keep_within_budget()
        return bodies

    def _complete(
        self,
        feed: GuildFeed,
        membership: OwnMembership,
        guilds: UserGuilds,
        encoded: EncodedGuild | None,
    ) -> None:
        """Complete what a feed has in memory by what was read at the position of a membership."""
        known = feed.visibility.payloads
        loaded = guilds.loaded.get(membership.guild_id)
        if loaded is not None:
            last_messages = {each.id: each.last_message_id for each in loaded.channels}
        elif known.stale:
            read = guilds.last_messages
            last_messages = {each: read[each] for each in known.stale & read.keys()}
        else:
            return
        later = [event for of, event in self._buffered if of is feed and event.seq > membership.seq]
        known.complete(encoded, last_messages, later)

    def _guild_create(
        self, feed: GuildFeed, own: Member, large_threshold: int, *, shows_presences: bool
    ) -> bytes | None:
        """Join the body of GUILD_CREATE for the member `own`; None if the feed lacks a part."""
        visibility = feed.visibility
        known = visibility.payloads
        guild, user_id = known.encoded, own.user.id
        if guild is None or not guild.can_list(large_threshold):
            return None
        members = guild.listed(large_threshold)
        if not members:
            members = {user_id: payloads.encode(payloads.member(own))}
        elif user_id not in members:
            return None  # the user has left the guild
        presences = b"[]"
        if shows_presences:
            presences = payloads.encode(self._hub.presences_of_users(members))
        visible = visibility.visible_with(user_id, own.roles)
        return payloads.joined_guild_state(
            guild.settings,
            known.joined_roles(),
            known.joined_channels(visible, lambda: visibility.channels_in(visible)),
            b",".join(members.values()),
            member_count=guild.member_count,
            own=members[user_id],
            large=guild.member_count > len(members),
            presences=presences,
        )

    def _send_guild_creates(self, bodies: Iterable[bytes]) -> None:
        """Send a GUILD_CREATE with each of these bodies."""
        user_id = self._session.user_id
        stream, audience = StreamId(user_id), to_user(user_id)
        self._session.send_events(
            [Event("GUILD_CREATE", stream, audience, body, Intents.GUILDS) for body in bodies]
        )

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


def _can_list(feed: GuildFeed, large_threshold: int) -> bool:
    """Return whether a feed has all that a GUILD_CREATE needs, except for the own member."""
    if not feed.is_started:
        return False
    encoded = feed.visibility.payloads.encoded
    return encoded is not None and encoded.can_list(large_threshold)


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
