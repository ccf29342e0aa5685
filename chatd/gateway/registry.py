"""The sessions of this instance, and the feeds that they follow."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable

from chatd.core.ids import GuildId, StreamId, UserId
from chatd.core.presence import Status
from chatd.ephemeral.presence import PresenceTable
from chatd.gateway.batch import Batch
from chatd.gateway.commands import CloseCode
from chatd.gateway.deliveries import Deliveries
from chatd.gateway.feed import Feed, GuildFeed, UserFeed, Watcher
from chatd.gateway.frames import Dispatch
from chatd.gateway.session import Outlet, Session
from chatd.metrics import Tally
from chatd.wire import payloads

log = logging.getLogger(__name__)


class Registry:
    """Who is here. Everything in it is changed in one loop, without waiting in between."""

    def __init__(
        self,
        *,
        resume_window_s: float,
        replay_max_bytes: int,
        sessions_per_user: int,
        presences: PresenceTable,
        deliveries: Deliveries,
        tally: Tally,
    ) -> None:
        self.tally = tally
        self.deliveries = deliveries
        self.presences = presences
        self.restless: set[UserId] = set()
        """Users who may have to be reported anew: one of their sessions has changed."""
        self.replayed: list[Batch] = []
        """What has been replayed just now. Others may be about to replay the same."""
        self.gaps: set[Feed] = set()
        """Feeds that wait, or have waited, for an event whose successor is here already."""
        self._resume_window_s = resume_window_s
        self._replay_max_bytes = replay_max_bytes
        self._sessions_per_user = sessions_per_user
        self._sessions: dict[str, Session] = {}
        self._by_user: dict[UserId, set[Session]] = {}
        self._detached: dict[Session, None] = {}
        """Those that wait to be resumed; who has waited longest comes first."""
        self._starting: dict[UserId, set[Watcher]] = {}
        self._feeds: dict[StreamId, Feed] = {}

    def __len__(self) -> int:
        return len(self._sessions)

    def session(self, session_id: str) -> Session | None:
        """A session by its id."""
        return self._sessions.get(session_id)

    def of_user(self, user_id: UserId) -> Iterable[Session]:
        """The sessions of a user."""
        return tuple(self._by_user.get(user_id, ()))

    def presences_of(self, members: Iterable[payloads.Json]) -> list[payloads.Json]:
        """What those of these members show who are online."""
        shown = []
        for member in members:
            user_id = UserId(int(member["user"]["id"]))
            presence = self.presences.of(user_id)
            if presence.status != Status.OFFLINE:
                shown.append(payloads.presence(user_id, presence))
        return shown

    def starting(self, user_id: UserId) -> Iterable[Watcher]:
        """The sessions of a user that are being started."""
        return tuple(self._starting.get(user_id, ()))

    def has_room_for(self, user_id: UserId) -> bool:
        """Whether a user may start one more session; the longest unused makes room for it."""
        if not self._sessions_per_user:
            return True
        sessions = self._by_user.get(user_id, set())
        if len(sessions) + len(self._starting.get(user_id, ())) < self._sessions_per_user:
            return True
        unused = [each for each in sessions if each.detached_at is not None]
        if not unused:
            return False
        self.remove(min(unused, key=_detached_at))
        return True

    def begin_start(self, user_id: UserId, watcher: Watcher) -> None:
        """A session of this user is being started."""
        self._starting.setdefault(user_id, set()).add(watcher)

    def end_start(self, user_id: UserId, watcher: Watcher, watched: Iterable[Feed]) -> None:
        """It has been started, or given up: it watches these feeds no more."""
        watchers = self._starting.get(user_id, set())
        watchers.discard(watcher)
        if not watchers:
            self._starting.pop(user_id, None)
        for feed in watched:
            feed.unwatch(watcher)
            self.drop_if_deserted(feed)

    def add(self, session: Session) -> None:
        """A session has been started."""
        self._sessions[session.id] = session
        if session.detached_at is not None:
            self._detached[session] = None
        self._by_user.setdefault(session.user_id, set()).add(session)
        self.restless.add(session.user_id)

    def remove(self, session: Session) -> None:
        """A session is over: it cannot be resumed."""
        self._sessions.pop(session.id, None)
        self._detached.pop(session, None)
        self.restless.add(session.user_id)
        of_user = self._by_user.get(session.user_id, set())
        of_user.discard(session)
        if not of_user:
            self._by_user.pop(session.user_id, None)
        for feed in list(session.feeds):
            feed.detach(session)
            self.drop_if_deserted(feed)

    def let_go(self) -> list[Session]:
        """Forget all sessions and feeds; from here on nothing reaches them.

        The feeds of the sessions stay where they are now, and so do the sessions.
        """
        self.deliveries.finish()
        sessions = list(self._sessions.values())
        for session in sessions:
            session.outlet = None
        self._sessions.clear()
        self._detached.clear()
        self._by_user.clear()
        self._feeds.clear()
        return sessions

    def attach(self, session: Session, outlet: Outlet) -> None:
        """Move a session to this connection, away from the one it had."""
        if session.outlet is not None:
            session.outlet.close(CloseCode.SESSION_TIMED_OUT, "Resumed elsewhere.")
        session.outlet = outlet
        session.detached_at = None
        self._detached.pop(session, None)
        self.restless.add(session.user_id)

    def detach(self, session: Session, outlet: Outlet) -> None:
        """The connection of a session is gone; the session waits to be resumed."""
        has_moved = session.outlet is not None and session.outlet is not outlet
        if has_moved or session.detached_at is not None:
            return
        session.outlet = None
        self.restless.add(session.user_id)
        session.detached_at = asyncio.get_running_loop().time()
        if session.id in self._sessions:
            self._detached[session] = None

    def expire(self) -> None:
        """Forget the sessions that have waited too long, and what was made for replays."""
        for batch in self.replayed:
            batch.forget()
        self.replayed.clear()
        horizon = asyncio.get_running_loop().time() - self._resume_window_s
        while self._detached:
            longest = next(iter(self._detached))
            if (longest.detached_at or 0.0) > horizon:
                break
            self.remove(longest)
        if Dispatch.living_bytes > self._replay_max_bytes:
            self._forget_most()

    def _forget_most(self) -> None:
        """End sessions that wait to be resumed, those that waited longest first; if that is not
        enough, let those that remember most forget it: they cannot resume, but go on."""
        for session in list(self._detached):
            if Dispatch.living_bytes <= self._replay_max_bytes:
                return
            self.remove(session)
        log.warning("there is more to be replayed than REPLAY_MAX_BYTES")
        for session in sorted(self._sessions.values(), key=_replay_bytes, reverse=True):
            if Dispatch.living_bytes <= self._replay_max_bytes:
                return
            session.forget()

    def users(self) -> Iterable[UserId]:
        """Everyone who has a session here."""
        return tuple(self._by_user)

    def feed(self, stream: StreamId) -> Feed | None:
        """The feed of a stream, if somebody here follows it."""
        return self._feeds.get(stream)

    @property
    def feeds(self) -> list[Feed]:
        """All feeds that somebody here follows."""
        return list(self._feeds.values())

    def guild_feed(self, guild_id: GuildId) -> GuildFeed:
        """The feed of a guild; a new one collects events until it is begun."""
        stream = StreamId(guild_id)
        feed = self._feeds.get(stream)
        if feed is None:
            feed = self._feeds[stream] = GuildFeed(stream, self, self.deliveries, self.gaps)
        assert isinstance(feed, GuildFeed)
        return feed

    def user_feed(self, user_id: UserId) -> UserFeed:
        """The feed of a user; a new one collects events until it is started."""
        stream = StreamId(user_id)
        feed = self._feeds.get(stream)
        if feed is None:
            feed = self._feeds[stream] = UserFeed(stream, self.deliveries, self.gaps)
        assert isinstance(feed, UserFeed)
        return feed

    def drop_if_deserted(self, feed: Feed) -> None:
        """Forget a feed that nobody follows any more."""
        if feed.is_deserted and self._feeds.get(feed.stream) is feed:
            del self._feeds[feed.stream]

    def lose(self, feed: Feed) -> None:
        """Events of this feed are missing: tell all who follow it to identify anew."""
        self._feeds.pop(feed.stream, None)
        feed.restart_watchers()
        for session in feed.sessions:
            self.invalidate(session)

    def invalidate(self, session: Session) -> None:
        """End a session that has missed something; its client starts a new one."""
        self.remove(session)
        outlet, session.outlet = session.outlet, None  # what is still on its way is for nobody
        if outlet is not None:
            outlet.invalidate()

    def revoke(self, session: Session) -> None:
        """End a session whose login has been revoked."""
        self.remove(session)
        outlet, session.outlet = session.outlet, None
        if outlet is not None:
            outlet.close(CloseCode.AUTHENTICATION_FAILED, "Authentication failed.")


def _detached_at(session: Session) -> float:
    return session.detached_at or 0.0


def _replay_bytes(session: Session) -> int:
    return session.replay_bytes
