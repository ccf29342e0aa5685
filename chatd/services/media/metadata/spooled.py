"""Formats that can be parsed only as a whole: their input goes through a temporary file."""

from __future__ import annotations

from collections.abc import Iterator
from tempfile import SpooledTemporaryFile
from typing import IO

CHUNK_BYTES = 256 * 1024
"""Bytes that are read from the file, and returned, at once."""

_MAX_IN_MEMORY = 2**20  # bytes; a larger file goes to disk


class SpooledStripper:
    """Collects an image in a temporary file, for a subclass that parses it at the end."""

    def __init__(self) -> None:
        self.orientation = 1
        self.is_overfull = False
        self._size = 0
        # `end` closes it.
        self._file: IO[bytes] = SpooledTemporaryFile(_MAX_IN_MEMORY)  # noqa: SIM115

    def feed(self, data: bytes) -> bytes:
        """Take a chunk. No output is ready before the end."""
        self._file.write(data)
        self._size += len(data)
        return b""

    def _copied(self, at: int, length: int) -> Iterator[bytes]:
        """Read a part of the file in chunks."""
        self._file.seek(at)
        while length and (part := self._file.read(min(length, CHUNK_BYTES))):
            length -= len(part)
            yield part
