"""Cooperative time slicing: long work in small steps, so that other tasks can run in between."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

import orjson

from chatd.core.json import JsonObject
from chatd.gateway.fanout.visibility import Visibility
from chatd.services.guild_snapshot import GuildOutline
from chatd.wire import payloads

T = TypeVar("T")

_SLICE_S = 0.003
"""The length of a time slice in seconds. With the step that exceeds it, the event loop is blocked
for less than 5 ms."""


class TimeSlices:
    """For a loop that awaits, most times without a pause: lets other tasks run after each slice."""

    def __init__(self) -> None:
        self._clock = asyncio.get_running_loop().time
        self._ends = self._clock() + _SLICE_S

    async def step(self) -> None:
        """End a step of the loop."""
        if self._clock() >= self._ends:
            await asyncio.sleep(0)
            self._ends = self._clock() + _SLICE_S


async def run_in_slices(steps: Iterable[object]) -> None:
    """Take all steps, and let other tasks run after each time slice."""
    clock = asyncio.get_running_loop().time
    ends = clock() + _SLICE_S
    for _ in steps:
        if clock() >= ends:
            await asyncio.sleep(0)
            ends = clock() + _SLICE_S


async def build_visibility(outline: GuildOutline) -> Visibility:
    """Build the visibility of a guild that was read from Postgres."""
    visibility = Visibility(outline.guild.id, outline.guild.owner_id)
    await run_in_slices(visibility.load(outline))
    return visibility


async def encode_each(
    items: Iterable[T], payload: Callable[[T], JsonObject]
) -> list[orjson.Fragment]:
    """Encode the payload of each item, to be a part of a larger JSON document."""
    encoded: list[orjson.Fragment] = []

    def encoding() -> Iterator[None]:
        for item in items:
            encoded.append(orjson.Fragment(payloads.encode(payload(item))))
            yield

    await run_in_slices(encoding())
    return encoded
