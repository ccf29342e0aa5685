"""Cooperative time slicing: long work in small steps, so that other tasks can run in between."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

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
    slices = TimeSlices()
    for _ in steps:
        await slices.step()
