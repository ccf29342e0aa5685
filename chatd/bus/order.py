"""Puts the events of one stream into their order, and tells when one does not come."""

from __future__ import annotations

from chatd.events.event import Event


class Order:
    """Takes events as they arrive, gives them out in the order of `seq`, each once.

    Before `start`, everything is held back: the state that the events continue is still being
    read. An event of seq 0 stands outside of the order and passes at once.
    """

    __slots__ = ("_ahead", "position", "waiting_since")

    def __init__(self) -> None:
        self.position: int | None = None
        """The number of the last event given out; None before `start`."""
        self._ahead: dict[int, Event] = {}
        self.waiting_since: float | None = None
        """The time (of the caller's clock) since when an event is missing; None when none is."""

    def start(self, position: int, now: float) -> list[Event]:
        """Go on after `position`. Returns what has arrived of that already."""
        self.position = position
        self._ahead = {seq: event for seq, event in self._ahead.items() if seq > position}
        return self._ready(now)

    def offer(self, event: Event, now: float) -> list[Event]:
        """Take one event; returns those whose turn has come, which may be none."""
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

    def held_back(self, after: int, up_to: int) -> list[Event] | None:
        """What waits for `start` of these numbers; None when not all of it has arrived."""
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
            self.waiting_since = None
        elif ready or self.waiting_since is None:
            self.waiting_since = now
        return ready
