"""PNG: chunks with metadata are left out. Rule: PNG (W3C, Third Edition)."""

from __future__ import annotations

import struct
import zlib

from chatd.services.media.metadata.exif import MAX_EXIF_BYTES
from chatd.services.media.metadata.parsing import Malformed, Steps, StreamStripper

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"

# Ancillary chunks that change how the image looks. Critical chunks are kept too.
_KEPT = set(
    b"tRNS cHRM gAMA iCCP sBIT sRGB cICP mDCV cLLI bKGD hIST pHYs sPLT acTL fcTL fdAT".split()
)
_MAX_LENGTH = 2**31 - 1  # of a chunk, by the rule


def parse_png(stream: StreamStripper) -> Steps:
    """Copy a PNG without its metadata. Raises Malformed."""
    stream.put((yield from stream.take(len(PNG_SIGNATURE))))
    while True:
        stream.count()
        head = yield from stream.take(8)
        length, kind = struct.unpack(">I4s", head)
        if length > _MAX_LENGTH or not kind.isalpha():
            stream.put(head)
            raise Malformed
        if kind == b"eXIf" and length <= MAX_EXIF_BYTES:
            tiff = yield from stream.take(length)
            yield from stream.move(4, keep=False)
            kept = stream.exif(tiff)
            if kept:
                checked = zlib.crc32(kind + kept)
                stream.put(struct.pack(">I", len(kept)) + kind + kept + struct.pack(">I", checked))
            continue
        is_kept = kind[:1].isupper() or kind in _KEPT
        if is_kept:
            stream.put(head)
        yield from stream.move(length + 4, keep=is_kept)
        if kind == b"IEND":
            return
