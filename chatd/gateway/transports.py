"""How payloads travel on a socket: as they are, or compressed in one of Discord's ways.

Rule: Discord docs, Gateway, "Encoding and Compression".
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import Protocol

from chatd.gateway import compression
from chatd.gateway.batch import Batch
from chatd.gateway.frames import BINARY, TEXT, Numbered, frame


class Transport(Protocol):
    """Makes WebSocket frames of payloads, for one connection."""

    def batch(self, batch: Batch, seq: int) -> bytes:
        """The frames of a batch, whose first dispatch has this number."""

    def other(self, payload: bytes) -> bytes:
        """The frame of any other payload."""


class Plain:
    """Payloads as they are, in text frames."""

    def batch(self, batch: Batch, seq: int) -> bytes:
        """The frames of a batch, whose first dispatch has this number."""
        return batch.plain.of(seq)

    def other(self, payload: bytes) -> bytes:
        """The frame of any other payload."""
        return frame(TEXT, payload)


class ZlibPayloads:
    """Each payload packed on its own, in a binary frame (`compress` of IDENTIFY)."""

    def batch(self, batch: Batch, seq: int) -> bytes:
        """The frames of a batch, whose first dispatch has this number."""
        zipped = [each.zipped(number) for number, each in enumerate(batch.dispatches, seq)]
        return b"".join([frame(BINARY, each) for each in zipped])

    def other(self, payload: bytes) -> bytes:
        """The frame of any other payload."""
        return frame(BINARY, zlib.compress(payload))


class _Stream:
    """One compressed stream for the connection, a flushed part of it in every binary frame.

    It needs no state but whether it has begun.
    """

    header: bytes
    __slots__ = ("_begun",)

    def __init__(self) -> None:
        self._begun = False

    def continued(self, frames: Numbered, seq: int) -> bytes:
        """The frames of dispatches that come next in the stream."""
        if self._begun:
            return frames.of(seq)
        self._begun = True
        return frames.after(self.header, seq)

    def frame(self, blocks: bytes) -> bytes:
        """The frame of what comes next in the stream."""
        if self._begun:
            return frame(BINARY, blocks)
        self._begun = True
        return frame(BINARY, self.header + blocks)


class ZlibStream(_Stream):
    """`compress=zlib-stream`."""

    __slots__ = ()
    header = compression.ZLIB_HEADER

    def batch(self, batch: Batch, seq: int) -> bytes:
        """The frames of a batch, whose first dispatch has this number."""
        return self.continued(batch.deflated, seq)

    def other(self, payload: bytes) -> bytes:
        """The frame of any other payload."""
        return self.frame(compression.deflated(payload))


class ZstdStream(_Stream):
    """`compress=zstd-stream`."""

    __slots__ = ()
    header = compression.ZSTD_HEADER

    def batch(self, batch: Batch, seq: int) -> bytes:
        """The frames of a batch, whose first dispatch has this number."""
        return self.continued(batch.zstd, seq)

    def other(self, payload: bytes) -> bytes:
        """The frame of any other payload."""
        return self.frame(compression.raw(payload))


PLAIN, ZLIB_PAYLOADS = Plain(), ZlibPayloads()  # they keep nothing: one serves all connections

BY_NAME: dict[str, Callable[[], Transport]] = {
    "": lambda: PLAIN,
    "zlib-stream": ZlibStream,
    "zstd-stream": ZstdStream,
}
"""The transports by their name in the query of the gateway."""
