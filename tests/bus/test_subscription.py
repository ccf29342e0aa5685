"""A subscription: batches are dispatched in order, at once or by its consumer."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from chatd.bus import subscription as module
from chatd.bus.subscription import EventBatch, Subscription
from chatd.core.ids import StreamId, UserId
from chatd.events.event import Event, to_user


def _event(number: int) -> Event:
    return Event("TYPING_START", StreamId(1), to_user(UserId(1)), b"%d" % number)


def _batch(*numbers: int) -> EventBatch:
    done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    return EventBatch([_event(number) for number in numbers], done)


class _Consumer:
    """Dispatches up to `at_once` events of a batch at once, and takes all others one by one."""

    def __init__(self, at_once: int) -> None:
        self.subscription = Subscription()
        self.subscription.dispatch_at_once = self._dispatch
        self.bodies: list[bytes] = []
        self.woken = 0
        self._at_once = at_once

    async def run(self) -> None:
        while True:
            batch = await self.subscription.get()
            assert isinstance(batch, EventBatch)
            self.woken += 1
            self._record(batch.events)
            batch.ack()

    def _dispatch(self, events: Sequence[Event]) -> Sequence[Event] | None:
        self._record(events[: self._at_once])
        return events[self._at_once :] or None

    def _record(self, events: Sequence[Event]) -> None:
        for event in events:
            self.bodies.append(event.body)
            if event.body == b"1":  # this event causes another one
                self.subscription.put(_batch(100))


async def _started(at_once: int) -> tuple[_Consumer, asyncio.Task[None]]:
    consumer = _Consumer(at_once)
    running = asyncio.create_task(consumer.run())
    await asyncio.sleep(0)
    return consumer, running


async def test_waiting_consumer_is_not_woken_for_a_batch() -> None:
    consumer, running = await _started(5)
    for number in (2, 3):
        batch = _batch(number)
        consumer.subscription.put(batch)
        assert batch.processed is not None and batch.processed.done()
    assert (consumer.bodies, consumer.woken) == ([b"2", b"3"], 0)
    running.cancel()


async def test_what_is_left_of_a_batch_and_what_follows_keep_their_order() -> None:
    consumer, running = await _started(1)
    first, second = _batch(2, 3), _batch(4)
    consumer.subscription.put(first)
    consumer.subscription.put(second)
    assert first.processed is not None and second.processed is not None
    assert consumer.bodies == [b"2"]
    assert not first.processed.done()
    await second.processed
    assert first.processed.done()
    assert consumer.bodies == [b"2", b"3", b"4"]
    running.cancel()


async def test_event_that_a_dispatch_causes_comes_after_its_batch() -> None:
    consumer, running = await _started(5)
    consumer.subscription.put(_batch(1, 2))
    assert consumer.bodies == [b"1", b"2"]
    await consumer.subscription.drained()
    assert consumer.bodies == [b"1", b"2", b"100"]
    running.cancel()


async def test_event_that_a_dispatch_causes_comes_after_what_is_left_of_its_batch() -> None:
    consumer, running = await _started(1)
    consumer.subscription.put(_batch(1, 2))
    await consumer.subscription.drained()
    assert consumer.bodies == [b"1", b"2", b"100"]
    running.cancel()


async def test_other_tasks_run_while_the_consumer_takes_a_long_queue(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A queue that is not empty returns its next item without a turn of the event loop."""
    monkeypatch.setattr(module, "_SLICE_S", 0.0)
    consumer, seen = _Consumer(5), list[int]()
    for number in range(2, 12):
        consumer.subscription.put(_batch(number))

    async def others() -> None:
        while True:
            seen.append(len(consumer.bodies))
            await asyncio.sleep(0)

    tasks = [asyncio.create_task(consumer.run()), asyncio.create_task(others())]
    await consumer.subscription.drained()
    assert len(consumer.bodies) == 10
    assert set(range(1, 11)) <= set(seen)
    for task in tasks:
        task.cancel()


async def test_busy_consumer_takes_batches_itself() -> None:
    consumer = _Consumer(5)  # does not wait for a batch yet
    consumer.subscription.put(_batch(2))
    assert consumer.bodies == []
    running = asyncio.create_task(consumer.run())
    await consumer.subscription.drained()
    assert consumer.bodies == [b"2"]
    running.cancel()


async def test_closed_subscription_dispatches_nothing() -> None:
    consumer, running = await _started(5)
    consumer.subscription.close()
    batch = _batch(2)
    consumer.subscription.put(batch)
    assert batch.processed is not None and batch.processed.done()
    assert consumer.bodies == []
    running.cancel()
