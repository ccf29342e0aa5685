"""Monitor of the event loop, and the application that serves `/metrics`.

The monitor measures how late timers fire, and logs which function blocks the loop.
"""

from __future__ import annotations

import asyncio
import logging
import sys
import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import FrameType

from aiohttp import web

import chatd
from chatd.observability import process_usage
from chatd.observability.metrics import CONTENT_TYPE, Metrics

log = logging.getLogger(__name__)

BLOCKED_S = 0.2
"""A loop that is blocked for this many seconds is logged and counted as a stall."""

_SAMPLE_S = 0.05
"""Interval of the samples; a block of BLOCKED_S is seen while it lasts."""

_PACKAGE = Path(chatd.__file__).parent


def metrics_app(metrics: Metrics) -> web.Application:
    """Return an application that serves `/metrics` and nothing else."""

    async def collect(_: web.Request) -> web.Response:
        metrics.process = await asyncio.to_thread(process_usage.current)
        return web.Response(body=metrics.exposition(), headers={"Content-Type": CONTENT_TYPE})

    app = web.Application()
    app.router.add_get("/metrics", collect)
    return app


@asynccontextmanager
async def monitor_event_loop(metrics: Metrics) -> AsyncIterator[None]:
    """Measure the lag of the event loop and log what blocks it, while the context is open."""
    monitor = _LoopMonitor(metrics, threading.get_ident())
    sampling = asyncio.create_task(monitor.sample(), name="loop monitor")
    thread = threading.Thread(target=monitor.run, name="loop monitor", daemon=True)
    thread.start()
    try:
        yield
    finally:
        sampling.cancel()
        monitor.stopped.set()
        thread.join()


class _LoopMonitor:
    """A task that sets a timestamp, and a thread that reads the loop's stack when it is old."""

    def __init__(self, metrics: Metrics, thread_id: int) -> None:
        self.stopped = threading.Event()
        self._metrics = metrics
        self._thread_id = thread_id
        self._sampled_at = time.monotonic()

    async def sample(self) -> None:
        """Record the lag of the loop at each interval. Runs on the loop."""
        while True:
            before = time.monotonic()
            await asyncio.sleep(_SAMPLE_S)
            self._sampled_at = time.monotonic()
            self._metrics.observe_loop_lag(max(0.0, self._sampled_at - before - _SAMPLE_S))

    def run(self) -> None:
        """Log each block of the loop once, until `stopped` is set. Runs in a thread."""
        reported = 0.0
        while not self.stopped.wait(_SAMPLE_S):
            last = self._sampled_at
            blocked_s = time.monotonic() - last - _SAMPLE_S
            if blocked_s >= BLOCKED_S and last != reported:
                reported = last
                self._metrics.counters.loop_stalls += 1
                frame = sys._current_frames().get(self._thread_id)
                log.warning(
                    "event loop blocked for %.1f s in %s", blocked_s, blocking_function(frame)
                )


def blocking_function(frame: FrameType | None) -> str:
    """Name the innermost function of chatd on a stack, or else the innermost of all."""
    innermost = frame
    while frame is not None and not Path(frame.f_code.co_filename).is_relative_to(_PACKAGE):
        frame = frame.f_back
    found = frame or innermost
    if found is None:
        return "an unknown place"
    path = found.f_code.co_filename.removeprefix(f"{_PACKAGE.parent}/")
    return f"{found.f_code.co_qualname} ({path}:{found.f_lineno})"
