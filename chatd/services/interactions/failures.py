"""Interactions that fail: their applications do not acknowledge them in time.

Every instance runs the background task, which finds overdue interactions of all instances. So an
interaction fails also after a crash of the instance that has created it.
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta

from chatd.context.dependencies import Dependencies
from chatd.core import interactions as rules
from chatd.core import snowflake
from chatd.core.errors import ServiceUnavailable
from chatd.core.interactions import FailureReason, Interaction
from chatd.events import interactions as events
from chatd.queries import interactions

log = logging.getLogger(__name__)

_INTERVAL_S = 10.0  # between two looks for interactions of other instances
_BATCH = 100  # interactions that are read at once


async def run(dependencies: Dependencies) -> None:
    """Fail interactions that are overdue, until cancelled."""
    while True:
        await dependencies.interaction_deadlines.wait(at_most_s=_INTERVAL_S)
        try:
            await fail_overdue(dependencies)
        except ServiceUnavailable as error:
            log.info("expiry of interactions postponed: %s", error)


async def fail_overdue(dependencies: Dependencies) -> None:
    """Fail all interactions that are overdue now."""
    while True:
        acknowledged_by = datetime.now(UTC) - timedelta(seconds=rules.ACKNOWLEDGE_S)
        async with dependencies.database.cursor() as cur:
            overdue = await interactions.list_overdue(
                cur, before=snowflake.at(acknowledged_by), limit=_BATCH
            )
        for interaction in overdue:
            await fail(dependencies, interaction, FailureReason.TIMEOUT)
        if len(overdue) < _BATCH:
            return


async def fail(dependencies: Dependencies, interaction: Interaction, reason: FailureReason) -> None:
    """Fail an interaction, unless it was acknowledged. Emits INTERACTION_FAILURE."""
    async with dependencies.begin() as work:
        await work.ensure_and_lock(interaction.user_id)
        if await interactions.fail(work.cur, interaction.id):
            work.emit(events.interaction_failed(interaction, reason))
