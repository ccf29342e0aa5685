"""Making the archives that users have requested, one after the other on each instance.

An instance takes a request for the time of a lease, which it extends. So a crash delays an archive
by one lease at most. After some failed attempts the request fails, and the user may repeat it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import aclosing

from chatd.context.dependencies import Dependencies
from chatd.core.errors import ApiError
from chatd.core.models import UserExport
from chatd.queries import files
from chatd.queries import user_exports as queries
from chatd.services.accounts.data_export import DataExport
from chatd.services.maintenance.wakeup import wait_for_work
from chatd.storage.base import StorageUnavailable

log = logging.getLogger(__name__)

_LEASE_S = 60.0
_EXTEND_S = 15.0  # between two extensions
_ATTEMPTS = 3
_INTERVAL_S = 10.0  # between two polls for what other instances were asked for
# Pause after a step, in durations of the step: most of the database's time is for clients.
_IDLE_FACTOR = 1.0


class _Superseded(Exception):
    """The export was replaced or deleted while it was made."""


async def run(dependencies: Dependencies) -> None:
    """Make requested archives until cancelled."""
    while True:
        try:
            found_work = await make_next(dependencies)
        except (ApiError, StorageUnavailable) as error:
            log.warning("export of an account failed; repeated later: %s", error)
            found_work = False
        if not found_work:
            await wait_for_work(dependencies.exports_due, at_most_s=_INTERVAL_S)


async def make_next(dependencies: Dependencies) -> bool:
    """Make the archive that has waited longest. Return False if none is due."""
    async with dependencies.database.cursor() as cur:
        wanted = await queries.take(cur, lease_s=_LEASE_S, attempts=_ATTEMPTS)
    if wanted is None:
        return False
    key = queries.key(wanted.id)
    async with dependencies.database.cursor() as cur:
        await files.reserve(cur, key)
    pace = _Pace(dependencies, wanted)
    export = DataExport(
        dependencies.database, dependencies.storage, dependencies.media_threads, tick=pace.tick
    )
    try:
        async with aclosing(export.chunks(wanted.user_id)) as chunks:
            await dependencies.storage.put(key, _filled(chunks))
    except _Superseded:
        log.info("an export was superseded while it was made")
        return True
    async with dependencies.begin() as work:
        if await queries.finish(work.cur, wanted.id, export.done.size):
            await files.claim(work.cur, key)
    log.info("exported an account: %d bytes, %d files", export.done.size, export.done.files)
    return True


async def _filled(chunks: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
    async for chunk in chunks:
        if chunk:
            yield chunk


class _Pace:
    """Leaves the database time for clients, and extends the lease."""

    def __init__(self, dependencies: Dependencies, export: UserExport) -> None:
        self._dependencies = dependencies
        self._export = export
        self._clock = asyncio.get_running_loop().time
        self._step_began = self._extended = self._clock()

    async def tick(self) -> None:
        """Pause as long as the step took. Raises _Superseded."""
        await asyncio.sleep((self._clock() - self._step_began) * _IDLE_FACTOR)
        if self._clock() - self._extended > _EXTEND_S:
            self._extended = self._clock()
            async with self._dependencies.database.cursor() as cur:
                if not await queries.extend(cur, self._export.id, lease_s=_LEASE_S):
                    raise _Superseded
        self._step_began = self._clock()
