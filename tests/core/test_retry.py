"""Background tasks: an unexpected error ends neither the task nor the process."""

from __future__ import annotations

import ast
import asyncio
import logging
from pathlib import Path

import pytest

import chatd
from chatd.core import retry

ROOT = Path(chatd.__file__).parent


@pytest.mark.expects_error_log
async def test_failing_task_is_restarted_and_logged_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(retry, "_FIRST_PAUSE_S", 0.001)
    runs = 0

    async def work() -> None:
        nonlocal runs
        runs += 1
        if runs < 4:
            raise RuntimeError("the handler is closed")

    with caplog.at_level(logging.INFO):
        await retry.retried("some work", work)
    assert runs == 4
    logged = [each.getMessage() for each in caplog.records if each.name == retry.log.name]
    assert logged == ["background task failed, restarting it: some work"]


async def test_cancelling_ends_the_task() -> None:
    task = asyncio.create_task(retry.retried("sleep", lambda: asyncio.sleep(60)))
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait({task})
    assert task.cancelled()


# Tasks that must end on an error, or that handle all errors themselves.
BY_ITSELF = {
    "dispatcher",  # ends the process, whose sessions are inconsistent then
    "worker id",  # raises when another process holds the id
    "feed start",
    "gateway reader",
    "gateway member requests",
    "late guilds",
    "group commit",
    "read states",
    "resume validation",
    "readiness",
    "database probe",
    "loop monitor",
    "database connections",
    "bounded",  # once, for one request
    "clients of people",  # runs tasks with `retried`
    "row counts",  # `chatd backup` awaits these three
    "stored file of a backup",
    "transfer",
    "load messages",  # of a command
    "close of a Redis client",  # which `close` awaits
}


def test_every_background_task_is_restarted() -> None:
    found = set()
    for path in sorted(ROOT.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            is_task = isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "create_task"
            if not is_task:
                continue
            assert isinstance(node, ast.Call)
            text = ast.unparse(node.args[0])
            if text.startswith("retried(") or text in ("work", "coroutine"):
                continue  # awaited by a request
            names = [ast.literal_eval(each.value) for each in node.keywords if each.arg == "name"]
            assert names, f"{path.name}: {text} has no name"
            found |= set(names)
    assert found <= BY_ITSELF, f"start these with `retried`: {found - BY_ITSELF}"
