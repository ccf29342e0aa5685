"""JPEG: segments with metadata are left out. Rules: ITU-T T.81, Exif 2.32."""

from __future__ import annotations

import struct
from collections.abc import Generator

from chatd.services.media.metadata.parsing import Malformed, Steps, StreamStripper

_END = 0xD9
_SCAN = 0xDA  # compressed data follows its segment
_WITHOUT_SEGMENT = {0x01, *range(0xD0, 0xD9)}
_APPLICATION = {*range(0xE0, 0xF0), 0xFE}  # 0xFE is a comment
_PARTLY_KEPT = _APPLICATION - {0xE0, 0xEE}  # JFIF, and the color transform of Adobe


def parse_jpeg(stream: StreamStripper) -> Steps:
    """Copy a JPEG without its metadata. Raises Malformed."""
    stream.put((yield from stream.take(2)))
    while True:
        stream.count()
        marker = yield from _marker(stream)
        code = marker[1]
        if code == _END:
            stream.put(marker)
            return
        if code in _WITHOUT_SEGMENT:
            stream.put(marker)
        else:
            yield from _segment(stream, marker)


def _marker(stream: StreamStripper) -> Generator[None, None, bytes]:
    """Take the next marker, without the bytes that fill up space before it. Raises Malformed."""
    marker = yield from stream.take(2)
    while marker == b"\xff\xff":
        stream.count(marker)
        marker = b"\xff" + (yield from stream.take(1))
    if marker[0] != 0xFF or marker[1] == 0:
        stream.put(marker)
        raise Malformed
    return marker


def _segment(stream: StreamStripper, marker: bytes) -> Steps:
    """Copy the segment of a marker, without metadata. Raises Malformed."""
    length = yield from stream.take(2)
    [size] = struct.unpack(">H", length)
    if size < 2:
        stream.put(marker + length)
        raise Malformed
    code = marker[1]
    if code in _PARTLY_KEPT:
        content = yield from stream.take(size - 2)
        _put_without_metadata(stream, marker + length, content)
        return
    stream.put(marker + length)
    yield from stream.move(size - 2, keep=True)
    if code == _SCAN:
        yield from stream.entropy()


def _put_without_metadata(stream: StreamStripper, head: bytes, content: bytes) -> None:
    """Put the color profile and the orientation; drop all other application segments."""
    code = head[1]
    if code == 0xE2 and content.startswith(b"ICC_PROFILE\0"):
        stream.put(head + content)
    elif code == 0xE1 and content.startswith(b"Exif\0"):
        exif = stream.exif(content[6:])
        if exif:
            kept = b"Exif\0\0" + exif
            stream.put(b"\xff\xe1" + struct.pack(">H", len(kept) + 2) + kept)
