"""Taking a backup, while instances serve.

The order makes database and files consistent. First the backup takes an advisory lock, which keeps
the janitor of every instance from deleting files. Then it takes a snapshot. So each file that the
snapshot names stays in storage until it is copied. Files are stored before the commit that names
them, and never change.
"""

from __future__ import annotations

import asyncio
import secrets as random
import tempfile
from collections import deque
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, BinaryIO

import orjson

import chatd
from chatd.backup import manifest, tools
from chatd.backup.archive import PART_BYTES, Archive, ArchiveWriter
from chatd.backup.errors import BackupError
from chatd.backup.file_table import FileTable, TableFile, file_table
from chatd.backup.manifest import ArchiveName, Entry, Header, Manifest
from chatd.backup.progress import Progress
from chatd.backup.secrets import encrypt
from chatd.backup.storage import open_storage
from chatd.config import Config
from chatd.core.errors import ServiceUnavailable
from chatd.db import migrations
from chatd.db.cursor import Cursor
from chatd.db.maintenance import maintenance_cursor
from chatd.queries import backups
from chatd.queries.statistics import COMMAND
from chatd.storage.base import (
    CHUNK_BYTES,
    Span,
    Storage,
    StoredFileMissing,
)


@dataclass(frozen=True, slots=True)
class Request:
    """What to back up."""

    config: Config
    settings: dict[str, str]
    """The settings as they are set, without secrets."""
    secrets: dict[str, str]
    passphrase: str | None
    """With it, the archive has the secrets."""
    since: Archive | None
    """An earlier archive, whose files are not copied again."""
    pg_bindir: Path | None = None


@dataclass(frozen=True, slots=True)
class Backup:
    """A finished backup."""

    header: Header
    manifest: Manifest
    written: int
    """Bytes of the archive."""
    copied: int
    """Files that the archive itself has."""
    missing: list[str] = field(default_factory=list)
    """Some of the files that the database names and the storage does not have."""


_READ_AHEAD = 8
"""Files whose first chunk is read while another file is written: a bucket takes some hundredths of
a second to answer."""

_MISSING_SHOWN = 20


@dataclass(frozen=True, slots=True)
class _Start:
    """The size of a stored file, and its first chunk."""

    size: int
    data: bytes


@asynccontextmanager
async def files_held(url: str) -> AsyncIterator[Cursor]:
    """Keep all stored files while the context is open. Raises BackupError, DatabaseUnavailable."""
    async with maintenance_cursor(url, name=COMMAND) as cur:
        if not await backups.hold_files(cur):
            raise BackupError("another backup is running: wait until it has ended")
        yield cur
        with suppress(ServiceUnavailable):  # the lock ends with the connection
            await backups.release_files(cur)


async def create(target: BinaryIO, request: Request, cur: Cursor, progress: Progress) -> Backup:
    """Write an archive. `cur` is that of `files_held`. The target needs no seeking.

    Raises BackupError, OSError, DatabaseUnavailable, SchemaError.
    """
    url = request.config.database_url
    statuses = await asyncio.to_thread(migrations.status, url)
    schema = [each.name for each in statuses if each.applied_at is not None]
    if not schema:
        raise BackupError("the database is empty: there is nothing to back up")
    with tempfile.TemporaryFile() as spool, _earlier_files(request.since) as earlier:
        async with open_storage(request.config) as storage:
            if not await backups.hold_off_migrations(cur):
                raise BackupError("a migration is running: take the backup when it has ended")
            snapshot = await backups.take_snapshot(cur)
            tool = tools.find_tool(
                "pg_dump", at_least=snapshot.postgres // 10_000, folder=request.pg_bindir
            )
            writer = ArchiveWriter(target, _header(request, snapshot, schema, tool.major))
            _add_settings(writer, request)
            total = await _spool_files(cur, spool)
            dumping = tools.dumping(
                tool,
                url,
                snapshot=snapshot.name,
                without_rows=backups.NOT_DUMPED,
                without=await backups.other_schemas(cur),
            )
            tables, fingerprint = await _dump(writer, dumping, cur, progress)
            await backups.end_snapshot(cur)
            await backups.release_migrations(cur)
            progress.begin("copying files", total)
            copier = _FileCopier(writer, storage, earlier, progress)
            await copier.copy(_spooled(spool))
        await backups.require_connection(cur)  # without it, files may have been deleted
    found = writer.finish(tables, fingerprint)
    return Backup(writer.header, found, writer.written, copier.copied, copier.missing)


def _header(
    request: Request, snapshot: backups.Snapshot, schema: list[str], dumped_by: int
) -> Header:
    bases = []
    if (since := request.since) is not None:
        name = since.path.name if since.path is not None else ""
        bases = [ArchiveName(since.header.id, name), *since.header.bases]
    return Header(
        id=random.token_hex(16),
        chatd=chatd.__version__,
        schema=schema,
        postgres=snapshot.postgres,
        dumped_by=dumped_by,
        created_at=snapshot.taken_at,
        database_bytes=snapshot.database_bytes,
        bases=bases,
    )


def _add_settings(writer: ArchiveWriter, request: Request) -> None:
    writer.add(manifest.SETTINGS, orjson.dumps(request.settings))
    if request.passphrase is not None:
        sealed = encrypt(request.secrets, request.passphrase, writer.header.id)
        writer.add(manifest.SECRETS, sealed)


async def _dump(
    writer: ArchiveWriter,
    dumping: AbstractAsyncContextManager[tools.Dump],
    cur: Cursor,
    progress: Progress,
) -> tuple[dict[str, int], str]:
    """Write the dump. Return the rows of each table, and the hash of the schema."""
    progress.begin("dumping the database", None)
    # Both read all tables. Together they read most of them from disk once.
    counting = asyncio.create_task(backups.count_rows(cur), name="row counts")
    try:
        async with dumping as dump:
            async for part in dump.parts(PART_BYTES):
                await asyncio.to_thread(writer.add_dump, part)
                progress.advance(len(part))
        tables = await counting
    finally:
        counting.cancel()
        await asyncio.wait({counting})
    return tables, await backups.fingerprint(cur)


async def _spool_files(cur: Cursor, spool: IO[bytes]) -> int:
    """Write the files that the snapshot names to disk, and return their bytes, if known.

    A snapshot that stays open for the time of the copy would keep Postgres from removing old rows.
    """
    total = 0
    async for file in backups.referenced_files(cur):
        spool.write(f"{file.key} {file.size}\n".encode())
        total += file.size
    return total


def _spooled(spool: IO[bytes]) -> Iterator[str]:
    spool.seek(0)
    for line in spool:
        yield line.decode().partition(" ")[0]


@contextmanager
def _earlier_files(since: Archive | None) -> Iterator[FileTable | None]:
    """Provide the files that an earlier archive has or refers to. Raises InvalidArchive."""
    if since is None:
        yield None
        return
    with file_table() as table:

        def add(entry: Entry) -> None:
            if entry.key is not None and not entry.missing:
                archive = entry.archive or since.header.id
                table.add(TableFile(entry.key, entry.size, entry.sha256, archive))

        since.read_index(add)
        yield table


class _FileCopier:
    """Copies stored files into an archive."""

    def __init__(
        self,
        writer: ArchiveWriter,
        storage: Storage,
        earlier: FileTable | None,
        progress: Progress,
    ) -> None:
        self._writer = writer
        self._storage = storage
        self._earlier = earlier
        self._progress = progress
        self.copied = 0
        self.missing: list[str] = []

    async def copy(self, keys: Iterator[str]) -> None:
        """Copy these files, in this order. Raises StorageUnavailable, OSError."""
        reading: deque[tuple[str, asyncio.Task[_Start | None]]] = deque()
        try:
            for key in keys:
                known = self._earlier.get(key) if self._earlier is not None else None
                if known is not None:
                    self._writer.refer(key, known.size, known.sha256, known.archive)
                    self._progress.advance(known.size)
                    continue
                start = asyncio.create_task(self._start(key), name="stored file of a backup")
                reading.append((key, start))
                if len(reading) >= _READ_AHEAD:
                    await self._write(*reading.popleft())
            while reading:
                await self._write(*reading.popleft())
        finally:
            for _, task in reading:
                task.cancel()
            if reading:
                await asyncio.wait([task for _, task in reading])

    async def _start(self, key: str) -> _Start | None:
        """Return the size and the first bytes of a file; None if there is none."""
        try:
            size = await self._storage.size(key)
            chunks = self._storage.read(key, Span(0, min(size, CHUNK_BYTES)))
            return _Start(size, b"".join([chunk async for chunk in chunks]))
        except StoredFileMissing:
            return None

    async def _write(self, key: str, starting: asyncio.Task[_Start | None]) -> None:
        try:
            start = await starting
        finally:
            starting.cancel()
        if start is None:
            self._writer.missing(key)
            self._note_missing(key)
            return
        file = self._writer.begin_file(key, start.size)
        file.write(start.data)
        self._progress.advance(len(start.data))
        try:
            async for chunk in self._storage.read(key, Span(len(start.data), start.size)):
                file.write(chunk)
                self._progress.advance(len(chunk))
        except StoredFileMissing:  # deleted by an instance of an earlier version
            self._note_missing(key)
        else:
            self.copied += 1
        self._writer.end_file(file)

    def _note_missing(self, key: str) -> None:
        if len(self.missing) < _MISSING_SHOWN:
            self.missing.append(key)
