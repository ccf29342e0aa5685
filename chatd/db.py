"""The pool of database connections; the only module that knows aiopg and psycopg2.

It is a pool of our own over `aiopg.connect`, because aiopg's pool loses wake-ups when a
connection comes back closed and connects to an unreachable server while it holds its lock.
Here connections are made by one task beside the pool; acquiring only ever waits for a free one.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

import aiopg
import orjson
import psycopg2
import psycopg2.errors
from psycopg2.extensions import TRANSACTION_STATUS_IDLE
from psycopg2.extras import register_default_jsonb

from chatd.core.errors import Busy, DatabaseAway
from chatd.metrics import Tally

log = logging.getLogger(__name__)

register_default_jsonb(globally=True, loads=orjson.loads)

UniqueViolation = psycopg2.errors.UniqueViolation

Row = tuple[Any, ...]
T = TypeVar("T")

CONNECT_TIMEOUT_S = 3
ACQUIRE_TIMEOUT_S = 5.0
STATEMENT_TIMEOUT_S = 10
LOCK_TIMEOUT_S = 4
SLOW_S = 0.5
_TOLD = 500  # characters of a slow statement

_OPTIONS = (
    f"-c statement_timeout={STATEMENT_TIMEOUT_S}s"
    f" -c lock_timeout={LOCK_TIMEOUT_S}s"
    " -c idle_in_transaction_session_timeout=10s"
    " -c timezone=UTC"
    " -c plan_cache_mode=force_generic_plan"  # of prepared statements; they have no other
    " -c tcp_keepalives_idle=30 -c tcp_keepalives_interval=10 -c tcp_keepalives_count=3"
)
_serial = itertools.count()
_TRY_AGAIN = ("55P03", "57014", "40001", "40P01")  # lock or statement timeout, conflict, deadlock
_NO_DURABILITY = ("fsync", "full_page_writes", "synchronous_commit")


class NotDurable(Exception):
    """The server does not keep what it has acknowledged; the text names the setting."""


class Prepared:
    """A statement that Postgres plans once for each connection. Planning one with joins costs
    several times what running it does.

    `types` are those of its parameters, by their names.
    """

    def __init__(self, sql: str, **types: str) -> None:
        self.name = f"statement_{next(_serial)}"
        numbers = {name: f"${number}" for number, name in enumerate(types, 1)}
        arguments = (f"%({name})s::{kind}" for name, kind in types.items())
        self.prepare = f"PREPARE {self.name} ({', '.join(types.values())}) AS {sql % numbers}"
        self.execute = f"EXECUTE {self.name} ({', '.join(arguments)})"


class Cursor:
    """Runs statements on one connection. Values only ever as parameters."""

    __slots__ = ("_inner", "_prefix", "_prepared", "_tally")

    def __init__(
        self, inner: Any, tally: Tally, prefix: str = "", prepared: set[str] | None = None
    ) -> None:
        self._inner = inner
        self._tally = tally
        self._prefix = prefix  # goes out with the first statement, in the same round trip
        self._prepared = set() if prepared is None else prepared  # what the connection knows

    @property
    def rowcount(self) -> int:
        """How many rows the last statement touched or returned."""
        return int(self._inner.rowcount)

    async def execute(
        self, sql: str, parameters: Mapping[str, object] | None = None, *, known_as: str = ""
    ) -> None:
        """Run a statement. When cancelled, its connection is closed and its outcome unknown.

        If it is slow, the log has it, or what it is `known_as`, without its parameters.

        Raises DatabaseAway, Busy, or what Postgres says of the data.
        """
        prefix, self._prefix = self._prefix, ""
        cancellations = _cancellations()
        began = time.monotonic()
        try:
            await self._inner.execute(prefix + sql, parameters)
        except asyncio.CancelledError:
            if _cancellations() > cancellations:
                raise
            # aiopg turns a statement timeout into a cancellation that nobody asked for
            raise Busy("The database took too long; try again in a moment.") from None
        except TimeoutError:
            raise DatabaseAway from None
        except (psycopg2.OperationalError, psycopg2.InterfaceError) as error:
            if error.pgcode in _TRY_AGAIN:
                raise Busy from error
            raise DatabaseAway from error
        finally:
            if (took_s := time.monotonic() - began) > SLOW_S:
                self._tell_slow(known_as or sql, took_s)
        if _cancellations() > cancellations:
            # asyncio.wait_for of Python 3.11 swallows a cancellation that comes with the answer
            raise asyncio.CancelledError

    async def run(self, statement: Prepared, parameters: Mapping[str, object]) -> None:
        """Run a prepared statement, as `execute` does. The first time on a connection it is one
        round trip more."""
        if statement.name not in self._prepared:
            try:
                await self.execute(statement.prepare)
            except asyncio.CancelledError:
                self._prepared.add(statement.name)  # or the connection is closed
                raise
            self._prepared.add(statement.name)
        await self.execute(statement.execute, parameters, known_as=statement.prepare)

    def _tell_slow(self, sql: str, took_s: float) -> None:
        self._tally.slow_queries += 1
        log.warning("a statement took %.1f s: %s", took_s, " ".join(sql.split())[:_TOLD])

    async def fetchone(self) -> Row | None:
        """The next row of the last statement. Raises DatabaseAway."""
        try:
            row: Row | None = await self._inner.fetchone()
        except psycopg2.InterfaceError as closed:  # between the statement and here
            raise DatabaseAway from closed
        return row

    async def fetchall(self) -> list[Row]:
        """All remaining rows of the last statement. Raises DatabaseAway."""
        try:
            rows: list[Row] = await self._inner.fetchall()
        except psycopg2.InterfaceError as closed:
            raise DatabaseAway from closed
        return rows


async def one(cur: Cursor, make: Callable[..., T]) -> T | None:
    """The only row of the last statement, made into a model; None when there is none."""
    row = await cur.fetchone()
    return None if row is None else make(*row)


async def many(cur: Cursor, make: Callable[..., T]) -> list[T]:
    """All rows of the last statement, made into models."""
    return [make(*row) for row in await cur.fetchall()]


class Transaction:
    """A transaction on a connection of its own; BEGIN goes out with its first statement."""

    def __init__(
        self, pool: Database, connection: Any, inner: Any, begin: str, prepared: set[str]
    ) -> None:
        self._pool = pool
        self._connection = connection
        self._begin = begin
        self.cur = Cursor(inner, pool.tally, begin, prepared)

    async def commit(self, last: str = "", parameters: Mapping[str, object] | None = None) -> None:
        """Commit, after a last statement in the same round trip, and give the connection back."""
        try:
            if not self.begun and not last:
                return
            await self.cur.execute(f"{last}; COMMIT" if last else "COMMIT", parameters)
            self._pool.tally.commits += 1
        finally:
            self._pool.release(self._connection)

    async def rollback(self) -> None:
        """Undo, and give the connection back. When cancelled, closing the connection undoes."""
        try:
            if self.begun and not self._connection.closed:
                with contextlib.suppress(DatabaseAway, Busy):
                    await self.cur.execute("ROLLBACK")
        finally:
            self._pool.release(self._connection)

    @property
    def begun(self) -> bool:
        """Whether a statement has been run in it."""
        return not self.cur._prefix


class Database:
    """A fixed number of connections to Postgres, kept whole by a task of its own."""

    def __init__(
        self, url: str, *, size: int, name: str = "chatd", tally: Tally | None = None
    ) -> None:
        self.tally = tally or Tally()
        self._url = url
        self._size = size
        self._name = name
        self._idle: deque[Any] = deque()
        self._used: set[Any] = set()
        self._waiters: deque[asyncio.Future[Any]] = deque()
        self._prepared: WeakKeyDictionary[Any, set[str]] = WeakKeyDictionary()
        self._short = asyncio.Event()
        self._keeper: asyncio.Task[None] | None = None
        self.away = False
        """Whether the last attempt to connect failed."""

    async def open(self) -> None:
        """Connect. Raises DatabaseAway when there is no server, NotDurable when it forgets."""
        try:
            self._idle.append(await self._connect())
        except (psycopg2.Error, OSError, TimeoutError) as error:
            raise DatabaseAway(_first_line(error)) from error
        async with self.cursor() as cur:
            for setting in _NO_DURABILITY:
                await cur.execute(f"SHOW {setting}")
                if await cur.fetchone() == ("off",):
                    raise NotDurable(f"{setting} is off in the database: it must be on")
        self._short.set()
        self._keeper = asyncio.create_task(self._keep(), name="database connections")

    async def close(self) -> None:
        """Close every connection, used ones too: what they run is not committed."""
        if self._keeper is not None:
            self._keeper.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._keeper
        for connection in [*self._idle, *self._used]:
            await connection.close()
        self._idle.clear()

    @asynccontextmanager
    async def cursor(self) -> AsyncIterator[Cursor]:
        """A connection on which every statement commits by itself."""
        connection = await self._acquire()
        try:
            async with connection.cursor() as inner:
                yield Cursor(inner, self.tally, prepared=self._prepared_on(connection))
        finally:
            self.release(connection)

    @asynccontextmanager
    async def own_connection(self) -> AsyncIterator[Cursor]:
        """A connection outside of the pool, for a lock that lasts as long as it.

        Raises DatabaseAway.
        """
        try:
            connection = await self._connect()
        except (psycopg2.Error, OSError, TimeoutError) as error:
            raise DatabaseAway(_first_line(error)) from error
        try:
            async with connection.cursor() as inner:
                yield Cursor(inner, self.tally)
        finally:
            await connection.close()

    async def begin(self, *, snapshot: bool = False) -> Transaction:
        """A transaction; with `snapshot`, one whose every statement sees the same moment."""
        connection = await self._acquire()
        try:
            inner = await connection.cursor()
        except BaseException:
            self.release(connection)
            raise
        begin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; " if snapshot else "BEGIN; "
        return Transaction(self, connection, inner, begin, self._prepared_on(connection))

    def release(self, connection: Any) -> None:
        """Give a connection back; one that is broken or left in a transaction is closed."""
        self._used.discard(connection)
        if connection.closed or (
            connection.raw.get_transaction_status() != TRANSACTION_STATUS_IDLE
        ):
            connection.close()
            self._short.set()
            return
        self._hand_out(connection)

    @property
    def size(self) -> int:
        """How many connections there are at the most."""
        return self._size

    @property
    def idle(self) -> int:
        """How many connections are free."""
        return len(self._idle)

    @property
    def in_use(self) -> int:
        """How many connections are at work."""
        return len(self._used)

    @property
    def waiting(self) -> int:
        """How many wait for a connection."""
        return len(self._waiters)

    def _prepared_on(self, connection: Any) -> set[str]:
        return self._prepared.setdefault(connection, set())

    def _hand_out(self, connection: Any) -> None:
        while self._waiters:
            waiter = self._waiters.popleft()
            if not waiter.done():
                self._used.add(connection)
                waiter.set_result(connection)
                return
        self._idle.append(connection)

    async def _acquire(self) -> Any:
        while self._idle:
            connection = self._idle.pop()  # the one used last has the warmest caches
            if not connection.closed:
                self._used.add(connection)
                return connection
            self._short.set()
        if self.away:
            raise DatabaseAway
        waiter: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiters.append(waiter)
        self.tally.pool_waits += 1
        began = time.monotonic()
        try:
            async with asyncio.timeout(ACQUIRE_TIMEOUT_S):
                return await waiter
        except BaseException as stopped:
            if not waiter.cancel() and not waiter.cancelled() and not waiter.exception():
                self.release(waiter.result())  # handed over in the very moment of the stop
            if isinstance(stopped, TimeoutError):
                raise Busy from None
            raise
        finally:
            self.tally.pool_wait_s += time.monotonic() - began

    async def _connect(self) -> Any:
        cancellations = _cancellations()
        connection = await aiopg.connect(
            self._url,
            timeout=STATEMENT_TIMEOUT_S + 5,
            connect_timeout=CONNECT_TIMEOUT_S,
            enable_json=False,
            enable_hstore=False,
            enable_uuid=False,
            options=_OPTIONS,
            application_name=self._name,
            keepalives_idle=30,
        )
        if _cancellations() > cancellations:  # swallowed, as in Cursor.execute
            await connection.close()
            raise asyncio.CancelledError
        return connection

    async def _keep(self) -> None:
        """Replace lost connections for as long as the pool is open."""
        pause_s = 0.1
        while True:
            await self._short.wait()
            self._short.clear()
            alive = [each for each in self._idle if not each.closed]
            self._idle = deque(alive)
            while len(self._idle) + len(self._used) < self._size:
                try:
                    async with asyncio.timeout(CONNECT_TIMEOUT_S + 1):
                        connection = await self._connect()
                except (psycopg2.Error, OSError, TimeoutError) as error:
                    self._went_away(error)
                    await asyncio.sleep(pause_s)
                    pause_s = min(1.0, pause_s * 2)
                    continue
                if self.away:
                    log.warning("the database is back")
                self.away, pause_s = False, 0.1
                self._hand_out(connection)

    def _went_away(self, error: Exception) -> None:
        if not self.away:
            log.error("the database is away: %s", _first_line(error))
        self.away = True
        while self._waiters:
            waiter = self._waiters.popleft()
            if not waiter.done():
                waiter.set_exception(DatabaseAway())


def _cancellations() -> int:
    """How often the running task has been cancelled and has not taken it back."""
    task = asyncio.current_task()
    return 0 if task is None else task.cancelling()


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
