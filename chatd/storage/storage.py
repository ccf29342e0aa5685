"""What every storage can do."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

CHUNK = 256 * 1024
"""How many bytes are read at once."""


class NotStored(Exception):
    """There is no file of this key."""


class StorageAway(Exception):
    """The storage does not answer, or cannot take a file."""


@dataclass(frozen=True, slots=True)
class Span:
    """Bytes `start` to `stop` of a file, without `stop`."""

    start: int
    stop: int


class Storage(Protocol):
    """Keeps files under keys. Every method raises StorageAway when it cannot do its work."""

    def running(self) -> AbstractAsyncContextManager[None]:
        """Holds what the storage needs, for as long as the context is open."""

    async def put(self, key: str, chunks: AsyncIterator[bytes]) -> None:
        """Keep a file. When `chunks` raises, or this is cancelled, nothing is kept."""

    async def size(self, key: str) -> int:
        """The size of a file in bytes. Raises NotStored."""

    def read(self, key: str, span: Span) -> AsyncGenerator[bytes, None]:
        """A part of a file, chunk by chunk. Raises NotStored."""

    async def delete(self, key: str) -> None:
        """Forget a file, and what a `put` that was killed has left; one not there is fine."""


async def in_blocks(chunks: AsyncIterator[bytes], size: int) -> AsyncGenerator[bytes, None]:
    """The same bytes in blocks of `size`; the last one is shorter."""
    gathered = bytearray()
    async for chunk in chunks:
        gathered += chunk
        while len(gathered) >= size:
            block = bytes(gathered[:size])
            del gathered[:size]
            yield block
    if gathered:
        yield bytes(gathered)
