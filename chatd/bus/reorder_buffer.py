"""Reorder buffer: restores the order of one stream's events, and shows when one is missing."""

from __future__ import annotations

from chatd.events.event import Event


class ReorderBuffer:
    """Accepts events in any order, and yields each exactly once by ascending `seq`.

    Until `start`, all events are buffered, while the caller reads the snapshot that they continue.
    An event with seq 0 has no place in the order, and is yielded at once.
    """

    __slots__ = ("_ahead", "gap_since", "position")

    def __init__(self) -> None:
        self.position: int | None = None
        """The `seq` of the last event that was yielded; None before `start`."""
        self._ahead: dict[int, Event] = {}
        self.gap_since: float | None = None
        """Since when an event is missing, by the caller's clock; None without a gap."""

    def start(self, position: int, now: float) -> list[Event]:
        """Set the position of the snapshot. Return the events that follow it and have arrived."""
        self.position = position
        self._ahead = {seq: event for seq, event in self._ahead.items() if seq > position}
        return self._ready(now)

    def push(self, event: Event, now: float) -> list[Event]:
        """Add an event. Return the events that are next in order, if any."""
        if event.seq == 0:
            return [event]
        if self.position is None:
            self._ahead[event.seq] = event
            return []
        if event.seq == self.position + 1 and not self._ahead:
            self.position = event.seq
            return [event]
        if event.seq > self.position:
            self._ahead[event.seq] = event
        return self._ready(now)

    def buffered(self, after: int, up_to: int) -> list[Event] | None:
        """Return the buffered events above `after` up to `up_to`; None when one is missing."""
        held = [self._ahead.get(seq) for seq in range(after + 1, up_to + 1)]
        found = [event for event in held if event is not None]
        return found if len(found) == len(held) else None

    def _ready(self, now: float) -> list[Event]:
        ready = []
        assert self.position is not None
        while (event := self._ahead.pop(self.position + 1, None)) is not None:
            self.position += 1
            ready.append(event)
        if not self._ahead:
            self.gap_since = None
        elif ready or self.gap_since is None:
            self.gap_since = now
        return ready
