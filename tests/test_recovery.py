"""Tests find the shared server ready, whatever the test before them did to it.

These two run in this order.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from chatd.web.keys import DEPENDENCIES
from tests.conftest import Server
from tests.world import Guild, world_on


@pytest.fixture(scope="module")
async def guild(server: Server) -> AsyncIterator[Guild]:
    async with world_on(server.url, server.gateway_url) as world:
        yield await world.guild(owner="alice")


async def test_leaves_the_server_without_its_lease(server: Server) -> None:
    """As one does that blocks the event loop during a renewal."""
    snowflakes = server.runner.app[DEPENDENCIES].snowflakes
    snowflakes.suspend()
    snowflakes.needs_renewal.set()


async def test_fixtures_find_a_server_with_a_lease(server: Server, guild: Guild) -> None:
    assert server.runner.app[DEPENDENCIES].snowflakes.is_leased
    assert guild.id
