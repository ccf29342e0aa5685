"""JPEG: segments with metadata are left out. Rules: ITU-T T.81, Exif 2.32."""

from __future__ import annotations

import struct

from chatd.services.media.metadata.parsing import Malformed, Steps, StreamStripper

_KEPT = {0xE0, 0xEE}  # JFIF, and the color transform of Adobe
_WITHOUT_SEGMENT = {0x01, *range(0xD0, 0xD9)}


def parse_jpeg(stream: StreamStripper) -> Steps:
    """Copy a JPEG without its metadata. Raises Malformed."""
    stream.put((yield from stream.take(2)))
    while True:
        stream.count()
        marker = yield from stream.take(2)
        while marker == b"\xff\xff":
            stream.count(marker)
            marker = b"\xff" + (yield from stream.take(1))
        code = marker[1]
        if marker[0] != 0xFF or code == 0:
            stream.put(marker)
            raise Malformed
        if code == 0xD9:
            stream.put(marker)
            return
        if code in _WITHOUT_SEGMENT:
            stream.put(marker)
            continue
        length = yield from stream.take(2)
        [size] = struct.unpack(">H", length)
        if size < 2:
            stream.put(marker + length)
            raise Malformed
        is_application = 0xE0 <= code <= 0xEF or code == 0xFE
        if not is_application or code in _KEPT:
            stream.put(marker + length)
            yield from stream.move(size - 2, keep=True)
            if code == 0xDA:
                yield from stream.entropy()
            continue
        segment = yield from stream.take(size - 2)
        if code == 0xE2 and segment.startswith(b"ICC_PROFILE\0"):
            stream.put(marker + length + segment)
        elif code == 0xE1 and segment.startswith(b"Exif\0"):
            kept = stream.exif(segment[6:])
            if kept:
                kept = b"Exif\0\0" + kept
                stream.put(b"\xff\xe1" + struct.pack(">H", len(kept) + 2) + kept)
