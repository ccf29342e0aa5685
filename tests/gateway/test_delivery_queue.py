"""The delivery queue: every session receives its dispatches once and in order, under any load."""

from __future__ import annotations

import asyncio
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chatd.core.ids import LoginId, StreamId, UserId
from chatd.core.intents import Intents
from chatd.core.presence_table import PresenceTable
from chatd.events.event import Event, to_user
from chatd.gateway.fanout import delivery_queue as module
from chatd.gateway.fanout.delivery_queue import DeliveryQueue
from chatd.gateway.fanout.flush_scheduler import FlushScheduler
from chatd.gateway.fanout.hub import Hub
from chatd.gateway.protocol.batch import Batch
from chatd.gateway.protocol.commands import CloseCode
from chatd.gateway.protocol.replay_budget import ReplayBudget
from chatd.gateway.session.session import Session
from chatd.gateway.session.state import SessionState
from chatd.observability.metrics import Counters
from tests.helpers.examples import examples
from tests.helpers.flushing import flushed
from tests.world import TIMEOUT_S

CROWD = 3 * 32 + 1
AUDIENCES = [range(CROWD), range(CROWD - 1), range(32), range(64), range(1), range(0)]
ADDED = st.lists(st.tuples(st.sampled_from(AUDIENCES), st.integers(1, 3)), max_size=6)


class Reader:
    """A session sink that is flushed. It records what is sent, and in how many writes."""

    send_queue = None

    def __init__(self, flush_scheduler: FlushScheduler) -> None:
        self._flush_scheduler = flush_scheduler
        self._send_queue: list[list[bytes]] = []
        self.got: list[bytes] = []
        self.writes = 0
        self.most = 0
        """The most batches that were in the send queue at a time."""
        self.is_invalid = False
        self.strays = 0
        """Batches that were sent after the session ended."""

    def send(self, batch: Batch, seq: int) -> None:
        if self.is_invalid:
            self.strays += 1
            raise ConnectionError
        bodies = [each.event.body for each in batch.dispatches]
        assert seq == len(self.got) + sum(map(len, self._send_queue)) + 1
        self._send_queue.append(bodies)
        self.most = max(self.most, len(self._send_queue))
        if self._flush_scheduler.is_write_through and len(self._send_queue) == 1:
            self.flush()
        elif len(self._send_queue) == 1:
            self._flush_scheduler.add(self)

    def flush(self) -> None:
        self.writes += 1
        for bodies in self._send_queue:
            self.got += bodies
        self._send_queue.clear()

    def invalidate(self) -> None:
        self.is_invalid = True

    def close(self, code: CloseCode, reason: str) -> None:
        self.is_invalid = True

    @property
    def write_buffer_bytes(self) -> int:
        return 0

    def abort_slow_consumer(self) -> None:
        raise AssertionError


class Crowd:
    """Sessions, each with a reader."""

    def __init__(self) -> None:
        self.flush_scheduler = FlushScheduler(max_bytes=2**20)
        self.counters = Counters()
        self.replay_budget = replay_budget = ReplayBudget(2**20)
        self.delivery_queue = DeliveryQueue(self.flush_scheduler, self.counters, replay_budget)
        self.readers = [Reader(self.flush_scheduler) for _ in range(CROWD)]
        self.sessions = []
        for number, reader in enumerate(self.readers):
            session = Session(
                SessionState(f"{number}", UserId(number), LoginId(1), Intents.GUILDS), replay_budget
            )
            session.sink = reader
            self.sessions.append(session)

    def audience(self, numbers: range) -> list[Session]:
        return [self.sessions[number] for number in numbers]


def event(number: int) -> Event:
    return Event("TEST", StreamId(1), to_user(UserId(1)), b"%d" % number)


@pytest.fixture(params=[0.0, 0.003], ids=["little time", "time"])
def budget(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_DELIVERY_SLICE_S", request.param)


@pytest.mark.usefixtures("budget")
@given(added=ADDED, together=st.booleans())
@settings(max_examples=examples(60))
def test_every_session_receives_all_in_order(
    added: list[tuple[range, int]], together: bool
) -> None:
    async def deliver() -> Crowd:
        crowd = Crowd()
        number = 0
        for numbers, count in added:
            audience = crowd.audience(numbers)
            with crowd.delivery_queue.batching():
                for _ in range(count):
                    number += 1
                    crowd.delivery_queue.add(event(number), audience)
                    for each in numbers:
                        expected[each].append(b"%d" % number)
            if not together:
                await done(crowd)
        await done(crowd)
        await flushed(crowd.flush_scheduler)
        return crowd

    expected: list[list[bytes]] = [[] for _ in range(CROWD)]
    crowd = asyncio.run(deliver())
    assert [reader.got for reader in crowd.readers] == expected
    assert crowd.counters.deliveries == sum(map(len, expected))


@pytest.mark.usefixtures("budget")
async def test_batched_dispatches_are_written_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MAX_CORK_S", 60.0)  # a busy machine may need 30 ms for this
    crowd = Crowd()
    everybody, some = crowd.audience(range(CROWD)), crowd.audience(range(10))
    with crowd.delivery_queue.batching():
        for number in range(20):
            crowd.delivery_queue.add(event(number), everybody)
    await done(crowd)
    await flushed(crowd.flush_scheduler)
    assert {reader.writes for reader in crowd.readers} == {1}
    with crowd.delivery_queue.batching():
        for number in range(20):
            crowd.delivery_queue.add(event(number), everybody if number % 2 else some)
    await done(crowd)
    await flushed(crowd.flush_scheduler)
    assert {reader.writes for reader in crowd.readers} == {2}
    assert {len(reader.got) for reader in crowd.readers} == {40, 30}


async def test_cork_ends_before_all_is_delivered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Send queues of many connections could otherwise exhaust the memory."""
    monkeypatch.setattr(module, "_DELIVERY_SLICE_S", 0.0)
    monkeypatch.setattr(module, "_MAX_CORK_S", 0.0)
    crowd = Crowd()
    everybody, the_same = crowd.audience(range(CROWD)), crowd.audience(range(CROWD))
    with crowd.delivery_queue.batching():
        for number in range(100):
            crowd.delivery_queue.add(event(number), everybody if number % 2 else the_same)
    await done(crowd)
    assert max(reader.most for reader in crowd.readers) < 10
    await flushed(crowd.flush_scheduler)
    assert {len(reader.got) for reader in crowd.readers} == {100}


async def test_drained_does_not_wait_for_later_dispatches(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "_DELIVERY_SLICE_S", 0.0)
    crowd = Crowd()
    everybody = crowd.audience(range(CROWD))
    busy = asyncio.create_task(keeps_adding(crowd, everybody))
    await asyncio.sleep(0)
    crowd.delivery_queue.add(event(0), everybody)
    await done(crowd)
    assert not busy.done()
    await busy


async def keeps_adding(crowd: Crowd, audience: list[Session]) -> None:
    for number in range(1, 100):
        with crowd.delivery_queue.batching():
            crowd.delivery_queue.add(event(number), audience)
        await crowd.delivery_queue.drained()


async def test_steps_are_processed_and_delivered_in_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_STEP_SLICE_S", 0.0)
    monkeypatch.setattr(module, "_DELIVERY_SLICE_S", 0.0)
    crowd = Crowd()
    everybody, turns = crowd.audience(range(CROWD)), 0

    def take(number: int) -> None:
        assert {len(reader.got) for reader in crowd.readers} == {number}  # of the steps before
        crowd.delivery_queue.add(event(number), everybody)

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    waiting = asyncio.create_task(others())
    async with asyncio.timeout(TIMEOUT_S):
        await crowd.delivery_queue.process_in_slices(range(10), take)
    waiting.cancel()
    assert {len(reader.got) for reader in crowd.readers} == {10}
    assert turns >= 9


async def test_what_is_handled_at_once_is_delivered_or_left(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    crowd = Crowd()
    everybody = crowd.audience(range(CROWD))
    queue = crowd.delivery_queue

    def take(number: int) -> None:
        queue.add(event(number), everybody)

    monkeypatch.setattr(module, "_DELIVERY_SLICE_S", TIMEOUT_S)
    monkeypatch.setattr(module, "_STEP_SLICE_S", TIMEOUT_S)
    assert queue.process_at_once([1, 2], take) is None
    assert {len(reader.got) for reader in crowd.readers} == {2}
    monkeypatch.setattr(module, "_STEP_SLICE_S", 0.0)
    assert queue.process_at_once([3, 4, 5], take) == (4, 5)
    assert {len(reader.got) for reader in crowd.readers} == {3}
    monkeypatch.setattr(module, "_DELIVERY_SLICE_S", 0.0)
    assert queue.process_at_once([4], take) == ()  # handled, but not all sessions have it
    assert queue.process_at_once([5], take) == (5,)  # comes after that
    await done(crowd)
    assert [reader.got for reader in crowd.readers] == [[b"1", b"2", b"3", b"4"]] * CROWD


async def test_delivery_ends_the_time_slice_in_which_it_was_added(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Handling events and delivering them is one turn of the event loop."""
    monkeypatch.setattr(module, "_DELIVERY_SLICE_S", 0.05)
    crowd = Crowd()

    def take(number: int) -> None:
        crowd.delivery_queue.add(event(number), crowd.audience(range(CROWD)))
        time.sleep(0.06)  # more than the slice: the loop's clock has milliseconds

    crowd.delivery_queue.process_at_once([1], take)
    assert sum(bool(reader.got) for reader in crowd.readers) == module._SESSIONS_PER_CLOCK_CHECK
    await done(crowd)
    assert [reader.got for reader in crowd.readers] == [[b"1"]] * CROWD


async def test_delivery_needs_no_waiting_caller(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_DELIVERY_SLICE_S", TIMEOUT_S)
    crowd = Crowd()
    crowd.delivery_queue.add(event(1), crowd.audience(range(CROWD)))
    await asyncio.sleep(0)
    await flushed(crowd.flush_scheduler)
    assert {len(reader.got) for reader in crowd.readers} == {1}


async def test_detach_all_flushes_deliveries(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A session is saved with the positions of its feeds: it must have all events up to them."""
    monkeypatch.setattr(module, "_DELIVERY_SLICE_S", 0.0)
    crowd = Crowd()
    hub = hub_of(crowd)
    with crowd.delivery_queue.batching():
        crowd.delivery_queue.add(event(1), crowd.audience(range(CROWD)))
    assert {session.seq for session in crowd.sessions} == {0, 1}
    hub.detach_all()
    assert {session.seq for session in crowd.sessions} == {1}


@pytest.mark.parametrize("ends", [Hub.invalidate, Hub.revoke])
async def test_delivery_in_progress_skips_ended_sessions(
    monkeypatch: pytest.MonkeyPatch, ends: object
) -> None:
    monkeypatch.setattr(module, "_DELIVERY_SLICE_S", 0.0)
    crowd = Crowd()
    hub, last = hub_of(crowd), crowd.sessions[-1]
    with crowd.delivery_queue.batching():
        crowd.delivery_queue.add(event(1), crowd.audience(range(CROWD)))
    assert callable(ends)
    ends(hub, last)
    await done(crowd)
    assert (crowd.readers[-1].is_invalid, crowd.readers[-1].strays) == (True, 0)
    assert (crowd.readers[0].got, crowd.readers[-1].got) == ([b"1"], [])


async def test_frames_of_a_replay_are_released() -> None:
    """The limit of replay buffers does not count frames."""
    crowd = Crowd()
    hub = hub_of(crowd)
    crowd.delivery_queue.add(event(1), crowd.audience(range(2)))
    await done(crowd)
    [remembered] = crowd.sessions[0].replay_buffer
    for session in crowd.sessions[:2]:
        replayed = session.replay(0, Reader(crowd.flush_scheduler))
        assert replayed.plain.render(1).endswith(b"1}")
        hub.retain_replay(replayed)
        assert "plain" in vars(remembered)
    for _ in hub.expiring():
        pass
    assert "plain" not in vars(remembered)


@pytest.mark.expects_error_log
async def test_delivery_error_affects_only_its_session(caplog: pytest.LogCaptureFixture) -> None:
    crowd = Crowd()
    crowd.readers[5].is_invalid = True  # send raises
    crowd.delivery_queue.add(event(1), crowd.audience(range(CROWD)))
    await done(crowd)
    assert [len(reader.got) for reader in crowd.readers] == [each != 5 for each in range(CROWD)]
    assert "session 5 missed an event" in caplog.text
    assert not any(crowd.sessions[5].can_replay(seq) for seq in (0, 1))


@pytest.mark.expects_error_log
async def test_session_with_a_missed_event_receives_nothing_more() -> None:
    """Otherwise its client could resume from a later event."""
    crowd = Crowd()
    hub, session, reader = hub_of(crowd), crowd.sessions[5], crowd.readers[5]
    crowd.delivery_queue.add(event(1), crowd.audience(range(CROWD)))
    await done(crowd)
    send, reader.send = reader.send, _fails  # type: ignore[method-assign]
    crowd.delivery_queue.add(event(2), crowd.audience(range(CROWD)))
    await done(crowd)
    reader.send = send  # type: ignore[method-assign]
    crowd.delivery_queue.add(event(3), crowd.audience(range(CROWD)))
    await done(crowd)
    assert (reader.is_invalid, reader.strays) == (True, 0)
    assert not any(session.can_replay(seq) for seq in range(3))
    hub.detach(session, reader)  # as its connection does when it is closed
    assert session.detached_at is not None


@pytest.mark.expects_error_log
async def test_log_has_only_the_start_of_a_session_id(
    caplog: pytest.LogCaptureFixture,
) -> None:
    crowd = Crowd()
    crowd.sessions[0].id = "0123456789abcdef"
    crowd.readers[0].is_invalid = True  # send raises
    crowd.delivery_queue.add(event(1), crowd.audience(range(1)))
    await done(crowd)
    assert "session 01234567 missed an event" in caplog.text


def _fails(batch: Batch, seq: int) -> None:
    raise ValueError


async def done(crowd: Crowd) -> None:
    async with asyncio.timeout(TIMEOUT_S):
        await crowd.delivery_queue.drained()


def hub_of(crowd: Crowd) -> Hub:
    hub = Hub(
        resume_window_s=60.0,
        replay_budget=crowd.replay_budget,
        sessions_per_user=0,
        presence_table=PresenceTable(),
        delivery_queue=crowd.delivery_queue,
    )
    for session in crowd.sessions:
        hub.add(session)
    return hub
