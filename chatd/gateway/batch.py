"""A batch: dispatches that go to many sessions one after the other, and leave in one write.

What is the same for all of these sessions is worked out once: which of the dispatches those get
who have asked for the same things, and the bytes between the numbers.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property

from chatd.gateway.frames import Dispatch, Frames, Numbered, Together


class Batch:
    """Dispatches in the order in which they are sent."""

    def __init__(self, dispatches: Iterable[Dispatch]) -> None:
        self.dispatches: Sequence[Dispatch] = tuple(dispatches)
        self.size = sum([dispatch.size for dispatch in self.dispatches])
        """Bytes of their bodies."""
        self._by_intents: dict[int, Batch | None] = {}

    def asked_for(self, intents: int) -> Batch | None:
        """What sessions with these intents get of it; None when it is nothing."""
        try:
            return self._by_intents[intents]
        except KeyError:
            return self._sort_out(intents)

    def _sort_out(self, intents: int) -> Batch | None:
        wanted = [each for each in self.dispatches if not each.intent or intents & each.intent]
        if len(wanted) == len(self.dispatches):
            found: Batch | None = self
        else:
            found = Batch(wanted) if wanted else None
        self._by_intents[intents] = found
        return found

    @cached_property
    def plain(self) -> Numbered:
        """Their frames as they are."""
        return _together([dispatch.plain for dispatch in self.dispatches])

    @cached_property
    def deflated(self) -> Numbered:
        """Their frames in a deflate stream."""
        return _together([dispatch.deflated for dispatch in self.dispatches])

    @cached_property
    def zstd(self) -> Numbered:
        """Their frames in a zstd stream."""
        return _together([dispatch.zstd for dispatch in self.dispatches])

    def forget(self) -> None:
        """It has been sent: keep nothing that was made for that."""
        self._by_intents.clear()  # of which it is mostly a part itself
        for dispatch in self.dispatches:
            dispatch.forget_frames()


def _together(frames: Sequence[Frames]) -> Numbered:
    return frames[0] if len(frames) == 1 else Together(frames)
