"""Limits of the deliveries that presence updates cost an instance."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace
from typing import Any

import orjson
import pytest

from chatd.bus.bus import Bus
from chatd.core import time_slices
from chatd.core.capabilities import Capabilities, UserClient
from chatd.core.ids import GuildId, LoginId, StreamId, UserId
from chatd.core.intents import ALL_INTENTS
from chatd.core.models import User
from chatd.core.presence import Presence, PresenceReport, Status
from chatd.core.presence_table import PresenceTable
from chatd.events import members as member_events
from chatd.events import presence as events
from chatd.events.event import Event
from chatd.events.presence import InstanceReport
from chatd.gateway.fanout import presence_reporter as module
from chatd.gateway.fanout import restored_presences
from chatd.gateway.fanout.delivery_queue import DeliveryQueue
from chatd.gateway.fanout.flush_scheduler import FlushScheduler
from chatd.gateway.fanout.guild_feed import GuildFeed
from chatd.gateway.fanout.hub import Hub
from chatd.gateway.fanout.presence_reporter import PresenceReporter
from chatd.gateway.fanout.visibility import Visibility
from chatd.gateway.protocol.batch import Batch
from chatd.gateway.protocol.commands import CloseCode
from chatd.gateway.protocol.replay_budget import ReplayBudget
from chatd.gateway.session.session import Session
from chatd.gateway.session.state import SessionState
from chatd.observability.metrics import Counters
from tests.helpers import loop_time

GUILD = GuildId(1 << 22)
MEMBERS = [UserId(number) for number in range(100, 120)]
NOBODY = PresenceReport(Presence(Status.ONLINE), frozenset())


class Listening:
    """A session sink that records the presences that it is sent."""

    send_queue = None

    def __init__(self) -> None:
        self.shown: list[tuple[int, str]] = []
        self.writes = 0

    def send(self, batch: Batch, seq: int) -> None:
        self.writes += 1
        for dispatch in batch.dispatches:
            body = orjson.loads(dispatch.event.body)
            self.shown.append((int(body["user"]["id"]), body["status"]))

    def invalidate(self) -> None:
        raise AssertionError

    def close(self, code: CloseCode, reason: str) -> None:
        raise AssertionError


class NoMemberLists:
    """Lists that no client has requested."""

    def mark(self, guild_ids: object, user_id: UserId) -> None:
        pass


class NoFriends:
    """The friends of people who have none."""

    def mark(self, user_id: UserId) -> None:
        """Do nothing."""

    async def send_all(self, sessions: list[Session]) -> None:
        """Do nothing."""


class Town:
    """An instance on which all members of a guild have sessions with all intents."""

    def __init__(self, user_client: UserClient | None = None) -> None:
        self.counters = Counters()
        table = self.table = PresenceTable()
        replay_budget = ReplayBudget(2**20)
        delivery_queue = DeliveryQueue(FlushScheduler(max_bytes=0), self.counters, replay_budget)
        self.hub = Hub(
            resume_window_s=120,
            replay_budget=replay_budget,
            sessions_per_user=0,
            presence_table=table,
            delivery_queue=delivery_queue,
        )
        feed = self.hub.guild_feed(GUILD)
        assert isinstance(feed, GuildFeed)
        state: dict[str, Any] = {"guild_id": GUILD, "owner_id": 1, "members": []}
        state |= {"roles": [], "shown_roles": [], "channels": []}
        feed.restore(Visibility.restored(state), 0, 0.0)
        self.sinks: list[Listening] = []
        for user_id in MEMBERS:
            state_of = SessionState(
                f"{user_id}", user_id, LoginId(user_id), ALL_INTENTS, user_client=user_client
            )
            session = Session(state_of, replay_budget)
            sink = session.sink = Listening()
            self.sinks.append(sink)
            self.hub.add(session)
            feed.add_member_session(session, (), 0.0)
        self.reporter = PresenceReporter(
            self.hub,
            Bus("redis://127.0.0.1:1", worker_id=0),
            presence_table=table,
            delivery_queue=delivery_queue,
            counters=self.counters,
            member_lists=NoMemberLists(),  # type: ignore[arg-type]
            friend_presences=NoFriends(),  # type: ignore[arg-type]
        )

    def show(self, status: Status | None, *users: UserId) -> None:
        """Report this status of these users, from another instance."""
        report = None if status is None else PresenceReport(Presence(status), frozenset({GUILD}))
        shown = InstanceReport("there", dict.fromkeys(users, report))
        for event in events.reported(shown):
            self.reporter.on_event(event)


async def test_flush_is_bounded_by_deliveries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MAX_DELIVERIES", 3 * len(MEMBERS))
    town = Town()
    town.show(Status.ONLINE, *MEMBERS)
    assert town.counters.deliveries == 0  # changes are sent by `flush` only
    turns = 0
    while len(town.sinks[0].shown) < len(MEMBERS):
        before = town.counters.deliveries
        await town.reporter.flush()
        assert 0 < town.counters.deliveries - before <= 3 * len(MEMBERS)
        turns += 1
    assert turns == 7
    for sink in town.sinks:
        assert sink.shown == [(user_id, "online") for user_id in MEMBERS]


async def test_flush_sends_only_the_newest_presence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MAX_DELIVERIES", len(MEMBERS))
    town = Town()
    town.show(Status.ONLINE, *MEMBERS)
    for status in (Status.IDLE, Status.DND, Status.ONLINE, Status.IDLE):
        town.show(status, *MEMBERS[:5])
    town.show(None, MEMBERS[-1])  # connected and disconnected before a flush
    for _ in MEMBERS:
        await town.reporter.flush()
    shown = dict(town.sinks[0].shown)
    assert Counter(shown.values()) == {"idle": 5, "online": 14, "offline": 1}
    assert len(town.sinks[0].shown) == len(MEMBERS)


async def test_presences_that_change_together_are_written_together() -> None:
    for client in (None, UserClient(Capabilities(0), "Linux")):
        town = Town(client)
        town.show(Status.ONLINE, *MEMBERS)
        for _ in range(3):
            await town.reporter.flush()
        for sink in town.sinks:
            sink.shown.clear()
            sink.writes = 0
        changed = MEMBERS[:5]
        town.show(Status.IDLE, *changed)
        await town.reporter.flush()
        for user_id, sink in zip(MEMBERS, town.sinks, strict=True):
            # The client of a person receives its own presence in SESSIONS_REPLACE.
            expected = [each for each in changed if client is None or each != user_id]
            assert sink.shown == [(each, "idle") for each in expected]
            assert sink.writes == 1


async def test_presences_of_many_users_take_several_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time_slices, "_SLICE_S", 0.0)  # so that each step is a slice
    town = Town()
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    for user_id in MEMBERS:
        town.hub.mark_presence_dirty(user_id)
    counting = asyncio.create_task(count())
    await town.reporter.update()
    counting.cancel()
    assert turns >= 2 * len(MEMBERS)  # the presences and the lists of sessions


async def test_large_guild_gets_no_presence_updates(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_BROADCAST_MEMBERS", 10)
    town = Town()
    town.show(Status.ONLINE, *MEMBERS[:10])
    await town.reporter.flush()
    assert town.counters.deliveries == 10 * len(MEMBERS)
    town.show(Status.ONLINE, *MEMBERS[10:])
    town.show(Status.IDLE, MEMBERS[0])
    await town.reporter.flush()
    assert town.counters.deliveries == 10 * len(MEMBERS)
    town.show(None, *MEMBERS[:10])  # the guild is small again
    await town.reporter.flush()
    assert town.counters.deliveries == 20 * len(MEMBERS)
    assert town.hub.feed(StreamId(GUILD)) is not None


def roll(*users: UserId) -> Event:
    """Return the roll of an instance that has only these users left."""
    full = InstanceReport("there", dict.fromkeys(map(UserId, range(1000)), NOBODY), replaces=True)
    *_, last = events.reported(full)
    assert last.name == events.PRESENCE_ROLL
    return replace(last, body=orjson.dumps(["there", users]))


async def test_users_of_a_shrunken_instance_are_removed_in_slices(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An instance may come back with few of its users, and a user that is back stays online."""
    monkeypatch.setattr(module, "_EXPIRY_BATCH", 1)
    monkeypatch.setattr(time_slices, "_SLICE_S", 0.0)
    town = Town()
    town.show(Status.ONLINE, *MEMBERS)
    await town.reporter.flush()
    town.reporter.on_event(roll(MEMBERS[0]))
    town.show(Status.IDLE, MEMBERS[1])
    with loop_time.iterations() as counted:
        await town.reporter.update()
    assert counted.count > len(MEMBERS) - 2
    shown = dict(town.sinks[0].shown)
    assert [shown[each] for each in MEMBERS[:3]] == ["online", "idle", "offline"]
    assert Counter(shown.values()) == {"online": 1, "idle": 1, "offline": len(MEMBERS) - 2}
    town.reporter.on_event(roll())
    town.reporter.on_event(roll(*MEMBERS))  # the newer roll counts
    await town.reporter.update()
    assert town.hub.presence_of(MEMBERS[0]).status is Status.ONLINE


def removal(user_id: UserId) -> Event:
    user = User(user_id, f"user{user_id}", None, None, False)
    return member_events.member_removed(GUILD, user).numbered(1)


async def test_removed_member_has_no_presence_in_the_guild() -> None:
    """Clients would show it as a member again."""
    town = Town()
    town.show(Status.ONLINE, *MEMBERS)
    town.reporter.on_event(removal(MEMBERS[0]))  # its presence is still to be sent
    await town.reporter.flush()
    town.reporter.on_event(removal(MEMBERS[1]))
    town.show(None, MEMBERS[1])
    town.show(Status.IDLE, MEMBERS[2])
    await town.reporter.flush()
    shown = town.sinks[-1].shown
    assert [each for each in shown if each[0] == MEMBERS[0]] == []
    assert [each for each in shown if each[0] == MEMBERS[1]] == [(MEMBERS[1], "online")]
    assert shown[-1] == (MEMBERS[2], "idle")
    town.show(Status.DND, MEMBERS[0])
    await town.reporter.flush()
    assert town.sinks[-1].shown[-1] == (MEMBERS[2], "idle")  # the report was late
    town.reporter.on_event(replace(removal(MEMBERS[0]), name="GUILD_MEMBER_ADD"))
    await town.reporter.flush()
    assert town.sinks[-1].shown[-1] == (MEMBERS[0], "dnd")
    town.show(Status.IDLE, MEMBERS[3])
    town.reporter.on_event(removal(MEMBERS[3]))  # nothing is left to be sent
    await town.reporter.flush()
    assert town.sinks[-1].shown[-1] == (MEMBERS[0], "dnd")


async def test_restored_session_gets_presences_that_differ_from_known_ones(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(restored_presences, "_SETTLE_S", 0.0)
    town = Town()
    town.show(Status.ONLINE, *MEMBERS)
    for _ in range(3):
        await town.reporter.flush()
    known = town.hub.read_known_presences([GUILD])[GUILD]
    town.show(Status.IDLE, *MEMBERS[1:4])
    town.show(None, *MEMBERS[4:6])
    await town.reporter.flush()
    session, *_ = town.hub.sessions
    for sink in town.sinks:
        sink.shown.clear()
    town.hub.restored.append((session, [known]))
    town.reporter.on_event(removal(MEMBERS[3]))
    town.reporter.on_event(removal(MEMBERS[5]))
    for _ in range(3):
        await town.reporter.update()
    await town.hub.wait_until_delivered()
    shown = [(MEMBERS[1], "idle"), (MEMBERS[2], "idle"), (MEMBERS[4], "offline")]
    assert sorted(town.sinks[0].shown) == shown
    assert all(sink.shown == [] for sink in town.sinks[1:])


async def test_presences_for_restored_sessions_are_bounded_by_deliveries(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in (("_SETTLE_S", 0.0), ("_MAX_DELIVERIES", 1), ("MAX_TOGETHER", 2)):
        monkeypatch.setattr(restored_presences, name, value)
    town = Town()
    known = town.hub.read_known_presences([GUILD])[GUILD]
    town.show(Status.ONLINE, *MEMBERS[:6])
    await town.reporter.flush()
    session, *_ = town.hub.sessions
    town.sinks[0].shown.clear()
    town.hub.restored.append((session, [known]))
    for sent in (2, 4):
        await town.reporter.update()
        await town.hub.wait_until_delivered()
        assert len(town.sinks[0].shown) == sent
    left = set(MEMBERS[:6]) - {user_id for user_id, _ in town.sinks[0].shown}
    gone = UserId(min(left))
    town.reporter.on_event(removal(gone))
    await town.reporter.update()
    await town.hub.wait_until_delivered()
    assert {user_id for user_id, _ in town.sinks[0].shown} == set(MEMBERS[:6]) - {gone}


async def test_second_handoff_keeps_what_a_restored_session_has_not_received(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Of several instances that restart one after the other, the next one is soon on its way."""
    town = Town()
    town.show(Status.ONLINE, *MEMBERS)
    for _ in range(3):
        await town.reporter.flush()
    known = town.hub.read_known_presences([GUILD])[GUILD]
    town.show(Status.IDLE, MEMBERS[1])
    town.show(None, MEMBERS[2])
    await town.reporter.flush()
    session, *_ = town.hub.sessions
    town.hub.restored.append((session, [known]))
    again = town.hub.read_known_presences([GUILD])[GUILD]
    assert sorted(again.changed(town.table)) == MEMBERS[1:3]
    monkeypatch.setattr(restored_presences, "_SETTLE_S", 0.0)
    for name, value in (("_MAX_DELIVERIES", 1), ("MAX_TOGETHER", 1)):
        monkeypatch.setattr(restored_presences, name, value)
    town.hub.restored.append((session, [again]))
    await town.reporter.update()  # sends the first of two
    again = town.hub.read_known_presences([GUILD])[GUILD]
    assert MEMBERS[2] in again.changed(town.table)


async def test_handoff_of_a_large_guild_saves_no_presences(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_BROADCAST_MEMBERS", 10)
    town = Town()
    town.show(Status.ONLINE, *MEMBERS)
    assert town.hub.read_known_presences([GUILD]) == {}
