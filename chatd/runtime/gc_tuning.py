"""Garbage collection in a server: short, because each collection stops the process.

Reference counting frees what chatd allocates. The collector frees only reference cycles, and what
people do leaves none (`core.tracebacks`). But it scans all objects that are new since its last
collection: replay buffers, caches and sessions. Each takes 0.3 us, and a microsecond if it is not
in the processor's caches. Python scans them after a number of allocations minus deallocations. That
number does not bound how many objects are new: a replay buffer that is full allocates and frees as
many. With 2,500 sessions, a collection took 60 ms.

So a task collects the young generations many times a second, as often as it takes to stop the
process for about half a millisecond. What survives belongs to the oldest generation, which holds
most objects: 0.3 s with 5,000 sessions. A server collects it only while it is idle.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from chatd.core.retry import retried

log = logging.getLogger(__name__)

_GEN0_THRESHOLD = 10_000
"""Net allocations between scans of generation 0, in a command."""

_GEN1_THRESHOLD = 4
"""Scans of generation 0 for each scan of generation 1, in a command."""

_GEN2_THRESHOLD = 100
"""Scans of generation 1 for each scan of all objects, in a command."""

_BURST = 3_000
"""Net allocations after which Python itself collects, in a server: 1 to 3 ms. It happens when many
objects are created between two collections of the task."""

_NEVER = 2**31 - 1
"""Collections of the young generations before Python collects the oldest one: more than there are
in a year."""

_TARGET_S = 0.0005
"""How long a collection shall take, in seconds. A burst of allocations may take ten times as long
without blocking the event loop for over 5 ms. The fixed cost of a collection is a tenth of it."""

_MIN_INTERVAL_S = 0.01
_MAX_INTERVAL_S = 0.25
"""Between two collections, in seconds. In an idle server one takes 20 us."""

_MAX_GROWTH = 1.25
"""The factor by which an interval exceeds at most the one before. Bursts come one after the other,
as when many people connect: after one, the next collections are early."""

_IDLE_CHECK_S = 60.0
"""The interval in which a server has to be idle before it collects everything, in seconds."""

_IDLE_SHARE = 0.01
"""The share of a core below which a server is idle: a few requests a second."""

_EVERYTHING_S = 24 * 3600.0
"""The time between two collections of everything, in seconds. They are for cycles of bugs."""


def tune_gc() -> None:
    """Collect rarely, and never scan what exists now: modules, schemas.

    For a command that creates many objects. A server uses `collecting_garbage`.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_GEN0_THRESHOLD, _GEN1_THRESHOLD, _GEN2_THRESHOLD)


@asynccontextmanager
async def collecting_garbage() -> AsyncIterator[None]:
    """Collect in short steps while the context is open, and never scan what exists at its begin."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_BURST, 0, _NEVER)
    async with asyncio.TaskGroup() as tasks:
        run = GarbageCollector().run
        collecting = tasks.create_task(retried("garbage collector", run), name="garbage collector")
        try:
            yield
        finally:
            collecting.cancel()


class GarbageCollector:
    """Collects the young generations at intervals that keep each collection short."""

    def __init__(
        self,
        collect: Callable[[int], int] = gc.collect,
        *,
        clock: Callable[[], float] = time.monotonic,
        thread_time: Callable[[], float] = time.thread_time,
        process_time: Callable[[], float] = time.process_time,
    ) -> None:
        self.interval_s = _MAX_INTERVAL_S
        """Until the next collection, in seconds."""
        self._collect = collect
        self._clock = clock
        self._thread_time = thread_time
        self._process_time = process_time
        self._collected_everything_at = self._idle_since = clock()
        self._idle_since_cpu_s = process_time()

    async def run(self) -> None:
        """Collect until cancelled."""
        while True:
            await asyncio.sleep(self.interval_s)
            self.collect_young()
            self.collect_everything_if_idle()

    def collect_young(self) -> None:
        """Collect what is new, and choose the next interval by the time that this has taken."""
        began = self._thread_time()  # other processes may run in between
        self._collect(1)
        took = max(self._thread_time() - began, _TARGET_S / _MAX_GROWTH)
        factor = _TARGET_S / took
        self.interval_s = min(max(self.interval_s * factor, _MIN_INTERVAL_S), _MAX_INTERVAL_S)

    def collect_everything_if_idle(self) -> None:
        """Collect the oldest generation too, once a day, after a minute with little to do."""
        now = self._clock()
        if now - self._idle_since < _IDLE_CHECK_S:
            return
        cpu_s = self._process_time()
        share = (cpu_s - self._idle_since_cpu_s) / (now - self._idle_since)
        self._idle_since, self._idle_since_cpu_s = now, cpu_s
        if share < _IDLE_SHARE and now - self._collected_everything_at >= _EVERYTHING_S:
            self._collected_everything_at = now
            found = self._collect(2)
            log.debug("collected all garbage: %d objects", found)
