"""Delivery of the messages that announcement channels publish, in batches.

Every instance runs the task. An instance takes a message for the time of a lease, so a crash delays
it by one lease at most, and repeats no copy. Messages alternate, so that one with many followers
does not delay the others.
"""

from __future__ import annotations

import asyncio
import logging

from chatd.context.dependencies import Dependencies
from chatd.core.errors import ServiceUnavailable
from chatd.queries import crossposts as queries
from chatd.services.maintenance.wakeup import wait_for_work
from chatd.services.webhooks import crossposts

log = logging.getLogger(__name__)

_LEASE_S = 60.0  # a batch takes some milliseconds for each copy
_INTERVAL_S = 5.0  # between two polls for what other instances have published
# Pause after a batch, in durations of the batch: half of the database's time is for clients.
_IDLE_FACTOR = 1.0


async def run(dependencies: Dependencies) -> None:
    """Deliver published messages until cancelled."""
    clock = asyncio.get_running_loop().time
    while True:
        began = clock()
        try:
            found_work = await deliver_next(dependencies)
        except ServiceUnavailable as error:
            log.info("delivery of published messages postponed: %s", error)
            found_work = False
        if found_work:
            await asyncio.sleep((clock() - began) * _IDLE_FACTOR)
        else:
            await wait_for_work(dependencies.crossposts_due, at_most_s=_INTERVAL_S)


async def deliver_next(dependencies: Dependencies) -> bool:
    """Deliver one batch of the message that has waited longest. Return False if none is due."""
    async with dependencies.database.cursor() as cur:
        crosspost = await queries.take(cur, lease_s=_LEASE_S)
    if crosspost is None:
        return False
    await crossposts.deliver(dependencies, crosspost)
    return True
