"""Statements that pause between their snapshot and their locks, so that rows change in between."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from copy import copy
from typing import TypeVar

import psycopg2

from chatd.db.cursor import PreparedStatement

T = TypeVar("T")

_LOCK_ID = 1


def paused(statement: PreparedStatement, before: str) -> PreparedStatement:
    """Return a statement that waits for an advisory lock before it reads from `before`."""
    assert f"FROM {before}" in statement.prepare
    slow = copy(statement)
    slow.name = f"paused_{statement.name}"
    wait = f"FROM pg_advisory_xact_lock_shared({_LOCK_ID}) AS waiting, {before}"
    slow.prepare = statement.prepare.replace(f"FROM {before}", wait, 1)
    slow.prepare = slow.prepare.replace(statement.name, slow.name)
    slow.execute = statement.execute.replace(statement.name, slow.name)
    return slow


async def changed_in_the_pause(
    other: psycopg2.extensions.cursor, running: Awaitable[T], change: str
) -> T:
    """Run a call of a paused statement; commit a change when it has its snapshot."""
    other.execute(f"SELECT pg_advisory_xact_lock({_LOCK_ID})")
    task = asyncio.ensure_future(running)
    waiting = 0
    while not waiting:
        await asyncio.sleep(0.01)
        other.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
        [(waiting,)] = other.fetchall()
    other.execute(change)
    other.connection.commit()
    return await task
