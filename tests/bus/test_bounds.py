"""What the bus keeps is bounded in bytes, in memory and in Redis, however large the events are."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from redis import asyncio as aioredis

from chatd import embedded
from chatd.bus import entries, outgoing
from chatd.bus.bus import Bus
from chatd.bus.outgoing import Outgoing
from chatd.bus.subscription import Arrived, Interrupted, Subscription
from chatd.core.ids import StreamId, UserId
from chatd.events.event import Event, to_user

LARGE = 300_000
MANY = 40


def event(seq: int, size: int = LARGE) -> Event:
    return Event("TEST", StreamId(1), to_user(UserId(1)), b"x" * size, seq=seq)


@pytest.fixture
async def redis(valkey: embedded.Valkey) -> AsyncIterator[aioredis.Redis]:
    client = aioredis.Redis.from_url(valkey.url, protocol=2)
    yield client
    await client.aclose()


async def arrived(subscription: Subscription, count: int) -> list[int]:
    """The numbers of the next events, so many."""
    numbers: list[int] = []
    async with asyncio.timeout(20):
        while len(numbers) < count:
            match await subscription.get():
                case Arrived(events) as delivery:
                    numbers += [each.seq for each in events]
                    delivery.done()
    return numbers


async def connected(subscription: Subscription) -> None:
    async with asyncio.timeout(20):
        while not isinstance(await subscription.get(), Interrupted):
            pass


async def test_large_events_are_kept_by_their_size(
    valkey: embedded.Valkey, redis: aioredis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outgoing, "KEPT_BYTES", 5 * LARGE)
    here, there = Bus(valkey.url, worker_id=28), Bus(valkey.url, worker_id=29)
    await redis.delete("chatd:events:28")
    async with here.subscribe() as own, there.subscribe() as others:
        await connected(own)
        await connected(others)
        for seq in range(1, MANY + 1):
            publishing = here.publish([event(seq)])
            await arrived(own, 1)
            await publishing
            assert await arrived(others, 1) == [seq]
        async with asyncio.timeout(20):
            while await redis.xlen("chatd:events:28") > 5:
                await asyncio.sleep(0.01)
        newest: Any = await redis.xrevrange("chatd:events:28", count=1)
        assert [each.seq for each in entries.unpack(newest[0][1][entries.FIELD])] == [MANY]


async def test_who_is_slow_reads_no_further_than_it_gets(
    valkey: embedded.Valkey, redis: aioredis.Redis
) -> None:
    there = Bus(valkey.url, worker_id=29)
    await redis.delete("chatd:events:28")
    async with there.subscribe() as others:
        await connected(others)
        for seq in range(1, MANY + 1):
            await redis.xadd("chatd:events:28", {entries.FIELD: entries.pack([event(seq, 100)])})
        first = await others.get()
        assert isinstance(first, Arrived)
        for seq in range(MANY + 1, 3 * MANY + 1):
            await redis.xadd("chatd:events:28", {entries.FIELD: entries.pack([event(seq, 100)])})
        waiting = len(first.events)
        assert others.waiting <= 1
        first.done()
        assert waiting + len(await arrived(others, 3 * MANY - waiting)) == 3 * MANY


def test_what_waits_for_redis_is_bounded_by_its_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outgoing, "BACKLOG_BYTES", 5 * LARGE)
    monkeypatch.setattr(outgoing, "_BATCH_BYTES", 3 * LARGE)
    waiting = Outgoing()
    waiting.add(event(seq) for seq in range(1, MANY + 1))
    assert len(waiting) == 5
    batch = waiting.batch()
    assert [each.seq for each in batch] == [MANY - 4, MANY - 3, MANY - 2]
    waiting.add([event(MANY + 1), event(MANY + 2)])
    waiting.forget(batch)
    assert [each.seq for each in waiting.batch()] == [MANY - 1, MANY, MANY + 1]


def test_one_event_is_never_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outgoing, "_BATCH_BYTES", 10)
    waiting = Outgoing()
    waiting.add([event(1), event(2)])
    assert [each.seq for each in waiting.batch()] == [1]
