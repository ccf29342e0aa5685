"""Storing files of an import, as if they had been uploaded."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from typing import BinaryIO

from chatd.context.dependencies import CoreDependencies
from chatd.core.ids import AttachmentId, UserId
from chatd.queries import files
from chatd.services.media import file_types
from chatd.storage.base import Storage

_CHUNK_BYTES = 256 * 1024
_ROTATED = (5, 6, 7, 8)  # orientations of Exif that swap width and height


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file in the storage that no message has claimed yet."""

    id: AttachmentId
    filename: str
    content_type: str
    size: int
    width: int | None
    height: int | None


class FileStore:
    """Stores files. Those that no message claims within a day are deleted by the janitor."""

    def __init__(
        self,
        deps: CoreDependencies,
        storage: Storage,
        threads: Executor,
        *,
        strip_metadata: bool,
    ) -> None:
        self._deps = deps
        self._storage = storage
        self._threads = threads
        self._keeps_metadata = not strip_metadata

    async def store(self, source: BinaryIO, filename: str, owner_id: UserId) -> StoredFile:
        """Store a file of an account, and close it. Raises OSError, StorageUnavailable."""
        file_id = self._deps.new_id(AttachmentId)
        async with self._deps.database.cursor() as cur:
            await files.begin_upload(cur, file_id, owner_id)
        reading = _Chunks(source, self._threads)
        stripped = file_types.StrippedChunks(self._threads, reading, keep=self._keeps_metadata)
        size = 0

        async def counted() -> AsyncIterator[bytes]:
            nonlocal size
            async for chunk in stripped.all():
                size += len(chunk)
                yield chunk

        try:
            await self._storage.put(f"attachments/{file_id}", counted())
        finally:
            source.close()
        name = file_types.safe_name(filename)
        found = await file_types.detect(self._threads, bytes(reading.head), name)
        if stripped.orientation in _ROTATED:
            found = replace(found, width=found.height, height=found.width)
        return StoredFile(file_id, name, found.content_type, size, found.width, found.height)


class _Chunks:
    """Iterates over the chunks of a file, and keeps the first ones."""

    def __init__(self, source: BinaryIO, threads: Executor) -> None:
        self._source = source
        self._threads = threads
        self.head = bytearray()

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        loop = asyncio.get_running_loop()
        chunk = await loop.run_in_executor(self._threads, self._source.read, _CHUNK_BYTES)
        if not chunk:
            raise StopAsyncIteration
        if len(self.head) < file_types.HEAD_BYTES:
            self.head += chunk[: file_types.HEAD_BYTES - len(self.head)]
        return chunk
