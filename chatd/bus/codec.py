"""The encoding of entries in a Redis stream: an entry holds consecutive events.

An entry of many events costs Redis and its client about as much time as an entry of one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from struct import Struct

from chatd.core.records import record
from chatd.events.event import Event

FIELD = b"events"
"""The field of an entry that holds its events."""

MARK = b"mark"
"""The field that identifies an entry of an instance. An entry that was appended twice, because the
first answer was lost, has the same mark both times. Versions of chatd without marks ignore it."""

_SIZES = Struct("!II")  # bytes of the head and of the body, which follow


@record(frozen=True, slots=True)
class Mark:
    """The identity of an entry: a random id of the process that wrote it, and a number."""

    run: str
    number: int

    def packed(self) -> bytes:
        """Return the value of the field."""
        return f"{self.run}:{self.number}".encode()

    @classmethod
    def read(cls, fields: Mapping[bytes, bytes]) -> Mark | None:
        """Return the mark of an entry; None when it has no valid mark."""
        run, _, number = fields.get(MARK, b"").decode(errors="replace").partition(":")
        return cls(run, int(number)) if number.isascii() and number.isdecimal() else None


def pack(events: Sequence[Event]) -> bytes:
    """Encode events as the value of `FIELD`."""
    parts: list[bytes] = []
    for event in events:
        head = event.head()
        parts += (_SIZES.pack(len(head), len(event.body)), head, event.body)
    return b"".join(parts)


def unpack(packed: bytes) -> list[Event]:
    """Decode the events of a value that `pack` returned. Raises ValueError for other values."""
    return [Event.read(packed[a:b], packed[b:c]) for a, b, c in _offsets(packed)]


def unpack_selected(packed: bytes, selected: Iterable[bool]) -> list[Event]:
    """Decode some events of a value that `pack` returned. Raises ValueError for other values.

    `selected` has for each event whether it is wanted.
    """
    return [
        Event.read(packed[a:b], packed[b:c])
        for (a, b, c), is_wanted in zip(_offsets(packed), selected, strict=True)
        if is_wanted
    ]


def _offsets(packed: bytes) -> Iterator[tuple[int, int, int]]:
    """Yield where the head and the body of each event begin, and where the body ends."""
    at = 0
    while at < len(packed):
        middle = at + _SIZES.size
        if middle > len(packed):
            raise ValueError("truncated between two events")
        head_size, body_size = _SIZES.unpack_from(packed, at)
        body = middle + head_size
        at = body + body_size
        if at > len(packed):
            raise ValueError("truncated within an event")
        yield middle, body, at
