"""The stream reader: receives from new peers, and blocks only on active streams."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from redis import asyncio as aioredis

from chatd.bus import bus as bus_module
from chatd.bus import stream_reader as module
from chatd.bus.bus import Bus
from chatd.bus.subscription import Subscription
from chatd.core.ids import StreamId, UserId
from chatd.embedded.valkey import Valkey
from chatd.events.event import Event, to_user
from tests.helpers.bus import database_of, received_numbers, wait_until_connected
from tests.world import TIMEOUT_S

HERE, THERE = 26, 27


def event(seq: int) -> Event:
    return Event("TEST", StreamId(1), to_user(UserId(1)), b"{}", seq=seq)


@pytest.fixture
async def redis(valkey: Valkey) -> AsyncIterator[aioredis.Redis]:
    client = aioredis.Redis.from_url(database_of(valkey, 1), protocol=2)
    await client.delete(key(HERE), key(THERE))
    yield client
    await client.aclose()


def key(worker_id: int) -> str:
    return f"chatd:events:{worker_id}"


@asynccontextmanager
async def instance(valkey: Valkey, worker_id: int) -> AsyncIterator[tuple[Bus, Subscription]]:
    """Run an instance of the bus that is connected."""
    bus = Bus(database_of(valkey, 1), worker_id=worker_id)
    async with bus.subscribe() as own:
        await wait_until_connected(own)
        yield bus, own


async def publish(bus: Bus, own: Subscription, *numbers: int) -> None:
    for number in numbers:
        publishing = bus.publish([event(number)])
        await received_numbers(own, 1)
        async with asyncio.timeout(TIMEOUT_S):
            await publishing


async def until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(TIMEOUT_S):
        while not is_so():
            await asyncio.sleep(0.01)


@pytest.mark.usefixtures("redis")
async def test_events_of_a_returning_peer_are_received(
    valkey: Valkey, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with instance(valkey, HERE) as (here, subscription):
        for first in (1, 11):
            monkeypatch.setattr(module, "ACTIVE_WINDOW_S", TIMEOUT_S)
            async with instance(valkey, THERE) as (there, own):
                await publish(there, own, first, first + 1)
                assert await received_numbers(subscription, 2) == [first, first + 1]
                assert here._reader.has_peers
            monkeypatch.setattr(module, "ACTIVE_WINDOW_S", 0.3)
            await until(lambda: not here._reader.has_peers)


async def test_events_of_a_command_are_received(valkey: Valkey, redis: aioredis.Redis) -> None:
    async with instance(valkey, HERE) as (_, subscription):
        command = Bus(database_of(valkey, 1), worker_id=THERE)
        async with command.publish_only():
            await command.publish([event(1)])
        assert await received_numbers(subscription, 1) == [1]
    assert await redis.xlen(key(THERE)) == 1


async def test_lone_instance_writes_few_entries_and_loses_no_event(
    valkey: Valkey, redis: aioredis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patches:
        patches.setattr(bus_module, "_LINGER_ALONE_S", TIMEOUT_S)
        async with instance(valkey, HERE) as (here, own):
            await until(lambda: not here._reader.has_peers)
            for number in range(1, 31):
                await publish(here, own, number)
                await asyncio.sleep(0.002)  # longer than `_LINGER_S`
    assert await redis.xlen(key(HERE)) == 1
    async with (
        instance(valkey, THERE) as (there, subscription),
        instance(valkey, HERE) as (here, own),
    ):
        await publish(there, subscription, 1)
        assert await received_numbers(own, 1) == [1]
        await publish(here, own, *range(31, 41))
        assert await received_numbers(subscription, 10) == list(range(31, 41))
