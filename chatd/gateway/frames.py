"""What the server sends: payloads, and the WebSocket frames around them.

A dispatch differs between sessions only by its number, so the rest is made once and shared.
"""

from __future__ import annotations

from functools import cached_property
from struct import pack
from typing import Any, ClassVar

import orjson

from chatd.core.ids import UserId
from chatd.core.intents import Intents
from chatd.events import contents
from chatd.events.event import Event
from chatd.gateway import compression
from chatd.gateway.commands import Opcode

TEXT = 0x81  # the last fragment, text (RFC 6455, section 5.2)
BINARY = 0x82


class Dispatch:
    """An event on its way to sessions: what of it is the same for all of them.

    It lives for as long as a session may have to replay it.
    """

    living_bytes: ClassVar[int] = 0
    """The size of all that live in this process."""

    def __init__(self, event: Event) -> None:
        self.event = event
        self.intent: Intents = event.intent
        self.size = len(event.body)
        Dispatch.living_bytes += self.size
        self._start = b'{"op":0,"t":"%s","s":' % event.name.encode()

    def __del__(self) -> None:
        Dispatch.living_bytes -= self.size

    def text(self, seq: int) -> bytes:
        """The payload for the session in which it has this number."""
        return b'%s%d,"d":%s}' % (self._start, seq, self.event.body)

    def deflated(self, seq: int) -> bytes:
        """The same, as the continuation of any deflate stream that stands at a byte boundary."""
        return compression.stored(b"%s%d" % (self._start, seq)) + self._deflated_rest

    def zipped(self, seq: int) -> bytes:
        """The same, as a zlib stream of its own."""
        head = b"%s%d" % (self._start, seq)
        end = compression.zlib_end(head, self._rest)
        return compression.ZLIB_HEADER + compression.stored(head) + self._deflated_rest + end

    def zstd(self, seq: int) -> bytes:
        """The same, as the continuation of any zstd frame."""
        return compression.raw(b"%s%d" % (self._start, seq)) + self._zstd_rest

    @cached_property
    def readers(self) -> frozenset[UserId]:
        """Of a message: who may read it whatever they have asked for."""
        return contents.readers(self.event)

    @cached_property
    def without_content(self) -> Dispatch:
        """Of a message: the same without what was written. Made once for all who get it so."""
        return Dispatch(contents.without_content(self.event))

    @property
    def _rest(self) -> bytes:
        return b',"d":%s}' % self.event.body

    @cached_property
    def _deflated_rest(self) -> bytes:
        return compression.deflated(self._rest)

    @cached_property
    def _zstd_rest(self) -> bytes:
        return compression.ZSTD_RESET + compression.zstd_blocks(self._rest)


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


def frame(head: int, payload: bytes) -> bytes:
    """An unmasked WebSocket frame (RFC 6455, section 5.2)."""
    length = len(payload)
    if length < 126:
        return pack("!BB", head, length) + payload
    if length < 1 << 16:
        return pack("!BBH", head, 126, length) + payload
    return pack("!BBQ", head, 127, length) + payload
