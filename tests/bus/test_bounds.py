"""The bus bounds its memory, and its Redis stream, in bytes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from redis import asyncio as aioredis

from chatd.bus import codec, publish_queue
from chatd.bus.bus import Bus
from chatd.bus.publish_queue import PublishQueue
from chatd.bus.subscription import EventBatch
from chatd.core.ids import StreamId, UserId
from chatd.embedded.valkey import Valkey
from chatd.events.event import Event, to_user
from tests.helpers.bus import database_of, received_numbers, wait_until_connected

LARGE = 300_000
MANY = 40


def event(seq: int, size: int = LARGE) -> Event:
    return Event("TEST", StreamId(1), to_user(UserId(1)), b"x" * size, seq=seq)


@pytest.fixture
async def redis(valkey: Valkey) -> AsyncIterator[aioredis.Redis]:
    client = aioredis.Redis.from_url(database_of(valkey, 2), protocol=2)
    yield client
    await client.aclose()


async def test_redis_stream_is_bounded_by_the_size_of_events(
    valkey: Valkey, redis: aioredis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publish_queue, "STREAM_MAX_BYTES", 5 * LARGE)
    here, there = (
        Bus(database_of(valkey, 2), worker_id=28),
        Bus(database_of(valkey, 2), worker_id=29),
    )
    await redis.delete("chatd:events:28")
    async with here.subscribe() as own, there.subscribe() as others:
        await wait_until_connected(own)
        await wait_until_connected(others)
        for seq in range(1, MANY + 1):
            publishing = here.publish([event(seq)])
            await received_numbers(own, 1)
            await publishing
            assert await received_numbers(others, 1) == [seq]
        async with asyncio.timeout(60):
            while await redis.xlen("chatd:events:28") > 5:
                await asyncio.sleep(0.01)
        newest: Any = await redis.xrevrange("chatd:events:28", count=1)
        assert [each.seq for each in codec.unpack(newest[0][1][codec.FIELD])] == [MANY]


async def test_slow_reader_holds_at_most_one_batch(valkey: Valkey, redis: aioredis.Redis) -> None:
    there = Bus(database_of(valkey, 2), worker_id=29)
    await redis.delete("chatd:events:28")
    async with there.subscribe() as others:
        await wait_until_connected(others)
        for seq in range(1, MANY + 1):
            await redis.xadd("chatd:events:28", {codec.FIELD: codec.pack([event(seq, 100)])})
        first = await others.get()
        assert isinstance(first, EventBatch)
        for seq in range(MANY + 1, 3 * MANY + 1):
            await redis.xadd("chatd:events:28", {codec.FIELD: codec.pack([event(seq, 100)])})
        waiting = len(first.events)
        assert others.waiting <= 1
        first.ack()
        assert waiting + len(await received_numbers(others, 3 * MANY - waiting)) == 3 * MANY


def test_publish_queue_is_bounded_by_the_size_of_events(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(publish_queue, "MAX_BACKLOG_BYTES", 5 * LARGE)
    monkeypatch.setattr(publish_queue, "_MAX_BATCH_BYTES", 3 * LARGE)
    waiting = PublishQueue()
    waiting.add(event(seq) for seq in range(1, MANY + 1))
    assert len(waiting) == 5
    batch = waiting.batch()
    assert [each.seq for each in batch] == [MANY - 4, MANY - 3, MANY - 2]
    waiting.add([event(MANY + 1), event(MANY + 2)])
    waiting.discard_sent(batch)
    assert [each.seq for each in waiting.batch()] == [MANY - 1, MANY, MANY + 1]


def test_event_above_the_batch_size_is_a_batch_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(publish_queue, "_MAX_BATCH_BYTES", 10)
    waiting = PublishQueue()
    waiting.add([event(1), event(2)])
    assert [each.seq for each in waiting.batch()] == [1]
