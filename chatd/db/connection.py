"""A connection to Postgres: aiopg's, but the event loop watches a duplicate of its descriptor.

libpq closes its socket when the server is gone, and opens another one for the next address of a
host. aiopg registers libpq's own descriptor with the event loop. After such a close, the loop still
has an entry for a closed number, which the next connection gets again: uvloop then raises
RuntimeError, and asyncio's loop never reports it as readable. A connection here registers a
duplicate (dup(2)) instead. Only the connection closes it, after it has removed it from the loop.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import weakref
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import psycopg2
from aiopg.connection import Connection
from aiopg.utils import ClosableQueue
from psycopg2.extensions import POLL_OK, POLL_READ, POLL_WRITE

# psycopg2.connect resolves the host's name before it returns, and blocks while the name server does
# not answer. Two threads bound the number of such attempts.
_CONNECT_THREADS = ThreadPoolExecutor(2, thread_name_prefix="database connect")


class PgConnection(Connection):
    """One connection. When the server is gone it is closed, and a running statement fails."""

    def __init__(self, raw: Any, timeout_s: float) -> None:
        # aiopg's own constructor is not called: it connects in this thread, which blocks the loop,
        # and registers libpq's descriptor.
        self._enable_json = self._enable_hstore = self._enable_uuid = self._echo = False
        self._loop = asyncio.get_running_loop()
        self._waiter = self._loop.create_future()
        self._conn = raw
        self._dsn = raw.dsn
        self._timeout = timeout_s
        self._last_usage = self._loop.time()
        self._notifies: asyncio.Queue[Any] = asyncio.Queue()
        self._notifies_proxy = ClosableQueue(self._notifies, self._loop)
        self._weakref = weakref.ref(self)
        self._fileno: int | None = None
        self._writing = False
        self._is_connecting = True
        self.prepared: set[str] = set()
        """The names of the statements that it has prepared."""
        self._watch()

    def new_cursor(self) -> Any:
        """Return a cursor of psycopg2. Raises psycopg2.Error if the connection is closed."""
        return self._conn.cursor()

    async def execute(self, cursor: Any, sql: str, parameters: Any = None) -> None:
        """Run a statement on a cursor of this connection.

        aiopg's own cursor costs three times as much. It waits by `asyncio.wait_for`, which can lose
        a cancellation, and raises CancelledError for a statement timeout.

        When cancelled, or after the timeout, the connection is closed, and the outcome unknown.
        Raises psycopg2.Error, TimeoutError.
        """
        waiter = self._create_waiter("execute")
        timer = self._loop.call_later(self._timeout, _time_out, waiter)
        try:
            cursor.execute(sql, parameters)
            self._ready(self._weakref)
            await waiter
        except (asyncio.CancelledError, TimeoutError):
            self._close()
            raise
        finally:
            timer.cancel()
            self._waiter = None

    @property
    def is_lost(self) -> bool:
        """Whether it is closed, by either side."""
        try:
            return bool(self._conn.closed) or self._conn.fileno() < 0
        except psycopg2.Error:
            return True

    @staticmethod
    def _ready(weak_self: weakref.ref[Any]) -> None:
        """Let libpq make progress. Called by the event loop, and by aiopg before it waits."""
        self: PgConnection | None = weak_self()
        if self is None:
            return
        try:
            state = _poll(self._conn)
            if self._is_connecting and state in (POLL_READ, POLL_WRITE):
                self._watch()
            if (state == POLL_WRITE) != self._writing:
                self._watch_writing(state == POLL_WRITE)
        except Exception as error:
            self._fail(error)
            return
        if state == POLL_OK:
            self._is_connecting = False
            waiter = self._waiter
            if waiter is not None and not waiter.done():
                waiter.set_result(None)

    def _fail(self, error: Exception) -> None:
        """Raise an error of libpq where it is waited for. Close the connection if it is lost."""
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_exception(error)
        # A statement that Postgres rejects raises too, and leaves the connection usable.
        if not isinstance(error, psycopg2.Error) or self.is_lost:
            self._close()
        else:
            self._watch_writing(False)

    def _watch(self) -> None:
        """Watch the socket that libpq uses now, for reading."""
        current = self._conn.fileno()
        if self._fileno is not None:
            if os.path.samestat(os.fstat(self._fileno), os.fstat(current)):
                return
            self._unwatch()
        self._fileno = os.dup(current)
        self._loop.add_reader(self._fileno, self._ready, self._weakref)

    def _watch_writing(self, is_wanted: bool) -> None:
        if self._fileno is None or is_wanted == self._writing:
            return
        self._writing = is_wanted
        if is_wanted:
            self._loop.add_writer(self._fileno, self._ready, self._weakref)
        else:
            self._loop.remove_writer(self._fileno)

    def _unwatch(self) -> None:
        fileno, self._fileno, self._writing = self._fileno, None, False
        if fileno is None:
            return
        if not self._loop.is_closed():
            self._loop.remove_reader(fileno)
            self._loop.remove_writer(fileno)
        os.close(fileno)

    def _close(self) -> None:
        self._unwatch()
        super()._close()


def _time_out(waiter: asyncio.Future[None]) -> None:
    if not waiter.done():
        waiter.set_exception(TimeoutError())


def _poll(raw: Any) -> int:
    """Let libpq read and write. Return what it waits for (POLL_*). Raises psycopg2.Error."""
    state: int = raw.poll()
    if state not in (POLL_OK, POLL_READ, POLL_WRITE):
        raise psycopg2.OperationalError(f"libpq reports the state {state}")
    return state


async def connect(url: str, *, timeout_s: float, **options: Any) -> PgConnection:
    """Open a connection. A statement that takes longer than `timeout_s` closes it.

    Raises psycopg2.Error, OSError. When cancelled, nothing is left open.
    """
    loop = asyncio.get_running_loop()
    connecting = partial(psycopg2.connect, url, async_=True, **options)
    raw = await loop.run_in_executor(_CONNECT_THREADS, connecting)
    try:
        connection = PgConnection(raw, timeout_s)
    except BaseException:
        raw.close()
        raise
    with contextlib.ExitStack() as failed:
        failed.callback(connection._close)
        await connection._connect()
        failed.pop_all()
    return connection
