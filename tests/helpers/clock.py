"""A clock that a test advances, in place of the module `time`."""

from __future__ import annotations

import time


class Clock:
    """The real time, and what a test has added to it."""

    def __init__(self) -> None:
        self._added_s = 0.0

    def advance(self, seconds: float) -> None:
        """Let this much time pass at once."""
        self._added_s += seconds

    def time(self) -> float:
        """Return seconds since the epoch."""
        return time.time() + self._added_s

    def monotonic(self) -> float:
        """Return seconds that no one sets back."""
        return time.monotonic() + self._added_s
