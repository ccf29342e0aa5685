"""Pending deletions: running them, and counting rows."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from chatd.db.pool import Database

Sweep = Callable[[], Awaitable[None]]


async def rows(database: Database, sql: str, **parameters: object) -> list[Any]:
    """Run a statement, and return its rows."""
    async with database.cursor() as cur:
        await cur.execute(sql, parameters)
        return await cur.fetchall()


async def count(database: Database, table: str, **key: object) -> int:
    """Count the rows of a table that have these values."""
    condition = " AND ".join(["true", *(f"{name} = %({name})s" for name in key)])
    [(found,)] = await rows(database, f"SELECT count(*) FROM {table} WHERE {condition}", **key)
    return int(found)
