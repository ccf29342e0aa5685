"""What tests of the API can have besides a world."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from chatd.core.ids import StreamId
from chatd.db import Database
from chatd.ephemeral import rate_limits
from chatd.queries import search_index
from tests.conftest import ServeMore, Server
from tests.rest.searching import Index, alone
from tests.world import World, world_on


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody counts alone because a busy machine let Redis wait for a moment."""
    monkeypatch.setattr(rate_limits, "PATIENCE_S", 5.0)


@pytest.fixture
async def other(world: World, serve_more: ServeMore) -> AsyncIterator[World]:
    """The same people on another instance."""
    async with (
        serve_more(worker_id=1) as second,
        world_on(second.url, second.gateway_url) as made,
    ):
        made.meet(world)
        yield made


@pytest.fixture
async def database(server: Server) -> AsyncIterator[Database]:
    """The database of the server, past the server."""
    opened = Database(server.config.database_url, size=2)
    await opened.open()
    yield opened
    await opened.close()


@pytest.fixture(params=[0, 1, 3], ids=["read", "indexed", "both"])
def index(request: pytest.FixtureRequest, database: Database) -> Index:
    """Indexes a stream: not at all, all of it, or all but up to two messages."""

    async def run(stream_id: str) -> None:
        if request.param:
            stream = StreamId(int(stream_id))
            await alone(database, lambda cur: search_index.extend(cur, stream, size=request.param))

    return run
