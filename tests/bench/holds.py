"""How long single callbacks hold the event loop, in CPU time."""

from __future__ import annotations

import threading
import time
from asyncio import events
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class Holds:
    """The longest callback of one loop, which is asyncio's own."""

    def __init__(self) -> None:
        self.longest_s = 0.0

    @contextmanager
    def following_this_thread(self) -> Iterator[None]:
        """Measure the loop of the thread that calls this, within the block."""
        thread, run = threading.get_ident(), events.Handle._run

        def timed(handle: Any) -> None:
            if threading.get_ident() != thread:
                return run(handle)
            began = time.thread_time()
            try:
                return run(handle)
            finally:
                self.longest_s = max(self.longest_s, time.thread_time() - began)

        events.Handle._run = timed  # type: ignore[assignment, method-assign]
        try:
            yield
        finally:
            events.Handle._run = run  # type: ignore[method-assign]
