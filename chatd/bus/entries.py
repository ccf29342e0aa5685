"""An entry of a stream: events that were published together, one after the other.

Redis takes an entry of many in about the time that it takes one of one, and so does its client.
"""

from __future__ import annotations

from collections.abc import Sequence
from struct import Struct

from chatd.events.event import Event

FIELD = b"events"
"""The field of an entry that holds them."""

_SIZES = Struct("!II")  # of the head and of the body that follow


def pack(events: Sequence[Event]) -> bytes:
    """The events as one piece of bytes."""
    parts: list[bytes] = []
    for event in events:
        head = event.head()
        parts += (_SIZES.pack(len(head), len(event.body)), head, event.body)
    return b"".join(parts)


def unpack(packed: bytes) -> list[Event]:
    """The events of one piece. Raises ValueError when it is none of ours."""
    events, at = [], 0
    while at < len(packed):
        middle = at + _SIZES.size
        if middle > len(packed):
            raise ValueError("cut off between two events")
        head_size, body_size = _SIZES.unpack_from(packed, at)
        body = middle + head_size
        at = body + body_size
        if at > len(packed):
            raise ValueError("cut off within an event")
        events.append(Event.read(packed[middle:body], packed[body:at]))
    return events
