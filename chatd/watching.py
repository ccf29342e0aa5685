"""Watching a server: `/metrics` on an address of its own, and who holds up the event loop."""

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

from chatd.metrics import CONTENT_TYPE, Metrics

log = logging.getLogger(__name__)

BLOCKED_S = 0.2
_BEAT_S = 0.05
_OURS = str(Path(__file__).parent)


def metrics_app(metrics: Metrics) -> web.Application:
    """Serves `/metrics` and nothing else."""

    async def collect(_: web.Request) -> web.Response:
        return web.Response(body=metrics.exposition(), headers={"Content-Type": CONTENT_TYPE})

    app = web.Application()
    app.router.add_get("/metrics", collect)
    return app


@asynccontextmanager
async def loop_watched(metrics: Metrics) -> AsyncIterator[None]:
    """Measure how late the loop is, and warn of what blocks it, while the context is open."""
    watch = _LoopWatch(metrics, threading.get_ident())
    beating = asyncio.create_task(watch.beat(), name="loop watch")
    thread = threading.Thread(target=watch.run, name="loop watch", daemon=True)
    thread.start()
    try:
        yield
    finally:
        beating.cancel()
        watch.stopped.set()
        thread.join()


class _LoopWatch:
    """A task that beats, and a thread that looks at the loop's stack when it does not."""

    def __init__(self, metrics: Metrics, thread_id: int) -> None:
        self.stopped = threading.Event()
        self._metrics = metrics
        self._thread_id = thread_id
        self._beat_at = time.monotonic()

    async def beat(self) -> None:
        while True:
            before = time.monotonic()
            await asyncio.sleep(_BEAT_S)
            self._beat_at = time.monotonic()
            self._metrics.lagged(max(0.0, self._beat_at - before - _BEAT_S))

    def run(self) -> None:
        told_of = 0.0
        while not self.stopped.wait(_BEAT_S):
            last = self._beat_at
            silent_s = time.monotonic() - last - _BEAT_S
            if silent_s >= BLOCKED_S and last != told_of:
                told_of = last
                self._metrics.tally.blocks += 1
                frame = sys._current_frames().get(self._thread_id)
                log.warning(
                    "the event loop stands still for %.1f s in %s", silent_s, culprit(frame)
                )


def culprit(frame: FrameType | None) -> str:
    """The innermost function of ours on a stack, or else the innermost of all."""
    innermost = frame
    while frame is not None and not frame.f_code.co_filename.startswith(_OURS):
        frame = frame.f_back
    found = frame or innermost
    if found is None:
        return "an unknown place"
    path = found.f_code.co_filename.removeprefix(str(Path(_OURS).parent) + "/")
    return f"{found.f_code.co_qualname} ({path}:{found.f_lineno})"
