"""A batch: consecutive dispatches for the same sessions. Each connection sends it in one write.

A batch computes once what these sessions share: the dispatches for a set of intents, and the frame
bytes between the sequence numbers.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property

from chatd.gateway.protocol.frames import (
    Dispatch,
    FrameSequence,
    FrameTemplate,
    SequencedFrames,
)


class Batch:
    """Dispatches in the order in which they are sent."""

    def __init__(self, dispatches: Iterable[Dispatch]) -> None:
        self.dispatches: Sequence[Dispatch] = tuple(dispatches)
        self.size = sum([dispatch.size for dispatch in self.dispatches])
        """The bytes of the bodies."""
        self.can_wait = all(dispatch.can_wait for dispatch in self.dispatches)
        """Whether all of it may be sent later, together with the next dispatch."""
        self._by_intents: dict[int, Batch | None] = {}

    def for_intents(self, intents: int) -> Batch | None:
        """Return the part that a session with these intents receives; None if there is none."""
        try:
            return self._by_intents[intents]
        except KeyError:
            return self._filter(intents)

    def _filter(self, intents: int) -> Batch | None:
        wanted = [each for each in self.dispatches if not each.intent or intents & each.intent]
        if len(wanted) == len(self.dispatches):
            filtered: Batch | None = self
        else:
            filtered = Batch(wanted) if wanted else None
        self._by_intents[intents] = filtered
        return filtered

    @cached_property
    def plain(self) -> SequencedFrames:
        """The frames without compression."""
        return _combined([dispatch.plain for dispatch in self.dispatches])

    @cached_property
    def deflated(self) -> SequencedFrames:
        """The frames for a deflate stream."""
        return _combined([dispatch.deflated for dispatch in self.dispatches])

    @cached_property
    def zstd(self) -> SequencedFrames:
        """The frames for a zstd stream."""
        return _combined([dispatch.zstd for dispatch in self.dispatches])

    def release_frames(self) -> None:
        """Drop the cached frames after sending; a replay builds them again."""
        self._by_intents.clear()  # mostly refers to this batch itself: a reference cycle
        for dispatch in self.dispatches:
            dispatch.release_frames()


def _combined(frames: Sequence[FrameTemplate]) -> SequencedFrames:
    return frames[0] if len(frames) == 1 else FrameSequence(frames)
