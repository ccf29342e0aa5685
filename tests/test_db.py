"""The pool: nobody waits for ever, and a lost connection is replaced."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import psycopg2
import pytest
from aiopg.connection import Connection

from chatd import embedded
from chatd.core.errors import Busy, DatabaseAway
from chatd.db import Database, NotDurable, Prepared


@pytest.fixture
async def database(postgres: embedded.Postgres) -> AsyncIterator[Database]:
    """A pool of two connections."""
    pool = Database(postgres.url, size=2)
    await pool.open()
    yield pool
    await pool.close()


async def answer(database: Database, sql: str = "SELECT 42") -> object:
    async with database.cursor() as cur:
        await cur.execute(sql)
        row = await cur.fetchone()
    return row and row[0]


async def until(condition: Callable[[], bool]) -> None:
    """Wait for what the pool does by itself."""
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.01)


async def settled(database: Database) -> None:
    """Wait until the pool is whole again."""
    await until(lambda: database.idle == 2)


async def test_many_share_few_connections(database: Database) -> None:
    answers = await asyncio.gather(*(answer(database) for _ in range(50)))
    assert answers == [42] * 50
    assert database.in_use == 0


async def test_a_cancelled_query_wakes_those_who_wait(database: Database) -> None:
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


async def test_one_who_gives_up_waiting_loses_no_connection(database: Database) -> None:
    sleepers = [asyncio.create_task(answer(database, "SELECT pg_sleep(0.2)")) for _ in range(2)]
    while database.in_use < 2:
        await asyncio.sleep(0)
    impatient = [asyncio.create_task(answer(database)) for _ in range(5)]
    await asyncio.sleep(0)
    for task in impatient:
        task.cancel()
    await asyncio.gather(*sleepers, *impatient, return_exceptions=True)
    await settled(database)
    assert await answer(database) == 42


async def test_a_full_pool_says_busy_after_a_while(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chatd.db.ACQUIRE_TIMEOUT_S", 0.05)
    sleepers = [asyncio.create_task(answer(database, "SELECT pg_sleep(1)")) for _ in range(2)]
    while database.in_use < 2:
        await asyncio.sleep(0)
    with pytest.raises(Busy):
        await answer(database)
    await asyncio.gather(*sleepers)


async def test_a_statement_that_takes_too_long_is_busy_not_cancelled(database: Database) -> None:
    asyncio.get_running_loop().set_exception_handler(lambda *_: None)  # aiopg complains to it
    async with database.cursor() as cur:
        await cur.execute("SET statement_timeout = '50ms'")
        with pytest.raises(Busy):
            await cur.execute("SELECT pg_sleep(5)")
    asyncio.get_running_loop().set_exception_handler(None)
    assert await answer(database) == 42


async def test_a_transaction_that_is_given_up_leaves_nothing(
    database: Database, postgres: embedded.Postgres
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


async def test_a_cancellation_that_comes_with_the_answer_leaves_no_connection_confused(
    postgres: embedded.Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    statement = Prepared("SELECT %(number)s + 1", number="int")
    answered = Connection._ready
    doomed: set[asyncio.Task[None]] = set()

    def ready(weak_self: Any) -> None:
        waiter = weak_self()._waiter
        answered(weak_self)
        if waiter is not None and waiter.done():
            for task in doomed:
                task.cancel()  # the statement is done, and nobody has been told yet

    async def run() -> None:
        async with pool.cursor() as cur:
            await cur.run(statement, {"number": 41})

    monkeypatch.setattr(Connection, "_ready", staticmethod(ready))
    pool = Database(postgres.url, size=2)
    await pool.open()
    try:
        doomed.add(asyncio.create_task(run()))
        await asyncio.wait(doomed)
        assert all(task.cancelled() for task in doomed)
        doomed.clear()
        await settled(pool)
        await asyncio.gather(*(run() for _ in range(4)))
    finally:
        await pool.close()


async def test_a_transaction_cancelled_in_the_middle_is_undone(database: Database) -> None:
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


async def test_a_restart_of_the_server_is_survived(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    with embedded.postgres(tmp_path_factory.mktemp("restarted")) as server:
        database = Database(server.url, size=2)
        await database.open()
        await settled(database)
        await asyncio.to_thread(server.kill)
        with pytest.raises(DatabaseAway):
            await answer(database)
        await until(lambda: database.away)
        before = asyncio.get_running_loop().time()
        with pytest.raises(DatabaseAway):
            await answer(database)
        assert asyncio.get_running_loop().time() - before < 1  # at once, without trying
        await asyncio.to_thread(server.start)
        await until(lambda: not database.away)
        assert await answer(database) == 42
        await database.close()


async def test_an_unreachable_server_is_told_at_the_start() -> None:
    database = Database("postgresql://nobody@127.0.0.1:1/nothing", size=2)
    with pytest.raises(DatabaseAway, match="refused"):
        await database.open()
    await database.close()


async def test_a_server_that_forgets_is_refused(tmp_path_factory: pytest.TempPathFactory) -> None:
    with embedded.postgres(tmp_path_factory.mktemp("forgetful")) as server:
        connection = psycopg2.connect(server.url)
        connection.autocommit = True
        with connection.cursor() as cur:
            cur.execute("ALTER SYSTEM SET synchronous_commit = off")
            cur.execute("SELECT pg_reload_conf()")
        connection.close()
        database = Database(server.url, size=2)
        async with asyncio.timeout(10):
            while True:
                try:
                    await database.open()
                except NotDurable as refused:
                    assert "synchronous_commit" in str(refused)
                    break
                finally:
                    await database.close()


async def test_a_server_that_leaves_before_its_answer_is_read(database: Database) -> None:
    async with database.cursor() as cur:
        await cur.execute("SELECT pg_backend_pid()")
        row = await cur.fetchone()
        assert row is not None
        await cur.execute("SELECT 1")
        assert await answer(database, f"SELECT pg_terminate_backend({row[0]})") is True
        await until(lambda: bool(cur._inner.closed))
        with pytest.raises(DatabaseAway):
            await cur.fetchone()
        with pytest.raises(DatabaseAway):
            await cur.fetchall()


async def test_a_prepared_statement_outlives_transactions_and_connections(
    database: Database,
) -> None:
    doubled = Prepared("SELECT %(number)s * 2", number="integer")
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
