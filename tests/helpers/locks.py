"""Races on purpose: a test holds a lock, and releases it when other requests wait for it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TypeAlias

import psycopg2

from chatd.core.ids import StreamId
from chatd.web.keys import DEPENDENCIES
from tests.conftest import Server
from tests.world import TIMEOUT_S, Answer

Call: TypeAlias = Callable[[], Awaitable[Answer]]


class HeldLock:
    """A lock of a row or of a table, in a transaction of the test.

    `queued` counts requests that an instance holds back itself, before they ask Postgres.
    """

    def __init__(
        self, url: str, sql: str, row_id: str, queued: Callable[[], int] = lambda: 0
    ) -> None:
        self._queued = queued
        self._holder = psycopg2.connect(url)
        self._watcher = psycopg2.connect(url)
        self._watcher.autocommit = True
        with self._holder.cursor() as cur:
            cur.execute(sql, {"id": int(row_id)})

    async def waited_for_by(self, count: int) -> None:
        """Wait until this many requests wait for the lock."""
        async with asyncio.timeout(TIMEOUT_S):
            while max(self._waiting(), self._queued()) < count:
                await asyncio.sleep(0.01)

    def release(self) -> None:
        """End the transaction, so that the next request gets the lock."""
        self._holder.rollback()

    def close(self) -> None:
        """Release the lock and close both connections."""
        self._holder.close()
        self._watcher.close()

    def _waiting(self) -> int:
        """Count the connections that wait for this lock, or for one that waits for it."""
        with self._watcher.cursor() as cur:
            cur.execute(
                """
                WITH RECURSIVE blocked (pid) AS (
                    SELECT %(holder)s
                     UNION
                    SELECT activity.pid
                      FROM blocked, pg_stat_activity AS activity
                     WHERE activity.wait_event_type = 'Lock'
                       AND blocked.pid = ANY (pg_blocking_pids(activity.pid))
                )
                SELECT count(*) - 1 FROM blocked
                """,
                {"holder": self._holder.get_backend_pid()},
            )
            [(count,)] = cur.fetchall()
            return int(count)


@contextmanager
def held_user(server: Server, user_id: str) -> Iterator[HeldLock]:
    """Hold the lock of the row of an account."""
    held = HeldLock(
        server.config.database_url, "SELECT FROM users WHERE id = %(id)s FOR UPDATE", user_id
    )
    try:
        yield held
    finally:
        held.close()


@contextmanager
def held_table(server: Server, name: str) -> Iterator[HeldLock]:
    """Hold the lock of a whole table, which no other transaction can even read."""
    held = HeldLock(server.config.database_url, f"LOCK TABLE {name} IN ACCESS EXCLUSIVE MODE", "0")
    try:
        yield held
    finally:
        held.close()


@contextmanager
def held_stream(server: Server, stream_id: str) -> Iterator[HeldLock]:
    """Hold the lock of the stream of a user or a guild."""
    queues = server.runner.app[DEPENDENCIES].lock_queues

    def queued() -> int:
        """Count the requests that wait on this instance; only the first one asks Postgres."""
        return queues.length(StreamId(int(stream_id)))

    sql = "SELECT FROM streams WHERE id = %(id)s FOR UPDATE"
    held = HeldLock(server.config.database_url, sql, stream_id, queued)
    try:
        yield held
    finally:
        held.close()


async def one_after_the_other(held: AbstractContextManager[HeldLock], *calls: Call) -> list[Answer]:
    """Let calls wait for a lock one after the other, then release it; return the responses."""
    with held as row:
        running = []
        for n, call in enumerate(calls):
            running.append(asyncio.ensure_future(call()))
            await row.waited_for_by(n + 1)
        row.release()
        return await asyncio.gather(*running)
