"""Files on the local disk. What blocks is done in a few threads of its own."""

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

from chatd.storage.storage import CHUNK, NotStored, Span, StorageAway

log = logging.getLogger(__name__)

T = TypeVar("T")

_THREADS = 4
_PARTIAL = ".partial"


class LocalStorage:
    """Keeps files in a folder. A file gets its name when all of it is on disk."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="files")

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Ends the threads when the context ends. The folder is made with the first file: whether
        that can be is told at once."""
        there = _existing(self._folder)
        if not os.access(there, os.W_OK | os.X_OK):
            log.error("%s cannot be written to, so no file can be kept; see FILES_DIR", there)
        try:
            yield
        finally:
            self._threads.shutdown()

    async def put(self, key: str, chunks: AsyncIterator[bytes]) -> None:
        """Keep a file. When `chunks` raises, or this is cancelled, nothing is kept."""
        target = self._folder / key
        partial_file = _partial_of(target)
        await self._do(partial(target.parent.mkdir, mode=0o700, parents=True, exist_ok=True))
        try:
            await self._do(partial(partial_file.write_bytes, b""))
            async for chunk in chunks:
                await self._do(partial(_append, partial_file, chunk))
            await self._do(partial(_finish, partial_file, target))
        except BaseException:  # also when it is cancelled: half a file is of no use to anyone
            await self._do(partial(partial_file.unlink, missing_ok=True))
            raise

    async def size(self, key: str) -> int:
        """The size of a file in bytes. Raises NotStored."""
        return (await self._do((self._folder / key).stat)).st_size

    async def read(self, key: str, span: Span) -> AsyncGenerator[bytes, None]:
        """A part of a file, chunk by chunk. Raises NotStored."""
        at = span.start
        while at < span.stop:
            size = min(CHUNK, span.stop - at)
            chunk = await self._do(partial(_read, self._folder / key, at, size))
            if not chunk:
                raise NotStored
            at += len(chunk)
            yield chunk

    async def delete(self, key: str) -> None:
        """Forget a file, and what a `put` that was killed has left; one not there is fine."""
        target = self._folder / key
        for path in (target, _partial_of(target)):
            await self._do(partial(path.unlink, missing_ok=True))

    async def _do(self, work: Callable[[], T]) -> T:
        """Do what blocks in a thread. When cancelled, not before that is done."""
        doing = asyncio.get_running_loop().run_in_executor(self._threads, work)
        try:
            return await asyncio.shield(doing)
        except asyncio.CancelledError:
            await asyncio.wait([doing])
            raise
        except FileNotFoundError:
            raise NotStored from None
        except OSError as error:
            raise StorageAway(str(error)) from error


def _partial_of(target: Path) -> Path:
    """What a file is called until it is whole. A key is put once at a time."""
    return target.with_name(target.name + _PARTIAL)


def _append(path: Path, data: bytes) -> None:
    with path.open("ab") as file:
        file.write(data)


def _finish(partial_file: Path, target: Path) -> None:
    """Bring a file to the disk for good, and give it its name."""
    with partial_file.open("ab") as file:  # makes an empty one, too
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


def _existing(folder: Path) -> Path:
    """The folder, or the one above it in which it would be made, as far as we can see."""
    while not os.path.exists(folder) and folder != folder.parent:  # noqa: PTH110 - raises nothing
        folder = folder.parent
    return folder
