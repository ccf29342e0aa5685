"""The pool: waiting is bounded, and lost connections are replaced."""

from __future__ import annotations

import asyncio
import resource
import signal
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import psycopg2
import pytest
import uvloop

from chatd.core.errors import DatabaseUnavailable, ServiceUnavailable
from chatd.db.connection import PgConnection
from chatd.db.cursor import PreparedStatement
from chatd.db.pool import Database, NotDurable
from chatd.embedded.postgres import Postgres, running_postgres
from tests.helpers.servers import free_port, postgres_over


@pytest.fixture
async def database(postgres: Postgres) -> AsyncIterator[Database]:
    """Provide a pool of two connections."""
    pool = Database(postgres.url, size=2)
    await pool.open()
    await settled(pool)  # a test that waits until both are in use relies on it
    yield pool
    await pool.close()


async def answer(database: Database, sql: str = "SELECT 42") -> object:
    async with database.cursor() as cur:
        await cur.execute(sql)
        row = await cur.fetchone()
    return row and row[0]


async def until(condition: Callable[[], bool]) -> None:
    """Wait for a background task of the pool."""
    async with asyncio.timeout(60):
        while not condition():
            await asyncio.sleep(0.01)


async def settled(database: Database) -> None:
    """Wait until both connections are idle."""
    await until(lambda: database.idle == 2)


async def test_many_tasks_share_few_connections(database: Database) -> None:
    answers = await asyncio.gather(*(answer(database) for _ in range(50)))
    assert answers == [42] * 50
    assert database.in_use == 0


async def test_read_only_connection_is_replaced(database: Database) -> None:
    """After a failover the pool may have connections to a standby."""
    for _ in range(2):
        async with database.cursor() as cur:
            await cur.execute("SET default_transaction_read_only = on")
            with pytest.raises(DatabaseUnavailable):
                await cur.execute("CREATE TABLE never_made ()")
    await settled(database)
    transaction = await database.begin()
    await transaction.cur.execute("SET TRANSACTION READ ONLY")
    with pytest.raises(DatabaseUnavailable):
        await transaction.cur.execute("CREATE TABLE never_made ()")
    await transaction.rollback()
    await settled(database)
    assert await answer(database, "SHOW transaction_read_only") == "off"


async def test_callers_that_ask_at_once_share_the_answer(database: Database) -> None:
    async def ask_often() -> list[str]:
        return [await database.check(timeout_s=30) for _ in range(5)]

    answers = await asyncio.gather(*(ask_often() for _ in range(4)))
    assert answers == [["ok"] * 5] * 4


async def test_cancelled_query_frees_its_connection_for_waiters(database: Database) -> None:
    sleepers = [asyncio.create_task(answer(database, "SELECT pg_sleep(30)")) for _ in range(2)]
    while database.in_use < 2:
        await asyncio.sleep(0)
    waiting = asyncio.create_task(answer(database))
    await asyncio.sleep(0)
    for sleeper in sleepers:
        sleeper.cancel()
    async with asyncio.timeout(4):
        assert await waiting == 42
    assert [task.cancelled() for task in sleepers] == [True, True] or all(
        isinstance(error, asyncio.CancelledError)
        for error in await asyncio.gather(*sleepers, return_exceptions=True)
    )


async def test_cancelled_waiters_lose_no_connection(database: Database) -> None:
    sleepers = [asyncio.create_task(answer(database, "SELECT pg_sleep(0.2)")) for _ in range(2)]
    while database.in_use < 2:
        await asyncio.sleep(0)
    cancelled = [asyncio.create_task(answer(database)) for _ in range(5)]
    await asyncio.sleep(0)
    for task in cancelled:
        task.cancel()
    await asyncio.gather(*sleepers, *cancelled, return_exceptions=True)
    await settled(database)
    assert await answer(database) == 42


async def test_exhausted_pool_fails_after_the_timeout(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chatd.db.pool.ACQUIRE_TIMEOUT_S", 0.05)
    sleepers = [asyncio.create_task(answer(database, "SELECT pg_sleep(60)")) for _ in range(2)]
    while database.in_use < 2:
        await asyncio.sleep(0)
    with pytest.raises(ServiceUnavailable):
        await answer(database)
    for sleeper in sleepers:
        sleeper.cancel()
    await asyncio.wait(sleepers)


async def test_statement_timeout_is_an_error_not_a_cancellation(database: Database) -> None:
    async with database.cursor() as cur:
        await cur.execute("SET statement_timeout = '50ms'")
        with pytest.raises(ServiceUnavailable):
            await cur.execute("SELECT pg_sleep(5)")
    assert await answer(database) == 42


async def test_rolled_back_transaction_leaves_nothing(
    database: Database, postgres: Postgres
) -> None:
    async with database.cursor() as cur:
        await cur.execute("CREATE TABLE IF NOT EXISTS notes (note text)")
        await cur.execute("TRUNCATE notes")
    transaction = await database.begin()
    await transaction.cur.execute("INSERT INTO notes VALUES ('half')")
    await transaction.rollback()
    assert await answer(database, "SELECT count(*) FROM notes") == 0
    transaction = await database.begin()
    await transaction.commit("INSERT INTO notes VALUES ('whole')")
    assert await answer(database, "SELECT note FROM notes") == "whole"


async def test_cancellation_with_the_response_leaves_no_broken_connection(
    postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    statement = PreparedStatement("SELECT %(number)s + 1", number="int")
    answered = PgConnection._ready
    to_cancel: set[asyncio.Task[None]] = set()

    def ready(weak_self: Any) -> None:
        waiter = weak_self()._waiter
        answered(weak_self)
        if waiter is not None and waiter.done():
            for task in to_cancel:
                task.cancel()  # the statement is done, and its task not yet resumed

    async def run() -> None:
        async with pool.cursor() as cur:
            await cur.run(statement, {"number": 41})

    monkeypatch.setattr(PgConnection, "_ready", staticmethod(ready))
    pool = Database(postgres.url, size=2)
    await pool.open()
    try:
        to_cancel.add(asyncio.create_task(run()))
        await asyncio.wait(to_cancel)
        assert all(task.cancelled() for task in to_cancel)
        to_cancel.clear()
        await settled(pool)
        await asyncio.gather(*(run() for _ in range(4)))
    finally:
        await pool.close()


async def test_cancelled_transaction_is_rolled_back(database: Database) -> None:
    async with database.cursor() as cur:
        await cur.execute("CREATE TABLE IF NOT EXISTS halves (note text)")

    async def half() -> None:
        transaction = await database.begin()
        try:
            await transaction.cur.execute("INSERT INTO halves VALUES ('half')")
            await transaction.cur.execute("SELECT pg_sleep(30)")
        except BaseException:
            await transaction.rollback()
            raise

    task = asyncio.create_task(half())
    while database.in_use < 1:
        await asyncio.sleep(0)
    await asyncio.sleep(0.05)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await settled(database)
    assert await answer(database, "SELECT count(*) FROM halves") == 0


@pytest.mark.parametrize("transport", ["tcp", "unix"])
@pytest.mark.parametrize("loop", [uvloop.new_event_loop, asyncio.new_event_loop])
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_pool_survives_a_restart_of_postgres(
    tmp_path: Path,
    transport: str,
    loop: Callable[[], asyncio.AbstractEventLoop],
    how: signal.Signals,
) -> None:
    async def survive() -> None:
        database = Database(server.url, size=2)
        await database.open()
        await settled(database)
        asking = [asyncio.create_task(answer(database, "SELECT pg_sleep(9)")) for _ in range(2)]
        await until(lambda: database.in_use == 2)
        await asyncio.to_thread(server.stop, how=how)
        for task in asking:
            with pytest.raises(DatabaseUnavailable):
                await task
        with pytest.raises(DatabaseUnavailable):
            await answer(database)
        await until(lambda: database.is_unavailable)
        with pytest.raises(DatabaseUnavailable):  # in its first step, without connecting
            answer(database).send(None)
        await asyncio.to_thread(server.start)
        await until(lambda: not database.is_unavailable)
        assert await answer(database) == 42
        await settled(database)
        await database.close()

    with postgres_over(transport, tmp_path) as server, asyncio.Runner(loop_factory=loop) as runner:
        runner.run(survive())


@contextmanager
def _many_files() -> Iterator[None]:
    """Allow this process as many open files as the system permits: shells often start with 1024."""
    before, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (before, most))


def test_descriptors_above_1023_work(tmp_path: Path, postgres: Postgres) -> None:
    """With many clients, connections to Postgres have descriptors that select(2) cannot handle."""

    async def lose_and_find() -> None:
        database = Database(postgres.url, size=2)
        await database.open()
        await settled(database)
        for _ in range(2):
            with pytest.raises(DatabaseUnavailable):
                await answer(database, "SELECT pg_terminate_backend(pg_backend_pid())")
        await settled(database)
        assert await answer(database) == 42
        await database.close()

    with ExitStack() as stack:
        stack.enter_context(_many_files())
        number = 0
        while number < 1100:
            number = stack.enter_context((tmp_path / "file").open("wb")).fileno()
        asyncio.run(lose_and_find())


async def test_host_with_several_addresses_is_reached(tmp_path: Path) -> None:
    """libpq opens a new socket for each address without notice."""
    with postgres_over("tcp", tmp_path) as server:
        port = server.url.rpartition("/")[0].rpartition(":")[2]
        url = f"postgresql://chatd@/postgres?host=127.0.0.2,127.0.0.1&port={free_port()},{port}"
        database = Database(url, size=2)
        await database.open()
        assert await answer(database) == 42
        await database.close()


@pytest.mark.parametrize("error", [RuntimeError("closed"), OSError("closed"), ValueError("-1")])
async def test_any_error_while_connecting_is_retried(
    postgres: Postgres, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    async def fail(*_: object, **__: object) -> None:
        raise error

    pool = Database(postgres.url, size=2)
    await pool.open()
    await settled(pool)
    with monkeypatch.context() as broken:
        broken.setattr("chatd.db.pool.connect", fail)
        for _ in range(2):
            with pytest.raises(DatabaseUnavailable):
                await answer(pool, "SELECT pg_terminate_backend(pg_backend_pid())")
        await until(lambda: pool.is_unavailable)
        with pytest.raises(DatabaseUnavailable):
            async with pool.dedicated_connection():
                pass
    await settled(pool)
    assert await answer(pool) == 42
    await pool.close()


async def test_unreachable_server_is_an_error_at_the_start() -> None:
    database = Database("postgresql://nobody@127.0.0.1:1/nothing", size=2)
    with pytest.raises(DatabaseUnavailable, match="refused"):
        await database.open()
    await database.close()


async def test_server_without_durability_is_refused(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    with running_postgres(tmp_path_factory.mktemp("not-durable")) as server:
        connection = psycopg2.connect(server.url)
        connection.autocommit = True
        with connection.cursor() as cur:
            cur.execute("ALTER SYSTEM SET synchronous_commit = off")
            cur.execute("SELECT pg_reload_conf()")
        connection.close()
        database = Database(server.url, size=2)
        async with asyncio.timeout(60):
            while True:
                try:
                    await database.open()
                except NotDurable as refused:
                    assert "synchronous_commit" in str(refused)
                    break
                finally:
                    await database.close()


async def test_connection_lost_before_fetch_raises_an_error(database: Database) -> None:
    async with database.cursor() as cur:
        await cur.execute("SELECT pg_backend_pid()")
        row = await cur.fetchone()
        assert row is not None
        await cur.execute("SELECT 1")
        assert await answer(database, f"SELECT pg_terminate_backend({row[0]})") is True
        await until(lambda: bool(cur._inner.closed))
        with pytest.raises(DatabaseUnavailable):
            await cur.fetchone()
        with pytest.raises(DatabaseUnavailable):
            await cur.fetchall()


async def a_transaction(database: Database) -> None:
    transaction = await database.begin()
    try:
        await transaction.cur.execute("SELECT 1")
    finally:
        await transaction.rollback()


@pytest.mark.parametrize("use", [answer, a_transaction])
async def test_connection_that_breaks_before_its_first_use_raises_an_error(
    database: Database, use: Callable[[Database], Coroutine[Any, Any, object]]
) -> None:
    """The connection breaks after a task was given it, and before the task uses it."""
    held = [await database.begin() for _ in range(2)]
    waiting = asyncio.create_task(use(database))
    await until(lambda: database.waiting == 1)
    for transaction in held:
        await transaction.rollback()
    for connection in database._used:
        connection.raw.close()
    with pytest.raises(DatabaseUnavailable):
        await waiting
    await settled(database)
    assert await answer(database) == 42


async def test_prepared_statement_works_across_transactions_and_connections(
    database: Database,
) -> None:
    doubled = PreparedStatement("SELECT %(number)s * 2", number="integer")
    for _ in range(3):
        transaction = await database.begin()
        await transaction.cur.run(doubled, {"number": 21})
        assert await transaction.cur.fetchone() == (42,)
        await transaction.rollback()
    async with database.cursor() as cur:
        await cur.run(doubled, {"number": 4})
        await cur.execute("SELECT pg_backend_pid()")
        row = await cur.fetchone()
        assert row is not None
        await answer(database, f"SELECT pg_terminate_backend({row[0]})")
        await until(lambda: bool(cur._inner.closed))
    await settled(database)
    for _ in range(4):
        async with database.cursor() as cur:
            await cur.run(doubled, {"number": 5})
            assert await cur.fetchone() == (10,)
