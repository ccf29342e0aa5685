"""Open-loop requests: each is sent when it is due, on any connection that is free."""

from __future__ import annotations

import asyncio
import time
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from tests.bench.http import Answer, Connection

_MOST = 500
"""Connections at the same time. Further requests wait; their latency counts this, too."""

_IDLE_S = 30.0
"""How long a connection is kept without a request. The server closes it after 75 seconds."""

_POLL_S = 0.02


@dataclass
class Window:
    """What is due within some seconds: the latencies, counted from when each was due."""

    requests_s: list[float] = field(default_factory=list)
    receipts_s: list[float] = field(default_factory=list)
    delays_s: list[float] = field(default_factory=list)
    """By how much the generator was late."""
    failures: Counter[str] = field(default_factory=Counter)
    pending: int = 0
    """Requests without a response."""
    awaited: int = 0
    """Receipts that there must be at the end."""

    async def end(self, timeout_s: float) -> None:
        """Wait for what is on its way; count what does not arrive as failed and very late."""
        deadline = time.perf_counter() + timeout_s
        while self._missing and time.perf_counter() < deadline:
            await asyncio.sleep(_POLL_S)
        receipts = self.awaited - len(self.receipts_s)
        self.failures.update({"request without response": self.pending} if self.pending else {})
        self.failures.update({"receipt missing": receipts} if receipts else {})
        self.requests_s += [timeout_s] * self.pending
        self.receipts_s += [timeout_s] * receipts

    @property
    def _missing(self) -> bool:
        return self.pending > 0 or self.awaited > len(self.receipts_s)


class _Request(NamedTuple):
    due: float
    raw: bytes
    window: Window | None
    then: Callable[[Answer], None] | None


class RequestPool:
    """Connections to a server, each with one request at a time."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._free: list[tuple[Connection, float]] = []
        """The connections without a request, and since when."""
        self._waiting: deque[_Request] = deque()
        self._open = 0
        self._opening: set[asyncio.Task[None]] = set()

    def send(
        self,
        due: float,
        raw: bytes,
        window: Window | None,
        then: Callable[[Answer], None] | None,
    ) -> None:
        """Send a request that was due at a time. `then` gets its response if it succeeds."""
        if window is not None:
            window.pending += 1
        request = _Request(due, raw, window, then)
        connection = self._next_free()
        if connection is not None:
            self._start(connection, request)
            return
        self._waiting.append(request)
        if self._open < _MOST:
            self._open += 1
            task = asyncio.create_task(self._connect())
            self._opening.add(task)
            task.add_done_callback(self._opening.discard)

    def close(self) -> None:
        """Close all free connections."""
        self._waiting.clear()
        for connection, _ in self._free:
            connection.close()

    def _next_free(self) -> Connection | None:
        while self._free:
            connection, since = self._free.pop()
            if connection.is_open and time.perf_counter() - since < _IDLE_S:
                return connection
            connection.close()
            self._open -= 1
        return None

    async def _connect(self) -> None:
        self._serve(await Connection.to(self._port))

    def _serve(self, connection: Connection) -> None:
        """Send the request that waits longest."""
        if self._waiting:
            self._start(connection, self._waiting.popleft())
        else:
            self._free.append((connection, time.perf_counter()))

    def _start(self, connection: Connection, request: _Request) -> None:
        def done(future: asyncio.Future[Answer]) -> None:
            if future.cancelled():
                return
            error = future.exception()
            answer = Answer(0, b"") if error else future.result()
            _count(request, answer)
            if connection.is_open:
                self._serve(connection)
            else:
                self._open -= 1

        connection.send(request.raw).add_done_callback(done)


def _count(request: _Request, answer: Answer) -> None:
    """Count a response. Those that a server refuses are failures."""
    is_good = 200 <= answer.status < 300
    if (window := request.window) is not None:
        window.pending -= 1
        window.requests_s.append(time.perf_counter() - request.due)
        if not is_good:
            what = b" ".join(request.raw.split(b" ", 1)[:1]).decode()
            window.failures[f"{what} {answer.status}"] += 1
    if is_good and request.then is not None:
        request.then(answer)
