"""A value that is fetched from a provider once for all that wait, and kept for a while."""

from __future__ import annotations

import asyncio

import pytest

from chatd.auth.oidc.shared_fetch import SharedFetch
from tests.helpers.clock import Clock


class Away(Exception):
    """The provider does not answer."""


class Source:
    """Counts fetches; answers with their number, waits for `gate`, or fails while `is_away`."""

    def __init__(self) -> None:
        self.fetches = 0
        self.is_away = False
        self.gate: asyncio.Event | None = None

    async def fetch(self) -> int:
        self.fetches += 1
        if self.gate is not None:
            await self.gate.wait()
        if self.is_away:
            raise Away("it is away")
        return self.fetches


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def source() -> Source:
    return Source()


@pytest.fixture
def shared(source: Source, clock: Clock) -> SharedFetch[int]:
    return SharedFetch(
        source.fetch, Away, lifetime_s=100, retry_s=10, max_age_s=1000, clock=clock.monotonic
    )


async def test_value_is_kept_for_its_lifetime(
    shared: SharedFetch[int], source: Source, clock: Clock
) -> None:
    assert [await shared.get(), await shared.get()] == [1, 1]
    clock.advance(99)
    assert await shared.get() == 1
    clock.advance(2)
    assert await shared.get() == 2


async def test_all_that_wait_share_a_fetch(shared: SharedFetch[int], source: Source) -> None:
    source.gate = asyncio.Event()
    waiting = [asyncio.create_task(shared.get()) for _ in range(50)]
    await asyncio.sleep(0)
    source.gate.set()
    assert await asyncio.gather(*waiting) == [1] * 50


async def test_fetch_goes_on_when_the_first_that_waits_is_cancelled(
    shared: SharedFetch[int], source: Source
) -> None:
    source.gate = asyncio.Event()
    first, second = [asyncio.create_task(shared.get()) for _ in range(2)]
    await asyncio.sleep(0)
    first.cancel()
    source.gate.set()
    assert await second == 2
    assert first.cancelled()


async def test_failure_is_kept_and_then_tried_again(
    shared: SharedFetch[int], source: Source, clock: Clock
) -> None:
    source.is_away = True
    for _ in range(3):
        with pytest.raises(Away, match="it is away"):
            await shared.get()
    assert source.fetches == 1
    clock.advance(10)
    source.is_away = False
    assert await shared.get() == 2


async def test_old_value_is_used_while_the_provider_is_away(
    shared: SharedFetch[int], source: Source, clock: Clock
) -> None:
    await shared.get()
    source.is_away = True
    clock.advance(900)
    assert [await shared.get(), await shared.get()] == [1, 1]
    assert source.fetches == 2
    clock.advance(101)
    with pytest.raises(Away):
        await shared.get()


async def test_refresh_is_limited(shared: SharedFetch[int], source: Source, clock: Clock) -> None:
    await shared.get()
    clock.advance(30)
    assert await shared.refreshed(at_most_every_s=60) == 1
    clock.advance(31)
    assert await shared.refreshed(at_most_every_s=60) == 2
    source.is_away = True
    clock.advance(61)
    for _ in range(3):
        assert await shared.refreshed(at_most_every_s=60) == 2
    assert source.fetches == 3
