"""Incremental parsing of images: a stripper that runs a generator for each format.

A parser of a format is a generator. It takes bytes from the stripper, puts back those that stay,
and yields while it waits for more input.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator
from typing import Literal, Protocol, TypeAlias

from chatd.services.media.metadata.exif import minimal_exif, orientation_of

_MIN_PARTS_LIMIT = 20_000  # parts of a small file: no image has that many
_BYTES_PER_PART = 128  # of a large file on average; a GIF has one part in 256 bytes
_JPEG_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]", re.DOTALL)

Steps: TypeAlias = Generator[None, None, None]


class Malformed(Exception):
    """The file violates its format. The rest of it is copied unchanged."""


class Parser(Protocol):
    """Parses one format. Raises Malformed."""

    def __call__(self, stream: StreamStripper) -> Steps: ...


def max_parts(size: int) -> int:
    """Return how many parts of a file of `size` bytes are parsed: each takes microseconds."""
    return _MIN_PARTS_LIMIT + size // _BYTES_PER_PART


class StreamStripper:
    """Strips a format that can be parsed while it arrives."""

    def __init__(self, parse: Parser) -> None:
        self.orientation = 1
        self.is_overfull = False
        self._input = bytearray()
        self._output: list[bytes] = []
        self._fed = 0
        self._parts = 0
        self._has_ended = False
        # What happens to input after the end of the image, or after a fault in it.
        self._rest: Literal["kept", "dropped"] | None = None
        self._is_exif_seen = False
        self._steps = parse(self)

    def feed(self, data: bytes) -> bytes:
        """Take a chunk. Return the output that is ready."""
        self._input += data
        self._fed += len(data)
        self._advance()
        output, self._output = b"".join(self._output), []
        return output

    def end(self) -> Iterator[bytes]:
        """Return the remaining output."""
        self._has_ended = True
        yield self.feed(b"")

    def _advance(self) -> None:
        if self._rest is None:
            try:
                next(self._steps)
            except StopIteration:
                self._rest = "dropped"
            except Malformed:
                self._rest = "kept"
        if self._rest == "kept":
            self.put(bytes(self._input))
        if self._rest is not None:
            self._input.clear()

    def count(self, taken: bytes = b"") -> None:
        """Count a part of the file. With too many parts, put `taken` and raise Malformed."""
        self._parts += 1
        if self._parts > max_parts(self._fed):
            self.is_overfull = True
            self.put(taken)
            raise Malformed

    def put(self, data: bytes) -> None:
        """Append to the output."""
        self._output.append(data)

    def take(self, count: int) -> Generator[None, None, bytes]:
        """Take `count` bytes of input.

        Raises Malformed if the file ends before; the bytes stay in the input.
        """
        while len(self._input) < count:
            if self._has_ended:
                raise Malformed
            yield
        data = bytes(self._input[:count])
        del self._input[:count]
        return data

    def move(self, count: int, *, keep: bool) -> Steps:
        """Copy or drop `count` bytes of input, in memory that does not depend on `count`."""
        while count:
            if not self._input:
                if self._has_ended:
                    raise Malformed
                yield
                continue
            part = bytes(self._input[:count])
            del self._input[:count]
            count -= len(part)
            if keep:
                self.put(part)

    def exif(self, tiff: bytes) -> bytes:
        """Return what remains of an Exif block; nothing if the image needs no orientation."""
        if self._is_exif_seen:
            return b""
        self._is_exif_seen = True
        self.orientation = orientation_of(tiff)
        return b"" if self.orientation == 1 else minimal_exif(self.orientation)

    def entropy(self) -> Steps:
        """Copy compressed data up to the next marker of a JPEG."""
        while True:
            found = _JPEG_MARKER.search(self._input)
            if found is not None:
                yield from self.move(found.start(), keep=True)
                return
            held = 1 if self._input.endswith(b"\xff") else 0
            yield from self.move(len(self._input) - held, keep=True)
            if self._has_ended:
                raise Malformed
            yield
