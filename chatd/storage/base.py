"""The interface of all storages."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

CHUNK_BYTES = 256 * 1024
"""Bytes of each chunk that is read."""


class StoredFileMissing(Exception):
    """There is no file with this key."""


class StorageUnavailable(Exception):
    """The storage does not answer, or cannot store a file."""


@dataclass(frozen=True, slots=True)
class Span:
    """The bytes from `start` up to `stop`, exclusive, of a file."""

    start: int
    stop: int


class Storage(Protocol):
    """Stores files by key. All methods raise StorageUnavailable when the storage fails."""

    def running(self) -> AbstractAsyncContextManager[None]:
        """Hold the resources of the storage while the context is open."""

    async def put(self, key: str, chunks: AsyncIterator[bytes]) -> None:
        """Store a file. When `chunks` raises, or this is cancelled, nothing is stored."""

    async def size(self, key: str) -> int:
        """Return the size of a file in bytes. Raises StoredFileMissing."""

    def read(self, key: str, span: Span) -> AsyncGenerator[bytes, None]:
        """Yield a part of a file in chunks. Raises StoredFileMissing."""

    async def delete(self, key: str) -> None:
        """Delete a file, and the remains of an interrupted `put`. A missing file is no error."""


async def in_blocks(chunks: AsyncIterator[bytes], size: int) -> AsyncGenerator[bytes, None]:
    """Yield the bytes of `chunks` in blocks of `size` bytes; the last one may be shorter."""
    gathered = bytearray()
    async for chunk in chunks:
        gathered += chunk
        while len(gathered) >= size:
            block = bytes(gathered[:size])
            del gathered[:size]
            yield block
    if gathered:
        yield bytes(gathered)
