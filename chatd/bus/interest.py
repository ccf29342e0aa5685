"""Which events an instance needs: those of the streams that it follows, and those for everyone.

Each entry of a Redis stream has a label for each of its events. A reader drops events that it does
not need by their labels, without decoding them.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Mapping, Sequence
from struct import pack, unpack

from chatd.core.ids import StreamId
from chatd.events.event import Event

LABELS = b"streams"
"""The field of an entry with the labels of its events. Versions of chatd without labels ignore it,
and write entries without it, whose events are all decoded."""

FOR_EVERYONE = StreamId(0)
"""The label of an event that each instance needs. Other events have their stream as a label."""

QUIET = frozenset(
    {
        "MESSAGE_ACK",
        "MESSAGE_CREATE",
        "MESSAGE_DELETE",
        "MESSAGE_DELETE_BULK",
        "MESSAGE_REACTION_ADD",
        "MESSAGE_REACTION_REMOVE",
        "MESSAGE_REACTION_REMOVE_ALL",
        "MESSAGE_REACTION_REMOVE_EMOJI",
        "MESSAGE_UPDATE",
        "TYPING_START",
    }
)
"""The events that only feeds use. The dispatcher passes all others to its caches and reporters."""

_BITS = 4096
"""The size of a bitmap of streams: half a kilobyte. An instance that has set most of the bits
follows thousands of streams, and needs most entries anyway."""

_MULTIPLIER = 0x9E37_79B9_7F4A_7C15  # 2**64 divided by the golden ratio: it spreads ids evenly
_WORD = 2**64 - 1
_SHIFT = 52  # leaves the highest 12 bits of 64, for 4096 values


def labels_of(events: Iterable[Event]) -> list[int]:
    """Return the labels of events."""
    return [each.stream if each.name in QUIET else FOR_EVERYONE for each in events]


def pack_labels(labels: Sequence[int]) -> bytes:
    """Return the value of the field `LABELS`."""
    return pack(f"!{len(labels)}Q", *labels)


def read_labels(fields: Mapping[bytes, bytes]) -> tuple[int, ...] | None:
    """Return the labels of an entry; None when it has none."""
    packed = fields.get(LABELS)
    if packed is None or len(packed) % 8:
        return None
    return unpack(f"!{len(packed) // 8}Q", packed)


def bits_of(labels: Iterable[int]) -> set[int]:
    """Return the bits of these labels in a bitmap. Several streams have the same bit."""
    return {_bit_of(label) for label in labels}


def overlaps(bitmap: bytes, bits: Iterable[int]) -> bool:
    """Return whether one of these bits is set in a bitmap."""
    return any(bitmap[bit >> 3] >> (bit & 7) & 1 for bit in bits)


def is_bitmap(value: bytes) -> bool:
    """Return whether bytes of another instance are a bitmap."""
    return len(value) == _BITS // 8


def _bit_of(label: int) -> int:
    return (label * _MULTIPLIER & _WORD) >> _SHIFT


class FollowedStreams:
    """The streams with a feed on this instance, and `FOR_EVERYONE`."""

    def __init__(self) -> None:
        self.on_new_bit: Callable[[], None] | None = None
        """Called when the bitmap has a bit that it did not have."""
        self._streams: set[int] = set()
        self._counts = array("L", [0]) * _BITS
        self._bitmap = bytearray(_BITS // 8)
        self.add(FOR_EVERYONE)

    def add(self, stream: StreamId) -> None:
        """Follow a stream. Events that are read from now on are passed to the dispatcher."""
        if stream in self._streams:
            return
        self._streams.add(stream)
        bit = _bit_of(stream)
        self._counts[bit] += 1
        if self._counts[bit] == 1:
            self._bitmap[bit >> 3] |= 1 << (bit & 7)
            if self.on_new_bit is not None:
                self.on_new_bit()

    def discard(self, stream: StreamId) -> None:
        """Stop following a stream."""
        if stream not in self._streams:
            return
        self._streams.discard(stream)
        bit = _bit_of(stream)
        self._counts[bit] -= 1
        if not self._counts[bit]:
            self._bitmap[bit >> 3] &= ~(1 << (bit & 7))

    @property
    def bitmap(self) -> bytes:
        """The bits of all followed streams."""
        return bytes(self._bitmap)

    def needs_none(self, labels: Iterable[int]) -> bool:
        """Return whether no event with one of these labels is needed here."""
        return self._streams.isdisjoint(labels)

    def select(self, labels: Iterable[int]) -> list[bool]:
        """Return for each label whether events with it are needed here."""
        streams = self._streams
        return [label in streams for label in labels]
