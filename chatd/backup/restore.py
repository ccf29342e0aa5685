"""Restoring an archive into an empty database.

Nothing is written before all archives were read and checked. Then files come first, because they
can be written again. The database follows in one transaction: it is empty or complete at any time.
So a restore that was interrupted can be repeated, wherever it was.

A restored server creates no id twice. The table of WORKER_IDs has the ids that were reserved at the
time of the backup, and the clock must not be behind that time. Redis may hold events of the future
of the restored database, so the keys of chatd there are deleted.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from chatd.backup import manifest, tools
from chatd.backup.archive import Archive
from chatd.backup.errors import BackupError, InvalidArchive
from chatd.backup.file_table import FileTable, TableFile, file_table
from chatd.backup.in_flight import InFlight
from chatd.backup.manifest import Entry, Manifest
from chatd.backup.progress import Progress
from chatd.backup.restore_checks import (
    check_clock,
    check_database,
    check_redis,
    check_schema,
    check_space,
)
from chatd.backup.storage import open_storage
from chatd.backup.tar import CHUNK_BYTES
from chatd.bus.cleanup import delete_keys
from chatd.config import Config
from chatd.db import migrations
from chatd.db.cursor import Cursor
from chatd.db.maintenance import maintenance_cursor
from chatd.queries import backups
from chatd.queries.statistics import COMMAND
from chatd.storage.base import Span, Storage, StoredFileMissing


@dataclass(frozen=True, slots=True)
class Sources:
    """The archive to restore, and earlier ones that have files of it."""

    archive: Archive
    bases: Sequence[Archive]


@dataclass(frozen=True, slots=True)
class Restored:
    """A finished restore."""

    manifest: Manifest
    written_files: int
    """Files that were not in storage yet."""
    migrated: list[str]
    """Migrations that this version of chatd applied afterwards."""
    was_restored: bool
    """Whether the database was restored by an earlier, interrupted run."""


@contextmanager
def verified(sources: Sources, progress: Progress) -> Iterator[tuple[Manifest, FileTable]]:
    """Read and check all archives, and provide the files of the restored server.

    Raises InvalidArchive.
    """
    with file_table() as files:
        found = _verify(sources.archive, files, progress)
        by_id = {base.header.id: base for base in sources.bases}
        for missing in sorted(files.archives() - by_id.keys() - {sources.archive.header.id}):
            name = _name_of(sources.archive, missing)
            raise BackupError(
                f"files of this backup are in an earlier one ({name}): put it into the same"
                " folder, or name it with --base"
            )
        needed = files.archives() - {sources.archive.header.id}
        for archive_id in sorted(needed):
            _verify_base(by_id[archive_id], files, progress)
        count, archive_id = files.unmarked()
        if count:
            name = _name_of(sources.archive, archive_id)
            raise InvalidArchive(f"{count} files of this backup are missing in {name}")
        yield found, files


def _verify(archive: Archive, files: FileTable, progress: Progress) -> Manifest:
    """Check the archive, and add its files to the table. Raises InvalidArchive."""
    progress.begin("checking the archive", archive.size)

    def add(entry: Entry) -> None:
        if entry.key is None or entry.missing:
            return
        owner = entry.archive or archive.header.id
        if not files.add(TableFile(entry.key, entry.size, entry.sha256, owner)):
            raise InvalidArchive("the archive names a file twice")
        if not entry.archive:
            files.mark(entry.key)

    return archive.verify(add, progress.advance)


def _verify_base(base: Archive, files: FileTable, progress: Progress) -> None:
    """Check an earlier archive, and mark the files that are needed of it. Raises InvalidArchive."""
    progress.begin(f"checking {base.name}", base.size)

    def mark(entry: Entry) -> None:
        if entry.key is None or entry.missing or entry.archive:
            return
        wanted = files.get(entry.key)
        if wanted is not None and wanted.archive == base.header.id:
            if (wanted.size, wanted.sha256) != (entry.size, entry.sha256):
                raise InvalidArchive(f"{base.name} has another file {entry.key}")
            files.mark(entry.key)

    base.verify(mark, progress.advance)


def _name_of(archive: Archive, archive_id: str) -> str:
    names = {base.id: base.name for base in archive.header.bases}
    return names.get(archive_id) or f"with the id {archive_id[:8]}"


async def restore(
    sources: Sources, config: Config, progress: Progress, *, pg_bindir: Path | None
) -> Restored:
    """Restore an archive. Raises BackupError, InvalidArchive, DatabaseUnavailable, SchemaError,
    BusUnavailable.
    """
    archive, url = sources.archive, config.database_url
    check_schema(archive.header)
    check_clock(archive.header)
    async with maintenance_cursor(url, name=COMMAND) as cur:
        if not await backups.lock_schema(cur):
            raise BackupError("a migration, backup or restore is running on this database")
        tool = await check_database(cur, archive.header, pg_bindir)
        await check_redis(config.redis_url)
        async with open_storage(config) as storage:
            was_restored = await _require_empty(cur, archive.read_index(lambda _: None))
            with verified(sources, progress) as (found, files):
                await check_space(cur, config, archive.header, files, storage)
                writer = _FileRestorer(storage, files, progress)
                await writer.write(sources)
                await writer.verify()
        await delete_keys(config.redis_url)
        if not was_restored:
            await backups.drop_schema(cur)
            await _restore_database(archive, tool, url, found, progress)
        progress.begin("checking the database", None)
        await _verify_database(cur, archive, found)
        await backups.end_leases(cur)
        await backups.analyze(cur)
        await backups.unlock_schema(cur)
    progress.begin("migrating", None)
    migrated = await asyncio.to_thread(migrations.apply, url)
    return Restored(found, writer.written, migrated, was_restored)


async def _require_empty(cur: Cursor, found: Manifest) -> bool:
    """Return False for an empty database, and True for one that has exactly this backup.

    Raises BackupError for any other database.
    """
    contents = await backups.contents(cur)
    if not contents.used and (contents.is_migrated or not contents.has_tables):
        return False
    if contents.is_migrated and await _is_restored(cur, found):
        return True
    what = f"has rows in {contents.used[0]}" if contents.used else "has tables of other programs"
    raise BackupError(
        f"the database is not empty: it {what}. Restore into a new database: create one, and name"
        " it in DATABASE_URL"
    )


async def _is_restored(cur: Cursor, found: Manifest) -> bool:
    return (
        await backups.count_rows(cur) == found.tables
        and await backups.fingerprint(cur) == found.schema_sha256
    )


async def _restore_database(
    archive: Archive, tool: tools.Tool, url: str, found: Manifest, progress: Progress
) -> None:
    progress.begin("restoring the database", found.dump_bytes)
    async with tools.restoring(tool, url) as stdin:
        for part in archive.dump():
            stdin.write(part)
            await stdin.drain()
            progress.advance(len(part))


async def _verify_database(cur: Cursor, archive: Archive, found: Manifest) -> None:
    """Compare rows and schema with the manifest. Raises BackupError."""
    counted = await backups.count_rows(cur)
    for name in sorted(counted.keys() | found.tables.keys()):
        rows, wanted = counted.get(name, 0), found.tables.get(name, 0)
        if rows != wanted:
            raise BackupError(f"the restored table {name} has {rows} rows instead of {wanted}")
    if await backups.fingerprint(cur) != found.schema_sha256:
        raise BackupError("the restored schema differs from that of the backup")


class _FileRestorer:
    """Writes stored files, and reads them again to check them."""

    def __init__(self, storage: Storage, files: FileTable, progress: Progress) -> None:
        self._storage = storage
        self._files = files
        self._progress = progress
        self.written = 0

    async def write(self, sources: Sources) -> None:
        """Write the files that storage lacks. Raises StorageUnavailable, InvalidArchive."""
        self._progress.begin("restoring files", self._files.totals()[1])
        async with InFlight() as transfers:
            for archive in (sources.archive, *sources.bases):
                for member in archive.files():
                    file = self._files.get(manifest.require_key(member.name))
                    if file is None or file.archive != archive.header.id:
                        continue
                    if member.size <= CHUNK_BYTES:  # several at once, from memory
                        content = [member.content(at_most=CHUNK_BYTES)]
                        await transfers.add(self._write(file, iter(content)))
                    else:
                        await self._write(file, member.chunks())

    async def verify(self) -> None:
        """Read all files from storage, and compare their hashes. Raises BackupError."""
        self._progress.begin("checking files", self._files.totals()[1])
        async with InFlight() as transfers:
            for file in self._files:
                await transfers.add(self._verify(file))

    async def _verify(self, file: TableFile) -> None:
        if await self._hash(file) != file.sha256:
            raise BackupError(f"the restored file {file.key} is not that of the backup")

    async def _write(self, file: TableFile, content: Iterator[bytes]) -> None:
        if await self._hash(file) == file.sha256:
            return  # by an earlier run
        digest = hashlib.sha256()

        async def chunks() -> AsyncIterator[bytes]:
            for chunk in content:
                digest.update(chunk)
                yield chunk
                self._progress.advance(len(chunk))
            if digest.hexdigest() != file.sha256:  # the archive changed since it was checked
                raise InvalidArchive(f"the archive was altered at {file.key}")

        await self._storage.put(file.key, chunks())
        self.written += 1

    async def _size(self, key: str) -> int | None:
        try:
            return await self._storage.size(key)
        except StoredFileMissing:
            return None

    async def _hash(self, file: TableFile) -> str:
        """Return the hash of a stored file; empty if there is none of this size."""
        if await self._size(file.key) != file.size:
            return ""
        digest = hashlib.sha256()
        async for chunk in self._storage.read(file.key, Span(0, file.size)):
            digest.update(chunk)
            self._progress.advance(len(chunk))
        return digest.hexdigest()
