"""A run of an import: it excludes others, and holds what each of them needs."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass

from chatd.backup.progress import Progress
from chatd.backup.storage import open_storage
from chatd.config import Config
from chatd.context.dependencies import CoreDependencies
from chatd.core.errors import DatabaseUnavailable
from chatd.core.ids import GuildId
from chatd.db.bulk import BulkConnection
from chatd.db.cursor import Cursor
from chatd.db.maintenance import maintenance_cursor
from chatd.events import guilds as events
from chatd.queries import imports
from chatd.queries.imports import Import
from chatd.queries.statistics import COMMAND
from chatd.storage.base import Storage
from chatd.transfer.attachments import FileStore
from chatd.transfer.authors import Authors
from chatd.transfer.errors import TransferError
from chatd.transfer.findings import Findings
from chatd.transfer.indexing import index_guild
from chatd.transfer.loading import Target, Totals

_MEDIA_THREADS = 2  # decode images beside the parser


@dataclass(frozen=True, slots=True)
class Imported:
    """A finished run."""

    guild_id: GuildId
    channels: int
    authors: int
    totals: Totals
    files: int
    unchanged_files: int


@dataclass(frozen=True, slots=True)
class Session:
    """A run that excludes others."""

    deps: CoreDependencies
    config: Config
    findings: Findings
    progress: Progress
    cur: Cursor
    storage: Storage

    @contextmanager
    def target(self, job: Import, authors: Authors) -> Iterator[Target]:
        """Hold a connection for COPY, and threads for images."""
        bulk = BulkConnection(self.config.database_url, name=COMMAND)
        threads = ThreadPoolExecutor(_MEDIA_THREADS, thread_name_prefix="media")
        strip = self.config.strip_image_metadata
        store = FileStore(self.deps, self.storage, threads, strip_metadata=strip)
        try:
            yield Target(self.deps, bulk, store, job, authors, self.findings, Totals())
        finally:
            threads.shutdown()
            bulk.close()

    async def index(self, job: Import) -> None:
        """Add the messages of an import to the search index, if they are not in it.

        First it notifies the instances, which keep the last messages of channels in memory.
        """
        if await imports.needs_index(self.cur, job.id):
            async with self.deps.begin() as work:
                if await work.lock(job.guild_id):
                    work.emit(events.history_imported(job.guild_id))
            self.progress.begin("indexing for the search", None)
            await index_guild(self.config.database_url, job)


@asynccontextmanager
async def importing(
    deps: CoreDependencies, config: Config, findings: Findings, progress: Progress
) -> AsyncIterator[Session]:
    """Exclude other imports for the time of the context. Raises TransferError if one is running."""
    async with (
        maintenance_cursor(config.database_url, name=COMMAND) as cur,
        open_storage(config) as storage,
    ):
        if not await imports.try_lock(cur):
            raise TransferError("another import is running")
        try:
            yield Session(deps, config, findings, progress, cur, storage)
        finally:
            with contextlib.suppress(DatabaseUnavailable):
                await imports.unlock(cur)
