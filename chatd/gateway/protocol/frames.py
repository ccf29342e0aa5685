"""Payloads that the server sends, and the WebSocket frames around them.

The payload of a dispatch differs between sessions only by its sequence number. All sessions share
the other bytes, which are encoded once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from struct import pack
from typing import Any, Final, Protocol

import orjson

from chatd.core.ids import UserId
from chatd.events import contents
from chatd.events.event import Event
from chatd.gateway.protocol import compression
from chatd.gateway.protocol.commands import Opcode
from chatd.gateway.protocol.replay_budget import ReplayBudget

# The first byte of a frame: the FIN bit and an opcode of RFC 6455, section 5.2.
TEXT = 0x81
BINARY = 0x82

_OVERHEAD = 450  # bytes of memory that a dispatch takes in addition to its body, as measured
_CAN_WAIT = frozenset({"PRESENCE_UPDATE", "TYPING_START"})
"""Dispatches that a connection need not write at once. A client shows TYPING_START for ten seconds,
and a presence for minutes, so a person does not notice a delay of half a second.

Reactions are a tenth of what people receive, but cannot wait. If a client requests the message
while the event waits, the response contains the reaction. The client would count it a second time
when the event arrives."""

_CACHED_FRAMES = ("plain", "deflated", "zstd", "_deflated_suffix")
_CACHED_VARIANTS = ("without_content", "without_referenced_content")


class SequencedFrames(Protocol):
    """Frames of one or more payloads that differ between sessions only by sequence numbers."""

    def render(self, seq: int) -> bytes:
        """Return the frames; the first payload has the number `seq`."""

    def render_with_header(self, header: bytes, seq: int) -> bytes:
        """Return the frames; the first one begins with the header of a compressed stream."""


class FrameTemplate:
    """The frame of one payload, without its sequence number, which `render` inserts.

    The bytes before the number depend on its digit count, because frames and compressed blocks
    contain their lengths.
    """

    __slots__ = ("_kind", "_start", "prefixes", "suffix")

    def __init__(self, kind: int, start: Callable[[int], bytes], suffix: bytes) -> None:
        self._kind = kind
        self._start = start
        """Returns the payload's bytes before the number, given its digit count."""
        self.suffix = suffix
        """The payload's bytes after the number."""
        self.prefixes: dict[int, bytes] = {}
        """The bytes before the number, by its digit count; `prefix_for` adds them."""

    def render(self, seq: int) -> bytes:
        """Return the frame of the payload with the number `seq`."""
        number = b"%d" % seq
        prefix = self.prefixes.get(len(number)) or self.prefix_for(len(number))
        return b"".join((prefix, number, self.suffix))

    def render_with_header(self, header: bytes, seq: int) -> bytes:
        """Return the frame, whose payload begins with the header of a compressed stream."""
        number = b"%d" % seq
        return frame(self._kind, header + self._start(len(number)) + number + self.suffix)

    def prefix_for(self, digits: int) -> bytes:
        """Return the bytes before a sequence number of this digit count."""
        start = self._start(digits)
        prefix = frame_header(self._kind, len(start) + digits + len(self.suffix)) + start
        self.prefixes[digits] = prefix
        return prefix


class FrameSequence:
    """The frames of consecutive payloads."""

    __slots__ = ("_parts", "_templates")

    def __init__(self, templates: Sequence[FrameTemplate]) -> None:
        self._templates = templates
        self._parts: dict[int, list[bytes]] = {}

    def render(self, seq: int) -> bytes:
        """Return the frames; the first payload has the number `seq`."""
        numbers = [b"%d" % number for number in range(seq, seq + len(self._templates))]
        digits = len(numbers[0])
        if len(numbers[-1]) != digits:
            return b"".join([each.render(n) for n, each in enumerate(self._templates, seq)])
        parts = self._parts.get(digits)
        if parts is None:
            parts = self._parts[digits] = self._make_parts(digits)
        parts[1::2] = numbers
        return b"".join(parts)

    def render_with_header(self, header: bytes, seq: int) -> bytes:
        """Return the frames; the first one begins with the header of a compressed stream."""
        first, *others = self._templates
        rendered = [each.render(number) for number, each in enumerate(others, seq + 1)]
        return first.render_with_header(header, seq) + b"".join(rendered)

    def _make_parts(self, digits: int) -> list[bytes]:
        """Return the bytes between the numbers, alternating with placeholders for the numbers."""
        parts: list[bytes] = []
        suffix = b""
        for each in self._templates:
            parts += (suffix + each.prefix_for(digits), b"")
            suffix = each.suffix
        return [*parts, suffix]


class Dispatch:
    """An event as it is sent to sessions: the bytes that are the same for all of them.

    It exists as long as a queue or a replay buffer refers to it, and counts against the budget.
    """

    def __init__(self, event: Event, replay_budget: ReplayBudget) -> None:
        self.event = event
        self.intent = int(event.intent)  # combining enum flags is slow
        self.size = len(event.body)
        self.can_wait = event.name in _CAN_WAIT
        """Whether it may be sent later, together with the next dispatch."""
        self._replay_budget = replay_budget
        replay_budget.used_bytes += _OVERHEAD + self.size
        self._start = b'{"op":0,"t":"%s","s":' % event.name.encode()

    def __del__(self) -> None:
        # Sessions share dispatches, so no session knows when the memory is free again.
        self._replay_budget.used_bytes -= _OVERHEAD + self.size

    def release_frames(self) -> None:
        """Drop the cached frames after sending; a replay builds them again.

        Few dispatches are replayed, and the frames take as much memory as the event itself.
        """
        cached = self.__dict__
        for name in _CACHED_FRAMES:
            cached.pop(name, None)
        for name in _CACHED_VARIANTS:
            if name in cached:
                cached[name].release_frames()

    @cached_property
    def plain(self) -> FrameTemplate:
        """The frame without compression."""
        start = self._start  # a reference to self would be a cycle and keep the dispatch alive
        return FrameTemplate(TEXT, lambda _: start, self._suffix())

    @cached_property
    def deflated(self) -> FrameTemplate:
        """The frame for a deflate stream, which it continues at any byte boundary."""
        start = self._start
        return FrameTemplate(
            BINARY,
            lambda digits: compression.stored_block_header(len(start) + digits) + start,
            self._deflated_suffix,
        )

    @cached_property
    def zstd(self) -> FrameTemplate:
        """The frame for a zstd stream, which it continues after any block."""
        start = self._start
        return FrameTemplate(
            BINARY,
            lambda digits: compression.raw_block_header(len(start) + digits) + start,
            compression.ZSTD_RESET + compression.zstd_blocks(self._suffix()),
        )

    def zlib_compressed(self, seq: int) -> bytes:
        """Return the payload as a zlib stream of its own."""
        start = b"%s%d" % (self._start, seq)
        trailer = compression.zlib_trailer(start, self._suffix())
        block = compression.stored_block(start)
        return compression.ZLIB_HEADER + block + self._deflated_suffix + trailer

    @cached_property
    def always_visible_to(self) -> frozenset[UserId]:
        """Of a message: the users who receive its content without the MESSAGE_CONTENT intent."""
        return contents.readers(self.event)

    @cached_property
    def referenced_always_visible_to(self) -> frozenset[UserId] | None:
        """Of a reply: `always_visible_to` of the message that it refers to; else None."""
        return contents.readers_of_referenced(self.event)

    @cached_property
    def without_referenced_content(self) -> Dispatch:
        """Of a reply: the same without the content of the message that it refers to."""
        return Dispatch(contents.without_referenced_content(self.event), self._replay_budget)

    @cached_property
    def without_content(self) -> Dispatch:
        """Of a message: the same without content, shared by all sessions that may not read it."""
        return Dispatch(contents.without_content(self.event), self._replay_budget)

    def _suffix(self) -> bytes:
        return b',"d":%s}' % self.event.body

    @cached_property
    def _deflated_suffix(self) -> bytes:
        return compression.deflate_blocks(self._suffix())


def payload(op: Opcode, data: Any = None) -> bytes:
    """Return a payload other than a dispatch."""
    return orjson.dumps({"op": op, "d": data, "s": None, "t": None})


_NO_DATA: Final[Mapping[str, Any]] = {}
"""The data of payloads that need none. The web client Fermi ignores every payload whose data is
null, heartbeats included. Discord documents no data for these payloads, and other clients read
none."""

HEARTBEAT_ACK = payload(Opcode.HEARTBEAT_ACK, _NO_DATA)
HEARTBEAT = payload(Opcode.HEARTBEAT, _NO_DATA)
RECONNECT = payload(Opcode.RECONNECT, _NO_DATA)
INVALID_SESSION = payload(Opcode.INVALID_SESSION, False)


def hello(heartbeat_interval_ms: int) -> bytes:
    """Return HELLO, the first payload on each connection."""
    return payload(Opcode.HELLO, {"heartbeat_interval": heartbeat_interval_ms})


def frame(kind: int, payload: bytes) -> bytes:
    """Return an unmasked WebSocket frame (RFC 6455, section 5.2)."""
    return frame_header(kind, len(payload)) + payload


def frame_header(kind: int, length: int) -> bytes:
    """Return the header of a frame whose payload has `length` bytes."""
    if length < 126:
        return pack("!BB", kind, length)
    if length < 1 << 16:
        return pack("!BBH", kind, 126, length)
    return pack("!BBQ", kind, 127, length)
