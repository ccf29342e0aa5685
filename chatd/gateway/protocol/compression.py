"""Compressed streams built from shared blocks, so that each dispatch is compressed only once.

The streams of two connections differ, because their sequence numbers differ. An encoder sends the
start of each payload, which contains the sequence number, as an uncompressed block. It sends the
rest as blocks that were compressed once, for all connections. These blocks refer to no data before
their own start, so any decoder reads the result as one stream. So no connection needs a compressor.
"""

from __future__ import annotations

import zlib
from struct import pack

import zstandard

# --- deflate (RFC 1951) -----------------------------------------------------------------------

ZLIB_HEADER = b"\x78\x9c"
_STORED_MAX = 0xFFFF


def stored_block(data: bytes) -> bytes:
    """Return data as an uncompressed, non-final block (section 3.2.4)."""
    return stored_block_header(len(data)) + data


def stored_block_header(size: int) -> bytes:
    """Return the header of an uncompressed block of `size` bytes."""
    return pack("<BHH", 0, size, size ^ _STORED_MAX)


def deflate_blocks(data: bytes) -> bytes:
    """Return data as compressed blocks that end at a byte boundary, as after a sync flush."""
    compressor = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return compressor.compress(data) + compressor.flush(zlib.Z_SYNC_FLUSH)


def zlib_trailer(start: bytes, rest: bytes) -> bytes:
    """Return the end of a zlib stream of `start + rest`: an empty final block and the checksum."""
    return b"\x03\x00" + pack(">I", zlib.adler32(rest, zlib.adler32(start)))


# --- zstd (RFC 8878) --------------------------------------------------------------------------

_WINDOW_LOG = 18  # a window of 2**18 bytes, which each client's decoder may allocate
ZSTD_HEADER = pack("<IBB", zstandard.MAGIC_NUMBER, 0, (_WINDOW_LOG - 10) << 3)
"""The header of a frame of unknown length with a window of 2**18 bytes."""

_FRAME_HEADER_SIZE = len(ZSTD_HEADER)
_RAW, _RLE, _COMPRESSED = range(3)

_compressor = zstandard.ZstdCompressor(
    compression_params=zstandard.ZstdCompressionParameters.from_level(
        3, window_log=_WINDOW_LOG, write_content_size=False, write_checksum=False
    )
)


def raw_block(data: bytes) -> bytes:
    """Return data as an uncompressed, non-final block (section 3.1.1.2)."""
    return raw_block_header(len(data)) + data


def raw_block_header(size: int) -> bytes:
    """Return the header of an uncompressed block of `size` bytes."""
    return _block_header(_RAW, size)


def zstd_blocks(data: bytes) -> bytes:
    """Return data as blocks compressed independently, all of them non-final."""
    frame = _compressor.compress(data)
    blocks = bytearray(frame[_FRAME_HEADER_SIZE:])
    offset, is_last = 0, False
    while not is_last:
        header = int.from_bytes(blocks[offset : offset + 3], "little")
        is_last, kind, size = bool(header & 1), header >> 1 & 3, header >> 3
        blocks[offset] &= 0xFE
        offset += 3 + (1 if kind == _RLE else size)
    return bytes(blocks)


def _block(kind: int, data: bytes) -> bytes:
    return _block_header(kind, len(data)) + data


def _block_header(kind: int, size: int) -> bytes:
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
"""Blocks that decode to 17 spaces and reset the decoder's repeated offsets.

Independently compressed blocks depend on one part of the decoder's state: its three repeated
offsets. These are 1, 4 and 8 at the start of a frame (section 3.1.1.5), and the preceding blocks
change them. Three copies from 8, 4 and 1 bytes back restore them. JSON allows the spaces between
its tokens.
"""
