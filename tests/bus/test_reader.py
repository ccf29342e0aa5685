"""Other instances are heard as soon as they speak, and are waited for only while they are there."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from redis import asyncio as aioredis

from chatd import embedded
from chatd.bus import reader as module
from chatd.bus.bus import Bus
from chatd.bus.subscription import Subscription
from chatd.core.ids import StreamId, UserId
from chatd.events.event import Event, to_user
from tests.bus.test_bounds import arrived, connected
from tests.world import PATIENCE_S

HERE, THERE = 26, 27


def event(seq: int) -> Event:
    return Event("TEST", StreamId(1), to_user(UserId(1)), b"{}", seq=seq)


@pytest.fixture
async def redis(valkey: embedded.Valkey) -> AsyncIterator[aioredis.Redis]:
    client = aioredis.Redis.from_url(valkey.url, protocol=2)
    await client.delete(key(HERE), key(THERE))
    yield client
    await client.aclose()


def key(worker_id: int) -> str:
    return f"chatd:events:{worker_id}"


@asynccontextmanager
async def instance(
    valkey: embedded.Valkey, worker_id: int
) -> AsyncIterator[tuple[Bus, Subscription]]:
    """One that is connected."""
    bus = Bus(valkey.url, worker_id=worker_id)
    async with bus.subscribe() as own:
        await connected(own)
        yield bus, own


async def say(bus: Bus, own: Subscription, *numbers: int) -> None:
    for number in numbers:
        publishing = bus.publish([event(number)])
        await arrived(own, 1)
        async with asyncio.timeout(PATIENCE_S):
            await publishing


async def until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not is_so():
            await asyncio.sleep(0.01)


@pytest.mark.usefixtures("redis")
async def test_who_comes_goes_and_comes_again_is_heard(
    valkey: embedded.Valkey, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LATELY_S", 0.3)
    async with instance(valkey, HERE) as (here, heard):
        for first in (1, 11):
            async with instance(valkey, THERE) as (there, own):
                await say(there, own, first, first + 1)
                assert await arrived(heard, 2) == [first, first + 1]
                assert here._reader.hears_somebody
            await until(lambda: not here._reader.hears_somebody)


async def test_what_a_command_publishes_is_heard(
    valkey: embedded.Valkey, redis: aioredis.Redis
) -> None:
    async with instance(valkey, HERE) as (_, heard):
        command = Bus(valkey.url, worker_id=THERE)
        async with command.publishing():
            await command.publish([event(1)])
        assert await arrived(heard, 1) == [1]
    assert await redis.xlen(key(THERE)) == 1


async def test_who_is_alone_makes_few_entries_and_leaves_none_behind(
    valkey: embedded.Valkey, redis: aioredis.Redis
) -> None:
    async with instance(valkey, HERE) as (here, own):
        await until(lambda: not here._reader.hears_somebody)
        for number in range(1, 31):
            await say(here, own, number)
            await asyncio.sleep(0.002)  # longer than events are waited for where somebody hears
    assert 1 <= await redis.xlen(key(HERE)) < 10
    async with instance(valkey, THERE) as (there, heard), instance(valkey, HERE) as (here, own):
        await say(there, heard, 1)
        assert await arrived(own, 1) == [1]
        await say(here, own, *range(31, 41))
        assert await arrived(heard, 10) == list(range(31, 41))
