"""The hub: all sessions of this instance, and the feeds that they follow."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TypeAlias

from chatd.bus.interest import FollowedStreams
from chatd.core.ids import GuildId, LoginId, StreamId, UserId
from chatd.core.json import JsonObject
from chatd.core.presence import Presence, Status
from chatd.core.presence_table import PresenceTable
from chatd.gateway.fanout.delivery_queue import DeliveryQueue
from chatd.gateway.fanout.encoded_guild import MemberBudget
from chatd.gateway.fanout.ended_feeds import EndedFeeds
from chatd.gateway.fanout.feed import Feed, FeedListener, UserFeed
from chatd.gateway.fanout.guild_feed import GuildFeed
from chatd.gateway.fanout.known_presences import KnownPresences
from chatd.gateway.fanout.replay_shedding import shedding
from chatd.gateway.fanout.sessions_elsewhere import SessionsElsewhere
from chatd.gateway.protocol.batch import Batch
from chatd.gateway.protocol.commands import CloseCode
from chatd.gateway.protocol.replay_budget import ReplayBudget
from chatd.gateway.session.session import Session, SessionSink
from chatd.wire import payloads

ReadKnownPresences: TypeAlias = Callable[[Iterable[GuildId]], Mapping[GuildId, KnownPresences]]


class Hub:
    """The sessions and feeds of this instance.

    Only the event loop uses it, and no method except `wait_until_delivered` awaits. So each call
    finds a consistent state, and leaves a consistent state.
    """

    def __init__(
        self,
        *,
        resume_window_s: float,
        replay_budget: ReplayBudget,
        sessions_per_user: int,
        presence_table: PresenceTable,
        delivery_queue: DeliveryQueue,
    ) -> None:
        self._resume_window_s = resume_window_s
        self.replay_budget = replay_budget
        self.member_budget = MemberBudget()
        self._sessions_per_user = sessions_per_user
        self._presence_table = presence_table
        self._delivery_queue = delivery_queue
        self._presence_dirty: set[UserId] = set()
        """Users whose presence must be computed again, because one of their sessions changed."""
        self.instance = secrets.token_hex(8)
        """The name of this instance in reports to the others, new at each start."""
        self.sessions_elsewhere = SessionsElsewhere()
        """The connected sessions of people on other instances."""
        self._session_lists_dirty: set[UserId] = set()
        """Users for whom a session was added, removed, or has another presence."""
        self._client_changes: set[UserId] = set()
        """Users with a new or a removed session of a user client."""
        self.read_known_presences: ReadKnownPresences = lambda _: {}
        """Returns the presences that clients have received in guilds, for a handoff."""
        self.restored: list[tuple[Session, Sequence[KnownPresences]]] = []
        """Sessions that were restored lately, with the presences that their clients know."""
        self._replay_batches: list[Batch] = []
        """Replays since the last `expiring`. After a restart many clients replay the same
        dispatches; while these batches exist, they share the encoded frames."""
        self._feeds_with_gaps: set[Feed] = set()
        """Feeds that lack an event whose successor has arrived. A feed adds itself. `gaps` removes
        the feeds whose missing events have arrived since."""
        self._sessions: dict[str, Session] = {}
        # Sets instead of tuples would take five times as much memory.
        self._by_user: dict[UserId, tuple[Session, ...]] = {}
        self._detached: dict[Session, None] = {}
        """Sessions without a connection, in the order in which they lost it."""
        self._startups: dict[UserId, set[FeedListener]] = {}
        self.ended_feeds = EndedFeeds(
            on_detached=self.mark_presence_dirty,
            invalidate=self._invalidate_if_present,
            unfollow=self._unfollow,
        )
        self._feeds: dict[StreamId, Feed] = {}
        self.followed = FollowedStreams()
        """The streams of `_feeds`."""

    def __len__(self) -> int:
        return len(self._sessions)

    def session(self, session_id: str) -> Session | None:
        """Return a session by its id."""
        return self._sessions.get(session_id)

    @property
    def sessions(self) -> list[Session]:
        """All sessions."""
        return list(self._sessions.values())

    def sessions_of(self, user_id: UserId) -> Iterable[Session]:
        """Return the sessions of a user."""
        return self._by_user.get(user_id, ())

    def is_connected(self, user_id: UserId) -> bool:
        """Return whether a session of this user has a connection."""
        return any(each.detached_at is None for each in self._by_user.get(user_id, ()))

    def connected_logins(self) -> list[LoginId]:
        """Return the logins of all sessions that have a connection."""
        return list({each.login_id for each in self._sessions.values() if each.sink is not None})

    def presences_of(self, guild_id: GuildId, members: Iterable[JsonObject]) -> list[JsonObject]:
        """Return the presences of those of these members that are online in a guild."""
        return self.presences_in(guild_id, (UserId(int(each["user"]["id"])) for each in members))

    def presences_in(self, guild_id: GuildId, user_ids: Iterable[UserId]) -> list[JsonObject]:
        """Return the presences of those of these users that are online in a guild."""
        shown = []
        for user_id in user_ids:
            presence = self._presence_table.get_in(guild_id, user_id)
            if presence.status != Status.OFFLINE:
                shown.append(payloads.presence(user_id, presence))
        return shown

    def presence_in(self, guild_id: GuildId, user_id: UserId) -> Presence:
        """Return the presence of a user as the members of a guild see it."""
        return self._presence_table.get_in(guild_id, user_id)

    def presence_of(self, user_id: UserId) -> Presence:
        """Return the presence of a user."""
        return self._presence_table.get(user_id)

    def mark_presence_dirty(self, user_id: UserId) -> None:
        """Mark a user whose presence and list of sessions must be computed again."""
        self._presence_dirty.add(user_id)
        self._session_lists_dirty.add(user_id)

    def mark_session_lists_dirty(self, user_ids: Iterable[UserId]) -> None:
        """Mark those of these users with sessions here: their lists must be computed again."""
        self._session_lists_dirty.update(each for each in user_ids if each in self._by_user)

    def take_session_lists_dirty(self) -> set[UserId]:
        """Return the users whose sessions changed since the last call."""
        dirty, self._session_lists_dirty = self._session_lists_dirty, set()
        return dirty

    def mark_client_changes(self, user_ids: Iterable[UserId]) -> None:
        """Mark users, which `take_client_changes` then returns."""
        self._client_changes.update(user_ids)

    def take_client_changes(self) -> set[UserId]:
        """Return the users that were marked since the last call, and unmark them."""
        changed, self._client_changes = self._client_changes, set()
        return changed

    def take_presence_dirty(self) -> set[UserId]:
        """Return the users that were marked since the last call, and unmark them."""
        dirty, self._presence_dirty = self._presence_dirty, set()
        return dirty

    def startups_of(self, user_id: UserId) -> Iterable[FeedListener]:
        """Return the sessions of a user that are being started."""
        return tuple(self._startups.get(user_id, ()))

    def make_room_for(self, user_id: UserId) -> bool:
        """Return whether a user may start one more session; remove a detached one if necessary.

        At the limit of sessions per user, removes the session that has been detached longest.
        """
        if not self._sessions_per_user:
            return True
        sessions = self._by_user.get(user_id, ())
        if len(sessions) + len(self._startups.get(user_id, ())) < self._sessions_per_user:
            return True
        unused = [each for each in sessions if each.detached_at is not None]
        if not unused:
            return False
        self.remove(min(unused, key=lambda each: each.detached_at or 0.0))
        return True

    def add_startup(self, user_id: UserId, listener: FeedListener) -> None:
        """Register a session of this user that is being started."""
        self._startups.setdefault(user_id, set()).add(listener)

    def remove_startup(
        self, user_id: UserId, listener: FeedListener, feeds: Iterable[Feed]
    ) -> None:
        """Unregister a session whose startup has ended or failed, from these feeds too."""
        listeners = self._startups.get(user_id, set())
        listeners.discard(listener)
        if not listeners:
            self._startups.pop(user_id, None)
        for feed in feeds:
            feed.remove_listener(listener)
            self.drop_if_unused(feed)

    def add(self, session: Session) -> None:
        """Add a session that has been started or restored."""
        self._sessions[session.id] = session
        if session.detached_at is not None:
            self._detached[session] = None
        self._by_user[session.user_id] = (*self._by_user.get(session.user_id, ()), session)
        self._mark_changed(session)

    def remove(self, session: Session) -> None:
        """Remove a session for good: it cannot be resumed."""
        self._forget(session)
        self._unfollow(session)

    def _forget(self, session: Session) -> None:
        self._sessions.pop(session.id, None)
        self._detached.pop(session, None)
        self._mark_changed(session)
        of_user = self._by_user.pop(session.user_id, ())
        left = tuple([each for each in of_user if each is not session])
        if left:
            self._by_user[session.user_id] = left

    def _unfollow(self, session: Session) -> None:
        for followed in list(session.feeds):
            followed.detach(session)
            if (feed := self._feeds.get(followed.stream)) is followed:
                self.drop_if_unused(feed)

    def _mark_changed(self, session: Session) -> None:
        self.mark_presence_dirty(session.user_id)
        if session.user_client is not None:
            self._client_changes.add(session.user_id)

    def detach_all(self) -> list[Session]:
        """Remove all sessions and feeds for a handoff, and return the sessions to hand off.

        Sessions and feeds keep their state and positions, but no event reaches them from here on.
        """
        self._delivery_queue.flush()
        for _ in self.ended_feeds.steps():
            pass
        sessions = [each for each in self._sessions.values() if each.has_all_guilds]
        for session in self._sessions.values():
            session.sink = None
        self._sessions.clear()
        self._detached.clear()
        self._by_user.clear()
        for stream in list(self._feeds):
            self._drop_feed(stream)
        return sessions

    def attach(self, session: Session, sink: SessionSink) -> None:
        """Attach a session to this connection; a connection that it had before is closed."""
        if session.sink is not None:
            session.sink.close(CloseCode.SESSION_TIMED_OUT, "Resumed elsewhere.")
        session.sink = sink
        session.detached_at = None
        self._detached.pop(session, None)
        self.mark_presence_dirty(session.user_id)

    def detach(self, session: Session, sink: SessionSink) -> None:
        """Detach a session from its closed connection, so that it can be resumed.

        Does nothing if the session has moved to another connection.
        """
        has_moved = session.sink is not None and session.sink is not sink
        if has_moved or session.detached_at is not None:
            return
        session.sink = None
        self.mark_presence_dirty(session.user_id)
        session.detached_at = asyncio.get_running_loop().time()
        if session.id in self._sessions:
            self._detached[session] = None

    def retain_replay(self, batch: Batch) -> None:
        """Keep the frames of a replay for other sessions that replay the same events soon."""
        self._replay_batches.append(batch)

    def expiring(self) -> Iterator[None]:
        """Remove sessions whose resume window has passed, and release the frames of replays.

        Yields after each session: many may have lost their connections at the same time.
        """
        for batch in self._replay_batches:
            batch.release_frames()
        self._replay_batches.clear()
        horizon = asyncio.get_running_loop().time() - self._resume_window_s
        while self._detached:
            oldest = next(iter(self._detached))
            if (oldest.detached_at or 0.0) > horizon:
                break
            self.remove(oldest)
            yield
        if self.replay_budget.is_exceeded:
            yield from shedding(self.replay_budget, self._by_user, self._detached, self.remove)

    def feed(self, stream: StreamId) -> Feed | None:
        """Return the feed of a stream, if this instance has one."""
        return self._feeds.get(stream)

    @property
    def feeds(self) -> list[Feed]:
        """All feeds of this instance."""
        return list(self._feeds.values())

    def guild_feed(self, guild_id: GuildId) -> GuildFeed:
        """Return the feed of a guild. A new feed buffers events until it is started."""
        stream = StreamId(guild_id)
        feed = self._feeds.get(stream)
        if feed is None:
            feed = GuildFeed(stream, self, self._delivery_queue, self._feeds_with_gaps)
            self._add_feed(feed)
        assert isinstance(feed, GuildFeed)
        return feed

    def subscribe_to_typing(self, session: Session, guild_id: GuildId, *, wanted: bool) -> None:
        """Send TYPING_START of a guild to a session that follows it, or stop sending it."""
        feed = self._feeds.get(StreamId(guild_id))
        if isinstance(feed, GuildFeed) and feed in session.feeds:
            change = feed.without_typing.discard if wanted else feed.without_typing.add
            change(session)

    def user_feed(self, user_id: UserId) -> UserFeed:
        """Return the feed of a user. A new feed buffers events until it is started."""
        stream = StreamId(user_id)
        feed = self._feeds.get(stream)
        if feed is None:
            feed = UserFeed(stream, self._delivery_queue, self._feeds_with_gaps)
            self._add_feed(feed)
        assert isinstance(feed, UserFeed)
        return feed

    def _add_feed(self, feed: Feed) -> None:
        self._feeds[feed.stream] = feed
        self.followed.add(feed.stream)

    def _drop_feed(self, stream: StreamId) -> None:
        self._feeds.pop(stream, None)
        self.followed.discard(stream)

    def drop_if_unused(self, feed: Feed) -> None:
        """Drop a feed that has neither sessions nor listeners."""
        if feed.is_unused and self._feeds.get(feed.stream) is feed:
            self._drop_feed(feed.stream)

    def gaps(self) -> dict[Feed, float]:
        """Return the feeds with a gap, and since when they have it, by the event loop's clock."""
        gaps = {}
        for feed in list(self._feeds_with_gaps):
            since = feed.gap_since
            if since is None or self._feeds.get(feed.stream) is not feed:
                self._feeds_with_gaps.discard(feed)
            else:
                gaps[feed] = since
        return gaps

    async def wait_until_delivered(self) -> None:
        """Wait until all that is queued for delivery now is delivered."""
        await self._delivery_queue.drained()

    def flush_deliveries(self) -> None:
        """Deliver all that is queued, at once."""
        self._delivery_queue.flush()

    def invalidate_feed(self, feed: Feed) -> None:
        """Drop a feed whose events are lost, and have the sessions that follow it invalidated."""
        self._drop_feed(feed.stream)
        feed.invalidate_snapshots()
        self.ended_feeds.invalidate(feed.sessions)

    def detach_later(self, feed: Feed, sessions: dict[UserId, tuple[Session, ...]]) -> None:
        """Remove a feed that has ended from these sessions, in time slices."""
        self.ended_feeds.detach(feed, sessions)

    def _invalidate_if_present(self, session: Session) -> None:
        if self._sessions.get(session.id) is session:
            self.invalidate(session)

    def invalidate(self, session: Session) -> None:
        """Remove a session that missed an event; its client has to identify again."""
        self.remove(session)
        sink, session.sink = session.sink, None  # so that a queued delivery does not reach it
        if sink is not None:
            sink.invalidate()

    def revoke(self, session: Session) -> None:
        """Remove a session whose login has been revoked, and disconnect its client.

        A login can have many sessions, so they are detached from their feeds in time slices.
        """
        self._forget(session)
        self.ended_feeds.unfollow_later(session)
        sink, session.sink = session.sink, None
        if sink is not None:
            sink.close(CloseCode.AUTHENTICATION_FAILED, "Authentication failed.")
