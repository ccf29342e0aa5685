"""The send queue of a connection: batched writes, and the limit for slow consumers."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from chatd.core.ids import StreamId, UserId
from chatd.events.event import Event, to_user
from chatd.gateway import send_queue as module
from chatd.gateway.fanout.flush_scheduler import FlushScheduler
from chatd.gateway.protocol.batch import Batch
from chatd.gateway.protocol.encoders import PLAIN
from chatd.gateway.protocol.frames import Dispatch
from chatd.gateway.protocol.replay_budget import ReplayBudget
from chatd.gateway.send_queue import SendQueue
from chatd.observability.metrics import Counters
from tests.helpers.flushing import flushed

LIMIT = 1000


class RecordingTransport(asyncio.Transport):
    """Keeps what is written until the client reads it."""

    def __init__(self) -> None:
        super().__init__()
        self.writes: list[int] = []
        self.unread = 0
        self.is_aborted = False

    def write(self, data: Any) -> None:
        self.writes.append(len(data))
        self.unread += len(data)

    def get_write_buffer_size(self) -> int:
        return self.unread

    def is_closing(self) -> bool:
        return self.is_aborted

    def abort(self) -> None:
        self.is_aborted = True


class Peer:
    """A send queue with its scheduler and transport."""

    def __init__(self) -> None:
        self.transport = RecordingTransport()
        self.scheduler = FlushScheduler(max_bytes=2**30)
        self.counters = Counters()
        self.queue = SendQueue(self.transport, PLAIN, self.scheduler, self.counters)


@pytest.fixture(autouse=True)
def _low_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_SEND_QUEUE_BYTES", LIMIT)


def batch(size: int) -> Batch:
    event = Event("TEST", StreamId(1), to_user(UserId(1)), b"x" * size)
    return Batch([Dispatch(event, ReplayBudget(2**30))])


async def test_payloads_of_one_tick_leave_in_one_write() -> None:
    peer = Peer()
    for seq in (1, 2, 3):
        peer.queue.send(batch(10), seq)
    assert peer.transport.writes == []
    queued = peer.queue.size
    await flushed(peer.scheduler)
    assert peer.transport.writes == [queued]


async def test_write_through_writes_immediately_unless_payloads_are_queued() -> None:
    peer = Peer()
    with peer.scheduler.write_through():
        peer.queue.send(batch(10), 1)
    assert len(peer.transport.writes) == 1
    peer.queue.send_payload(b"{}")
    with peer.scheduler.write_through():
        peer.queue.send(batch(10), 2)
    assert len(peer.transport.writes) == 1  # in order: after the queued payload
    peer.queue.flush()
    assert len(peer.transport.writes) == 2


async def test_slow_consumer_is_aborted_above_the_limit() -> None:
    peer = Peer()
    for seq in (1, 2):
        peer.queue.send(batch(LIMIT // 2), seq)
        peer.queue.flush()
    assert peer.transport.is_aborted
    assert peer.counters.slow_consumer_disconnects == 1
    peer.queue.send(batch(10), 3)
    peer.queue.flush()
    assert len(peer.transport.writes) == 2  # nothing is written to a closing transport


async def test_raised_limit_lasts_until_the_client_has_read() -> None:
    peer = Peer()
    peer.queue.send(batch(3 * LIMIT), 1)
    peer.queue.raise_limit()
    peer.queue.flush()
    assert not peer.transport.is_aborted
    peer.transport.unread = 0
    peer.queue.send(batch(10), 2)
    peer.queue.flush()
    assert not peer.transport.is_aborted
    peer.queue.send(batch(2 * LIMIT), 3)
    peer.queue.flush()
    assert peer.transport.is_aborted
