"""The loop over plain connections cannot be distinguished from `Session.dispatch` on each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, cast

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chatd.core.ids import ChannelId, LoginId, StreamId, UserId
from chatd.core.intents import Intents
from chatd.events.event import Event, to_channel
from chatd.gateway import send_queue
from chatd.gateway.fanout.flush_scheduler import FlushScheduler
from chatd.gateway.protocol.batch import Batch
from chatd.gateway.protocol.commands import CloseCode
from chatd.gateway.protocol.encoders import (
    PLAIN,
    ZLIB_PAYLOADS,
    ZlibStreamEncoder,
    ZstdStreamEncoder,
)
from chatd.gateway.protocol.frames import Dispatch
from chatd.gateway.protocol.replay_budget import ReplayBudget
from chatd.gateway.send_queue import SendQueue
from chatd.gateway.session import session as module
from chatd.gateway.session.session import Session, dispatch_to_all
from chatd.gateway.session.state import SessionState
from chatd.observability.metrics import Counters
from tests.helpers.flushing import flushed

BUDGET = ReplayBudget(2**30)
ENCODERS: list[Callable[[], Any]] = [
    lambda: PLAIN,
    lambda: PLAIN,
    lambda: ZLIB_PAYLOADS,
    ZlibStreamEncoder,
    ZstdStreamEncoder,
]
MESSAGES, GUILDS = Intents.GUILD_MESSAGES, Intents.GUILDS


class Transport:
    """Records what is written, and reads some of it."""

    def __init__(self, read_share: float) -> None:
        self.written: list[bytes] = []
        self.backlog = 0
        self.is_broken = self.is_aborted = False
        self._read_share = read_share

    def write(self, data: bytes) -> None:
        if self.is_broken:
            raise OSError("broken")
        self.written.append(data)
        self.backlog = int((self.backlog + len(data)) * (1 - self._read_share))

    def get_write_buffer_size(self) -> int:
        return self.backlog

    def is_closing(self) -> bool:
        return self.is_aborted

    def abort(self) -> None:
        self.is_aborted = True


class Connection:
    """A sink of a session, with a send queue."""

    def __init__(self, encoder: Any, read_share: float, scheduler: FlushScheduler) -> None:
        self.transport = Transport(read_share)
        self.counters = Counters()
        transport = cast(Any, self.transport)
        self.send_queue = SendQueue(transport, encoder, scheduler, self.counters)
        self.send = self.send_queue.send
        self.closed_with: CloseCode | None = None

    def invalidate(self) -> None:
        raise AssertionError

    def close(self, code: CloseCode, reason: str) -> None:
        self.closed_with = code


class Crowd:
    """Sessions of many kinds, and what their clients receive."""

    def __init__(self, kinds: Sequence[tuple[int, bool, bool, int, float, int]]) -> None:
        self.scheduler = FlushScheduler(max_bytes=2**30)
        self.connections: list[Connection] = []
        self.sessions: list[Session] = []
        for number, (encoder, is_bot, is_detached, seq, read_share, intents) in enumerate(kinds):
            state = SessionState(
                f"{number}", UserId(number), LoginId(1), Intents(intents), is_bot=is_bot, seq=seq
            )
            session = Session(state, BUDGET)
            connection = Connection(ENCODERS[encoder](), read_share, self.scheduler)
            if not is_detached:
                session.sink = connection
            self.connections.append(connection)
            self.sessions.append(session)

    def dispatch(self, batch: Batch, *, with_loop: bool) -> None:
        with self.scheduler.write_through():
            if with_loop:
                dispatch_to_all(batch, self.sessions, at_once=self.scheduler.is_write_through)
            else:
                dispatch_to_all(batch, self.sessions, at_once=False)
        batch.release_frames()

    async def close(self) -> None:
        """Let no connection wait any longer, and no flush run in a later test."""
        for each in self.connections:
            each.send_queue.close()
        await flushed(self.scheduler)

    def seen(self) -> list[object]:
        """Return all that can be observed of sessions and connections."""
        found: list[object] = []
        for session, connection in zip(self.sessions, self.connections, strict=True):
            transport, queue = connection.transport, connection.send_queue
            found.append(
                (
                    [session.seq, session.replay_bytes, session.sink is None],
                    [each.event for each in session.replay_buffer],
                    [transport.written, transport.backlog, transport.is_aborted],
                    [queue.queued, queue.is_scheduled, queue._limit_bytes, queue.checked_above],
                    [connection.closed_with, connection.counters.slow_consumer_disconnects],
                )
            )
        return [*found, sorted(self.scheduler._backlogs.values()), len(self.scheduler._waiting)]

    def replayed(self, after: int) -> list[object]:
        """Resume each session on a new connection; return what its client receives."""
        received: list[object] = []
        for session in self.sessions:
            connection = Connection(PLAIN, 1.0, self.scheduler)
            if session.can_replay(seq := max(0, session.seq - after)):
                session.replay(seq, connection)
                session.sink = connection
                session.send_resumed()
                connection.send_queue.flush()
            received.append((session.seq, connection.transport.written))
        return received


def event(intent: Intents, size: int, name: str = "MESSAGE_CREATE") -> Event:
    message = {"content": "x" * size, "author": {"id": "1"}, "mentions": []}
    body = orjson.dumps(message | {"embeds": [], "attachments": [], "components": []})
    return Event(name, StreamId(1), to_channel(ChannelId(2)), body, intent)


KINDS = st.tuples(
    st.integers(0, len(ENCODERS) - 1),
    st.booleans(),
    st.integers(0, 5).map(lambda number: number == 0),
    st.sampled_from([0, 7, 8, 9, 97, 99, 998, 123_456]),
    st.sampled_from([0.0, 0.5, 1.0]),
    st.sampled_from([int(MESSAGES), int(GUILDS), int(MESSAGES | GUILDS)]),
)
EVENTS = st.tuples(
    st.sampled_from([MESSAGES, GUILDS, Intents(0)]),
    st.integers(0, 700),
    st.sampled_from(["MESSAGE_CREATE", "TYPING_START", "PRESENCE_UPDATE"]),
)
BATCHES = st.lists(
    st.one_of(EVENTS.map(lambda each: [each]), st.lists(EVENTS, min_size=1, max_size=3))
)
ACTIONS = st.sampled_from(
    ["", "", "queue", "break", "acknowledge", "raise limit", "flush", "abort"]
)


@pytest.fixture(autouse=True)
def small_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_REPLAY_EVENTS", 5)
    monkeypatch.setattr(module, "MAX_REPLAY_BYTES", 2_000)
    monkeypatch.setattr(send_queue, "MAX_SEND_QUEUE_BYTES", 3_000)
    monkeypatch.setattr(send_queue, "_BACKLOG_THRESHOLD", 800)
    monkeypatch.setattr(send_queue, "_MAX_WAITING", 3)


def act(crowd: Crowd, action: str, number: int) -> None:
    """Do what happens between two dispatches, to one of the sessions."""
    session, connection = crowd.sessions[number], crowd.connections[number]
    match action:
        case "queue":
            connection.send_queue.send_payload(b"{}")
        case "break":
            connection.transport.is_broken = True
        case "acknowledge":
            session.acknowledge(session.seq - 1)
        case "raise limit":
            connection.send_queue.send_payload(b"x" * 5_000)
            connection.send_queue.raise_limit()
        case "flush":
            if not connection.transport.is_broken:
                connection.send_queue.flush()
        case "abort":
            connection.transport.abort()


@pytest.mark.expects_error_log
@settings(deadline=None, max_examples=200)
@given(
    kinds=st.lists(KINDS, min_size=1, max_size=6),
    batches=BATCHES,
    actions=st.lists(ACTIONS, min_size=1),
    after=st.integers(0, 6),
)
async def test_loop_and_dispatch_have_the_same_effect(
    kinds: list[tuple[int, bool, bool, int, float, int]],
    batches: list[list[tuple[Intents, int, str]]],
    actions: list[str],
    after: int,
) -> None:
    with_loop, without = Crowd(kinds), Crowd(kinds)
    for number, events in enumerate(batches):
        for crowd in (with_loop, without):
            batch = Batch([Dispatch(event(*each), BUDGET) for each in events])
            crowd.dispatch(batch, with_loop=crowd is with_loop)
            act(crowd, actions[number % len(actions)], number % len(kinds))
        assert with_loop.seen() == without.seen()
    assert with_loop.replayed(after) == without.replayed(after)
    await with_loop.close()
    await without.close()


def test_loop_numbers_each_session_on_its_own() -> None:
    crowd = Crowd([(0, False, False, seq, 1.0, int(MESSAGES)) for seq in (0, 8, 9, 98, 99)])
    for _ in range(2):
        crowd.dispatch(Batch([Dispatch(event(MESSAGES, 10), BUDGET)]), with_loop=True)
    numbers = [
        [int(data.split(b'"s":')[1].split(b",")[0]) for data in each.transport.written]
        for each in crowd.connections
    ]
    assert numbers == [[1, 2], [9, 10], [10, 11], [99, 100], [100, 101]]
