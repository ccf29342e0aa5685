"""Waits for a flush scheduler, which flushes send queues in time slices."""

from __future__ import annotations

import asyncio

from chatd.gateway.fanout.flush_scheduler import FlushScheduler


async def flushed(scheduler: FlushScheduler) -> None:
    """Wait until no flush is scheduled; on a busy machine it takes several turns of the loop."""
    while scheduler._scheduled:
        await asyncio.sleep(0)
