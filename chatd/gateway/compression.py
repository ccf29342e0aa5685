"""Compressed streams that are put together from blocks, so that what many get is packed once.

Every receiver's stream has a history of its own: at the least the numbers in it differ. Yet a
compressor for each receiver is not needed. Of a payload, the head is sent as it is, in a block of
its own, and the rest as blocks that were compressed once, on their own, and refer to nothing
before their start. Any decoder reads that as one stream.
"""

from __future__ import annotations

import zlib
from struct import pack

import zstandard

# --- deflate (RFC 1951) -----------------------------------------------------------------------

ZLIB_HEADER = b"\x78\x9c"
_STORED_MAX = 0xFFFF


def stored(data: bytes) -> bytes:
    """Data as an uncompressed block that is not the last (section 3.2.4)."""
    return stored_head(len(data)) + data


def stored_head(size: int) -> bytes:
    """What stands before so many bytes of an uncompressed block."""
    return pack("<BHH", 0, size, size ^ _STORED_MAX)


def deflated(data: bytes) -> bytes:
    """Data as blocks that end at a byte boundary, as a sync flush does."""
    compressor = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return compressor.compress(data) + compressor.flush(zlib.Z_SYNC_FLUSH)


def zlib_end(head: bytes, rest: bytes) -> bytes:
    """The end of a zlib stream that holds these two: an empty last block, and the checksum."""
    return b"\x03\x00" + pack(">I", zlib.adler32(rest, zlib.adler32(head)))


# --- zstd (RFC 8878) --------------------------------------------------------------------------

_WINDOW_LOG = 18
ZSTD_HEADER = pack("<IBB", zstandard.MAGIC_NUMBER, 0, (_WINDOW_LOG - 10) << 3)
"""The head of a frame of unknown length, whose decoder looks back up to 2**18 bytes."""

_FRAME_HEADER_SIZE = len(ZSTD_HEADER)
_RAW, _RLE, _COMPRESSED = range(3)

_zstd = zstandard.ZstdCompressor(
    compression_params=zstandard.ZstdCompressionParameters.from_level(
        3, window_log=_WINDOW_LOG, write_content_size=False, write_checksum=False
    )
)


def raw(data: bytes) -> bytes:
    """Data as an uncompressed block that is not the last (section 3.1.1.2)."""
    return raw_head(len(data)) + data


def raw_head(size: int) -> bytes:
    """What stands before so many bytes of an uncompressed block."""
    return _block_head(_RAW, size)


def zstd_blocks(data: bytes) -> bytes:
    """Data as blocks of a frame of their own, none of them the last."""
    frame = _zstd.compress(data)
    blocks = bytearray(frame[_FRAME_HEADER_SIZE:])
    at, is_last = 0, False
    while not is_last:
        header = int.from_bytes(blocks[at : at + 3], "little")
        is_last, kind, size = bool(header & 1), header >> 1 & 3, header >> 3
        blocks[at] &= 0xFE
        at += 3 + (1 if kind == _RLE else size)
    return bytes(blocks)


def _block(kind: int, data: bytes) -> bytes:
    return _block_head(kind, len(data)) + data


def _block_head(kind: int, size: int) -> bytes:
    return (kind << 1 | size << 3).to_bytes(3, "little")


_ALL_RLE = 0b01_01_01_00  # each of the three kinds of symbols is one symbol repeated

ZSTD_RESET = _block(
    _COMPRESSED,
    # Literals: eight spaces. One sequence: all of them, then three bytes from 8 back.
    bytes([8 << 3 | _RLE, 0x20, 1, _ALL_RLE, 8, 3, 0, 0b1_011]),
) + _block(
    _COMPRESSED,
    # No literals. Two sequences: three bytes from 4 back, three bytes from 1 back.
    bytes([0, 2, _ALL_RLE, 0, 2, 0, 0b1_11_00]),
)
"""Seventeen spaces, after which a decoder is where it was at the start of its frame.

What blocks that were compressed on their own take for granted of a decoder are only the three
offsets it repeats: 1, 4 and 8 at the start of a frame (section 3.1.1.5), and whatever the blocks
before have left after that. Three copies from 8, 4 and 1 bytes back set them so. JSON may have
spaces between its tokens.
"""
