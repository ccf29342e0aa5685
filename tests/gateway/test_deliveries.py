"""Everyone gets what is for them, once and in order, however much there is to do at a time."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chatd.core.ids import LoginId, StreamId, UserId
from chatd.core.intents import Intents
from chatd.ephemeral.presence import PresenceTable
from chatd.events.event import Event, to_user
from chatd.gateway import deliveries as module
from chatd.gateway.batch import Batch
from chatd.gateway.commands import CloseCode
from chatd.gateway.deliveries import Deliveries
from chatd.gateway.frames import Dispatch
from chatd.gateway.outboxes import Outboxes
from chatd.gateway.registry import Registry
from chatd.gateway.session import Session
from chatd.metrics import Tally
from tests.world import PATIENCE_S

CROWD = 3 * 32 + 1
AUDIENCES = [range(CROWD), range(CROWD - 1), range(32), range(64), range(1), range(0)]
ADDED = st.lists(st.tuples(st.sampled_from(AUDIENCES), st.integers(1, 3)), max_size=6)


class Reader:
    """An outlet with an outbox, that notes what is sent and in how many writes."""

    def __init__(self, outboxes: Outboxes) -> None:
        self._outboxes = outboxes
        self._outbox: list[list[bytes]] = []
        self.got: list[bytes] = []
        self.writes = 0
        self.most = 0
        """Batches that have waited in the outbox at a time."""
        self.is_invalid = False
        self.strays = 0
        """What has come after it was told to go."""

    def send(self, batch: Batch, seq: int) -> None:
        if self.is_invalid:
            self.strays += 1
            raise ConnectionError
        bodies = [each.event.body for each in batch.dispatches]
        assert seq == len(self.got) + sum(map(len, self._outbox)) + 1
        self._outbox.append(bodies)
        self.most = max(self.most, len(self._outbox))
        if self._outboxes.write_at_once and len(self._outbox) == 1:
            self.flush()
        elif len(self._outbox) == 1:
            self._outboxes.add(self)

    def flush(self) -> None:
        self.writes += 1
        for bodies in self._outbox:
            self.got += bodies
        self._outbox.clear()

    def invalidate(self) -> None:
        self.is_invalid = True

    def close(self, code: CloseCode, reason: str) -> None:
        self.is_invalid = True

    @property
    def unread_bytes(self) -> int:
        return 0

    def cut_off(self) -> None:
        raise AssertionError


class Crowd:
    """Sessions, each with a reader."""

    def __init__(self) -> None:
        self.outboxes = Outboxes(max_bytes=2**20)
        self.tally = Tally()
        self.deliveries = Deliveries(self.outboxes, self.tally)
        self.readers = [Reader(self.outboxes) for _ in range(CROWD)]
        self.sessions = []
        for number, reader in enumerate(self.readers):
            session = Session(f"{number}", UserId(number), LoginId(1), intents=Intents.GUILDS)
            session.outlet = reader
            self.sessions.append(session)

    def audience(self, numbers: range) -> list[Session]:
        return [self.sessions[number] for number in numbers]


def dispatch(number: int) -> Dispatch:
    return Dispatch(Event("TEST", StreamId(1), to_user(UserId(1)), b"%d" % number))


@pytest.fixture(params=[0.0, 0.003], ids=["little time", "time"])
def budget(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_BUDGET_S", request.param)


@pytest.mark.usefixtures("budget")
@given(added=ADDED, together=st.booleans())
@settings(max_examples=60)
def test_everybody_gets_all_in_order(added: list[tuple[range, int]], together: bool) -> None:
    async def deliver() -> Crowd:
        crowd = Crowd()
        number = 0
        for numbers, count in added:
            audience = crowd.audience(numbers)
            with crowd.deliveries.gathering():
                for _ in range(count):
                    number += 1
                    crowd.deliveries.add(dispatch(number), audience)
                    for each in numbers:
                        expected[each].append(b"%d" % number)
            if not together:
                await done(crowd)
        await done(crowd)
        while any(len(reader.got) < len(expected[n]) for n, reader in enumerate(crowd.readers)):
            await asyncio.sleep(0)  # what was held is written in turns
        return crowd

    expected: list[list[bytes]] = [[] for _ in range(CROWD)]
    crowd = asyncio.run(deliver())
    assert [reader.got for reader in crowd.readers] == expected
    assert crowd.tally.deliveries == sum(map(len, expected))


@pytest.mark.usefixtures("budget")
async def test_what_comes_together_leaves_in_one_write() -> None:
    crowd = Crowd()
    everybody, some = crowd.audience(range(CROWD)), crowd.audience(range(10))
    with crowd.deliveries.gathering():
        for number in range(20):
            crowd.deliveries.add(dispatch(number), everybody)
    await done(crowd)
    assert {reader.writes for reader in crowd.readers} == {1}
    with crowd.deliveries.gathering():
        for number in range(20):
            crowd.deliveries.add(dispatch(number), everybody if number % 2 else some)
    await done(crowd)
    await asyncio.sleep(0)
    assert {reader.writes for reader in crowd.readers} == {2}
    assert {len(reader.got) for reader in crowd.readers} == {40, 30}


async def test_much_to_deliver_is_not_all_kept_until_the_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The outboxes of many would take all memory there is."""
    monkeypatch.setattr(module, "_BUDGET_S", 0.0)
    monkeypatch.setattr(module, "_TOGETHER_S", 0.0)
    crowd = Crowd()
    everybody, the_same = crowd.audience(range(CROWD)), crowd.audience(range(CROWD))
    with crowd.deliveries.gathering():
        for number in range(100):
            crowd.deliveries.add(dispatch(number), everybody if number % 2 else the_same)
    await done(crowd)
    assert max(reader.most for reader in crowd.readers) < 10
    await asyncio.sleep(0)
    assert {len(reader.got) for reader in crowd.readers} == {100}


async def test_who_waits_does_not_wait_for_what_others_add_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "_BUDGET_S", 0.0)
    crowd = Crowd()
    everybody = crowd.audience(range(CROWD))
    busy = asyncio.create_task(keeps_adding(crowd, everybody))
    await asyncio.sleep(0)
    crowd.deliveries.add(dispatch(0), everybody)
    await done(crowd)
    assert not busy.done()
    await busy


async def keeps_adding(crowd: Crowd, audience: list[Session]) -> None:
    for number in range(1, 100):
        with crowd.deliveries.gathering():
            crowd.deliveries.add(dispatch(number), audience)
        await crowd.deliveries.all_done()


async def test_what_many_steps_add_is_delivered_in_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_TAKING_S", 0.0)
    monkeypatch.setattr(module, "_BUDGET_S", 0.0)
    crowd = Crowd()
    everybody, turns = crowd.audience(range(CROWD)), 0

    def take(number: int) -> None:
        assert {len(reader.got) for reader in crowd.readers} == {number}  # those before it
        crowd.deliveries.add(dispatch(number), everybody)

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    waiting = asyncio.create_task(others())
    async with asyncio.timeout(PATIENCE_S):
        await crowd.deliveries.in_turns(range(10), take)
    waiting.cancel()
    assert {len(reader.got) for reader in crowd.readers} == {10}
    assert turns >= 9


async def test_it_is_done_without_being_waited_for() -> None:
    crowd = Crowd()
    crowd.deliveries.add(dispatch(1), crowd.audience(range(CROWD)))
    await asyncio.sleep(0)
    assert {len(reader.got) for reader in crowd.readers} == {1}


async def test_a_server_that_leaves_finishes_what_it_has_begun(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Sessions are parked with where their feeds stand: they must have had all up to there."""
    monkeypatch.setattr(module, "_BUDGET_S", 0.0)
    crowd = Crowd()
    registry = registry_of(crowd)
    with crowd.deliveries.gathering():
        crowd.deliveries.add(dispatch(1), crowd.audience(range(CROWD)))
    assert {session.seq for session in crowd.sessions} == {0, 1}
    registry.let_go()
    assert {session.seq for session in crowd.sessions} == {1}


@pytest.mark.parametrize("ends", [Registry.invalidate, Registry.revoke])
async def test_what_is_on_its_way_does_not_reach_who_has_been_told_to_go(
    monkeypatch: pytest.MonkeyPatch, ends: object
) -> None:
    monkeypatch.setattr(module, "_BUDGET_S", 0.0)
    crowd = Crowd()
    registry, last = registry_of(crowd), crowd.sessions[-1]
    with crowd.deliveries.gathering():
        crowd.deliveries.add(dispatch(1), crowd.audience(range(CROWD)))
    assert callable(ends)
    ends(registry, last)
    await done(crowd)
    assert (crowd.readers[-1].is_invalid, crowd.readers[-1].strays) == (True, 0)
    assert (crowd.readers[0].got, crowd.readers[-1].got) == ([b"1"], [])


async def test_what_was_made_for_a_replay_is_not_kept() -> None:
    """What waits to be replayed is counted without it."""
    crowd = Crowd()
    registry = registry_of(crowd)
    crowd.deliveries.add(dispatch(1), crowd.audience(range(2)))
    await done(crowd)
    [remembered] = crowd.sessions[0].replayed
    for session in crowd.sessions[:2]:
        replayed = session.replay(0, Reader(crowd.outboxes))
        assert replayed.plain.of(1).endswith(b"1}")
        registry.replayed.append(replayed)
        assert "plain" in vars(remembered)
    registry.expire()
    assert "plain" not in vars(remembered)


@pytest.mark.plants_a_bug
async def test_a_fault_with_one_does_not_touch_the_others(caplog: pytest.LogCaptureFixture) -> None:
    crowd = Crowd()
    crowd.readers[5].is_invalid = True  # fails when it is given something
    crowd.deliveries.add(dispatch(1), crowd.audience(range(CROWD)))
    await done(crowd)
    assert [len(reader.got) for reader in crowd.readers] == [each != 5 for each in range(CROWD)]
    assert "session 5 has missed something" in caplog.text
    assert not any(crowd.sessions[5].can_replay(seq) for seq in (0, 1))


@pytest.mark.plants_a_bug
async def test_who_has_missed_something_does_not_get_what_comes_later() -> None:
    """Its client could resume from there."""
    crowd = Crowd()
    registry, session, reader = registry_of(crowd), crowd.sessions[5], crowd.readers[5]
    crowd.deliveries.add(dispatch(1), crowd.audience(range(CROWD)))
    await done(crowd)
    send, reader.send = reader.send, _fails  # type: ignore[method-assign]
    crowd.deliveries.add(dispatch(2), crowd.audience(range(CROWD)))
    await done(crowd)
    reader.send = send  # type: ignore[method-assign]
    crowd.deliveries.add(dispatch(3), crowd.audience(range(CROWD)))
    await done(crowd)
    assert (reader.is_invalid, reader.strays) == (True, 0)
    assert not any(session.can_replay(seq) for seq in range(3))
    registry.detach(session, reader)  # as its connection does when it is closed
    assert session.detached_at is not None


@pytest.mark.plants_a_bug
async def test_an_id_in_the_log_is_not_enough_to_resume(
    caplog: pytest.LogCaptureFixture,
) -> None:
    crowd = Crowd()
    crowd.sessions[0].id = "0123456789abcdef"
    crowd.readers[0].is_invalid = True  # fails when it is given something
    crowd.deliveries.add(dispatch(1), crowd.audience(range(1)))
    await done(crowd)
    assert "session 01234567 has missed something" in caplog.text


def _fails(batch: Batch, seq: int) -> None:
    raise ValueError


async def done(crowd: Crowd) -> None:
    async with asyncio.timeout(PATIENCE_S):
        await crowd.deliveries.all_done()


def registry_of(crowd: Crowd) -> Registry:
    registry = Registry(
        resume_window_s=60.0,
        replay_max_bytes=2**20,
        sessions_per_user=0,
        presences=PresenceTable(),
        deliveries=crowd.deliveries,
        tally=crowd.tally,
    )
    for session in crowd.sessions:
        registry.add(session)
    return registry
