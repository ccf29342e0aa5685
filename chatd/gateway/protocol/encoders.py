"""Encoders: payloads as WebSocket frames, plain or compressed in one of Discord's ways.

Rule: Discord docs, Gateway, "Encoding and Compression".
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import Protocol

from chatd.gateway.protocol import compression
from chatd.gateway.protocol.batch import Batch
from chatd.gateway.protocol.frames import BINARY, TEXT, SequencedFrames, frame


class FrameEncoder(Protocol):
    """Encodes payloads as WebSocket frames for one connection."""

    def encode_batch(self, batch: Batch, seq: int) -> bytes:
        """Return the frames of a batch whose first dispatch has the number `seq`."""

    def encode(self, payload: bytes) -> bytes:
        """Return the frame of a payload that is no dispatch."""


class PlainEncoder:
    """No compression, text frames."""

    def encode_batch(self, batch: Batch, seq: int) -> bytes:
        """Return the frames of a batch whose first dispatch has the number `seq`."""
        return batch.plain.render(seq)

    def encode(self, payload: bytes) -> bytes:
        """Return the frame of a payload that is no dispatch."""
        return frame(TEXT, payload)


class ZlibPayloadEncoder:
    """Each payload compressed on its own, in a binary frame (`compress` of IDENTIFY)."""

    def encode_batch(self, batch: Batch, seq: int) -> bytes:
        """Return the frames of a batch whose first dispatch has the number `seq`."""
        compressed = [each.zlib_compressed(n) for n, each in enumerate(batch.dispatches, seq)]
        return b"".join([frame(BINARY, each) for each in compressed])

    def encode(self, payload: bytes) -> bytes:
        """Return the frame of a payload that is no dispatch."""
        return frame(BINARY, zlib.compress(payload))


class _StreamEncoder:
    """One compressed stream per connection; each binary frame holds a flushed part of it.

    Its only state is whether it has sent the stream's header; `compression` says why.
    """

    header: bytes
    __slots__ = ("_begun",)

    def __init__(self) -> None:
        self._begun = False

    def continue_with(self, frames: SequencedFrames, seq: int) -> bytes:
        """Return the frames that continue the stream with dispatches."""
        if self._begun:
            return frames.render(seq)
        self._begun = True
        return frames.render_with_header(self.header, seq)

    def continue_with_blocks(self, blocks: bytes) -> bytes:
        """Return the frame that continues the stream with compressed blocks."""
        if self._begun:
            return frame(BINARY, blocks)
        self._begun = True
        return frame(BINARY, self.header + blocks)


class ZlibStreamEncoder(_StreamEncoder):
    """`compress=zlib-stream`."""

    __slots__ = ()
    header = compression.ZLIB_HEADER

    def encode_batch(self, batch: Batch, seq: int) -> bytes:
        """Return the frames of a batch whose first dispatch has the number `seq`."""
        return self.continue_with(batch.deflated, seq)

    def encode(self, payload: bytes) -> bytes:
        """Return the frame of a payload that is no dispatch."""
        return self.continue_with_blocks(compression.deflate_blocks(payload))


class ZstdStreamEncoder(_StreamEncoder):
    """`compress=zstd-stream`."""

    __slots__ = ()
    header = compression.ZSTD_HEADER

    def encode_batch(self, batch: Batch, seq: int) -> bytes:
        """Return the frames of a batch whose first dispatch has the number `seq`."""
        return self.continue_with(batch.zstd, seq)

    def encode(self, payload: bytes) -> bytes:
        """Return the frame of a payload that is no dispatch."""
        return self.continue_with_blocks(compression.raw_block(payload))


PLAIN = PlainEncoder()  # stateless, so all connections share one
ZLIB_PAYLOADS = ZlibPayloadEncoder()  # stateless, too

BY_NAME: dict[str, Callable[[], FrameEncoder]] = {
    "": lambda: PLAIN,
    "zlib-stream": ZlibStreamEncoder,
    "zstd-stream": ZstdStreamEncoder,
}
"""The encoders by the value of `compress` in the query string."""
