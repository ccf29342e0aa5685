"""This process's place among the workers: its WORKER_ID, claimed for as long as it lives.

The claim is an advisory lock on a connection of its own. Beside it stands up to when ids may have
been made, so that a restart after the clock stepped back goes on above them.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import secrets
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from chatd.core.errors import Busy, DatabaseAway
from chatd.core.snowflake import EPOCH_MS, SnowflakeGenerator
from chatd.db import Cursor, Database
from chatd.queries import workers

log = logging.getLogger(__name__)

_RESERVE_EVERY_S = 1.0
_RESERVE_AHEAD_MS = 2_000
_RETRY_S = 0.5
_PATIENCE_S = 5.0


class WorkerIdTaken(Exception):
    """Another process makes ids under this WORKER_ID; the text says which."""


@asynccontextmanager
async def claimed(
    database: Database,
    worker_id: int,
    snowflakes: SnowflakeGenerator,
    *,
    patience_s: float = _PATIENCE_S,
) -> AsyncIterator[None]:
    """Hold the worker id. If another process gets it meanwhile, the context is cancelled.

    One that is taken is waited for so long: a predecessor's connection may take a moment to be
    noticed as gone.

    Raises WorkerIdTaken, DatabaseAway.
    """
    # Containers may share their process id and host name, hence the random part.
    holder = f"process {os.getpid()} on {socket.gethostname()} ({secrets.token_hex(4)})"
    async with database.own_connection() as cur:
        await _claim(cur, worker_id, holder, patience_s)
        snowflakes.start_after(await workers.reserved_ms(cur, worker_id))
        await _reserve(cur, worker_id, snowflakes)
        async with asyncio.TaskGroup() as tasks:
            holding = tasks.create_task(
                _hold(database, cur, worker_id, holder, snowflakes), name="worker id"
            )
            try:
                yield
            finally:
                holding.cancel()
        # Exact, now that no more are made; if it fails, ids only go on a little later.
        with contextlib.suppress(Busy, DatabaseAway):
            await workers.reserve(cur, worker_id, snowflakes.last_ms)


async def _hold(
    database: Database,
    cur: Cursor,
    worker_id: int,
    holder: str,
    snowflakes: SnowflakeGenerator,
) -> None:
    """Renew the reservation; when the connection is lost, claim anew on another."""
    try:
        await _keep_reserving(cur, worker_id, snowflakes)
    except (Busy, DatabaseAway):
        log.warning("lost the connection that holds WORKER_ID %d", worker_id)
    while True:
        await asyncio.sleep(_RETRY_S)
        try:
            async with database.own_connection() as fresh:
                await _claim(fresh, worker_id, holder)
                await _keep_reserving(fresh, worker_id, snowflakes)
        except (Busy, DatabaseAway):
            continue


async def _keep_reserving(cur: Cursor, worker_id: int, snowflakes: SnowflakeGenerator) -> None:
    while True:
        await _reserve(cur, worker_id, snowflakes)
        await asyncio.sleep(_RESERVE_EVERY_S)


async def _reserve(cur: Cursor, worker_id: int, snowflakes: SnowflakeGenerator) -> None:
    now_ms = time.time_ns() // 1_000_000 - EPOCH_MS
    until_ms = max(now_ms, snowflakes.last_ms) + _RESERVE_AHEAD_MS
    await workers.reserve(cur, worker_id, until_ms)


async def _claim(cur: Cursor, worker_id: int, holder: str, patience_s: float = _PATIENCE_S) -> None:
    deadline = time.monotonic() + patience_s
    while not await workers.claim(cur, worker_id, holder):
        taken_by = await workers.holder(cur, worker_id)
        # Our own earlier connection may linger at the server's end; everybody else is another.
        if taken_by != holder and time.monotonic() >= deadline:
            raise WorkerIdTaken(f"WORKER_ID {worker_id} is in use by {taken_by}")
        await asyncio.sleep(0.1)
