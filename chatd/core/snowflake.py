"""Snowflakes: 42 bits of time, 5 bits of worker, 5 bits of zero, 12 bits of sequence.

Rule: Discord docs, Reference, "Snowflakes".
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from chatd.core.errors import NoLease

EPOCH_MS = 1_420_070_400_000
"""2015-01-01T00:00:00Z in Unix milliseconds, the earliest time of a snowflake."""

_SEQUENCE_BITS = 12
_WORKER_SHIFT = 17
_TIME_SHIFT = 22
_EPOCH = datetime(2015, 1, 1, tzinfo=UTC)


def created_at(snowflake: int) -> datetime:
    """Return the creation time of a snowflake, in UTC, with milliseconds."""
    return _EPOCH + timedelta(milliseconds=snowflake >> _TIME_SHIFT)


def created_at_text(snowflake: int) -> str:
    """Return the creation time in ISO 8601 with microseconds and offset, as messages have it."""
    days, ms = divmod((snowflake >> _TIME_SHIFT) + EPOCH_MS, _DAY_MS)
    minute, ms = divmod(ms, 60_000)
    return f"{_day(days)}{_MINUTES[minute]}{_SECONDS[ms // 1000]}{_MILLISECONDS[ms % 1000]}"


_DAY_MS = 86_400_000

# A page of history has up to 100 times. Formatting one costs more than encoding its message.
_MINUTES = tuple(f"T{minute // 60:02d}:{minute % 60:02d}" for minute in range(24 * 60))
_SECONDS = tuple(f":{second:02d}" for second in range(60))
_MILLISECONDS = tuple(f".{ms:03d}000+00:00" for ms in range(1000))


@lru_cache(4096)  # eleven years
def _day(days: int) -> str:
    return datetime.fromtimestamp(86_400 * days, UTC).strftime("%Y-%m-%d")


def at(moment: datetime) -> int:
    """Return the lowest snowflake of that millisecond, as a bound for paging by time."""
    return max(0, (moment - _EPOCH) // timedelta(milliseconds=1)) << _TIME_SHIFT


def _clock_ms() -> int:
    return time.time_ns() // 1_000_000


def _clock_s() -> float:
    """Return seconds of a clock that includes suspend, where the system has one."""
    return time.clock_gettime(_CLOCK)


_CLOCK: int = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


class SnowflakeGenerator:
    """Generates the ids of one worker, strictly ascending, even if the clock is set back.

    When the clock is set back, or the 4,096 ids of a millisecond are used, the time in the ids runs
    ahead until the clock has caught up. Ids are generated only within a lease. It ends at a time of
    `clock_s`, and it limits the milliseconds in the ids: the next holder starts above that limit.
    """

    def __init__(
        self,
        worker_id: int,
        *,
        clock_ms: Callable[[], int] = _clock_ms,
        clock_s: Callable[[], float] = _clock_s,
    ) -> None:
        if not 0 <= worker_id < 32:
            raise ValueError(f"worker_id {worker_id} is not within 0-31")
        self._worker = worker_id << _WORKER_SHIFT
        self._clock_ms = clock_ms
        self._last_ms = 0  # since EPOCH_MS
        self._sequence = 0
        self.clock_s = clock_s
        """The clock of the lease."""
        self._leased_until_s = math.inf
        self._limit_ms: float = math.inf
        self.needs_renewal = asyncio.Event()
        """Set when the next id is above the limit of the lease, which has to be renewed now."""

    @property
    def is_leased(self) -> bool:
        """Whether the lease permits another id."""
        return self.clock_s() < self._leased_until_s and self._last_ms <= self._limit_ms

    def lease(self, *, until_s: float, limit_ms: int) -> None:
        """Permit ids until a time of `clock_s`, up to a millisecond (since EPOCH_MS)."""
        self._leased_until_s = until_s
        self._limit_ms = limit_ms
        if self._last_ms <= limit_ms:
            self.needs_renewal.clear()

    def suspend(self) -> None:
        """Permit no ids until the next lease."""
        self._leased_until_s = -math.inf

    def next(self) -> int:
        """Return an id above every id that was generated or observed. Raises NoLease."""
        if self.clock_s() >= self._leased_until_s:
            raise NoLease
        # If the clock was set forward, ids stay at the limit of the lease until it is renewed.
        now = min(self._clock_ms() - EPOCH_MS, self._limit_ms)
        if now > self._last_ms:
            self._last_ms, self._sequence = int(now), 0
        else:
            self._sequence += 1
            if self._sequence >> _SEQUENCE_BITS:
                self._last_ms, self._sequence = self._last_ms + 1, 0
        if self._last_ms > self._limit_ms:
            self.needs_renewal.set()
            raise NoLease
        return self._last_ms << _TIME_SHIFT | self._worker | self._sequence

    def observe(self, snowflake: int) -> None:
        """Generate further ids above an id of another worker, whose clock may be ahead.

        Nothing changes if the next id is above it anyway. A later millisecond may not be in the
        lease: while a renewal is late, all ids have the last one that is.
        """
        next_id = (self._last_ms << _TIME_SHIFT | self._worker) + self._sequence + 1
        if snowflake >= next_id:
            self.start_after(snowflake >> _TIME_SHIFT)

    def start_after(self, last_ms: int) -> None:
        """Generate further ids after the millisecond `last_ms` (since EPOCH_MS)."""
        if last_ms >= self._last_ms:
            self._last_ms, self._sequence = last_ms + 1, -1
            if self._last_ms > self._limit_ms:
                self.needs_renewal.set()

    @property
    def last_ms(self) -> int:
        """The millisecond of the newest id, since EPOCH_MS."""
        return self._last_ms
