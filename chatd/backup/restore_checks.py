"""What must be true before a restore writes anything."""

from __future__ import annotations

import os
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

from chatd.backup import tools
from chatd.backup.errors import BackupError
from chatd.backup.file_table import FileTable
from chatd.backup.manifest import Header
from chatd.bus import activity
from chatd.config import Config
from chatd.db import migrations
from chatd.db.cursor import Cursor
from chatd.queries import backups, statistics
from chatd.storage.base import Storage, StoredFileMissing
from chatd.storage.local import LocalStorage
from chatd.storage.paths import nearest_existing

_CLOCK_TOLERANCE = timedelta(seconds=5)
_SPARE_BYTES = 64 << 20


def check_schema(header: Header) -> None:
    """Raise BackupError if this version of chatd does not know the schema of the archive."""
    known = migrations.names()
    if newer := [name for name in header.schema if name not in known]:
        raise BackupError(
            f"the backup has a newer schema ({newer[-1]}): it was made by chatd {header.chatd};"
            " install that version or a later one"
        )


def check_clock(header: Header) -> None:
    """Raise BackupError if the clock is behind the time of the backup."""
    behind = header.created_at - datetime.now(UTC)
    if behind > _CLOCK_TOLERANCE:
        raise BackupError(
            f"the clock of this machine is {behind.total_seconds():.0f} s behind the time of the"
            " backup: set it first, or ids would be used twice"
        )


async def check_database(cur: Cursor, header: Header, pg_bindir: Path | None) -> tools.Tool:
    """Return the `pg_restore` for the database. Raises BackupError if it cannot be restored into.

    Instances must not run: they would write to the database in between.
    """
    info = await statistics.server_info(cur)
    major, needed = info.version // 10_000, header.postgres // 10_000
    if major < needed:
        raise BackupError(
            f"the backup is of Postgres {needed}, and this is Postgres {major}:"
            f" restore into Postgres {needed} or later"
        )
    if info.encoding != "UTF8":
        raise BackupError(
            f"the encoding of the database is {info.encoding}: create it with ENCODING 'UTF8'"
        )
    if not info.may_create:
        raise BackupError("this role may not create tables in the database: make it the owner")
    if running := await statistics.list_instances(cur):
        numbers = ", ".join(str(each.worker_id) for each in running)
        raise BackupError(
            f"instances are running on this database (WORKER_ID {numbers}): stop them first"
            " (systemctl stop chatd.target), restore, and then start them"
        )
    return tools.find_tool("pg_restore", at_least=max(major, header.dumped_by), folder=pg_bindir)


async def check_redis(url: str) -> None:
    """Raise BackupError if running instances use this Redis. Raises BusUnavailable."""
    if await activity.is_in_use(url):
        raise BackupError(
            "running instances use this Redis: stop them first (systemctl stop chatd.target), or"
            " name another Redis in REDIS_URL"
        )


async def check_space(
    cur: Cursor, config: Config, header: Header, files: FileTable, storage: Storage
) -> None:
    """Raise BackupError if a disk of this machine has too little space, or cannot be written to.

    The disk of a Postgres or a bucket elsewhere is unknown.
    """
    needed: dict[int, tuple[Path, int]] = {}
    if isinstance(storage, LocalStorage):
        folder = nearest_existing(config.files_dir.absolute())
        if not os.access(folder, os.W_OK | os.X_OK):
            raise BackupError(f"{folder} cannot be written to; see FILES_DIR")
        _need(needed, folder, await _bytes_to_write(files, storage))
    data = Path(await backups.data_directory(cur))
    if config.data_dir.resolve() in data.parents:  # the embedded Postgres
        _need(needed, data, header.database_bytes)
    for folder, wanted in needed.values():
        free = shutil.disk_usage(folder).free
        if free < wanted + _SPARE_BYTES:
            raise BackupError(
                f"the restore needs {wanted >> 20} MiB in {folder}, and {free >> 20} MiB are free"
            )


def _need(needed: dict[int, tuple[Path, int]], folder: Path, count: int) -> None:
    """Add bytes to those that the file system of a folder must have."""
    device = folder.stat().st_dev
    _, before = needed.get(device, (folder, 0))
    needed[device] = (folder, before + count)


async def _bytes_to_write(files: FileTable, storage: Storage) -> int:
    total = 0
    for file in files:
        try:
            total += 0 if await storage.size(file.key) == file.size else file.size
        except StoredFileMissing:
            total += file.size
    return total
