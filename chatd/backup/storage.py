"""The storage of files, for backup and restore."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from chatd.backup.errors import BackupError
from chatd.config import Config
from chatd.storage.base import Storage, StorageUnavailable
from chatd.storage.configured import StorageExtraMissing, configured_storage


@asynccontextmanager
async def open_storage(config: Config) -> AsyncIterator[Storage]:
    """Open the storage of the settings. Raises BackupError if it is, or becomes, unavailable."""
    try:
        storage = configured_storage(config)
        async with storage.running():
            yield storage
    except StorageExtraMissing as error:
        raise BackupError(str(error)) from None
    except StorageUnavailable as error:
        raise BackupError(f"the storage of files is unavailable: {error}") from error
