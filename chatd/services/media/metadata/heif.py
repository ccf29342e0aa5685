"""HEIC and AVIF: the items with metadata are overwritten in place.

The orientation of these images is a property of the image, not of its Exif item, and stays.
Rules: ISO/IEC 14496-12 and 23008-12.
"""

from __future__ import annotations

import contextlib
import struct
from collections.abc import Iterator

from chatd.services.media.metadata.parsing import Malformed
from chatd.services.media.metadata.spooled import CHUNK_BYTES, SpooledStripper

HEIF_BRANDS = set(b"heic heix heim heis hevc hevx mif1 msf1 avif avis".split())
"""Major brands of the files that are parsed."""

_MAX_BOXES = 1000  # that are read of a file
_MAX_META_BYTES = 2**16  # of the index of a file
_METADATA = {b"Exif", b"mime", b"uri "}  # kinds of items; mime is XMP
_EMPTY_EXIF = bytes(4) + b"MM\0*" + struct.pack(">IHI", 8, 0, 0)


class HeifStripper(SpooledStripper):
    """Strips a HEIC or AVIF image after all of it has arrived.

    It is never overfull: the limits on boxes and on the index bound its cost.
    """

    def end(self) -> Iterator[bytes]:
        """Return the output in chunks."""
        with self._file:
            with contextlib.suppress(struct.error, IndexError, Malformed):
                self._overwrite()
            self._file.seek(0)
            while part := self._file.read(CHUNK_BYTES):
                yield part

    def _overwrite(self) -> None:
        at = 0
        for _ in range(_MAX_BOXES):
            if at + 8 > self._size:
                return
            head, size, kind = self._box(at)
            if kind == b"meta" and size <= _MAX_META_BYTES:
                self._file.seek(at)
                self._overwrite_items(at, self._file.read(size), head)
            at += size

    def _box(self, at: int) -> tuple[int, int, bytes]:
        """Return the length of a box's head, that of the box, and its kind. Raises Malformed."""
        self._file.seek(at)
        head = 8
        size, kind = struct.unpack(">I4s", self._file.read(8))
        if size == 1:
            head = 16
            [size] = struct.unpack(">Q", self._file.read(8))
        size = size or self._size - at
        if size < head:
            raise Malformed
        return head, size, kind

    def _overwrite_items(self, at: int, meta: bytes, head: int) -> None:
        """Overwrite the items with metadata of the `meta` box at `at`. Raises Malformed."""
        boxes = {kind: (begin, end) for kind, begin, end in _boxes(meta, head + 4, len(meta))}
        if b"iinf" not in boxes or b"iloc" not in boxes:
            return
        data_at = at + boxes[b"idat"][0] if b"idat" in boxes else None
        budget = self._size  # bytes: extents that overlap must not multiply the work
        for kind, begin, length in _metadata(meta, boxes, data_at):
            size = min(length or self._size, self._size - begin)
            if size <= 0:
                continue
            budget -= size
            if budget < 0:
                raise Malformed
            self._overwrite_extent(begin, size, is_exif=kind == b"Exif")

    def _overwrite_extent(self, begin: int, size: int, *, is_exif: bool) -> None:
        """Overwrite part of an item with zeros, or with an empty Exif block and zeros."""
        left = size
        self._file.seek(begin)
        if is_exif and left >= len(_EMPTY_EXIF):
            left -= self._file.write(_EMPTY_EXIF)
        while left:
            left -= self._file.write(bytes(min(left, CHUNK_BYTES)))


def _metadata(
    meta: bytes, boxes: dict[bytes, tuple[int, int]], data_at: int | None
) -> Iterator[tuple[bytes, int, int]]:
    """Yield the kind of each item with metadata, and offset and length of its extents in the file.

    `data_at` is where the content of `idat` is. Raises Malformed.
    """
    kinds = _item_kinds(meta, *boxes[b"iinf"])
    for item, is_inside, offset, length in _extents(meta, *boxes[b"iloc"]):
        kind = kinds.get(item)
        base = data_at if is_inside else 0
        if kind in _METADATA and base is not None:
            yield kind, base + offset, length


def _boxes(data: bytes, at: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Yield the kind of each box, and where its content begins and ends; stop at a bad one."""
    while at + 8 <= end:
        size, kind = struct.unpack_from(">I4s", data, at)
        if not 8 <= size <= end - at:
            return
        yield kind, at + 8, at + size
        at += size


def _item_kinds(meta: bytes, at: int, end: int) -> dict[int, bytes]:
    """Return the kind of each item, by its number."""
    found = {}
    for kind, begin, _ in _boxes(meta, at + (6 if meta[at] == 0 else 8), end):
        if kind == b"infe" and meta[begin] in (2, 3):
            form = ">HH4s" if meta[begin] == 2 else ">IH4s"
            item, _protection, of_item = struct.unpack_from(form, meta, begin + 4)
            found[item] = of_item
    return found


def _extents(meta: bytes, at: int, end: int) -> Iterator[tuple[int, bool, int, int]]:
    """Yield for each extent: the item, whether its data is in `idat`, offset, and length.

    Raises Malformed.
    """

    def number(size: int) -> int:
        nonlocal at
        if at + size > end:
            raise Malformed
        at += size
        return int.from_bytes(meta[at - size : at], "big")

    version = number(4) >> 24
    if version > 2:
        return
    sizes = number(2)
    offset_size, length_size, base_size = sizes >> 12, sizes >> 8 & 15, sizes >> 4 & 15
    index_size = sizes & 15 if version else 0
    if not offset_size + length_size + index_size:
        raise Malformed
    wide = 4 if version == 2 else 2
    for _ in range(number(wide)):
        item = number(wide)
        method = number(2) & 15 if version else 0
        number(2)
        base = number(base_size)
        for _ in range(number(2)):
            number(index_size)
            offset = number(offset_size)
            length = number(length_size)
            if method < 2:
                yield item, method == 1, base + offset, length
