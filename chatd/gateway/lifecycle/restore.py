"""Restoring a suspended session: it receives the events since the saved positions of its feeds.

The saved session has the positions and the visibility of its feeds at the time of the handoff. The
event history has the events since then. There are two cases for each stream:

- This instance has no feed of the stream: it starts one at the saved position.
- This instance has a feed: the events up to that feed's position pass through a *replay feed*,
  which only this session follows. Then the session follows the feed.

In both cases the visibility at an event's position decides whether the session receives the event.
If another task is still starting the feed of a guild (`GuildFeed.is_starting`), the restore fails.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable, Mapping

import orjson

from chatd.core.ids import GuildId, StreamId, UserId
from chatd.core.json import JsonObject
from chatd.events.event import Event
from chatd.events.users import MEMBERSHIP_CHANGED, revoked_login
from chatd.gateway.fanout.delivery_queue import DeliveryQueue
from chatd.gateway.fanout.event_history import EventHistory
from chatd.gateway.fanout.feed import Feed, UserFeed
from chatd.gateway.fanout.flush_scheduler import FlushScheduler
from chatd.gateway.fanout.guild_feed import GuildFeed
from chatd.gateway.fanout.hub import Hub
from chatd.gateway.fanout.known_presences import KnownPresences
from chatd.gateway.fanout.visibility import Visibility
from chatd.gateway.lifecycle.handoff import SuspendedSession
from chatd.gateway.session.session import Session
from chatd.observability.metrics import Counters
from chatd.services.stream_positions import Positions

_BACKFILL_TIMEOUT_S = 10.0
"""How long in seconds an instance that has just started may take to read earlier events."""

_CATCH_UP_S = 3.0
"""How long in seconds events that Postgres has numbered may take to arrive here. They take
milliseconds, unless Redis is unavailable or they have been dropped from the history."""


class RestoreFailed(Exception):
    """This instance does not have all events that the session missed."""


async def catch_up(session: Session, hub: Hub, positions: Positions) -> None:
    """Wait until a session of this instance has received all events up to these positions.

    Raises RestoreFailed.
    """
    try:
        async with asyncio.timeout(_CATCH_UP_S):
            for feed in tuple(session.feeds):
                wanted = positions.get(feed.stream, 0)
                while feed in session.feeds and (feed.position or 0) < wanted:
                    await feed.wait_for_progress()
            await hub.wait_until_delivered()
    except TimeoutError:
        raise RestoreFailed from None


async def restore_session(
    suspended: SuspendedSession, hub: Hub, event_history: EventHistory, positions: Positions
) -> Session:
    """Restore a suspended session on this instance, without a connection.

    Its replay buffer has all events that it missed, up to `positions` at least. Raises
    RestoreFailed.
    """
    await _wait_until_caught_up(hub, event_history, suspended, positions)
    # The code from here to the end does not await, so feeds and history do not change.
    session = Session.from_state(suspended.state, suspended.replay, hub.replay_budget)
    session.detached_at = _now()
    restorer = _SessionRestorer(session, hub, event_history, positions)
    try:
        restorer.follow_user(suspended.user_position)
        for guild_id, (seq, visibility) in suspended.guilds.items():
            restorer.follow_guild(guild_id, seq, visibility, suspended.presences.get(guild_id))
        restorer.commit()
    except RestoreFailed:
        hub.remove(session)
        raise
    hub.add(session)
    hub.restored.append((session, tuple(suspended.presences.values())))
    return session


async def _wait_until_caught_up(
    hub: Hub, event_history: EventHistory, suspended: SuspendedSession, positions: Positions
) -> None:
    """Wait until feeds and history have the events up to these positions."""
    try:
        async with asyncio.timeout(_BACKFILL_TIMEOUT_S):
            await event_history.backfilled.wait()
        async with asyncio.timeout(_CATCH_UP_S):
            for stream, seq in suspended.positions.items():
                wanted = max(seq, positions.get(stream, 0))
                feed = hub.feed(stream)
                if feed is not None and (feed.is_started or feed.is_starting):
                    await feed.wait_for(wanted)
                await event_history.wait_for(stream, seq, wanted)
            # Deliver in time slices here, so that little is left for the flush in `commit`.
            await hub.wait_until_delivered()
    except TimeoutError:
        raise RestoreFailed from None


class _SessionRestorer:
    """Lets one session follow its feeds again, one after the other."""

    def __init__(
        self, session: Session, hub: Hub, event_history: EventHistory, positions: Positions
    ) -> None:
        self._session = session
        self._hub = hub
        self._event_history = event_history
        self._positions = positions
        self._replay_queue = DeliveryQueue(
            FlushScheduler(max_bytes=0), Counters(), hub.replay_budget
        )
        """The delivery queue of the replay feeds."""

    def follow_user(self, seq: int) -> None:
        """Follow the feed of the session's user, from the events after `seq`.

        Raises RestoreFailed if an event is missing, the user joined or left a guild, or the login
        was revoked.
        """
        session = self._session
        missed = self._event_history.after(StreamId(session.user_id), seq)
        for event in missed:
            if event.name == MEMBERSHIP_CHANGED or revoked_login(event) == session.login_id:
                raise RestoreFailed
        feed = self._hub.user_feed(session.user_id)
        if feed.is_started:
            replay_feed = UserFeed(feed.stream, self._replay_queue, set())
            replay_feed.start(seq, _now())
            self._replay_through(replay_feed, feed, missed)
            replay_feed.detach(session)
            feed.attach(session)
        else:
            feed.attach(session)
            feed.start(seq, _now())
            _push_all(feed, missed)
        self._require_position(feed)

    def follow_guild(
        self, guild_id: GuildId, seq: int, visibility: Visibility, known: KnownPresences | None
    ) -> None:
        """Follow the feed of a guild, from the events after `seq`.

        `visibility` is that of the guild at position `seq`, and `known` are the presences that the
        client knew there. Raises RestoreFailed.
        """
        session = self._session
        missed = self._event_history.after(StreamId(guild_id), seq)
        if known is not None:
            for event in missed:
                if event.name == "GUILD_MEMBER_REMOVE":
                    known.forget(UserId(int(orjson.loads(event.body)["user"]["id"])))
        visibility.retain_only(session.user_id)
        feed = self._hub.guild_feed(guild_id)
        if feed.is_started:
            subscriber = _SingleSubscriber(session, self._hub)
            replay_feed = GuildFeed(feed.stream, subscriber, self._replay_queue, set())
            replay_feed.restore(visibility, seq, _now())
            self._replay_through(replay_feed, feed, missed)
            roles = replay_feed.visibility.roles_of(session.user_id)
            timeout_end = replay_feed.visibility.timeout_end_of(session.user_id)
            replay_feed.detach(session)
            if roles is not None:
                feed.add_member_session(session, roles, timeout_end)
        elif feed.is_starting:
            raise RestoreFailed
        else:
            feed.attach(session)
            feed.restore(visibility, seq, _now())
            _push_all(feed, missed)
        self._require_position(feed)

    def commit(self) -> None:
        """Put all missed events into the replay buffer of the session."""
        self._replay_queue.flush()
        self._hub.flush_deliveries()

    def _require_position(self, feed: Feed) -> None:
        """Raise RestoreFailed unless a feed has all events that Postgres had."""
        if (feed.position or 0) < self._positions.get(feed.stream, 0):
            raise RestoreFailed

    def _replay_through(self, replay_feed: Feed, feed: Feed, missed: Iterable[Event]) -> None:
        """Pass through `replay_feed` the events that `feed` has already delivered.

        Raises RestoreFailed when one is missing.
        """
        position = feed.position or 0
        replay_feed.attach(self._session)
        _push_all(replay_feed, (event for event in missed if event.seq <= position))
        if (replay_feed.position or 0) < position:
            raise RestoreFailed


def _push_all(feed: Feed, events: Iterable[Event]) -> None:
    now = _now()
    for event in events:
        feed.push(event, now)


def _now() -> float:
    return asyncio.get_running_loop().time()


class _SingleSubscriber:
    """The `LocalSessions` of a replay feed: only the session that is being restored."""

    def __init__(self, session: Session, hub: Hub) -> None:
        self._session = session
        self._hub = hub

    def sessions_of(self, user_id: UserId) -> Iterable[Session]:
        """Return the session, if it is of this user."""
        return (self._session,) if user_id == self._session.user_id else ()

    def mark_presence_dirty(self, user_id: UserId) -> None:
        """Do nothing: a session that is being restored shows no presence yet."""

    def detach_later(self, feed: Feed, sessions: Mapping[UserId, Collection[Session]]) -> None:
        """Remove a feed that has ended from the session, at once."""
        for session in sessions.get(self._session.user_id, ()):
            session.feeds.remove(feed)

    def presences_of(self, guild_id: GuildId, members: Iterable[JsonObject]) -> list[JsonObject]:
        """Return the presences of those of these members that are online in a guild."""
        return self._hub.presences_of(guild_id, members)
