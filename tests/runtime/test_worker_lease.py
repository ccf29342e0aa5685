"""The lease of a WORKER_ID: without it no ids are generated, and no id is generated twice."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import psycopg2
import pytest

from chatd.core.errors import DatabaseUnavailable, NoLease, ServiceUnavailable
from chatd.core.snowflake import EPOCH_MS, SnowflakeGenerator
from chatd.db.pool import Database
from chatd.runtime import worker_lease
from chatd.runtime.worker_lease import WorkerIdTaken, worker_id_lease
from tests.helpers.proxy import Proxy
from tests.helpers.servers import free_port, migrated_postgres_over

_WITHIN_S = 60.0
_LEASE_S = worker_lease.LEASE_S  # as imported, before `long_leases` changes it


@pytest.fixture(autouse=True)
def real_lease(long_leases: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker_lease, "LEASE_S", _LEASE_S)


@dataclass(frozen=True)
class Ground:
    """A Postgres, and a proxy to it that can be interrupted."""

    url: str
    wire: Proxy
    url_by_wire: str

    async def run(self, sql: str, *values: object) -> Any:
        """Run a statement as an administrator; returns the first row."""

        def run() -> Any:
            connection = psycopg2.connect(self.url)
            connection.autocommit = True
            with connection.cursor() as cur:
                cur.execute(sql, values)
                row = cur.fetchone() if cur.description else None
            connection.close()
            return row

        return await asyncio.to_thread(run)


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with migrated_postgres_over("tcp", tmp_path_factory.mktemp("leases")) as (_, made):
        yield made


@pytest.fixture
async def ground(url: str) -> AsyncIterator[Ground]:
    port = free_port()
    target = int(url.rpartition("/")[0].rpartition(":")[2])
    async with Proxy(port, target).forwarding() as wire:
        made = Ground(url, wire, url.replace(str(target), str(port)))
        await made.run("TRUNCATE workers")
        yield made


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(_WITHIN_S):
        while not condition():
            await asyncio.sleep(0.01)


async def opened(stack: AsyncExitStack, url: str, name: str) -> Database:
    database = Database(url, size=1, name=name)
    await database.open()
    stack.push_async_callback(database.close)
    return database


async def test_no_ids_are_generated_while_the_lease_may_be_lost(ground: Ground) -> None:
    ids = SnowflakeGenerator(4)
    async with AsyncExitStack() as stack:
        database = await opened(stack, ground.url_by_wire, "first")
        async with worker_id_lease(database, 4, ids):
            last = ids.next()
            ground.wire.stall()
            await until(lambda: not ids.is_leased)
            with pytest.raises(NoLease):
                ids.next()
            ground.wire.restore()
            await until(lambda: ids.is_leased)
            assert ids.next() > last


async def test_lease_is_released_though_a_renewal_runs(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stop that cancelled the renewal would lose the connection, and keep the WORKER_ID."""
    monkeypatch.setattr(worker_lease, "_RENEW_EVERY_S", _WITHIN_S)  # how long a stop waits for one
    ids = SnowflakeGenerator(4)
    async with AsyncExitStack() as stack:
        database = await opened(stack, ground.url, "first")
        lease = AsyncExitStack()
        await lease.enter_async_context(worker_id_lease(database, 4, ids))
        with contextlib.closing(psycopg2.connect(ground.url)) as other, other.cursor() as row:
            row.execute("SELECT FROM workers WHERE id = 4 FOR UPDATE")
            ids.needs_renewal.set()
            waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted"
            async with asyncio.timeout(_WITHIN_S):
                while (await ground.run(waiting))[0] == 0:
                    await asyncio.sleep(0.01)
            stopping = asyncio.create_task(lease.aclose())
            await asyncio.sleep(0)
            other.rollback()
            await stopping
    assert (await ground.run("SELECT leased_until FROM workers WHERE id = 4"))[0] is None


async def test_lease_is_released_by_what_fails(ground: Ground) -> None:
    """Otherwise each of a few failing commands would reserve ids two seconds further ahead."""
    ids = SnowflakeGenerator(4)
    async with AsyncExitStack() as stack:
        database = await opened(stack, ground.url, "first")
        with pytest.raises(ExceptionGroup):
            async with worker_id_lease(database, 4, ids):
                last = ids.next() >> 22
                raise KeyError
    row = await ground.run("SELECT leased_until, reserved_ms FROM workers WHERE id = 4")
    assert row == (None, last)


async def test_no_ids_are_generated_after_losing_the_connection(ground: Ground) -> None:
    ids = SnowflakeGenerator(4)
    async with AsyncExitStack() as stack:
        database = await opened(stack, ground.url_by_wire, "first")
        async with worker_id_lease(database, 4, ids):
            ground.wire.cut()
            await until(lambda: not ids.is_leased)
            ground.wire.restore()
            await until(lambda: ids.is_leased)


async def test_no_ids_are_generated_under_a_lease_from_before_an_outage(ground: Ground) -> None:
    """The pool notices an outage before the next renewal is due."""
    ids = SnowflakeGenerator(4)
    async with AsyncExitStack() as stack:
        database = await opened(stack, ground.url_by_wire, "first")
        async with worker_id_lease(database, 4, ids):
            ground.wire.cut()
            with contextlib.suppress(ServiceUnavailable, DatabaseUnavailable):
                async with database.cursor() as cur:
                    await cur.execute("SELECT 1")
            while not database.is_unavailable:
                await asyncio.sleep(0)
            assert not ids.is_leased
            ground.wire.restore()
            await until(lambda: ids.is_leased)


async def test_next_holder_waits_for_the_end_of_the_lease(ground: Ground) -> None:
    """Postgres frees the lock of a process that has not noticed the loss of its connection."""
    old, new = SnowflakeGenerator(4), SnowflakeGenerator(4)
    async with AsyncExitStack() as stack:
        first = await opened(stack, ground.url_by_wire, "first")
        second = await opened(stack, ground.url, "second")
        with pytest.raises(ExceptionGroup) as lost:
            async with worker_id_lease(first, 4, old):
                made = [old.next() for _ in range(10)]
                ground.wire.stall()
                # A process of another machine: whether it has ended is unknown.
                await ground.run("UPDATE workers SET process = 'elsewhere 1 1'")
                await ground.run(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE application_name = 'first'"
                )
                async with worker_id_lease(second, 4, new):
                    assert not old.is_leased
                    with pytest.raises(NoLease):
                        old.next()
                    assert new.next() > max(made)
                    ground.wire.restore()
                    await asyncio.sleep(_WITHIN_S)  # until this process notices
        assert lost.group_contains(WorkerIdTaken, match="in use by process")


async def test_losing_the_worker_id_ends_the_process(ground: Ground) -> None:
    ids = SnowflakeGenerator(4)
    async with AsyncExitStack() as stack:
        database = await opened(stack, ground.url, "first")
        with pytest.raises(ExceptionGroup) as lost:
            async with worker_id_lease(database, 4, ids):
                await ground.run("UPDATE workers SET holder = 'another'")
                await asyncio.sleep(_WITHIN_S)
        assert lost.group_contains(WorkerIdTaken, match="WORKER_ID 4 is in use by another")
        with pytest.raises(NoLease):
            ids.next()


async def test_start_continues_above_reserved_ids(ground: Ground) -> None:
    """This also applies after the clock has stepped back."""
    ahead_ms = 2**41
    await ground.run("INSERT INTO workers (id, holder, reserved_ms) VALUES (4, 'x', %s)", ahead_ms)
    ids = SnowflakeGenerator(4)
    async with AsyncExitStack() as stack:
        database = await opened(stack, ground.url, "first")
        async with worker_id_lease(database, 4, ids):
            first = ids.next()
            assert first >> 22 > ahead_ms
            row = await ground.run("SELECT reserved_ms FROM workers WHERE id = 4")
            assert row[0] >= first >> 22
        assert (await ground.run("SELECT reserved_ms FROM workers WHERE id = 4"))[0] == first >> 22


async def test_only_reserved_ids_are_generated(ground: Ground) -> None:
    """So the next process cannot generate the ids of one that crashed."""
    ids = SnowflakeGenerator(4, clock_ms=lambda: EPOCH_MS + 2**40)
    async with AsyncExitStack() as stack:
        database = await opened(stack, ground.url, "first")
        async with worker_id_lease(database, 4, ids):
            made = ids.next() >> 22
            assert made <= (await ground.run("SELECT reserved_ms FROM workers WHERE id = 4"))[0]
            ids.observe(2**41 << 22)
            with pytest.raises(NoLease):
                ids.next()
            await until(lambda: ids.is_leased)  # at once, not at the next renewal
            made = ids.next() >> 22
            assert made > 2**41
            assert made <= (await ground.run("SELECT reserved_ms FROM workers WHERE id = 4"))[0]


@pytest.mark.parametrize(
    ("process", "waits"),
    [("elsewhere 1 1", True), (f"{worker_lease._machine()} 999999999 1", False), ("", True)],
)
async def test_start_waits_for_a_lease_unless_its_process_has_ended(
    ground: Ground, process: str, waits: bool
) -> None:
    await ground.run(
        "INSERT INTO workers (id, holder, reserved_ms, process, leased_until)"
        " VALUES (4, 'x', 0, %s, now() + interval '3 seconds')",
        process,
    )
    [until_s] = await ground.run("SELECT extract(epoch FROM leased_until) FROM workers")
    async with AsyncExitStack() as stack:
        database = await opened(stack, ground.url, "first")
        async with worker_id_lease(database, 4, SnowflakeGenerator(4)):
            [now_s] = await ground.run("SELECT extract(epoch FROM clock_timestamp())")
    assert (now_s >= until_s) == waits


async def test_lock_of_a_lost_connection_is_recovered(ground: Ground) -> None:
    """Postgres has not noticed yet that this process has lost the connection."""
    ids = SnowflakeGenerator(4)
    async with AsyncExitStack() as stack:
        database = await opened(stack, ground.url_by_wire, "first")
        async with worker_id_lease(database, 4, ids):
            ground.wire.stall_open_connections()
            await until(lambda: not ids.is_leased)
            await until(lambda: ids.is_leased)


def test_clock_step_forward_stays_within_the_reservation() -> None:
    now = [EPOCH_MS + 100]
    ids = SnowflakeGenerator(1, clock_ms=lambda: now[0], clock_s=lambda: 0.0)
    ids.lease(until_s=1.0, limit_ms=110)
    assert ids.next() >> 22 == 100
    now[0] += 3_600_000
    made = [ids.next() for _ in range(4096)]
    assert {each >> 22 for each in made} == {110}
    assert made == sorted(set(made))
    with pytest.raises(NoLease):
        ids.next()
    assert ids.needs_renewal.is_set()


def test_lease_ends_by_the_clock() -> None:
    now_s = [0.0]
    ids = SnowflakeGenerator(1, clock_s=lambda: now_s[0])
    ids.lease(until_s=5.0, limit_ms=2**41)
    ids.next()
    now_s[0] = 5.0
    with pytest.raises(NoLease):
        ids.next()
