"""What the server sends: payloads, and the WebSocket frames around them.

A dispatch differs between sessions only by its number, so the rest is made once and shared.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from struct import pack
from typing import Any, ClassVar, Protocol

import orjson

from chatd.core.ids import UserId
from chatd.events import contents
from chatd.events.event import Event
from chatd.gateway import compression
from chatd.gateway.commands import Opcode

TEXT = 0x81  # the last fragment, text (RFC 6455, section 5.2)
BINARY = 0x82

_OVERHEAD = 450  # bytes that a dispatch takes up besides its body
_MADE_ONCE = ("plain", "deflated", "zstd", "_deflated_rest")


class Numbered(Protocol):
    """Frames of one payload or several, which differ by their numbers alone."""

    def of(self, seq: int) -> bytes:
        """The frames for the session in which the first has this number."""

    def after(self, header: bytes, seq: int) -> bytes:
        """The same, with the header of a stream that begins with them."""


class Frames:
    """The frames of one payload, which differ by its number alone.

    What stands before the number depends only on how many digits it has.
    """

    __slots__ = ("_before", "_heads", "_kind", "rest")

    def __init__(self, kind: int, before: Callable[[int], bytes], rest: bytes) -> None:
        self._kind = kind
        self._before = before
        self.rest = rest
        """What stands after the number."""
        self._heads: dict[int, bytes] = {}

    def of(self, seq: int) -> bytes:
        """The frame for the session in which it has this number."""
        number = b"%d" % seq
        head = self._heads.get(len(number)) or self.head(len(number))
        return b"".join((head, number, self.rest))

    def after(self, header: bytes, seq: int) -> bytes:
        """The same, with the header of a stream that begins with it."""
        number = b"%d" % seq
        return frame(self._kind, header + self._before(len(number)) + number + self.rest)

    def head(self, digits: int) -> bytes:
        """What stands before a number of so many digits."""
        before = self._before(digits)
        head = frame_head(self._kind, len(before) + digits + len(self.rest)) + before
        self._heads[digits] = head
        return head


class Together:
    """The frames of several payloads that follow each other."""

    __slots__ = ("_each", "_parts")

    def __init__(self, each: Sequence[Frames]) -> None:
        self._each = each
        self._parts: dict[int, list[bytes]] = {}

    def of(self, seq: int) -> bytes:
        """The frames for the session in which the first has this number."""
        numbers = [b"%d" % number for number in range(seq, seq + len(self._each))]
        digits = len(numbers[0])
        if len(numbers[-1]) != digits:
            return b"".join([each.of(number) for number, each in enumerate(self._each, seq)])
        parts = self._parts.get(digits)
        if parts is None:
            parts = self._parts[digits] = self._make_parts(digits)
        parts[1::2] = numbers
        return b"".join(parts)

    def after(self, header: bytes, seq: int) -> bytes:
        """The same, with the header of a stream that begins with them."""
        first, *others = self._each
        later = [each.of(number) for number, each in enumerate(others, seq + 1)]
        return first.after(header, seq) + b"".join(later)

    def _make_parts(self, digits: int) -> list[bytes]:
        """What stands between the numbers, and a place for each of them."""
        parts: list[bytes] = []
        before = b""
        for each in self._each:
            parts += (before + each.head(digits), b"")
            before = each.rest
        return [*parts, before]


class Dispatch:
    """An event on its way to sessions: what of it is the same for all of them.

    It lives for as long as a session may have to replay it.
    """

    living_bytes: ClassVar[int] = 0
    """What all that live in this process take up."""

    def __init__(self, event: Event) -> None:
        self.event = event
        self.intent = int(event.intent)  # combining flags as such is slow
        self.size = len(event.body)
        Dispatch.living_bytes += _OVERHEAD + self.size
        self._start = b'{"op":0,"t":"%s","s":' % event.name.encode()

    def __del__(self) -> None:
        Dispatch.living_bytes -= _OVERHEAD + self.size

    def forget_frames(self) -> None:
        """It has been sent: who has it replayed has its frames made anew.

        Most are never asked for again, and frames take up as much as the event itself.
        """
        made = self.__dict__
        for name in _MADE_ONCE:
            made.pop(name, None)
        if "without_content" in made:
            self.without_content.forget_frames()

    @cached_property
    def plain(self) -> Frames:
        """The payload as it is, in text frames."""
        start = self._start  # not self: a cycle would keep it alive
        return Frames(TEXT, lambda _: start, self._rest)

    @cached_property
    def deflated(self) -> Frames:
        """The payload as the continuation of any deflate stream at a byte boundary."""
        start = self._start
        return Frames(
            BINARY,
            lambda digits: compression.stored_head(len(start) + digits) + start,
            self._deflated_rest,
        )

    @cached_property
    def zstd(self) -> Frames:
        """The payload as the continuation of any zstd frame."""
        start = self._start
        return Frames(
            BINARY,
            lambda digits: compression.raw_head(len(start) + digits) + start,
            compression.ZSTD_RESET + compression.zstd_blocks(self._rest),
        )

    def zipped(self, seq: int) -> bytes:
        """The same, as a zlib stream of its own."""
        head = b"%s%d" % (self._start, seq)
        end = compression.zlib_end(head, self._rest)
        return compression.ZLIB_HEADER + compression.stored(head) + self._deflated_rest + end

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


def frame(kind: int, payload: bytes) -> bytes:
    """An unmasked WebSocket frame (RFC 6455, section 5.2)."""
    return frame_head(kind, len(payload)) + payload


def frame_head(kind: int, length: int) -> bytes:
    """What stands before a payload of this length."""
    if length < 126:
        return pack("!BB", kind, length)
    if length < 1 << 16:
        return pack("!BBH", kind, 126, length)
    return pack("!BBQ", kind, 127, length)
