"""Files on the local disk. Blocking calls run in a small thread pool."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import TypeVar

from chatd.storage.base import CHUNK_BYTES, Span, StorageUnavailable, StoredFileMissing
from chatd.storage.paths import nearest_existing

log = logging.getLogger(__name__)

T = TypeVar("T")

_THREADS = 4  # transfers that block in the kernel at the same time; others wait for a thread
_PARTIAL = ".partial"


class LocalStorage:
    """Stores files in a folder. A file gets its name when it is completely on disk."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="files")

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Hold the thread pool while the context is open.

        The first file creates the folder. This logs at once if that will fail.
        """
        there = nearest_existing(self._folder)
        if not os.access(there, os.W_OK | os.X_OK):
            log.error("%s cannot be written to, so no file can be kept; see FILES_DIR", there)
        try:
            yield
        finally:
            self._threads.shutdown()

    async def put(self, key: str, chunks: AsyncIterator[bytes]) -> None:
        """Store a file. When `chunks` raises, or this is cancelled, nothing is stored."""
        target = self._folder / key
        partial_file = _partial_path(target)
        await self._in_thread(partial(target.parent.mkdir, mode=0o700, parents=True, exist_ok=True))
        try:
            await self._in_thread(partial(partial_file.write_bytes, b""))
            async for chunk in chunks:
                await self._in_thread(partial(_append, partial_file, chunk))
            await self._in_thread(partial(_sync_and_rename, partial_file, target))
        except BaseException:  # CancelledError included
            await self._in_thread(partial(partial_file.unlink, missing_ok=True))
            raise

    async def size(self, key: str) -> int:
        """Return the size of a file in bytes. Raises StoredFileMissing."""
        return (await self._in_thread((self._folder / key).stat)).st_size

    async def read(self, key: str, span: Span) -> AsyncGenerator[bytes, None]:
        """Yield a part of a file in chunks. Raises StoredFileMissing."""
        at = span.start
        while at < span.stop:
            size = min(CHUNK_BYTES, span.stop - at)
            chunk = await self._in_thread(partial(_read, self._folder / key, at, size))
            if not chunk:
                raise StoredFileMissing
            at += len(chunk)
            yield chunk

    async def delete(self, key: str) -> None:
        """Delete a file, and the remains of an interrupted `put`. A missing file is no error."""
        target = self._folder / key
        for path in (target, _partial_path(target)):
            await self._in_thread(partial(path.unlink, missing_ok=True))

    async def _in_thread(self, work: Callable[[], T]) -> T:
        """Run a blocking call in a thread. A cancellation takes effect after the call ends."""
        doing = asyncio.get_running_loop().run_in_executor(self._threads, work)
        try:
            return await asyncio.shield(doing)
        except asyncio.CancelledError:
            await asyncio.wait([doing])
            raise
        except FileNotFoundError:
            raise StoredFileMissing from None
        except OSError as error:
            raise StorageUnavailable(str(error)) from error


def _partial_path(target: Path) -> Path:
    """Return the name of a file that is being written. No key is put twice at the same time."""
    return target.with_name(target.name + _PARTIAL)


def _append(path: Path, data: bytes) -> None:
    with path.open("ab") as file:
        file.write(data)


def _sync_and_rename(partial_file: Path, target: Path) -> None:
    """Flush a file to disk (fsync), give it its final name, and flush the folder."""
    with partial_file.open("ab") as file:  # also creates an empty file
        os.fsync(file.fileno())
    partial_file.replace(target)
    folder = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _read(path: Path, at: int, size: int) -> bytes:
    with path.open("rb") as file:
        file.seek(at)
        return file.read(size)
