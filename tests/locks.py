"""Races that happen: a test holds a lock, and lets go when those who want it stand in line."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg2

from tests.conftest import Server
from tests.world import PATIENCE_S


class Held:
    """What nobody else can have: a row to write to, or a table."""

    def __init__(self, url: str, sql: str, row_id: str) -> None:
        self._holder = psycopg2.connect(url)
        self._watcher = psycopg2.connect(url)
        self._watcher.autocommit = True
        with self._holder.cursor() as cur:
            cur.execute(sql, {"id": int(row_id)})

    async def waited_for_by(self, count: int) -> None:
        """Wait until so many stand in line, in the order in which they came."""
        async with asyncio.timeout(PATIENCE_S):
            while self._waiting() < count:
                await asyncio.sleep(0.01)

    def let_go(self) -> None:
        """Let them have it."""
        self._holder.rollback()

    def close(self) -> None:
        """Let go, and be done."""
        self._holder.close()
        self._watcher.close()

    def _waiting(self) -> int:
        with self._watcher.cursor() as cur:
            cur.execute(
                "SELECT count(*) FROM pg_stat_activity"
                " WHERE datname = current_database() AND wait_event_type = 'Lock'"
            )
            [(count,)] = cur.fetchall()
            return int(count)


@contextmanager
def held_user(server: Server, user_id: str) -> Iterator[Held]:
    """The row of an account, held."""
    held = Held(
        server.config.database_url, "SELECT FROM users WHERE id = %(id)s FOR UPDATE", user_id
    )
    try:
        yield held
    finally:
        held.close()


@contextmanager
def held_table(server: Server, name: str) -> Iterator[Held]:
    """A whole table, which nobody can even read."""
    held = Held(server.config.database_url, f"LOCK TABLE {name} IN ACCESS EXCLUSIVE MODE", "0")
    try:
        yield held
    finally:
        held.close()


@contextmanager
def held_stream(server: Server, stream_id: str) -> Iterator[Held]:
    """The stream of a user or a guild, held."""
    held = Held(
        server.config.database_url, "SELECT FROM streams WHERE id = %(id)s FOR UPDATE", stream_id
    )
    try:
        yield held
    finally:
        held.close()
