"""Fixtures of the service tests."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from chatd.db.pool import Database
from chatd.services.maintenance import pending_deletions
from chatd.web.keys import DEPENDENCIES
from tests.conftest import Server
from tests.helpers.pending_deletions import Sweep
from tests.world import TIMEOUT_S


@pytest.fixture
async def database(server: Server) -> Any:
    """A pool of its own on the database of the server."""
    opened = Database(server.config.database_url, size=2)
    await opened.open()
    yield opened
    await opened.close()


@pytest.fixture
def sweep(server: Server, monkeypatch: pytest.MonkeyPatch) -> Sweep:
    """Stop the background task; yield a function that runs all pending deletions."""
    dependencies, step = server.runner.app[DEPENDENCIES], pending_deletions.run_next

    async def nothing(_: object) -> bool:
        return False

    async def run() -> None:
        async with asyncio.timeout(TIMEOUT_S):
            while await step(dependencies):
                pass

    monkeypatch.setattr(pending_deletions, "run_next", nothing)
    return run
