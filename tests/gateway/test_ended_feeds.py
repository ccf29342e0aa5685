"""Feeds and sessions that end forget each other in time slices, and deliver nothing in between."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Sequence
from typing import Any

import pytest

from chatd.bus.subscription import Subscription
from chatd.core import time_slices
from chatd.core.ids import GuildId, LoginId, StreamId, UserId
from chatd.core.intents import ALL_INTENTS
from chatd.core.presence import OFFLINE
from chatd.core.presence_table import PresenceTable
from chatd.db.pool import Database
from chatd.events import guilds as events
from chatd.events.event import Event, to_user
from chatd.events.presence import presence_updated
from chatd.gateway.fanout import gap_monitor, membership_monitor
from chatd.gateway.fanout.delivery_queue import DeliveryQueue
from chatd.gateway.fanout.flush_scheduler import FlushScheduler
from chatd.gateway.fanout.gap_monitor import GapMonitor
from chatd.gateway.fanout.hub import Hub
from chatd.gateway.fanout.membership_monitor import MembershipMonitor
from chatd.gateway.fanout.visibility import Visibility
from chatd.gateway.protocol.batch import Batch
from chatd.gateway.protocol.commands import CloseCode
from chatd.gateway.protocol.replay_budget import ReplayBudget
from chatd.gateway.session.session import Session
from chatd.gateway.session.state import SessionState
from chatd.observability.metrics import Counters
from chatd.services import followed_guilds
from chatd.services.followed_guilds import Difference, FollowedGuilds
from tests.helpers import loop_time
from tests.world import TIMEOUT_S

GUILD = GuildId(1 << 22)
USERS = [UserId(number) for number in range(100, 300)]

BLOCKED_S = 0.5


class Listening:
    """A session sink that records what it is sent."""

    send_queue = None

    def __init__(self) -> None:
        self.names: list[str] = []
        self.is_invalid = False
        self.close_code: CloseCode | None = None

    def send(self, batch: Batch, seq: int) -> None:
        self.names += [dispatch.event.name for dispatch in batch.dispatches]

    def invalidate(self) -> None:
        self.is_invalid = True

    def close(self, code: CloseCode, reason: str) -> None:
        self.close_code = code


class Crowd:
    """An instance on which all members of a guild have sessions."""

    def __init__(self) -> None:
        budget = ReplayBudget(2**24)
        self.queue = DeliveryQueue(FlushScheduler(max_bytes=0), Counters(), budget)
        self.hub = Hub(
            resume_window_s=0.0,
            replay_budget=budget,
            sessions_per_user=0,
            presence_table=PresenceTable(),
            delivery_queue=self.queue,
        )
        self.feed = self.hub.guild_feed(GUILD)
        state: dict[str, Any] = {"guild_id": GUILD, "owner_id": 1, "members": []}
        state |= {"roles": [], "shown_roles": [], "channels": []}
        self.feed.restore(Visibility.restored(state), 0, 0.0)
        self.sinks = [Listening() for _ in USERS]
        self.sessions: list[Session] = []
        for user_id, sink in zip(USERS, self.sinks, strict=True):
            session = Session(
                SessionState(f"{user_id}", user_id, LoginId(user_id), ALL_INTENTS), budget
            )
            session.sink = sink
            self.hub.add(session)
            self.feed.add_member_session(session, (), 0.0)
            self.sessions.append(session)

    def delete_guild(self) -> None:
        """Let the event of the guild's deletion arrive, as the dispatcher does."""
        self.feed.push(events.guild_deleted(GUILD).numbered(1), 0.0)
        self.hub.drop_if_unused(self.feed)

    @property
    def followers(self) -> int:
        return sum(self.feed in session.feeds for session in self.sessions)


async def worked_off(crowd: Crowd) -> int:
    """Let the background task of a hub run; return the turns of the event loop."""
    with loop_time.iterations() as counted:
        task = asyncio.create_task(crowd.hub.ended_feeds.run())
        while crowd.followers:
            await asyncio.sleep(0)
        task.cancel()
    return counted.count


@pytest.fixture(autouse=True)
def short_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let each step be a slice."""
    monkeypatch.setattr(time_slices, "_SLICE_S", 0.0)


async def test_sessions_of_a_deleted_guild_are_detached_in_slices() -> None:
    crowd = Crowd()
    crowd.hub.take_presence_dirty()
    crowd.delete_guild()
    assert crowd.hub.feed(StreamId(GUILD)) is None  # at once: nothing more is delivered
    crowd.feed.push_presences({USERS[0]: presence_updated(GUILD, USERS[0], OFFLINE)})
    crowd.queue.flush()
    assert {tuple(sink.names) for sink in crowd.sinks} == {("GUILD_DELETE",)}
    assert crowd.followers == len(USERS)
    assert await worked_off(crowd) >= len(USERS)
    assert crowd.hub.take_presence_dirty() == set(USERS)
    assert all(session.feeds == [] for session in crowd.sessions)


async def test_handoff_and_end_of_a_session_find_no_deleted_guild() -> None:
    crowd = Crowd()
    crowd.delete_guild()
    crowd.hub.remove(crowd.sessions[0])  # its client disconnects for good in between
    saved = crowd.hub.detach_all()
    assert len(saved) == len(USERS) - 1
    assert all(session.feeds == [] for session in saved)


async def test_sessions_of_a_lost_feed_are_invalidated_in_slices() -> None:
    crowd = Crowd()
    crowd.hub.invalidate_feed(crowd.feed)
    ended = crowd.sessions[0]
    crowd.hub.remove(ended)
    assert crowd.hub.feed(StreamId(GUILD)) is None
    assert await worked_off(crowd) >= len(USERS) - 1
    assert [sink.is_invalid for sink in crowd.sinks] == [False, *[True] * (len(USERS) - 1)]
    assert len(crowd.hub) == 0


async def test_feeds_with_gaps_are_invalidated_in_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    """After an outage of Redis, thousands of feeds may lack events."""
    monkeypatch.setattr(gap_monitor, "_MONITOR_INTERVAL_S", 0.0001)
    monkeypatch.setattr(gap_monitor, "_GAP_TIMEOUT_S", 0.0)
    hub = Crowd().hub
    monitor = GapMonitor(hub, Database("", size=0))
    monitor._reconcile_at = math.inf
    feeds = [hub.user_feed(user_id) for user_id in USERS]
    missing = Event("X", StreamId(1), to_user(UserId(1)), b"", seq=1)
    for feed in feeds:
        feed.start(0, 0.0)
        feed.push(missing.numbered(2), 0.0)
    with loop_time.iterations() as counted:
        watching = asyncio.create_task(monitor.run(EmptyQueue()))
        while len(found := hub.gaps()) > 1:
            await asyncio.sleep(0)
        [late] = found
        late.push(missing, 1.0)
        await asyncio.sleep(0.01)
        watching.cancel()
    assert counted.count >= len(USERS)
    assert hub.feed(late.stream) is late  # its event has come in time


async def test_gap_is_not_overdue_because_the_loop_was_blocked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The missing event may lie unread in the socket of Redis."""
    monkeypatch.setattr(gap_monitor, "_MONITOR_INTERVAL_S", BLOCKED_S / 50)
    monkeypatch.setattr(gap_monitor, "_GAP_TIMEOUT_S", BLOCKED_S / 2)
    crowd = Crowd()
    monitor = GapMonitor(crowd.hub, Database("", size=0))
    monitor._reconcile_at = math.inf
    watching = asyncio.create_task(monitor.run(EmptyQueue()))
    clock = asyncio.get_running_loop().time
    crowd.feed.push(events.guild_deleted(GUILD).numbered(2), clock())
    for _ in range(2):
        time.sleep(BLOCKED_S)  # noqa: ASYNC251 - blocks the event loop
        for _ in range(5):  # in which the monitor looks
            await asyncio.sleep(0)
        assert crowd.hub.feed(crowd.feed.stream) is crowd.feed
    async with asyncio.timeout(TIMEOUT_S):
        while crowd.hub.feed(crowd.feed.stream) is crowd.feed:  # the event does not come
            await asyncio.sleep(0)
    watching.cancel()


async def test_sessions_of_a_revoked_login_forget_their_feeds_in_slices() -> None:
    crowd = Crowd()
    crowd.hub.take_presence_dirty()
    for session in crowd.sessions:
        crowd.hub.revoke(session)
    assert len(crowd.hub) == 0  # at once: none can be resumed
    assert crowd.hub.take_presence_dirty() == set(USERS)
    assert {sink.close_code for sink in crowd.sinks} == {CloseCode.AUTHENTICATION_FAILED}
    crowd.feed.push_presences({USERS[0]: presence_updated(GUILD, USERS[0], OFFLINE)})
    crowd.queue.flush()
    assert {tuple(sink.names) for sink in crowd.sinks} == {()}
    assert crowd.followers == len(USERS)
    assert await worked_off(crowd) >= len(USERS)
    assert crowd.hub.feed(StreamId(GUILD)) is None


class EmptyQueue(Subscription):
    """A subscription whose deliveries have all been processed."""

    async def drained(self) -> None:
        """Return at once."""


async def test_sessions_that_lack_a_guild_are_compared_and_invalidated_in_slices(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """After an outage, a guild that everybody has joined may be missing everywhere."""
    crowd = Crowd()
    lacking = GuildId(GUILD + (1 << 22))

    async def different(_: Database, followed: Sequence[FollowedGuilds]) -> list[Difference]:
        return [Difference(number, [GUILD, lacking]) for number in range(len(followed))]

    monkeypatch.setattr(followed_guilds, "different", different)
    monkeypatch.setattr(membership_monitor, "_CONFIRM_S", 0.0)
    database = Database("", size=0)
    monitor = MembershipMonitor(crowd.hub, database)
    with loop_time.iterations() as counted:
        comparing = asyncio.create_task(monitor.run(EmptyQueue()))
        monitor.compare_soon()
        invalidating = asyncio.create_task(crowd.hub.ended_feeds.run())
        while len(crowd.hub):
            await asyncio.sleep(0)
        comparing.cancel()
        invalidating.cancel()
    assert counted.count >= 5 * len(USERS)  # twice followed and compared, and then invalidated
    assert all(sink.is_invalid for sink in crowd.sinks)


async def test_sessions_expire_in_slices() -> None:
    crowd = Crowd()
    for session, sink in zip(crowd.sessions, crowd.sinks, strict=True):
        crowd.hub.detach(session, sink)
    with loop_time.iterations() as counted:
        await time_slices.run_in_slices(crowd.hub.expiring())
    assert counted.count >= len(USERS)
    assert len(crowd.hub) == 0
