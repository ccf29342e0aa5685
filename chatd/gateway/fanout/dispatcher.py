"""The dispatcher: passes each event of the bus to the feed of its stream."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from contextvars import copy_context
from dataclasses import replace
from functools import partial

import orjson

from chatd.bus.subscription import Backfill, EventBatch, LinkRestored, Subscription
from chatd.core.errors import ServiceUnavailable
from chatd.core.ids import GuildId, LoginId, UserId
from chatd.core.presence import status_in
from chatd.core.retry import retried
from chatd.core.time_slices import run_in_slices
from chatd.db.pool import Database
from chatd.events.event import AudienceKind, Event
from chatd.events.guilds import JOINED, MEMBERSHIP
from chatd.events.messages import MESSAGE_CREATE
from chatd.events.user_settings import SETTINGS_UPDATED
from chatd.events.users import revoked_login
from chatd.gateway.fanout.delivery_queue import DeliveryQueue
from chatd.gateway.fanout.event_history import EventHistory
from chatd.gateway.fanout.feed import Feed
from chatd.gateway.fanout.friend_presences import FriendPresences
from chatd.gateway.fanout.gap_monitor import GapMonitor
from chatd.gateway.fanout.guild_feed import GuildFeed
from chatd.gateway.fanout.hub import Hub
from chatd.gateway.fanout.membership_monitor import MembershipMonitor
from chatd.gateway.fanout.presence_reporter import PresenceReporter
from chatd.gateway.fanout.time_slicing import build_visibility
from chatd.services import guild_snapshot
from chatd.services.accounts.authentication import Authenticator

log = logging.getLogger(__name__)

_START_TIMEOUT_S = 10.0
"""How long in seconds the feed of a newly joined guild may take to start: the guild is read from
Postgres, and the events since the join must arrive."""

_EXPIRY_INTERVAL_S = 0.25
"""How often in seconds the hub expires sessions and releases the frames of replays. Clients that
reconnect within one interval share these frames."""


class Dispatcher:
    """Passes events of the bus to feeds, caches and the presence reporter of this instance."""

    def __init__(
        self,
        hub: Hub,
        database: Database,
        authenticator: Authenticator,
        *,
        delivery_queue: DeliveryQueue,
        presence_reporter: PresenceReporter,
        friend_presences: FriendPresences,
        event_history: EventHistory,
    ) -> None:
        self._hub = hub
        self._database = database
        self._authenticator = authenticator
        self._delivery_queue = delivery_queue
        self._presence_reporter = presence_reporter
        self._friend_presences = friend_presences
        self._event_history = event_history
        self._gap_monitor = GapMonitor(hub, database)
        self._membership_monitor = MembershipMonitor(hub, database)
        self._failure: Exception | None = None
        """What has failed in `_dispatch_at_once`; it ends `run`."""
        self._tasks = asyncio.TaskGroup()
        """The monitors, and the tasks that start the feeds of newly joined guilds."""

    async def run(self, subscription: Subscription) -> None:
        """Dispatch events until cancelled."""
        async with self._tasks as tasks:
            monitor = partial(self._gap_monitor.run, subscription)
            tasks.create_task(retried("gap monitor", monitor), name="gap monitor")
            compare = partial(self._membership_monitor.run, subscription)
            tasks.create_task(retried("membership monitor", compare), name="membership monitor")
            late = partial(self._membership_monitor.run_late, subscription)
            tasks.create_task(retried("late joins", late), name="late joins")
            expire = self._expire_sessions
            tasks.create_task(retried("session expiry", expire), name="session expiry")
            end_feeds = self._hub.ended_feeds.run
            tasks.create_task(retried("ended feeds", end_feeds), name="ended feeds")
            # The log lines of a dispatch do not belong to the request that published the event.
            context = copy_context()
            subscription.dispatch_at_once = lambda events: context.run(
                self._dispatch_at_once, events
            )
            while True:
                match await subscription.get():
                    case EventBatch(events) as arrived:
                        try:
                            if self._failure is not None:
                                raise self._failure
                            await self._delivery_queue.process_in_slices(events, self._handle_event)
                        finally:
                            arrived.ack()
                    case Backfill(events):
                        for event in events:
                            self._event_history.add(event)
                    case LinkRestored():
                        self._event_history.backfilled.set()
                        self._gap_monitor.reconcile_soon()
                        self._membership_monitor.compare_soon()
                        self._presence_reporter.on_reconnect()

    def _dispatch_at_once(self, events: Sequence[Event]) -> Sequence[Event] | None:
        """Dispatch events while `run` waits for some. See `Subscription.dispatch_at_once`."""
        try:
            return self._delivery_queue.process_at_once(events, self._handle_event)
        except Exception as error:  # must not reach the publisher, whose transaction is committed
            self._failure = error
            return ()

    async def _expire_sessions(self) -> None:
        while True:
            await asyncio.sleep(_EXPIRY_INTERVAL_S)
            await run_in_slices(self._hub.expiring())

    def _handle_event(self, event: Event) -> None:
        self._event_history.add(event)
        if event.name != MESSAGE_CREATE:  # the most frequent event concerns feeds only
            self._notify(event)
        feed = self._hub.feed(event.stream)
        if feed is None:
            return
        feed.push(event, asyncio.get_running_loop().time())
        if (login_id := revoked_login(event)) is not None:
            self._close_login(UserId(event.audience.id), login_id)
        self._hub.drop_if_unused(feed)

    def _notify(self, event: Event) -> None:
        """Pass an event to the caches and reporters of this instance."""
        self._authenticator.on_event(event)
        self._presence_reporter.on_event(event)
        self._friend_presences.on_event(event)
        if event.audience.kind is AudienceKind.USER and event.name in MEMBERSHIP:
            for listener in self._hub.startups_of(UserId(event.audience.id)):
                listener.invalidate_snapshot()
            if event.name in JOINED:
                self._on_guild_joined(event)
        if event.name == SETTINGS_UPDATED:
            self._on_settings_updated(event)

    def _on_settings_updated(self, event: Event) -> None:
        """Give all user clients of an account the new status in its settings, which they share."""
        status = status_in(orjson.loads(event.body))
        user_id = UserId(event.audience.id)
        for session in self._hub.sessions_of(user_id):
            if status is not None and session.user_client is not None:
                session.set_presence(replace(session.presence, status=status))
                self._hub.mark_presence_dirty(user_id)

    def _on_guild_joined(self, event: Event) -> None:
        """Start a feed for a guild that a local user has joined, unless there is one."""
        user_id, guild_id = UserId(event.audience.id), GuildId(event.stream)
        of_user = self._hub.sessions_of(user_id)
        sessions = [each for each in of_user if each.shard_includes(guild_id)]
        if not sessions:
            return
        feed = self._hub.guild_feed(guild_id)
        if feed.position is not None:
            if event.seq <= feed.position:
                # The feed was started from a snapshot that is newer than this event. If the user is
                # still a member, its sessions have missed the join.
                lacking = [each for each in sessions if feed not in each.feeds]
                self._membership_monitor.compare_late(lacking)
            return
        feed.begin_start(event)
        keep_alive = _FeedKeepAlive()
        feed.add_listener(keep_alive)
        self._tasks.create_task(
            self._start_feed(feed, keep_alive, user_id, event.seq), name="feed start"
        )

    async def _start_feed(
        self, feed: GuildFeed, keep_alive: _FeedKeepAlive, user_id: UserId, join_seq: int
    ) -> None:
        """Start a feed from Postgres, unless the task of another joining user has started it.

        The feed needs the events after the GUILD_JOINED, which has the number `join_seq`. If the
        start fails, the user's sessions would miss them, so the dispatcher invalidates these.
        """
        clock = asyncio.get_running_loop().time
        try:
            # Later events of the stream that arrived before the GUILD_JOINED, when no feed existed.
            for earlier in await self._event_history.search_after(feed.stream, join_seq):
                feed.push(earlier, clock())
            transaction = await self._database.begin(snapshot=True)
            try:
                outline = await guild_snapshot.outline(transaction.cur, GuildId(feed.stream))
            finally:
                await transaction.rollback()
            if outline is not None:
                visibility = await build_visibility(outline)
                async with asyncio.timeout(_START_TIMEOUT_S):
                    await feed.wait_until_ready(outline.seq)
                if not feed.is_started:
                    feed.start_from_outline(visibility, outline.seq, clock())
        except (ServiceUnavailable, TimeoutError):
            log.warning("cannot start the feed of guild %d; invalidating sessions", feed.stream)
            self._hub.ended_feeds.invalidate(self._hub.sessions_of(user_id))
        finally:
            feed.end_start()
            feed.remove_listener(keep_alive)
            self._hub.drop_if_unused(feed)

    def _close_login(self, user_id: UserId, login_id: LoginId) -> None:
        for session in self._hub.sessions_of(user_id):
            if session.login_id == login_id:
                self._hub.revoke(session)


class _FeedKeepAlive:
    """A listener that keeps a feed in the hub until its first session follows it."""

    user_id = UserId(0)  # no user has this id, because no session is being started
    receives_own_presence = True  # user 0 has no presence

    def buffer(self, feed: Feed, event: Event) -> None:
        """Do nothing: the feed buffers events itself until it is started."""

    def mark_buffered_after(self, feed: Feed, seq: int) -> None:
        """Do nothing: there is no snapshot to continue."""

    def invalidate_snapshot(self) -> None:
        """Do nothing: sessions that follow the feed later read a snapshot of their own."""
