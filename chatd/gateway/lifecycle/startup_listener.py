"""The base of session startup and late guilds: buffered events that continue a snapshot."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TypeAlias

from chatd.core.capabilities import UserClient
from chatd.core.ids import GuildId, StreamId, UserId
from chatd.core.intents import Intents
from chatd.core.models import Member
from chatd.core.time_slices import TimeSlices, run_in_slices
from chatd.db.pool import Database
from chatd.events.event import AudienceKind, Event, to_user
from chatd.events.users import revoked_login
from chatd.gateway.fanout.encoded_guild import EncodedGuild
from chatd.gateway.fanout.feed import Feed
from chatd.gateway.fanout.guild_feed import GuildFeed
from chatd.gateway.fanout.hub import Hub
from chatd.gateway.fanout.time_slicing import build_visibility
from chatd.gateway.lifecycle.buffered_events import newer_than
from chatd.gateway.session.session import Session
from chatd.services.guild_snapshot import GuildSnapshot, KnownGuilds, OwnMembership, UserGuilds
from chatd.wire import payloads
from chatd.wire.payloads import client_ready
from chatd.wire.payloads.client_ready import EncodedParts

ATTEMPTS = 20
"""The maximum of attempts to read a snapshot that the buffered events continue. Without a maximum,
a guild whose permissions change all the time could keep a database connection busy."""

_EXACT_ATTEMPTS = 5
"""Attempts in which `last_message_id` of each channel must be current. In later attempts it may
name a message that was just deleted, as it may for connected clients. So sessions also start in
guilds whose messages are deleted all the time."""

_CHANGES = frozenset(
    {
        "CHANNEL_CREATE",
        "CHANNEL_DELETE",
        "CHANNEL_UPDATE",
        "GUILD_DELETE",
        "GUILD_ROLE_CREATE",
        "GUILD_ROLE_DELETE",
        "GUILD_ROLE_UPDATE",
        "GUILD_UPDATE",
    }
)
"""Events that a client must not receive twice, or that change which read states it receives."""

_NO_MEMBERS: Mapping[UserId, bytes] = {}

_GROWTH = {"GUILD_MEMBER_ADD": 1, "GUILD_MEMBER_REMOVE": -1}
"""The change of the number of members, by the name of the event."""

CATCH_UP_S = 2.0
"""How long in seconds the events of a snapshot may take to arrive here. They take milliseconds,
unless Redis is unavailable."""


JoinGuild: TypeAlias = Callable[[GuildFeed, OwnMembership], bytes | None]
"""Joins the body of a guild from encoded parts; returns None if the feed lacks one."""


class BufferingListener:
    """Buffers the events of feeds until a snapshot has been read that they continue."""

    def __init__(self, database: Database, hub: Hub, session: Session) -> None:
        self._database = database
        self._hub = hub
        self._session = session
        self._buffered: list[tuple[Feed, Event]] = []
        self._buffered_after: dict[Feed, int] = {}
        """For each feed: the number after which every event is buffered."""
        self._feeds: set[Feed] = set()
        """All feeds that were listened to."""
        self._began_at: dict[Feed, int] = {}
        """For each started feed: its position when this attempt began."""
        self._attempts = 0
        """Attempts to read a snapshot."""
        self._is_stale = False
        """Whether the snapshot must be read again."""

    @property
    def user_id(self) -> UserId:
        """The user of the session."""
        return self._session.user_id

    @property
    def receives_own_presence(self) -> bool:
        """Whether the session receives its own user's presence.

        A user client receives SESSIONS_REPLACE instead.
        """
        return self._session.user_client is None

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
        self._began_at.clear()
        self._attempts += 1
        self._buffered = [each for each in self._buffered if self._is_current(each[0])]
        for feed in feeds:
            feed.add_listener(self)
            self._feeds.add(feed)
            if feed.position is not None:
                self._began_at[feed] = feed.position

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
        """Return which of these guilds their feeds have in memory, so that they are not read."""
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
        if not isinstance(feed, GuildFeed) or not _can_list(feed, large_threshold):
            return None
        return feed.visibility.payloads.size

    async def _encode(self, guilds: UserGuilds) -> dict[GuildId, EncodedGuild]:
        """Encode the guilds that were loaded, in time slices, to be kept by their feeds."""
        encoded: dict[GuildId, EncodedGuild] = {}

        def encoding() -> Iterator[None]:
            for guild_id, loaded in guilds.loaded.items():
                encoded[guild_id] = EncodedGuild(
                    loaded.guild, loaded.members, loaded.member_count, self._hub.member_budget
                )
                yield

        await run_in_slices(encoding())
        return encoded

    async def _bodies(
        self,
        feeds: Mapping[GuildId, GuildFeed],
        guilds: UserGuilds,
        encoded: Mapping[GuildId, EncodedGuild],
        join: JoinGuild,
    ) -> dict[GuildId, bytes] | None:
        """Join the body of each guild, at the present position of its feed, in time slices.

        First it adds what was read to the feeds. Returns None when a feed still lacks what a body
        needs: then the guilds must be read again.
        """
        slices = TimeSlices()
        joined: dict[GuildId, tuple[int | None, bytes | None]] = {}
        for each in guilds.memberships:
            feed = feeds[each.guild_id]
            if not self._is_continued(feed, each.seq):
                return None
            self._complete(feed, each, guilds, encoded.get(each.guild_id))
            joined[each.guild_id] = feed.position, join(feed, each)
            await slices.step()
        bodies: dict[GuildId, bytes] = {}
        # The code from here to the end of the caller does not await.
        for each in guilds.memberships:
            feed = feeds[each.guild_id]
            position, body = joined[each.guild_id]
            if feed.position != position:  # an event arrived between two slices
                body = join(feed, each)
            is_stale = bool(feed.visibility.payloads.stale)
            if body is None or (is_stale and self._attempts <= _EXACT_ATTEMPTS):
                return None  # a last message was deleted while the others were read
            bodies[each.guild_id] = body
        for new in encoded.values():
            new.keep_within_budget()
        return bodies if self._are_continued(feeds, guilds.memberships) else None

    def _are_continued(
        self, feeds: Mapping[GuildId, GuildFeed], memberships: Iterable[OwnMembership]
    ) -> bool:
        """Return whether the buffered events continue the snapshot of each membership."""
        is_continued = all(
            self._is_continued(feeds[each.guild_id], each.seq) for each in memberships
        )
        return is_continued and not self._is_stale

    def _complete(
        self,
        feed: GuildFeed,
        membership: OwnMembership,
        guilds: UserGuilds,
        encoded: EncodedGuild | None,
    ) -> None:
        """Add to a feed what was read of its guild at the position of a membership."""
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

    def _guild_create(self, feed: GuildFeed, own: Member, large_threshold: int) -> bytes | None:
        """Join the body of GUILD_CREATE for the member `own`; None if the feed lacks a part."""
        guild, members = _listed(feed, own, large_threshold)
        if guild is None or members is None:
            return None
        presences = b"[]"
        if self._session.wants(Intents.GUILD_PRESENCES):
            presences = payloads.encode(self._hub.presences_in(GuildId(feed.stream), members))
        if (client := self._session.user_client) is not None:
            parts = _parts(feed, guild, own, members)
            return client_ready.joined_guild_created(parts, client, presences)
        return payloads.joined_guild_state(
            guild.settings,
            feed.visibility.payloads.joined_roles(),
            _joined_channels(feed, own),
            b",".join(members.values()),
            member_count=guild.member_count,
            own=members[own.user.id],
            large=guild.member_count > len(members),
            presences=presences,
        )

    def _guild_in_ready(
        self, client: UserClient, feed: GuildFeed, membership: OwnMembership, large_threshold: int
    ) -> bytes | None:
        """Join a guild inside READY, for a user client; None if it must be read again.

        READY contains read states at the position of the snapshot, so all events after this
        position are sent after READY. The guild in READY includes these events already. A client
        can apply most of them twice, but would count a member twice. So `member_count` is that at
        the position of the snapshot.
        """
        if client.dedupes:  # READY lists the own member elsewhere
            guild = feed.visibility.payloads.encoded
            members: Mapping[UserId, bytes] | None = _NO_MEMBERS
        else:
            guild, members = _listed(feed, membership.own, large_threshold)
        if guild is None or members is None or self._has_changed(feed, membership.seq):
            return None
        later = self._joined_after(feed, membership.seq)
        parts = _parts(feed, guild, membership.own, members, joined_later=later)
        return client_ready.joined_guild(parts, client)

    def _has_changed(self, feed: GuildFeed, seq: int) -> bool:
        """Return whether a guild has changed since this attempt began, or since `seq` if earlier.

        At the beginning of an attempt, the channels of the guild decide which read states are read.
        """
        since = min(self._began_at.get(feed, seq), seq)
        return any(
            event.name in _CHANGES and self._concerns_user(event)
            for of, event in self._buffered
            if of is feed and event.seq > since
        )

    def _concerns_user(self, event: Event) -> bool:
        """Return False for the GUILD_DELETE of another user, who has left a guild; else True."""
        audience = event.audience
        return audience.kind is not AudienceKind.USER or audience.id == self.user_id

    def _joined_after(self, feed: GuildFeed, seq: int) -> int:
        """Return by how many members a guild has grown since its event number `seq`."""
        return sum(
            _GROWTH.get(event.name, 0)
            for of, event in self._buffered
            if of is feed and event.seq > seq
        )

    def _send_guild_creates(self, bodies: Iterable[bytes]) -> None:
        """Send a GUILD_CREATE with each of these bodies."""
        self._session.send_events(
            [self._event("GUILD_CREATE", body, Intents.GUILDS) for body in bodies]
        )

    def _send(self, name: str, body: bytes, intent: Intents) -> None:
        self._session.send_event(self._event(name, body, intent))

    def _event(self, name: str, body: bytes, intent: Intents) -> Event:
        user_id = self._session.user_id
        return Event(name, StreamId(user_id), to_user(user_id), body, intent)

    def _replay_buffered(self, positions: Mapping[StreamId, int]) -> None:
        """Send the buffered events that are newer than snapshots at these positions."""
        for feed, event in newer_than(positions, self._buffered):
            if not feed.may_receive(self._session, event):
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


def _listed(
    feed: GuildFeed, own: Member, large_threshold: int
) -> tuple[EncodedGuild | None, Mapping[UserId, bytes] | None]:
    """Return what a feed has in memory of a guild, and the members that it lists for `own`.

    Either is None if the feed lacks it, or the user has left the guild.
    """
    guild, user_id = feed.visibility.payloads.encoded, own.user.id
    if guild is None or not guild.can_list(large_threshold):
        return None, None
    members = guild.listed(large_threshold)
    if not members:
        return guild, {user_id: payloads.encode(payloads.member(own))}
    return guild, members if user_id in members else None


def _joined_channels(feed: GuildFeed, own: Member) -> bytes:
    """Return the channels that a member may see, as the elements of an array."""
    visibility = feed.visibility
    visible = visibility.visible_with(own.user.id, own.roles)
    return visibility.payloads.joined_channels(visible, lambda: visibility.channels_in(visible))


def _parts(
    feed: GuildFeed,
    guild: EncodedGuild,
    own: Member,
    members: Mapping[UserId, bytes],
    *,
    joined_later: int = 0,
) -> EncodedParts:
    """Return the parts of a guild for its member `own`, without members who have joined later."""
    return EncodedParts(
        guild.settings,
        guild.split_settings,
        feed.visibility.payloads.joined_roles(),
        _joined_channels(feed, own),
        b",".join(members.values()),
        guild.member_count - joined_later,
        own,
    )
