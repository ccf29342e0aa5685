"""Exif blocks: reading the orientation, and building a block with nothing else."""

from __future__ import annotations

import struct

MAX_EXIF_BYTES = 2**16
"""Bytes of an Exif block that are read, at most. A segment of a JPEG holds no more."""

_ORIENTATION, _SHORT = 0x0112, 3  # a tag, and its type


def orientation_of(tiff: bytes) -> int:
    """Return the orientation in the first directory of an Exif block; 1 without one."""
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(tiff[:4])
    if order is None:
        return 1
    try:
        [at] = struct.unpack_from(f"{order}I", tiff, 4)
        [count] = struct.unpack_from(f"{order}H", tiff, at)
        for number in range(count):
            tag, kind, _, value = struct.unpack_from(f"{order}HHIH", tiff, at + 2 + 12 * number)
            if tag == _ORIENTATION and kind == _SHORT:
                return value if 1 <= value <= 8 else 1
    except struct.error:
        pass
    return 1


def minimal_exif(orientation: int) -> bytes:
    """Return an Exif block with an orientation and nothing else."""
    entry = struct.pack(">HHIHH", _ORIENTATION, _SHORT, 1, orientation, 0)
    return b"MM\0*" + struct.pack(">IH", 8, 1) + entry + b"\0\0\0\0"
