"""Publishing: readers consume each entry once, and no entry blocks later ones forever."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from redis import asyncio as aioredis

from chatd.bus import bus as module
from chatd.bus import codec, publish_queue
from chatd.bus.bus import Bus
from chatd.bus.codec import Mark
from chatd.bus.subscription import EventBatch, Subscription
from chatd.core.ids import StreamId, UserId
from chatd.embedded.valkey import Valkey
from chatd.events.event import Event, to_user
from tests.helpers.bus import database_of, wait_until_connected
from tests.helpers.proxy import Proxy
from tests.world import TIMEOUT_S

HERE, THERE = 24, 25
KEY = f"chatd:events:{HERE}"


def event(text: str) -> Event:
    """Return an event without a sequence number: only the mark of its entry identifies a copy."""
    return Event("TEST", StreamId(1), to_user(UserId(1)), text.encode(), seq=0)


@pytest.fixture
async def redis(valkey: Valkey) -> AsyncIterator[aioredis.Redis]:
    client = aioredis.Redis.from_url(database_of(valkey, 3), protocol=2)
    await client.delete(KEY)
    yield client
    await client.config_set("proto-max-bulk-len", 512 * 2**20)
    await client.aclose()


async def received_until(own: Subscription, last: str) -> list[str]:
    """Return the texts of received events, up to `last`."""
    found: list[str] = []
    async with asyncio.timeout(TIMEOUT_S):
        while last not in found:
            delivery = await own.get()
            if isinstance(delivery, EventBatch):
                # A server that shares this Valkey reports presences.
                found += [each.body.decode() for each in delivery.events if each.name == "TEST"]
                delivery.ack()
    return found


async def test_entry_whose_response_is_lost_is_consumed_once(
    valkey: Valkey,
    redis: aioredis.Redis,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "_RETRY_S", 0.05)
    wire = Proxy(tmp_path / "wire", Path(valkey.url.removeprefix("unix://")))
    here, there = (
        Bus(f"unix://{tmp_path / 'wire'}?db=3", worker_id=HERE),
        Bus(database_of(valkey, 3), worker_id=THERE),
    )
    async with wire.forwarding(), there.subscribe() as own, here.subscribe() as publishing:
        await wait_until_connected(own)
        await wait_until_connected(publishing)
        here.publish([event("first")])
        assert await received_until(own, "first") == ["first"]
        wire.stall_responses()
        with monkeypatch.context() as patches:
            patches.setattr(module, "_SOCKET_TIMEOUT_S", 0.3)
            here.publish([event("second")])
            async with asyncio.timeout(TIMEOUT_S):
                while here._can_write or await redis.xlen(KEY) < 2:
                    await asyncio.sleep(0.02)
        assert await redis.xlen(KEY) == 2
        wire.restore()
        async with asyncio.timeout(TIMEOUT_S):
            while not here.connected or here.unpublished:
                await asyncio.sleep(0.02)
        assert await redis.xlen(KEY) == 3
        here.publish([event("third")])
        assert await received_until(own, "third") == ["second", "third"]


async def test_failing_trim_publishes_nothing_twice(
    valkey: Valkey, redis: aioredis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publish_queue, "STREAM_MAX_BYTES", 1)
    await redis.execute_command(  # type: ignore[no-untyped-call]
        "ACL", "SETUSER", "no-trim", "on", ">secret", "~*", "&*", "+@all", "-xtrim"
    )
    url = database_of(valkey, 3).replace("unix://", "unix://no-trim:secret@")
    here, there = Bus(url, worker_id=HERE), Bus(database_of(valkey, 3), worker_id=THERE)
    async with there.subscribe() as own, here.subscribe() as publishing:
        await wait_until_connected(own)
        await wait_until_connected(publishing)
        for number in range(5):
            here.publish([event(str(number))])
            assert await received_until(own, str(number)) == [str(number)]
        assert await redis.xlen(KEY) == 5
        assert here.connected
        await redis.execute_command(  # type: ignore[no-untyped-call]
            "ACL", "SETUSER", "no-trim", "+xtrim"
        )
        here.publish([event("last")])
        await received_until(own, "last")
        async with asyncio.timeout(TIMEOUT_S):
            while await redis.xlen(KEY) > 1:
                await asyncio.sleep(0.02)


async def test_entry_that_redis_refuses_is_discarded(
    valkey: Valkey, redis: aioredis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_DISCARD_AFTER_S", 0.3)
    monkeypatch.setattr(module, "_RETRY_S", 0.05)
    await redis.config_set("proto-max-bulk-len", 2**20)
    here, there = (
        Bus(database_of(valkey, 3), worker_id=HERE),
        Bus(database_of(valkey, 3), worker_id=THERE),
    )
    async with there.subscribe() as own, here.subscribe() as publishing:
        await wait_until_connected(own)
        await wait_until_connected(publishing)
        here.publish([event("x" * 2**21)])
        here.publish([event("behind it")])
        assert await received_until(own, "behind it") == ["behind it"]


async def test_earlier_version_reads_an_entry(valkey: Valkey, redis: aioredis.Redis) -> None:
    """It reads only the field of events, and writes no mark."""
    here, there = (
        Bus(database_of(valkey, 3), worker_id=HERE),
        Bus(database_of(valkey, 3), worker_id=THERE),
    )
    async with there.subscribe() as own:
        await wait_until_connected(own)
        async with here.subscribe() as publishing:
            await wait_until_connected(publishing)
            here.publish([event("new")])
            assert await received_until(own, "new") == ["new"]
        found: Any = await redis.xrange(KEY)
        [(_, fields)] = found
        assert [each.body for each in codec.unpack(fields[codec.FIELD])] == [b"new"]
        for _ in range(2):
            await redis.xadd(KEY, {codec.FIELD: codec.pack([event("old")])})
        await redis.xadd(KEY, {codec.FIELD: codec.pack([event("end")])})
        assert await received_until(own, "end") == ["old", "old", "end"]


def test_mark_round_trips_and_invalid_marks_are_ignored() -> None:
    mark = Mark("run", 7)
    assert Mark.read({codec.MARK: mark.packed()}) == mark
    for broken in (b"", b"run", b"run:", b"run:x", "run:\u0663".encode(), b"\xff"):
        assert Mark.read({codec.MARK: broken}) is None
