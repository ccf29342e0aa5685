"""What presence may cost an instance, whatever its users do."""

from __future__ import annotations

from collections import Counter

import orjson
import pytest

from chatd.bus.bus import Bus
from chatd.core.ids import GuildId, LoginId, StreamId, UserId
from chatd.core.intents import ALL_INTENTS
from chatd.core.presence import Presence, Report, Status
from chatd.ephemeral.presence import PresenceTable
from chatd.events import presence as events
from chatd.events.presence import InstanceReport
from chatd.gateway import presence as module
from chatd.gateway.batch import Batch
from chatd.gateway.commands import CloseCode
from chatd.gateway.deliveries import Deliveries
from chatd.gateway.feed import GuildFeed
from chatd.gateway.outboxes import Outboxes
from chatd.gateway.presence import Presences
from chatd.gateway.registry import Registry
from chatd.gateway.session import Session
from chatd.gateway.visibility import Visibility
from chatd.metrics import Tally

GUILD = GuildId(1 << 22)
MEMBERS = [UserId(number) for number in range(100, 120)]


class Listening:
    """Keeps what it is told of each user."""

    def __init__(self) -> None:
        self.told: list[tuple[int, str]] = []

    def send(self, batch: Batch, seq: int) -> None:
        for dispatch in batch.dispatches:
            body = orjson.loads(dispatch.event.body)
            self.told.append((int(body["user"]["id"]), body["status"]))

    def invalidate(self) -> None:
        raise AssertionError

    def close(self, code: CloseCode, reason: str) -> None:
        raise AssertionError


class Town:
    """An instance on which all members of a guild are online, and want to know of each other."""

    def __init__(self) -> None:
        self.tally = Tally()
        self.registry = Registry(
            resume_window_s=120,
            replay_max_bytes=2**20,
            sessions_per_user=0,
            presences=PresenceTable(),
            deliveries=Deliveries(Outboxes(max_bytes=0), self.tally),
            tally=self.tally,
        )
        feed = self.registry.guild_feed(GUILD)
        assert isinstance(feed, GuildFeed)
        state = {"guild_id": GUILD, "owner_id": 1, "roles": [], "channels": [], "members": []}
        feed.restore(Visibility.restored(state), 0, 0.0)
        self.outlets: list[Listening] = []
        for user_id in MEMBERS:
            session = Session(f"{user_id}", user_id, LoginId(user_id), intents=ALL_INTENTS)
            outlet = session.outlet = Listening()
            self.outlets.append(outlet)
            self.registry.add(session)
            feed.admit(session, ())
        self.presences = Presences(self.registry, Bus("redis://127.0.0.1:1", worker_id=0))

    def show(self, status: Status | None, *users: UserId) -> None:
        """All of these show something else, on another instance."""
        report = None if status is None else Report(Presence(status), frozenset({GUILD}))
        told = InstanceReport("there", dict.fromkeys(users, report))
        self.presences.heed(events.reported(told))


async def test_what_is_told_at_once_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_AT_ONCE", 3 * len(MEMBERS))
    town = Town()
    town.show(Status.ONLINE, *MEMBERS)
    assert town.tally.deliveries == 0  # nothing at once: others come first
    turns = 0
    while len(town.outlets[0].told) < len(MEMBERS):
        before = town.tally.deliveries
        await town.presences.tell()
        assert 0 < town.tally.deliveries - before <= 3 * len(MEMBERS)
        turns += 1
    assert turns == 7
    for outlet in town.outlets:
        assert outlet.told == [(user_id, "online") for user_id in MEMBERS]


async def test_only_the_newest_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_AT_ONCE", len(MEMBERS))
    town = Town()
    town.show(Status.ONLINE, *MEMBERS)
    for status in (Status.IDLE, Status.DND, Status.ONLINE, Status.IDLE):
        town.show(status, *MEMBERS[:5])
    town.show(None, MEMBERS[-1])  # has come and gone before anybody was told
    for _ in MEMBERS:
        await town.presences.tell()
    told = dict(town.outlets[0].told)
    assert Counter(told.values()) == {"idle": 5, "online": 14, "offline": 1}
    assert len(town.outlets[0].told) == len(MEMBERS)


async def test_in_a_large_guild_nobody_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_TOLD", 10)
    town = Town()
    town.show(Status.ONLINE, *MEMBERS[:10])
    await town.presences.tell()
    assert town.tally.deliveries == 10 * len(MEMBERS)
    town.show(Status.ONLINE, *MEMBERS[10:])
    town.show(Status.IDLE, MEMBERS[0])
    await town.presences.tell()
    assert town.tally.deliveries == 10 * len(MEMBERS)
    town.show(None, *MEMBERS[:10])  # it is small again
    await town.presences.tell()
    assert town.tally.deliveries == 20 * len(MEMBERS)
    assert town.registry.feed(StreamId(GUILD)) is not None
