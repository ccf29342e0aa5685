"""Helpers of the search tests."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlencode

import pytest

from chatd.db.cursor import Cursor
from chatd.db.pool import Database
from chatd.queries import search_index
from chatd.services.maintenance import search_indexer
from tests.world import Channel, Guild, Rest

Index = Callable[[str], Awaitable[None]]


async def alone(database: Database, step: Callable[[Any], Awaitable[object]]) -> None:
    """Run a step of the indexer until it has nothing to do."""
    while True:
        transaction = await database.begin()
        if not await search_index.try_lock(transaction.cur):
            await transaction.rollback()
            await asyncio.sleep(0.01)  # the server's own indexer holds the lock
            continue
        goes_on = await step(transaction.cur)
        await transaction.commit()
        if not goes_on:
            return


async def catch_up(database: Database) -> None:
    """Let an indexer index everything: it waits where the server's own indexer holds the lock."""
    try_lock = search_index.try_lock

    async def lock(cur: Cursor) -> bool:
        while not await try_lock(cur):
            await asyncio.sleep(0.01)
        return True

    with pytest.MonkeyPatch.context() as patches:
        patches.setattr(search_index, "try_lock", lock)
        await search_indexer.catch_up(database)


async def say(rest: Rest, channel: Channel, *texts: str) -> list[str]:
    """Send messages and return their ids."""
    path = f"/channels/{channel.id}/messages"
    return [(await rest.post(path, {"content": text}))["id"] for text in texts]


async def search(rest: Rest, place: Guild | Channel, **query: Any) -> Any:
    kind = "guilds" if isinstance(place, Guild) else "channels"
    return await rest.get(f"/{kind}/{place.id}/messages/search?{urlencode(query, doseq=True)}")


async def texts(rest: Rest, place: Guild | Channel, **query: Any) -> list[str]:
    """Return the contents of the hits."""
    found = await search(rest, place, **query)
    shown = [message["content"] for [message] in found["messages"]]
    if "limit" not in query and "offset" not in query:
        assert found["total_results"] == len(shown)
    return shown
