"""The part of the tar format (POSIX.1-1988, ustar) that archives of chatd use.

An archive has regular files only, with short names and sizes below 8 GiB. The reader accepts
nothing else: no links, no folders, no extended headers. So a header always has 512 bytes, no name
leads out of a folder, and no size makes the reader allocate memory. `tar tf` lists an archive.
"""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from typing import BinaryIO

from chatd.backup.errors import InvalidArchive

BLOCK_BYTES = 512
MAX_MEMBER_BYTES = 2**33 - 1
"""The largest size that a ustar header can hold as an octal number."""

CHUNK_BYTES = 1 << 20
_END = bytes(2 * BLOCK_BYTES)
_MODE = 0o600


class TarWriter:
    """Writes members one after another. It never seeks, so the target may be a pipe."""

    def __init__(self, target: BinaryIO, *, mtime: int) -> None:
        self._target = target
        self._mtime = mtime
        self._left = 0
        self._padding = 0
        self.written = 0
        """Bytes written so far."""

    def add(self, name: str, data: bytes) -> None:
        """Write a whole member. Raises OSError."""
        self.begin(name, len(data))
        self.write(data)
        self.end()

    def begin(self, name: str, size: int) -> None:
        """Write the header of a member. `write` and `end` follow. Raises OSError."""
        self._write(_header(name, size, self._mtime))
        self._left = size
        self._padding = -size % BLOCK_BYTES

    def write(self, data: bytes) -> None:
        """Write a part of the member. Raises OSError; ValueError beyond its size."""
        if len(data) > self._left:
            raise ValueError("a member of the archive is longer than its header says")
        self._write(data)
        self._left -= len(data)

    def end(self) -> None:
        """End the member. Bytes that it still lacks are zeros. Raises OSError."""
        while self._left:
            self.write(bytes(min(self._left, CHUNK_BYTES)))
        self._write(bytes(self._padding))

    def close(self) -> None:
        """Write the end of the archive. The target stays open. Raises OSError."""
        self._write(_END)
        self._target.flush()

    def _write(self, data: bytes) -> None:
        view = memoryview(data)
        while view:  # a raw file may write less than all
            written = self._target.write(view)
            self.written += written
            view = view[written:]


class Member:
    """A member of an archive, whose content can be read once."""

    def __init__(self, source: BinaryIO, name: str, size: int) -> None:
        self._source = source
        self._left = size
        self.name = name
        self.size = size

    def read(self, size: int = CHUNK_BYTES) -> bytes:
        """Return the next bytes; empty at the end. Raises InvalidArchive if they are missing."""
        if not self._left:
            return b""
        data = self._source.read(min(size, self._left))
        if not data:
            raise InvalidArchive(f"the archive is cut short in {self.name}")
        self._left -= len(data)
        return data

    def chunks(self) -> Iterator[bytes]:
        """Yield all bytes in chunks. Raises InvalidArchive."""
        while chunk := self.read():
            yield chunk

    def content(self, *, at_most: int) -> bytes:
        """Return the whole content. Raises InvalidArchive if it is larger than `at_most`."""
        if self.size > at_most:
            raise InvalidArchive(f"{self.name} of the archive is too large")
        return b"".join(self.chunks())

    def skip(self) -> None:
        """Skip what was not read, and the padding. Raises InvalidArchive."""
        self._source.seek(self._left, 1)
        self._left = 0
        padding = -self.size % BLOCK_BYTES
        if self._source.read(padding) != bytes(padding):
            raise InvalidArchive(f"the archive is cut short or damaged after {self.name}")


def members(source: BinaryIO) -> Iterator[Member]:
    """Yield the members from the start. One that is not read to its end is skipped.

    Raises InvalidArchive.
    """
    source.seek(0)
    while True:
        header = source.read(BLOCK_BYTES)
        if header == bytes(BLOCK_BYTES):
            if source.read(BLOCK_BYTES) != bytes(BLOCK_BYTES) or source.read(1):
                raise InvalidArchive("the archive has data after its end")
            return
        member = Member(source, *_parse(header))
        yield member
        member.skip()


def _header(name: str, size: int, mtime: int) -> bytes:
    """Return the only header that a member can have."""
    info = tarfile.TarInfo(name)
    info.size, info.mtime, info.mode = size, mtime, _MODE
    return info.tobuf(tarfile.USTAR_FORMAT)


def _parse(header: bytes) -> tuple[str, int]:
    """Return name and size of a member. Raises InvalidArchive."""
    if len(header) < BLOCK_BYTES:
        raise InvalidArchive("the archive is cut short")
    try:
        info = tarfile.TarInfo.frombuf(header, "ascii", "strict")
        expected = _header(info.name, min(info.size, MAX_MEMBER_BYTES), int(info.mtime))
    except (tarfile.HeaderError, ValueError):  # UnicodeError is one
        raise InvalidArchive("this is not an archive of `chatd backup`, or it is damaged") from None
    if header != expected:
        raise InvalidArchive("the archive has a member that `chatd backup` does not write")
    return info.name, info.size
