"""What tests of the API can have besides a world."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.conftest import ServeMore
from tests.world import World, world_on


@pytest.fixture
async def other(world: World, serve_more: ServeMore) -> AsyncIterator[World]:
    """The same people on another instance."""
    async with (
        serve_more(worker_id=1) as second,
        world_on(second.url, second.gateway_url) as made,
    ):
        made.meet(world)
        yield made
