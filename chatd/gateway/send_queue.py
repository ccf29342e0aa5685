"""The send queue of a connection: frames that the connection writes in one call per tick.

Some dispatches can wait, like TYPING_START. The connection writes their frames together with the
next frame that cannot wait, or after half a second.

The backlog of a connection is the bytes that the server has written and the client has not read.
"""

from __future__ import annotations

import asyncio
import logging

from chatd.gateway.fanout.flush_scheduler import FlushScheduler
from chatd.gateway.protocol.batch import Batch
from chatd.gateway.protocol.encoders import FrameEncoder
from chatd.observability.metrics import Counters

log = logging.getLogger(__name__)

MAX_SEND_QUEUE_BYTES = 8 * 2**20
"""The backlog at which the server disconnects a slow consumer; the client can resume.

The bytes of READY, its guilds and a replay do not count (`raise_limit`): a client needs time to
read them, and is not slow.
"""

_BACKLOG_THRESHOLD = 64 * 1024
"""The backlog in bytes above which the flush scheduler is informed. A smaller backlog is normal
for a client that reads."""

_MAX_WAITING = 16
"""The maximum number of frames that wait. More frames in one write would save little."""

_MAX_WAITING_BYTES = 8 * 1024
"""The maximum bytes of frames that wait: 40 MB for 5,000 connections. Most presences take 0.3 kB,
but one with ten activities takes 15 kB. These bytes need a limit of their own, because the backlog
does not contain them before they are written."""

_LOW_WATER_BYTES = 2**20  # the backlog at which `wait_for_drain` returns
_POLL_S = 0.05  # between two reads of the backlog in `wait_for_drain`


class SendQueue:
    """Encodes payloads for one client, and bounds how many bytes it may leave unread."""

    __slots__ = (
        "_counters",
        "_limit_bytes",
        "_scheduler",
        "_waiting_bytes",
        "checked_above",
        "encoder",
        "is_scheduled",
        "is_waiting",
        "queued",
        "transport",
    )

    def __init__(
        self,
        transport: asyncio.Transport,
        encoder: FrameEncoder,
        scheduler: FlushScheduler,
        counters: Counters,
    ) -> None:
        self.encoder = encoder
        self.transport = transport
        self._scheduler = scheduler
        self._counters = counters
        self.queued: list[bytes] = []
        """The frames that wait for `flush`."""
        self._waiting_bytes = 0
        """The bytes of the frames that `send_later` has queued."""
        self.is_scheduled = False
        """Whether `flush` follows at the end of this tick, or when the scheduler is uncorked."""
        self.is_waiting = False
        """Whether frames are queued that can wait."""
        self._limit_bytes = MAX_SEND_QUEUE_BYTES
        self.checked_above = min(_BACKLOG_THRESHOLD, MAX_SEND_QUEUE_BYTES)
        """The backlog in bytes above which `check_backlog` must be called after a write."""

    @property
    def size(self) -> int:
        """The bytes that the client has not read yet: queued ones and written ones."""
        return sum(map(len, self.queued)) + self.write_buffer_bytes

    @property
    def write_buffer_bytes(self) -> int:
        """The bytes that were written but not sent, because the client does not read them."""
        return self.transport.get_write_buffer_size()

    def send(self, batch: Batch, seq: int, /) -> None:
        """Send dispatches, numbered from `seq` on. Does not block or raise."""
        data = self.encoder.encode_batch(batch, seq)
        if self.is_scheduled:
            self.queued.append(data)
        elif batch.can_wait:
            self.send_later(data)
        elif self._scheduler.is_write_through:
            self._write(self.take_with(data) if self.is_waiting else data)
        else:
            self._queue(data)

    def send_later(self, data: bytes) -> None:
        """Queue a frame that can wait. The caller has checked that `is_scheduled` is false."""
        self.queued.append(data)
        self._waiting_bytes += len(data)
        if not self.is_waiting:
            self.is_waiting = True
            self._scheduler.add_waiting(self)
        if len(self.queued) >= _MAX_WAITING or self._waiting_bytes >= _MAX_WAITING_BYTES:
            self._schedule()

    def take_with(self, data: bytes) -> bytes:
        """Return the bytes of all queued frames and a further one, which the caller writes."""
        self.queued.append(data)
        return self._take()

    def send_payload(self, payload: bytes) -> None:
        """Send a payload that is no dispatch. Does not block or raise."""
        self._queue(self.encoder.encode(payload))

    def flush(self) -> None:
        """Write the queued frames in one call; abort the connection of a slow consumer.

        An error also aborts the connection, and is raised. The client can resume, and then receives
        the frames.
        """
        self.is_scheduled = False
        if self.queued:
            try:
                self._write(self._take())
            except Exception:
                self.transport.abort()
                raise

    def raise_limit(self) -> None:
        """Raise the limit by the bytes now queued, until the client has read them."""
        self._limit_bytes = MAX_SEND_QUEUE_BYTES + sum(map(len, self.queued))
        self.checked_above = 0  # so that the limit is lowered again as soon as possible

    async def wait_for_drain(self) -> None:
        """Flush, then wait until the backlog is at most `_LOW_WATER_BYTES`."""
        self.flush()
        # The transport reports free space only to its protocol, which is aiohttp's.
        while self.write_buffer_bytes > _LOW_WATER_BYTES:  # noqa: ASYNC110
            await asyncio.sleep(_POLL_S)

    def abort_slow_consumer(self) -> None:
        """Abort the connection and discard its backlog; the session can resume."""
        self._counters.slow_consumer_disconnects += 1
        log.info("disconnected slow consumer")
        self.transport.abort()

    def close(self) -> None:
        """Remove this connection's backlog from the total of the flush scheduler."""
        self._scheduler.remove(self)

    def _queue(self, data: bytes) -> None:
        self.queued.append(data)
        if not self.is_scheduled:
            self._schedule()

    def _schedule(self) -> None:
        self.is_scheduled = True
        self._scheduler.add(self)

    def _take(self) -> bytes:
        """Remove all queued frames; return their bytes."""
        if self.is_waiting:
            self.is_waiting = False
            self._scheduler.remove_waiting(self)
            self._waiting_bytes = 0
        queued, self.queued = self.queued, []
        return queued[0] if len(queued) == 1 else b"".join(queued)

    def _write(self, data: bytes) -> None:
        transport = self.transport
        if transport.is_closing():
            return
        transport.write(data)
        backlog = transport.get_write_buffer_size()
        if backlog > self.checked_above:
            self.check_backlog(backlog)

    def check_backlog(self, backlog: int) -> None:
        """Abort the connection if its backlog in bytes exceeds the limit; otherwise record it.

        It is called after each write that leaves more than `checked_above`.
        """
        if backlog > self._limit_bytes:
            self.abort_slow_consumer()
            return
        if backlog <= MAX_SEND_QUEUE_BYTES < self._limit_bytes:
            self._limit_bytes = MAX_SEND_QUEUE_BYTES
            self.checked_above = min(_BACKLOG_THRESHOLD, MAX_SEND_QUEUE_BYTES)
        if backlog > _BACKLOG_THRESHOLD:
            self._scheduler.record_backlog(self, backlog)
