"""Clients of discord.py, whose addresses alone are changed."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress

import discord
import pytest
import yarl
from discord.gateway import DiscordWebSocket

from tests.world import TIMEOUT_S, World

_UNKNOWN = re.compile(r"unknown (?!emoji)|discarding", re.IGNORECASE)
"""What the library logs, at any level, about events and objects that it does not know."""


class Complaints(logging.Handler):
    """Collects the warnings of discord.py, and what it does not know."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        text = record.getMessage()
        is_complaint = record.levelno >= logging.WARNING or _UNKNOWN.search(text)
        if is_complaint and "voice will NOT be supported" not in text:
            self.texts.append(text)


@contextmanager
def without_complaints() -> Iterator[None]:
    """Fail if discord.py complains in this context."""
    logger, complaints = logging.getLogger("discord"), Complaints()
    level = logger.level
    logger.addHandler(complaints)
    logger.setLevel(logging.DEBUG)
    try:
        yield
    finally:
        logger.removeHandler(complaints)
        logger.setLevel(level)
    assert complaints.texts == []


@asynccontextmanager
async def running(
    token: str, monkeypatch: pytest.MonkeyPatch, world: World
) -> AsyncIterator[discord.Client]:
    """A client of discord.py that is ready, and complains about nothing until it is closed."""
    monkeypatch.setattr(discord.http.Route, "BASE", f"{world.url}/api/v10")
    monkeypatch.setattr(DiscordWebSocket, "DEFAULT_GATEWAY", yarl.URL(world.gateway_url))
    monkeypatch.setattr(discord.Asset, "BASE", world.url)
    with without_complaints():
        async with _ready_client(token) as client:
            yield client


@asynccontextmanager
async def _ready_client(token: str) -> AsyncIterator[discord.Client]:
    async with discord.Client(intents=discord.Intents.all()) as client:
        going = asyncio.create_task(client.start(token))
        try:
            ready = asyncio.create_task(client.wait_for("ready", timeout=TIMEOUT_S))
            await asyncio.wait({going, ready}, return_when=asyncio.FIRST_COMPLETED)
            if going.done():
                going.result()
            await ready
            yield client
        finally:
            await client.close()
            with suppress(asyncio.CancelledError):
                await going
