"""The SQL statements that requests run."""

from __future__ import annotations

import asyncio

import pytest

from chatd.core.retry import retried
from chatd.db.cursor import Cursor
from chatd.queries import logins


def _is_background(task: asyncio.Task[object] | None) -> bool:
    """Return whether this is a background task: `retried` runs each of them but one."""
    if task is None:
        return False
    code = getattr(task.get_coro(), "cr_code", None)
    return code is retried.__code__ or task.get_name() == "worker id"


def record_statements(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return a list that grows by the first 60 characters of every statement of a request.

    Not recorded: statements of background tasks, the look-up of a token's login, which runs every
    two seconds however many requests there are, and PREPARE, which a connection runs once.
    """
    recorded: list[str] = []
    execute = Cursor.execute

    async def record(self: Cursor, query: str, *args: object, **options: object) -> None:
        is_request = not _is_background(asyncio.current_task())
        is_counted = query != logins._FIND_CALLER_OF_TOKEN.execute and not query.startswith(
            "PREPARE"
        )
        if is_request and is_counted:
            recorded.append(" ".join(query.split())[:60])
        await execute(self, query, *args, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(Cursor, "execute", record)
    return recorded
