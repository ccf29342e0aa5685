"""The pool of database connections.

aiopg's own pool is not used: it loses wake-ups when a connection is returned closed, and it
connects to an unreachable server while it holds its lock. Here a background task opens connections,
and acquiring one only waits for an idle connection.

Errors of a server that cannot be reached leave this module as DatabaseUnavailable.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

from psycopg2.extensions import TRANSACTION_STATUS_IDLE, parse_dsn

from chatd.core.errors import DatabaseUnavailable, ServiceUnavailable
from chatd.core.text import first_line
from chatd.db import acquire_timeout
from chatd.db.connection import PgConnection, connect
from chatd.db.cursor import Cursor
from chatd.db.transaction import Transaction
from chatd.observability.metrics import Counters

log = logging.getLogger(__name__)

# In seconds. A request that waits for a lock gives up before those that wait for its connection
# do. A statement that does not wait may take longer than both.
CONNECT_TIMEOUT_S = 3
LOCK_TIMEOUT_S = 4
ACQUIRE_TIMEOUT_S = 5.0
STATEMENT_TIMEOUT_S = 10

_PROBE_AFTER_S = 2.0
"""A statement under `probe_if_slow` that has no answer after this time starts a probe. Such
statements are small: they usually take a few hundredths of it."""

_PROBE_TIMEOUT_S = 2.0
"""How long the probe may take to connect, in seconds. If it does not, the database counts as
unavailable, 4 s after the statement began."""

_FIRST_RETRY_PAUSE_S = 0.1
_MAX_RETRY_PAUSE_S = 1.0
"""The pauses between two attempts to connect, in seconds. They double from the first to the
second: a short interruption ends soon, and a long one costs one attempt a second."""

_SESSION_OPTIONS = (
    f"-c statement_timeout={STATEMENT_TIMEOUT_S}s"
    f" -c lock_timeout={LOCK_TIMEOUT_S}s"
    " -c idle_in_transaction_session_timeout=10s"
    " -c timezone=UTC"
    # Prepared statements are planned once, without the values of their parameters.
    " -c plan_cache_mode=force_generic_plan"
    # How soon the server notices that this process is gone, and releases the lock of its WORKER_ID.
    " -c tcp_keepalives_idle=5 -c tcp_keepalives_interval=2 -c tcp_keepalives_count=3"
    " -c tcp_user_timeout=10000"
)

# How soon this process notices that the server is gone. DATABASE_URL takes precedence.
_CONNECTION_PARAMETERS: dict[str, str] = {
    "connect_timeout": "3",
    "keepalives": "1",
    "keepalives_idle": "5",
    "keepalives_interval": "2",
    "keepalives_count": "3",
    "tcp_user_timeout": "10000",
}

_DURABILITY_SETTINGS = ("fsync", "full_page_writes", "synchronous_commit")
"""With one of these off, Postgres may lose a committed transaction in a crash."""


class _NoResponse(DatabaseUnavailable):
    """The server neither accepts nor refuses an attempt to connect within its timeout."""


class NotDurable(Exception):
    """The server may lose committed transactions; the message names the setting."""


class _PooledCursor:
    """A context with a cursor on a connection of the pool.

    A class, because a context of `asynccontextmanager` costs as much as a small statement.
    """

    __slots__ = ("_connection", "_database")

    def __init__(self, database: Database) -> None:
        self._database = database

    async def __aenter__(self) -> Cursor:
        connection = self._connection = await self._database.acquire()
        try:
            return Cursor(connection, self._database.counters)
        except BaseException:
            self._database.release(connection)
            raise

    async def __aexit__(self, *_: object) -> None:
        self._database.release(self._connection)


class Database:
    """A pool of a fixed number of connections. A background task replaces lost ones."""

    def __init__(
        self, url: str, *, size: int, name: str = "chatd", counters: Counters | None = None
    ) -> None:
        self.counters = counters or Counters()
        self._url = url
        self._size = size
        self._name = name  # application_name in pg_stat_activity
        self._idle: deque[Any] = deque()
        self._used: set[Any] = set()
        self._waiters: deque[asyncio.Future[Any]] = deque()
        # Set when the pool may have fewer than `size` connections.
        self._below_size = asyncio.Event()
        self._refill_task: asyncio.Task[None] | None = None
        self._probe_task: asyncio.Task[None] | None = None
        self._ping_task: asyncio.Task[str] | None = None
        self.is_unavailable = False
        """Whether the last attempt to connect failed."""
        self.on_unavailable: list[Callable[[], None]] = []
        """Called when `is_unavailable` becomes true."""

    async def open(self) -> None:
        """Connect.

        Raises DatabaseUnavailable when the server cannot be reached, NotDurable when it may lose
        commits.
        """
        self._idle.append(await self._connect())
        async with self.cursor() as cur:
            for setting in _DURABILITY_SETTINGS:
                await cur.execute(f"SHOW {setting}")
                if await cur.fetchone() == ("off",):
                    raise NotDurable(f"{setting} is off in the database: it must be on")
        self._below_size.set()
        self._refill_task = asyncio.create_task(self._refill(), name="database connections")

    async def close(self) -> None:
        """Close all connections. Transactions that still run are rolled back by the server."""
        for task in (self._refill_task, self._probe_task, self._ping_task):
            if task is not None:
                task.cancel()
                await asyncio.wait({task})
        for connection in [*self._idle, *self._used]:
            await connection.close()
        self._idle.clear()

    def cursor(self) -> AbstractAsyncContextManager[Cursor]:
        """Provide a cursor in autocommit mode: each statement is its own transaction.

        Raises DatabaseUnavailable, ServiceUnavailable.
        """
        return _PooledCursor(self)

    @asynccontextmanager
    async def dedicated_connection(self) -> AsyncIterator[Cursor]:
        """Provide a cursor on a connection outside of the pool.

        A session-level advisory lock lasts as long as its connection. Raises DatabaseUnavailable.
        """
        connection = await self._connect()
        try:
            yield Cursor(connection, self.counters)
        finally:
            await connection.close()

    async def check(self, *, timeout_s: float) -> str:
        """Return "ok", "unavailable" or, without an answer within `timeout_s`, "busy"."""
        if self.is_unavailable and not self._idle:
            return "unavailable"
        if self._ping_task is None or self._ping_task.done():
            # Cancelling a ping would close its connection, so it goes on and the next call of this
            # method waits for it.
            self._ping_task = asyncio.create_task(self._ping(), name="readiness")
        ping = self._ping_task  # another caller may start the next one before this task goes on
        answered, _ = await asyncio.wait({ping}, timeout=timeout_s)
        return ping.result() if answered else "busy"

    async def _ping(self) -> str:
        try:
            async with self.cursor() as cur:
                await cur.execute("SELECT 1")
        except DatabaseUnavailable:
            return "unavailable"
        except ServiceUnavailable:
            return "busy"
        return "ok"

    @asynccontextmanager
    async def probe_if_slow(self) -> AsyncIterator[None]:
        """Probe the server if the body of this context takes long, to see whether it responds."""
        timer = asyncio.get_running_loop().call_later(_PROBE_AFTER_S, self._start_probe)
        try:
            yield
        finally:
            timer.cancel()

    def _start_probe(self) -> None:
        if self._probe_task is None or self._probe_task.done():
            self._probe_task = asyncio.create_task(self._probe(), name="database probe")

    async def _probe(self) -> None:
        """Open a new connection to a server that does not respond on an existing one.

        If that succeeds, the network was interrupted. Idle connections may be broken without this
        side knowing, and each would cost a request its whole timeout, so they are closed. If it
        fails, the server does not respond, and all connections are closed.
        """
        try:
            async with asyncio.timeout(_PROBE_TIMEOUT_S):
                connection = await self._connect()
        except (_NoResponse, TimeoutError) as error:
            self._on_unreachable(error)
            self._close_connections(self._idle, self._used)
        except DatabaseUnavailable as error:
            self._on_unreachable(error)
        else:
            await connection.close()
            if self._idle:
                log.warning("the database did not answer: idle connections are replaced")
            self._close_connections(self._idle)

    def _close_connections(self, *groups: Iterable[Any]) -> None:
        """Close connections. Statements that run on them fail with DatabaseUnavailable."""
        for connection in [each for group in groups for each in group]:
            connection.close()
        self._idle.clear()
        self._below_size.set()

    async def begin(self, *, snapshot: bool = False) -> Transaction:
        """Begin a transaction. Raises DatabaseUnavailable, ServiceUnavailable.

        With `snapshot` it is read-only and REPEATABLE READ: all statements see the same state.
        """
        begin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; " if snapshot else "BEGIN; "
        connection = await self.acquire()
        try:
            cur = Cursor(connection, self.counters, begin)
        except BaseException:
            self.release(connection)
            raise
        return Transaction(cur, connection, self.release, self.counters)

    def release(self, connection: Any) -> None:
        """Return a connection to the pool. One that is broken or in a transaction is closed."""
        self._used.discard(connection)
        if connection.closed or (
            connection.raw.get_transaction_status() != TRANSACTION_STATUS_IDLE
        ):
            connection.close()
            self._below_size.set()
            return
        self._give_to_waiter(connection)

    @property
    def size(self) -> int:
        """The maximum number of connections."""
        return self._size

    @property
    def idle(self) -> int:
        """The number of idle connections."""
        return len(self._idle)

    @property
    def in_use(self) -> int:
        """The number of connections in use."""
        return len(self._used)

    @property
    def waiting(self) -> int:
        """The number of tasks that wait for a connection."""
        return len(self._waiters)

    def _give_to_waiter(self, connection: Any) -> None:
        """Give a connection to the first waiter; without one it becomes idle."""
        while self._waiters:
            waiter = self._waiters.popleft()
            if not waiter.done():
                self._used.add(connection)
                waiter.set_result(connection)
                return
        self._idle.append(connection)

    async def acquire(self) -> Any:
        """Take a connection out of the pool, until `release`.

        Raises DatabaseUnavailable, ServiceUnavailable.
        """
        while self._idle:
            connection = self._idle.pop()  # the one used last: its caches are warm
            if not connection.closed:
                self._used.add(connection)
                return connection
            self._below_size.set()
        if self.is_unavailable:
            raise DatabaseUnavailable
        waiter: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiters.append(waiter)
        self.counters.pool_waits += 1
        began = time.monotonic()
        timer = asyncio.get_running_loop().call_later(ACQUIRE_TIMEOUT_S, self._start_probe)
        try:
            async with asyncio.timeout(acquire_timeout.current_s.get(ACQUIRE_TIMEOUT_S)):
                return await waiter
        except BaseException as stopped:
            if not waiter.cancel() and not waiter.cancelled() and not waiter.exception():
                self.release(waiter.result())  # given at the moment of the timeout or cancellation
            if isinstance(stopped, TimeoutError):
                self._start_probe()
                raise ServiceUnavailable from None
            raise
        finally:
            timer.cancel()
            self.counters.pool_wait_s += time.monotonic() - began

    async def _connect(self) -> PgConnection:
        """Open a connection to the server. Raises DatabaseUnavailable for every kind of failure."""
        cancel_requests = _count_cancel_requests()
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_S + 1):
                connection = await connect(
                    self._url,
                    timeout_s=STATEMENT_TIMEOUT_S + 5,
                    application_name=self._name,
                    **connection_parameters(self._url),
                )
        except TimeoutError as error:
            raise _NoResponse("it does not answer") from error
        except Exception as error:
            raise DatabaseUnavailable(first_line(error)) from error
        if _count_cancel_requests() > cancel_requests:
            # asyncio.wait_for of Python 3.11 swallows a cancellation that comes with the answer.
            await connection.close()
            raise asyncio.CancelledError
        return connection

    async def _refill(self) -> None:
        """Replace lost connections for as long as the pool is open."""
        pause_s = _FIRST_RETRY_PAUSE_S
        while True:
            await self._below_size.wait()
            self._below_size.clear()
            alive = [each for each in self._idle if not each.closed]
            self._idle = deque(alive)
            while len(self._idle) + len(self._used) < self._size:
                try:
                    connection = await self._connect()
                except DatabaseUnavailable as error:
                    self._on_unreachable(error)
                    await asyncio.sleep(pause_s)
                    pause_s = min(_MAX_RETRY_PAUSE_S, pause_s * 2)
                    continue
                if self.is_unavailable:
                    log.warning("database available again")
                self.is_unavailable, pause_s = False, _FIRST_RETRY_PAUSE_S
                self._give_to_waiter(connection)

    def _on_unreachable(self, error: Exception) -> None:
        """Note that the server cannot be reached; all waiters fail with DatabaseUnavailable."""
        if not self.is_unavailable:
            log.error("database unavailable: %s", first_line(error))
            self.is_unavailable = True
            for notify in self.on_unavailable:
                notify()
        while self._waiters:
            waiter = self._waiters.popleft()
            if not waiter.done():
                waiter.set_exception(DatabaseUnavailable())


def _count_cancel_requests() -> int:
    """Return how many cancel() calls on the running task are pending (`Task.cancelling`)."""
    task = asyncio.current_task()
    return 0 if task is None else task.cancelling()


def connection_parameters(url: str) -> dict[str, str]:
    """Return the connection parameters that the URL lacks, and the options of the session.

    Raises psycopg2.ProgrammingError when `url` is not a valid connection string.
    """
    given = parse_dsn(url)
    missing = {name: value for name, value in _CONNECTION_PARAMETERS.items() if name not in given}
    # The URL's options come last: of an option that is set twice, Postgres takes the last value.
    return {**missing, "options": f"{_SESSION_OPTIONS} {given.get('options', '')}".rstrip()}
