"""Deadlines, and tasks that are limited for each account."""

from __future__ import annotations

import asyncio

import pytest

from chatd.context.bounded_tasks import BoundedTasks
from chatd.context.deadlines import Deadlines


async def test_waits_for_the_earliest_deadline() -> None:
    deadlines = Deadlines()
    deadlines.add(60.0)
    waiting = asyncio.create_task(deadlines.wait(at_most_s=60.0))
    await asyncio.sleep(0)
    deadlines.add(0.0)  # it wakes the task that waits for a later one
    await asyncio.wait_for(waiting, 5.0)
    await deadlines.wait(at_most_s=0.0)


async def test_waits_at_most_an_interval() -> None:
    deadlines = Deadlines()
    await asyncio.wait_for(deadlines.wait(at_most_s=0.01), 5.0)
    deadlines.add(60.0)
    await asyncio.wait_for(deadlines.wait(at_most_s=0.01), 5.0)


async def test_key_cannot_use_more_than_its_part() -> None:
    tasks = BoundedTasks(max_for_key=2, max_in_all=3)
    release = asyncio.Event()
    ended = []

    async def work() -> None:
        await release.wait()
        ended.append(1)

    assert [tasks.start(1, work) for _ in range(3)] == [True, True, False]
    assert tasks.start(2, work)
    assert not tasks.start(3, work)
    release.set()
    await tasks.drain()
    assert len(ended) == 3
    assert tasks.start(1, work)
    await tasks.drain()


@pytest.mark.expects_error_log
async def test_failed_task_is_logged_and_ends(caplog: pytest.LogCaptureFixture) -> None:
    tasks = BoundedTasks(max_for_key=1)

    async def fail() -> None:
        raise LookupError

    assert tasks.start(1, fail)
    await tasks.drain()
    assert "a background task has failed" in caplog.text
    assert tasks.start(1, fail)
    await tasks.drain()
