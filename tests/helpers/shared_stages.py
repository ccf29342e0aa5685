"""Stages that several tests share: for calls that the server refuses, and which change nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, TypeVar

from tests.world import World, world_on

T = TypeVar("T")


class SharedStages:
    """Makes each stage when the first test needs it, with people of its own."""

    def __init__(self, url: str, gateway_url: str) -> None:
        self._urls = url, gateway_url
        self._worlds = AsyncExitStack()
        self._made: dict[Callable[[World], Awaitable[Any]], tuple[World, Any]] = {}

    @asynccontextmanager
    async def on(self, make: Callable[[World], Awaitable[T]]) -> AsyncIterator[tuple[World, T]]:
        """Provide what `make` has made, and its world.

        If the block raises, the server may have accepted a call; then the next test makes it anew.
        """
        if make not in self._made:
            world = await self._worlds.enter_async_context(world_on(*self._urls))
            self._made[make] = world, await make(world)
        made = self._made.pop(make)
        yield made
        self._made[make] = made

    async def aclose(self) -> None:
        """Close the worlds."""
        await self._worlds.aclose()
