"""The SQL statements that requests run."""

from __future__ import annotations

import asyncio

import pytest

from chatd.db.cursor import Cursor
from chatd.queries import logins

_BACKGROUND_TASKS = (
    "gap monitor",
    "indexer",
    "janitor",
    "pending deletions",
    "temporary members",
    "worker id",
)


def record_statements(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return a list that grows by the first 60 characters of every statement of a request.

    Not recorded: statements of background tasks, the look-up of a token's login, which runs every
    two seconds however many requests there are, and PREPARE, which a connection runs once.
    """
    recorded: list[str] = []
    execute = Cursor.execute

    async def record(self: Cursor, query: str, *args: object, **options: object) -> None:
        task = asyncio.current_task()
        is_request = task is None or task.get_name() not in _BACKGROUND_TASKS
        is_counted = query != logins._FIND_AND_RECORD_USE.execute and not query.startswith(
            "PREPARE"
        )
        if is_request and is_counted:
            recorded.append(" ".join(query.split())[:60])
        await execute(self, query, *args, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(Cursor, "execute", record)
    return recorded
