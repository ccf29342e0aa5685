"""Restarting background tasks after unexpected errors, with exponential backoff."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable

log = logging.getLogger(__name__)

_FIRST_PAUSE_S = 0.5  # short, since most errors are transient
_LONGEST_PAUSE_S = 30.0  # bounds the log lines and the load of a permanent error
_STABLE_S = 60.0  # a run of this duration resets the pause


async def retried(name: str, work: Callable[[], Awaitable[None]]) -> None:
    """Run `work` until it returns or is cancelled. When it raises, run it again after a pause.

    Each task handles expected errors itself. An unexpected error must not end the task, because
    that would end its task group and the process. The first error of a series is logged with its
    traceback, since it may be a bug. The pause doubles with each error of the series.
    """
    pause_s = _FIRST_PAUSE_S
    while True:
        began = time.monotonic()
        try:
            return await work()
        except Exception as error:
            if time.monotonic() - began > _STABLE_S:
                pause_s = _FIRST_PAUSE_S
            if pause_s == _FIRST_PAUSE_S:
                log.exception("background task failed, restarting it: %s", name)
            else:
                log.debug("background task failed again: %s: %r", name, error)
        await asyncio.sleep(pause_s)
        pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)
