"""Fixtures of the service tests."""

from __future__ import annotations

import asyncio

import pytest

from chatd.services.maintenance import pending_deletions
from chatd.web.keys import DEPENDENCIES
from tests.conftest import Server
from tests.helpers.pending_deletions import Sweep
from tests.world import TIMEOUT_S


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
