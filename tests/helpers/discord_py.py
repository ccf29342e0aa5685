"""Clients of discord.py, whose addresses alone are changed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import discord
import pytest
import yarl
from discord.gateway import DiscordWebSocket

from tests.world import TIMEOUT_S, World


@asynccontextmanager
async def running(
    token: str, monkeypatch: pytest.MonkeyPatch, world: World
) -> AsyncIterator[discord.Client]:
    """A client of discord.py that is ready."""
    monkeypatch.setattr(discord.http.Route, "BASE", f"{world.url}/api/v10")
    monkeypatch.setattr(DiscordWebSocket, "DEFAULT_GATEWAY", yarl.URL(world.gateway_url))
    monkeypatch.setattr(discord.Asset, "BASE", world.url)
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
