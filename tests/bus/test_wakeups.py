"""Polling instances: they get all that they need, and other instances wake them for it."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from redis import asyncio as aioredis

from chatd.bus import codec, interest, wakeups
from chatd.bus.bus import Bus
from chatd.bus.interest import FollowedStreams, labels_of, pack_labels
from chatd.bus.subscription import EventBatch, Subscription
from chatd.bus.wakeups import Wakeups, wakeup_key
from chatd.core.ids import StreamId, UserId
from chatd.embedded.valkey import Valkey
from chatd.events.event import Event, to_user
from tests.helpers.bus import database_of, received_numbers, wait_until_connected
from tests.world import TIMEOUT_S

HERE, THERE, ELSEWHERE = 25, 26, 27
FOLLOWED, OTHER = StreamId(1 << 22), StreamId(2 << 22)


def message(seq: int, stream: StreamId) -> Event:
    return Event("MESSAGE_CREATE", stream, to_user(UserId(1)), b"{}", seq=seq)


def for_everyone(seq: int) -> Event:
    return Event("USER_UPDATE", OTHER, to_user(UserId(1)), b"{}", seq=seq)


@pytest.fixture
async def redis(valkey: Valkey) -> AsyncIterator[aioredis.Redis]:
    client = aioredis.Redis.from_url(database_of(valkey, 3), protocol=2)
    await client.flushdb()
    yield client
    await client.aclose()


class Instance:
    """A running bus whose consumer follows `FOLLOWED`."""

    def __init__(self, bus: Bus, subscription: Subscription) -> None:
        self.bus = bus
        self.subscription = subscription
        self.followed = FollowedStreams()
        self.followed.add(FOLLOWED)
        self.kept: list[int] = []
        subscription.select(self.followed, self._keep)

    async def publish(self, *events: Event) -> None:
        published = self.bus.publish(events)
        await received_numbers(self.subscription, len(events))
        async with asyncio.timeout(TIMEOUT_S):
            await published

    def _keep(self, packed: bytes, labels: bytes) -> None:
        events = codec.unpack(packed)
        assert labels == pack_labels(labels_of(events))
        self.kept += [each.seq for each in events]


@asynccontextmanager
async def instance(valkey: Valkey, worker_id: int) -> AsyncIterator[Instance]:
    bus = Bus(database_of(valkey, 3), worker_id=worker_id)
    async with bus.subscribe() as own:
        await wait_until_connected(own)
        yield Instance(bus, own)


async def until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(TIMEOUT_S):
        while not is_so():
            await asyncio.sleep(0.01)


@pytest.fixture
def always_polling(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have each instance poll after the first entry that it reads, also when none follows."""
    count = Wakeups.count

    def count_entries(self: Wakeups, entries: int, needed: int) -> None:
        if entries:
            count(self, entries, needed)

    monkeypatch.setattr(Wakeups, "count", count_entries)
    monkeypatch.setattr(wakeups, "_MIN_ENTRIES", 0)
    monkeypatch.setattr(wakeups, "_LEAVE_ENTRIES", 0)
    monkeypatch.setattr(wakeups, "_ENTER_SHARE", math.inf)
    monkeypatch.setattr(wakeups, "_LEAVE_SHARE", math.inf)
    monkeypatch.setattr(wakeups, "_WINDOW_S", 0.0)


async def make_polling(here: Instance, there: Instance) -> None:
    """Have `there` wake `here`, which reads no longer without that."""
    reader, number = here.bus._reader, 1
    async with asyncio.timeout(TIMEOUT_S):
        while not here.bus._wakeups.wakes(there.bus._own_key):
            await there.publish(message(number, OTHER))
            number += 1
            await asyncio.sleep(0.01)
    await until(lambda: len(here.kept) == number - 1)
    reader._next_full_read = math.inf


@pytest.mark.usefixtures("redis")
async def test_events_of_other_streams_are_kept_without_being_decoded(valkey: Valkey) -> None:
    async with instance(valkey, HERE) as here, instance(valkey, THERE) as there:
        await there.publish(message(1, OTHER), message(1, FOLLOWED), for_everyone(2))
        await there.publish(message(3, OTHER))
        assert await received_numbers(here.subscription, 2) == [1, 2]
        await until(lambda: 3 in here.kept)
        assert sorted(set(here.kept) - {1, 2}) == [3]
        here.followed.add(OTHER)
        await there.publish(message(4, OTHER))
        assert await received_numbers(here.subscription, 1) == [4]


@pytest.mark.usefixtures("redis", "always_polling")
async def test_wakeup_reaches_a_polling_instance_for_what_it_needs(valkey: Valkey) -> None:
    async with instance(valkey, HERE) as here, instance(valkey, THERE) as there:
        await make_polling(here, there)
        for event in (message(1, FOLLOWED), for_everyone(2)):
            await there.publish(event)
            assert await received_numbers(here.subscription, 1) == [event.seq]


@pytest.mark.usefixtures("redis", "always_polling")
async def test_newly_followed_stream_is_announced(valkey: Valkey) -> None:
    async with instance(valkey, HERE) as here, instance(valkey, THERE) as there:
        await make_polling(here, there)
        labels = [OTHER]
        assert not there.bus._wakeups.keys_for(labels)
        here.followed.add(OTHER)
        await until(lambda: there.bus._wakeups.keys_for(labels) == [wakeup_key(HERE)])
        await there.publish(message(100, OTHER))
        assert await received_numbers(here.subscription, 1) == [100]


@pytest.mark.usefixtures("redis", "always_polling")
async def test_polling_instance_reads_without_a_wakeup(valkey: Valkey) -> None:
    async with instance(valkey, HERE) as here, instance(valkey, THERE) as there:
        await make_polling(here, there)
        there.bus._wakeups._bitmaps.clear()
        await there.publish(message(100, OTHER))
        here.bus._reader._next_full_read = 0.0
        await until(lambda: 100 in here.kept)


@pytest.mark.usefixtures("always_polling")
async def test_polling_instance_waits_for_versions_without_wakeups(
    valkey: Valkey, redis: aioredis.Redis
) -> None:
    async with instance(valkey, HERE) as here, instance(valkey, THERE) as there:
        await make_polling(here, there)
        old = {codec.FIELD: codec.pack([message(100, OTHER)]), codec.MARK: b"run:1"}
        await redis.xadd(f"chatd:events:{ELSEWHERE}", old)  # type: ignore[arg-type]
        assert await received_numbers(here.subscription, 1) == [100]
        newer = {codec.FIELD: codec.pack([message(101, OTHER)]), codec.MARK: b"run:2"}
        await redis.xadd(f"chatd:events:{ELSEWHERE}", newer)  # type: ignore[arg-type]
        assert await received_numbers(here.subscription, 1) == [101]


@pytest.mark.usefixtures("always_polling")
async def test_versions_without_labels_read_all_entries(
    valkey: Valkey, redis: aioredis.Redis
) -> None:
    async with instance(valkey, HERE) as here, instance(valkey, THERE) as there:
        await make_polling(here, there)
        here.followed.add(OTHER)
        await until(lambda: bool(there.bus._wakeups.keys_for([OTHER])))
        for worker_id in (HERE, THERE):
            entries: Any = await redis.xrange(f"chatd:events:{worker_id}")
            read = [each for _, fields in entries for each in codec.unpack(fields[codec.FIELD])]
            assert all(each.stream == OTHER for each in read)
        assert read, "all events of the other instance"
        announcements = [fields for _, fields in entries if wakeups.WAKES in fields]
        assert announcements[-1][wakeups.WAKES] == bytes([HERE])


@pytest.mark.usefixtures("always_polling")
async def test_polling_instance_recovers_from_an_emptied_redis(
    valkey: Valkey, redis: aioredis.Redis
) -> None:
    async with instance(valkey, HERE) as here, instance(valkey, THERE) as there:
        await make_polling(here, there)
        await redis.flushdb()
        here.followed.add(OTHER)
        numbers = iter(range(1000, 10_000))

        async def keep_publishing() -> None:
            while True:
                here.bus.publish([for_everyone(0)])
                there.bus.publish([message(next(numbers), OTHER)])
                await asyncio.sleep(0.01)

        publishing = asyncio.create_task(keep_publishing())
        try:
            async with asyncio.timeout(TIMEOUT_S):
                while True:
                    delivery = await here.subscription.get()
                    assert isinstance(delivery, EventBatch)
                    delivery.ack()
                    if any(each.stream == OTHER and each.seq for each in delivery.events):
                        break
        finally:
            publishing.cancel()


def counted(monkeypatch: pytest.MonkeyPatch) -> tuple[Wakeups, Callable[[int, int], bool]]:
    """Return wakeups whose windows end at each count, and a function that counts."""
    monkeypatch.setattr(wakeups, "_WINDOW_S", 0.0)
    made = Wakeups(HERE, on_change=lambda: None)

    def count(entries: int, needed: int) -> bool:
        made.count(entries, needed)
        return made.is_polling

    return made, count


def test_instance_polls_while_it_needs_few_of_many_entries(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _, count = counted(monkeypatch)
    assert not count(5, 0), "few entries"
    assert not count(100, 30), "it needs many"
    assert count(100, 20)
    assert count(100, 40), "it needs too few to change back"
    assert not count(100, 60)
    assert count(100, 0)
    assert count(12, 0)
    assert not count(5, 0), "few entries"


def test_announcements_expire_with_their_instance(monkeypatch: pytest.MonkeyPatch) -> None:
    made, _ = counted(monkeypatch)
    key = f"chatd:events:{THERE}"
    followed = FollowedStreams()
    made.on_entry(key, {wakeups.BITMAP: followed.bitmap})
    assert made.keys_for([interest.FOR_EVERYONE]) == [wakeup_key(THERE)]
    assert made.fields(followed) == {wakeups.WAKES: bytes([THERE])}
    made.on_entry(key, {})
    assert made.keys_for([interest.FOR_EVERYONE]) == []
    made.on_entry(key, {wakeups.BITMAP: b"not a bitmap"})
    assert made.keys_for([interest.FOR_EVERYONE]) == []
    made.on_entry(key, {wakeups.BITMAP: followed.bitmap})
    monkeypatch.setattr(wakeups, "_PRESENT_S", -1.0)
    assert made.keys_for([interest.FOR_EVERYONE]) == []
    assert made.fields(followed) == {}
