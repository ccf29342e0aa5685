"""Fixtures of all tests that let servers work on a busy machine.

Timeouts of servers here are so long that a machine that does much else does not reach them, and
what servers do in the background is rarer. Tests of a timeout set its real length, or a shorter
one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from chatd.context import lock_queue
from chatd.core import interactions
from chatd.db import pool
from chatd.observability import loop_monitor
from chatd.ratelimit import limiter
from chatd.runtime import worker_lease
from chatd.services.messages import search
from chatd.web import draining
from tests.world import TIMEOUT_S


@pytest.fixture(scope="session", autouse=True)
def short_drains() -> Iterator[None]:
    """Let servers that stop wait for no further request on connections that clients keep open.

    `tests/web/test_draining.py` tests that wait, with its real length.
    """
    with pytest.MonkeyPatch.context() as patches:
        patches.setattr(draining, "_KEEPALIVE_GRACE_S", 0.1)
        yield


@pytest.fixture(scope="session", autouse=True)
def long_leases() -> Iterator[None]:
    """Let servers keep their WORKER_ID while a busy machine does not run this process.

    Without it they generate no ids and refuse writes. `tests/runtime/test_worker_lease.py` tests
    the lease with its real length.
    """
    with pytest.MonkeyPatch.context() as patches:
        patches.setattr(worker_lease, "LEASE_S", 120.0)
        yield


@pytest.fixture(scope="session", autouse=True)
def rare_loop_samples() -> Iterator[None]:
    """Let servers measure the lag of the event loop twice a second instead of 20 times.

    The samples and their thread are half of what an idle server costs: 6 ms of CPU time a second,
    in each process of tests. `tests/observability/test_metrics.py` tests them at the real rate.
    """
    with pytest.MonkeyPatch.context() as patches:
        patches.setattr(loop_monitor, "_SAMPLE_S", 0.5)
        yield


@pytest.fixture(scope="session", autouse=True)
def patient_interactions() -> Iterator[None]:
    """Give applications the time of a busy machine to respond to interactions.

    Tests of the deadline set one of their own.
    """
    with pytest.MonkeyPatch.context() as patches:
        patches.setattr(interactions, "ACKNOWLEDGE_S", 60.0)
        yield


@pytest.fixture(scope="session", autouse=True)
def long_redis_timeouts() -> Iterator[None]:
    """Let servers wait for Redis as long as a busy machine needs, before they count alone.

    Tests without Redis set the real time.
    """
    with pytest.MonkeyPatch.context() as patches:
        patches.setattr(limiter, "REDIS_TIMEOUT_S", TIMEOUT_S)
        yield


REAL_LOCK_TIMEOUT_S = pool.LOCK_TIMEOUT_S
REAL_SESSION_OPTIONS = pool._SESSION_OPTIONS


@pytest.fixture(scope="session", autouse=True)
def long_lock_timeouts() -> Iterator[None]:
    """Let requests wait for locks, connections and slots as long as a busy machine needs.

    Tests of these timeouts start a server with the fixture `real_lock_timeouts`.
    """
    options = re.sub(
        r"(lock|statement|idle_in_transaction_session)_timeout=\d+s",
        rf"\1_timeout={TIMEOUT_S:.0f}s",
        REAL_SESSION_OPTIONS,
    )
    with pytest.MonkeyPatch.context() as patches:
        patches.setattr(pool, "_SESSION_OPTIONS", options)
        patches.setattr(pool, "ACQUIRE_TIMEOUT_S", TIMEOUT_S)
        patches.setattr(lock_queue, "LOCK_TIMEOUT_S", TIMEOUT_S)
        patches.setattr(search, "_SLOT_TIMEOUT_S", TIMEOUT_S)
        yield


@pytest.fixture
def real_lock_timeouts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let servers that a test starts wait for locks as long as users' servers do."""
    monkeypatch.setattr(pool, "_SESSION_OPTIONS", REAL_SESSION_OPTIONS)
    monkeypatch.setattr(lock_queue, "LOCK_TIMEOUT_S", REAL_LOCK_TIMEOUT_S)
