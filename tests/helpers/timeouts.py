"""A plugin of pytest that watches the timeouts of all tests with one thread.

pytest-timeout starts and joins a thread for each test. That takes half a millisecond, a third of
the CPU time that pytest takes for an empty test, and there are 7,000 tests.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass

import pytest
import pytest_timeout

_IDLE_S = 0.5
"""How long the thread sleeps when it finds no test, in seconds."""


@dataclass(frozen=True)
class _Limit:
    """When a test times out, on the monotonic clock."""

    item: pytest.Item
    settings: pytest_timeout.Settings
    at: float


class _Watch:
    """A thread that ends the process when the test of this process takes too long."""

    def __init__(self) -> None:
        self.limit: _Limit | None = None
        self._thread: threading.Thread | None = None
        self._wakes_at = 0.0
        self._is_shortened = threading.Event()

    def begin(self, limit: _Limit) -> None:
        """Watch a test. The first one of a process starts the thread."""
        self.limit = limit
        if self._thread is None or not self._thread.is_alive():  # a fork ends it in the child
            self._is_shortened = threading.Event()
            self._thread = threading.Thread(target=self._run, name="timeouts", daemon=True)
            self._thread.start()
        elif limit.at < self._wakes_at:
            self._is_shortened.set()

    def _run(self) -> None:
        """Sleep until the limit of the test that runs, and then look which test runs.

        So the thread wakes every ten minutes, and not for each test.
        """
        while True:
            now = time.monotonic()
            limit = self.limit
            if limit is not None and limit.at <= now:
                pytest_timeout.timeout_timer(limit.item, limit.settings)
                self.limit = None  # this process is debugged, and the test may take its time
                continue
            self._wakes_at = now + _IDLE_S if limit is None else limit.at
            self._is_shortened.clear()
            if self.limit is limit:
                self._is_shortened.wait(self._wakes_at - now)


_watch = _Watch()


@pytest.hookimpl(tryfirst=True)
def pytest_timeout_set_timer(item: pytest.Item, settings: pytest_timeout.Settings) -> bool | None:
    """Watch a test, if its timeout shall end the process."""
    if settings.method != "thread":
        return None
    _watch.begin(_Limit(item, settings, time.monotonic() + settings.timeout))
    return True


@pytest.hookimpl(tryfirst=True)
def pytest_timeout_cancel_timer(item: pytest.Item) -> bool | None:
    """Watch a test no longer."""
    if _watch.limit is None or _watch.limit.item is not item:
        return None
    _watch.limit = None
    return True
