"""The lease of this process's WORKER_ID. Without it the process generates no ids.

A process holds a WORKER_ID by an advisory lock on a dedicated connection, and by a lease that it
renews every second. Postgres frees the lock as soon as that connection ends, but a process that
has lost its network does not notice. So a process stops generating ids when it has not renewed the
lease in time. Another process that gets the lock waits until the lease ends. It does not wait if
the holder has released the lease, or was a process of this machine that has ended.

Each renewal reserves the ids of the next two seconds, and only reserved ids are generated. The next
holder continues above them, even if the clock has stepped back.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import secrets
import socket
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import chatd
from chatd.core.errors import DatabaseUnavailable, ServiceUnavailable
from chatd.core.retry import retried
from chatd.core.snowflake import EPOCH_MS, SnowflakeGenerator
from chatd.db.cursor import Cursor
from chatd.db.pool import Database
from chatd.queries import workers

log = logging.getLogger(__name__)

LEASE_S = 5.0
"""Without a renewal for this long, the process generates no ids. Five renewals are due in it."""

_RENEW_EVERY_S = 1.0
"""Seconds between two renewals: one small statement a second and instance."""

_RESERVE_AHEAD_MS = 2_000
"""Twice the renewal interval, so that one late renewal does not stop the generation of ids."""

_RETRY_S = 0.2
"""Seconds between two attempts to take the lease again. Without it the instance creates no ids, and
so no messages, so it retries often."""

_TIMEOUT_S = LEASE_S + 3.0
"""How long a start waits for another's lease: until it ends, and Postgres has noticed that the
connection is lost."""

_ANNOUNCE_S = 2.0
"""How long a start waits until its URLs are in the database."""

_MAX_TERMINATIONS = 20
"""Attempts to terminate a lost connection of this process that still holds the lock."""


class WorkerIdTaken(Exception):
    """Another process holds this WORKER_ID; the message says which."""


@dataclass(frozen=True, slots=True)
class _Claim:
    """The WORKER_ID that this process holds or requests."""

    database: Database
    worker_id: int
    snowflakes: SnowflakeGenerator
    holder: str
    process: str
    renewing: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held while a renewal runs."""


class InstanceRegistration:
    """Publishes the URLs of an instance in the database, once its ports are open.

    A separate task writes them, so that the lease never waits for it.
    """

    def __init__(self) -> None:
        self._url: str | None = None
        self._metrics_url: str | None = None
        self._changed = asyncio.Event()
        self._written = asyncio.Event()

    async def announce(self, url: str, metrics_url: str | None) -> None:
        """Register these URLs, and wait up to 2 seconds until they are written.

        While the database is unavailable, they are written later.
        """
        self._url, self._metrics_url = url, metrics_url
        self._changed.set()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_ANNOUNCE_S):
                await self._written.wait()

    def renew(self) -> None:
        """Write the URLs again: the database may be another one, restored from a backup."""
        if self._url is not None:
            self._changed.set()

    async def run(self, database: Database, worker_id: int, holder: str) -> None:
        """Write announced URLs until cancelled."""
        while True:
            await self._changed.wait()
            self._changed.clear()
            try:
                async with database.cursor() as cur:
                    await workers.register(
                        cur,
                        worker_id,
                        holder,
                        host=socket.gethostname(),
                        version=chatd.__version__,
                        url=self._url or "",
                        metrics_url=self._metrics_url,
                    )
            except ServiceUnavailable:
                await asyncio.sleep(_RENEW_EVERY_S)
                self._changed.set()
            else:
                self._written.set()


@asynccontextmanager
async def worker_id_lease(
    database: Database,
    worker_id: int,
    snowflakes: SnowflakeGenerator,
    *,
    timeout_s: float = _TIMEOUT_S,
    registration: InstanceRegistration | None = None,
) -> AsyncIterator[None]:
    """Hold the worker id. If another process takes it, the context is cancelled.

    Waits up to `timeout_s` seconds for a worker id that another process holds.

    Raises WorkerIdTaken, DatabaseUnavailable.
    """
    # Containers may have the same process id and host name, hence the random part.
    holder = f"process {os.getpid()} on {socket.gethostname()} ({secrets.token_hex(4)})"
    claim = _Claim(database, worker_id, snowflakes, holder, _this_process())
    snowflakes.suspend()
    with _suspended_on_outage(database, snowflakes):
        async with AsyncExitStack() as connection:
            cur = await connection.enter_async_context(database.dedicated_connection())
            await _take(cur, claim, timeout_s)
            await _renew(cur, claim)
            held = [cur]
            try:
                async with asyncio.TaskGroup() as tasks:
                    registration = registration or InstanceRegistration()
                    register = partial(registration.run, database, worker_id, holder)
                    registering = tasks.create_task(
                        retried("registration", register), name="registration"
                    )
                    hold = _hold(connection, held, claim, registration)
                    holding = tasks.create_task(hold, name="worker id")
                    try:
                        yield
                    finally:
                        await _cancel_between_renewals(holding, claim)
                        registering.cancel()
            finally:
                snowflakes.suspend()
                # Frees the reserved ids that were not used. If this fails, the next holder skips
                # them. Commands that fail one after another would get further ahead of the clock.
                with contextlib.suppress(ServiceUnavailable, DatabaseUnavailable):
                    await workers.release(held[0], worker_id, holder, last_ms=snowflakes.last_ms)


async def _cancel_between_renewals(holding: asyncio.Task[None], claim: _Claim) -> None:
    """Cancel the task that renews a lease, once its renewal has ended.

    A cancelled statement closes the connection, which is needed to release the lease.
    """
    try:
        async with asyncio.timeout(_RENEW_EVERY_S), claim.renewing:
            holding.cancel()
    except TimeoutError:  # the database does not answer
        holding.cancel()


@contextmanager
def _suspended_on_outage(database: Database, snowflakes: SnowflakeGenerator) -> Iterator[None]:
    """Suspend the ids when the database becomes unavailable, until the lease is renewed.

    A restart of Postgres ends the lease's connection too. Until that is noticed, an instance would
    seem ready, and would then refuse to store anything.
    """

    def suspend() -> None:
        snowflakes.suspend()
        snowflakes.needs_renewal.set()

    database.on_unavailable.append(suspend)
    try:
        yield
    finally:
        database.on_unavailable.remove(suspend)


async def _hold(
    connection: AsyncExitStack,
    held: list[Cursor],
    claim: _Claim,
    registration: InstanceRegistration,
) -> None:
    """Renew the lease; after losing its connection, take it again on a new one."""
    while True:
        try:
            await _keep_renewing(held[0], claim)
        except ServiceUnavailable as error:
            log.error(
                "lost the lease of WORKER_ID %d, generating no ids: %s", claim.worker_id, error
            )
        claim.snowflakes.suspend()
        while True:
            await connection.aclose()
            await asyncio.sleep(_RETRY_S)
            try:
                own = claim.database.dedicated_connection()
                held[0] = await connection.enter_async_context(own)
                await _take(held[0], claim, _TIMEOUT_S)
                await _renew(held[0], claim)
                break
            except ServiceUnavailable:
                continue
        registration.renew()
        log.warning("recovered the lease of WORKER_ID %d", claim.worker_id)


async def _keep_renewing(cur: Cursor, claim: _Claim) -> None:
    needs_renewal = claim.snowflakes.needs_renewal
    while True:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_RENEW_EVERY_S):
                await needs_renewal.wait()
        await _renew(cur, claim)


async def _renew(cur: Cursor, claim: _Claim) -> None:
    """Renew the lease and the reservation.

    Raises WorkerIdTaken, ServiceUnavailable, DatabaseUnavailable.
    """
    snowflakes = claim.snowflakes
    now_ms = time.time_ns() // 1_000_000 - EPOCH_MS
    until_ms = max(now_ms, snowflakes.last_ms) + _RESERVE_AHEAD_MS
    # For this process the lease begins before the statement runs, for others after it.
    began = snowflakes.clock_s()
    async with claim.renewing, claim.database.probe_if_slow():
        is_ours = await workers.renew(
            cur, claim.worker_id, claim.holder, until_ms=until_ms, lease_s=LEASE_S
        )
    if not is_ours:
        snowflakes.suspend()
        other = await workers.get_lease(cur, claim.worker_id)
        raise _taken(claim, other)
    snowflakes.lease(until_s=began + LEASE_S, limit_ms=until_ms)


async def _take(cur: Cursor, claim: _Claim, timeout_s: float) -> None:
    """Get the lock, and wait for the end of another's lease. Raises WorkerIdTaken."""
    deadline = time.monotonic() + timeout_s
    terminations = 0
    while True:
        is_locked = await workers.try_lock(cur, claim.worker_id)
        lease = await workers.get_lease(cur, claim.worker_id)
        is_own = lease is not None and lease.holder == claim.holder
        if is_locked and (is_own or _is_over(lease)):
            break
        if not is_locked and is_own and terminations < _MAX_TERMINATIONS:
            # Postgres has not noticed yet that this process has lost the connection.
            terminations += 1
            await workers.terminate_holder(cur, claim.worker_id)
        elif time.monotonic() >= deadline:
            raise _taken(claim, lease)
        await asyncio.sleep(0.1)
    claim.snowflakes.start_after(
        await workers.acquire(cur, claim.worker_id, claim.holder, claim.process)
    )


def _is_over(lease: workers.Lease | None) -> bool:
    return lease is None or lease.left_s <= 0 or _has_ended(lease)


def _taken(claim: _Claim, lease: workers.Lease | None) -> WorkerIdTaken:
    holder = "another process" if lease is None else lease.holder
    return WorkerIdTaken(f"WORKER_ID {claim.worker_id} is in use by {holder}")


def _this_process() -> str:
    """Return a name that is unique over all machines; empty where there is no /proc."""
    machine = _machine()
    return f"{machine} {os.getpid()} {_started(os.getpid())}" if machine else ""


def _has_ended(lease: workers.Lease) -> bool:
    """Return whether the holder is a process of this machine that has ended."""
    machine, _, rest = lease.process.partition(" ")
    pid, _, started = rest.partition(" ")
    return bool(machine) and machine == _machine() and _started(int(pid)) != started


def _machine() -> str:
    """Identify this boot of this machine, and the namespace of its process ids."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{boot}/{Path('/proc/self/ns/pid').readlink()}"
    except OSError:
        return ""


def _started(pid: int) -> str:
    """Return the start time of a process in clock ticks; empty if there is none (proc(5))."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except OSError:
        return ""
