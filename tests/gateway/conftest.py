"""What tests of the gateway can have besides a world."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.conftest import ServeMore
from tests.helpers.fleet import Fleet
from tests.world import World, world_on


@pytest.fixture
async def other(world: World, serve_more: ServeMore) -> AsyncIterator[World]:
    """The same people on a second instance."""
    async with (
        serve_more(worker_id=26) as second,
        world_on(second.url, second.gateway_url) as there,
    ):
        there.share_people(world)
        yield there


@pytest.fixture
async def fleet(world: World, serve_more: ServeMore) -> AsyncIterator[Fleet]:
    """Instances beside the shared one, which a test starts and stops."""
    async with Fleet(world, serve_more) as instances:
        yield instances
