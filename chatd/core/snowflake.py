"""Snowflakes: 42 bits of time, 5 bits of worker, 5 bits of zero, 12 bits of sequence.

Rule: Discord docs, Reference, "Snowflakes".
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import lru_cache

EPOCH_MS = 1_420_070_400_000
"""2015-01-01T00:00:00Z in Unix milliseconds, the first moment that a snowflake can name."""

_SEQUENCE_BITS = 12
_WORKER_SHIFT = 17
_TIME_SHIFT = 22
_EPOCH = datetime(2015, 1, 1, tzinfo=UTC)


def created_at(snowflake: int) -> datetime:
    """When the snowflake was made, in UTC, to the millisecond."""
    return _EPOCH + timedelta(milliseconds=snowflake >> _TIME_SHIFT)


def written_at(snowflake: int) -> str:
    """The same as text: ISO 8601 with microseconds and offset. Made for every message shown."""
    seconds, ms = divmod((snowflake >> _TIME_SHIFT) + EPOCH_MS, 1000)
    return f"{_second(seconds)}.{ms:03d}000+00:00"


@lru_cache(4096)
def _second(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def at(moment: datetime) -> int:
    """The lowest snowflake of that millisecond, as a bound for paging by time."""
    return max(0, (moment - _EPOCH) // timedelta(milliseconds=1)) << _TIME_SHIFT


def _clock_ms() -> int:
    return time.time_ns() // 1_000_000


class SnowflakeGenerator:
    """Makes the ids of one worker: each above the one before, whatever the clock does.

    When the clock steps back, or a millisecond's 4,096 ids are used up, the time in the ids runs
    ahead of the clock until the clock has caught up.
    """

    def __init__(self, worker_id: int, *, clock_ms: Callable[[], int] = _clock_ms) -> None:
        if not 0 <= worker_id < 32:
            raise ValueError(f"worker_id {worker_id} is not within 0-31")
        self._worker = worker_id << _WORKER_SHIFT
        self._clock_ms = clock_ms
        self._last_ms = 0  # since EPOCH_MS
        self._sequence = 0

    def next(self) -> int:
        """A new id, above every id that this generator has made or observed."""
        now = self._clock_ms() - EPOCH_MS
        if now > self._last_ms:
            self._last_ms, self._sequence = now, 0
        else:
            self._sequence += 1
            if self._sequence >> _SEQUENCE_BITS:
                self._last_ms, self._sequence = self._last_ms + 1, 0
        return self._last_ms << _TIME_SHIFT | self._worker | self._sequence

    def observe(self, snowflake: int) -> None:
        """Go on above an id of another worker whose clock is ahead of this one's."""
        self.start_after(snowflake >> _TIME_SHIFT)

    def start_after(self, last_ms: int) -> None:
        """Make no more ids of the millisecond `last_ms` (since EPOCH_MS) or any before it."""
        if last_ms >= self._last_ms:
            self._last_ms, self._sequence = last_ms + 1, -1

    @property
    def last_ms(self) -> int:
        """The millisecond since EPOCH_MS of the newest id."""
        return self._last_ms
