"""Several instances that start and stop within a test."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import Any, Self

from tests.conftest import ServeMore
from tests.world import Client, World, world_on


class Fleet:
    """Instances that start and stop, with the people of one world."""

    def __init__(self, world: World, serve_more: ServeMore) -> None:
        self._world = world
        self._serve_more = serve_more
        self._servers: dict[int, AsyncExitStack] = {}
        self._clients = AsyncExitStack()

    async def start(self, worker_id: int, **settings: Any) -> World:
        """Start an instance; return the world on it."""
        stack = self._servers[worker_id] = AsyncExitStack()
        server = await stack.enter_async_context(self._serve_more(worker_id=worker_id, **settings))
        there = await self._clients.enter_async_context(world_on(server.url, server.gateway_url))
        there.share_people(self._world)
        return there

    async def stop(self, worker_id: int, *clients: Client) -> None:
        """Stop an instance. It sends RECONNECT to these clients, then closes them with 1001."""
        stopping = asyncio.create_task(self._servers.pop(worker_id).aclose())
        for client in clients:
            assert (await client.next_op(7))["d"] == {}  # Fermi reads a key of it
            assert await client.closed() == 1001
        await stopping

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop all instances that still run."""
        for server in self._servers.values():
            await server.aclose()
        await self._clients.aclose()
