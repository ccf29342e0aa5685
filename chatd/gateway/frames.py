"""What the server sends: payloads, and the WebSocket frames around them.

A dispatch differs between sessions only by its number, so the rest is made once and shared.
"""

from __future__ import annotations

import zlib
from functools import cached_property
from struct import pack
from typing import Any

import orjson

from chatd.core.intents import Intents
from chatd.events.event import Event
from chatd.gateway.commands import Opcode

_TEXT = 0x81  # the last fragment, text (RFC 6455, section 5.2)
_BINARY = 0x82
_STORED_MAX = 0xFFFF


class Dispatch:
    """An event on its way to sessions: what of it is the same for all of them."""

    def __init__(self, event: Event) -> None:
        self.intent: Intents = event.intent
        self.size = len(event.body)
        self._start = b'{"op":0,"t":"%s","s":' % event.name.encode()
        self._rest = b',"d":%s}' % event.body

    def text(self, seq: int) -> bytes:
        """The payload for the session in which it has this number."""
        return b"%s%d%s" % (self._start, seq, self._rest)

    def deflated(self, seq: int) -> bytes:
        """The same, as the continuation of any deflate stream that stands at a byte boundary."""
        return _stored(b"%s%d" % (self._start, seq)) + self._deflated_rest

    @cached_property
    def _deflated_rest(self) -> bytes:
        """Compressed once for all: it refers to nothing before its start, and ends flushed."""
        compressor = zlib.compressobj(wbits=-zlib.MAX_WBITS)
        return compressor.compress(self._rest) + compressor.flush(zlib.Z_SYNC_FLUSH)


def _stored(data: bytes) -> bytes:
    """Data as an uncompressed block that is not the last (RFC 1951, section 3.2.4)."""
    return pack("<BHH", 0, len(data), len(data) ^ _STORED_MAX) + data


def payload(op: Opcode, data: Any = None) -> bytes:
    """Any payload that is no dispatch."""
    return orjson.dumps({"op": op, "d": data, "s": None, "t": None})


HEARTBEAT_ACK = payload(Opcode.HEARTBEAT_ACK)
HEARTBEAT = payload(Opcode.HEARTBEAT)
RECONNECT = payload(Opcode.RECONNECT)
INVALID_SESSION = payload(Opcode.INVALID_SESSION, False)


def hello(heartbeat_interval_ms: int) -> bytes:
    """HELLO, the first payload on every socket."""
    return payload(Opcode.HELLO, {"heartbeat_interval": heartbeat_interval_ms})


class PlainTransport:
    """Payloads as they are, in text frames."""

    def dispatch(self, dispatch: Dispatch, seq: int) -> bytes:
        """The frame of a dispatch."""
        return _frame(_TEXT, dispatch.text(seq))

    def other(self, payload: bytes) -> bytes:
        """The frame of any other payload."""
        return _frame(_TEXT, payload)


class ZlibStream:
    """One deflate stream for the connection (`compress=zlib-stream`), in binary frames.

    It is put together from blocks instead of compressed per receiver, so it needs no state but
    whether it has begun. Rule: Discord docs, Gateway, "Transport Compression"; RFC 1950, 1951.
    """

    _HEADER = b"\x78\x9c"

    def __init__(self) -> None:
        self._begun = False

    def dispatch(self, dispatch: Dispatch, seq: int) -> bytes:
        """The frame of a dispatch."""
        return _frame(_BINARY, self._begin() + dispatch.deflated(seq))

    def other(self, payload: bytes) -> bytes:
        """The frame of any other payload."""
        compressor = zlib.compressobj(wbits=-zlib.MAX_WBITS)
        block = compressor.compress(payload) + compressor.flush(zlib.Z_SYNC_FLUSH)
        return _frame(_BINARY, self._begin() + block)

    def _begin(self) -> bytes:
        if self._begun:
            return b""
        self._begun = True
        return self._HEADER


def _frame(head: int, payload: bytes) -> bytes:
    """An unmasked WebSocket frame (RFC 6455, section 5.2)."""
    length = len(payload)
    if length < 126:
        return pack("!BB", head, length) + payload
    if length < 1 << 16:
        return pack("!BBH", head, 126, length) + payload
    return pack("!BBQ", head, 127, length) + payload
