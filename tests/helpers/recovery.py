"""Recovery of a server whose event loop was blocked.

A test that is no coroutine blocks the event loop, for minutes when it runs commands. Afterwards all
timeouts of the server end at once, and it connects to Redis and Postgres again.
"""

from __future__ import annotations

import asyncio

from chatd.context.dependencies import Dependencies

_TURNS = 20
"""Turns of the event loop in which the timeouts that are due are handled."""

_RECOVERY_S = 60.0


async def recovered(dependencies: Dependencies) -> None:
    """Wait until a server is ready again."""
    for _ in range(_TURNS):
        await asyncio.sleep(0)
    async with asyncio.timeout(_RECOVERY_S):
        while not (
            dependencies.bus.connected
            and dependencies.snowflakes.is_leased
            and await dependencies.database.check(timeout_s=_RECOVERY_S) == "ok"
        ):
            await asyncio.sleep(0.02)
