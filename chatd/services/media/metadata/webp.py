"""WebP: chunks with metadata are left out, and the length at the front is updated.

Rule: RFC 9649.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from chatd.services.media.metadata.exif import MAX_EXIF_BYTES, minimal_exif, orientation_of
from chatd.services.media.metadata.parsing import max_parts
from chatd.services.media.metadata.spooled import CHUNK_BYTES, SpooledStripper

_EXIF_FLAG, _XMP_FLAG = 0x08, 0x04  # of a VP8X chunk
_KEPT = {b"VP8X", b"VP8 ", b"VP8L", b"ALPH", b"ANIM", b"ANMF", b"ICCP"}


class WebpStripper(SpooledStripper):
    """Strips a WebP image after all of its chunks have arrived."""

    def end(self) -> Iterator[bytes]:
        """Return the output, in chunks of at least CHUNK_BYTES but for the last one."""
        gathered = bytearray()
        for part in self._parts():
            gathered += part
            if len(gathered) >= CHUNK_BYTES:
                yield bytes(gathered)
                gathered.clear()
        if gathered:
            yield bytes(gathered)

    def _parts(self) -> Iterator[bytes]:
        with self._file:
            chunks = self._chunks()
            if chunks is None:
                yield from self._copied(0, self._size)
                return
            exif = self._minimal_exif(chunks)
            kept = [each for each in chunks if each[0] in _KEPT]
            tail = b"EXIF" + struct.pack("<I", len(exif)) + exif if exif else b""
            total = 4 + sum(8 + length + length % 2 for _, _, length in kept) + len(tail)
            yield b"RIFF" + struct.pack("<I", total) + b"WEBP"
            for kind, at, length in kept:
                if kind == b"VP8X" and length >= 1:
                    yield from self._with_flags(at, length, has_exif=bool(exif))
                else:
                    yield from self._copied(at, 8 + length)
                if length % 2:
                    yield b"\0"
            yield tail

    def _minimal_exif(self, chunks: list[tuple[bytes, int, int]]) -> bytes:
        """Read the orientation. Return the Exif block that says only this, if one is needed.

        The first Exif chunk counts that has an orientation other than the default.
        """
        for kind, at, length in chunks:
            if kind == b"EXIF":
                self._file.seek(at + 8)
                block = self._file.read(min(length, MAX_EXIF_BYTES)).removeprefix(b"Exif\0\0")
                self.orientation = orientation_of(block)
                if self.orientation != 1:
                    return minimal_exif(self.orientation)
        return b""

    def _with_flags(self, at: int, length: int, *, has_exif: bool) -> Iterator[bytes]:
        """Yield the VP8X chunk, whose flags say which metadata the file still has."""
        self._file.seek(at)
        head = bytearray(self._file.read(9))
        head[8] &= ~(_EXIF_FLAG | _XMP_FLAG)
        head[8] |= _EXIF_FLAG if has_exif else 0
        yield bytes(head)
        yield from self._copied(at + 9, length - 1)

    def _chunks(self) -> list[tuple[bytes, int, int]] | None:
        """Return kind, offset and length of each chunk; None for a malformed or overfull file."""
        found: list[tuple[bytes, int, int]] = []
        self._file.seek(0)
        end = 8 + struct.unpack("<I", self._file.read(12)[4:8])[0]
        at = 12
        while at + 8 <= min(end, self._size):
            self._file.seek(at)
            kind, length = struct.unpack("<4sI", self._file.read(8))
            self.is_overfull = len(found) >= max_parts(self._size)
            if at + 8 + length > self._size or self.is_overfull:
                return None
            found.append((kind, at, length))
            at += 8 + length + length % 2
        return found
