"""The garbage collector of a server stops it only for a moment at a time, and finds cycles."""

from __future__ import annotations

import asyncio
import gc
import weakref
from dataclasses import dataclass, field

import pytest

from chatd.runtime.gc_tuning import GarbageCollector, collecting_garbage
from tests.helpers.gateway_client import TIMEOUT_S


@dataclass
class Machine:
    """A process with a collector whose collections take a time for each second since the last."""

    seconds_each: float = 0.0
    """How long a collection takes for each second of allocations."""
    busy: float = 0.0
    """The share of a core that the process uses."""
    step_s: float = 0.0
    """The seconds between two looks at whether it is idle, without other collections."""
    now: float = 0.0
    collected: list[int] = field(default_factory=list)
    took: list[float] = field(default_factory=list)
    _last: float = 0.0
    _thread_s: float = 0.0

    def collect(self, generation: int) -> int:
        self.collected.append(generation)
        self.took.append((self.now - self._last) * self.seconds_each)
        self._thread_s += self.took[-1]
        self._last = self.now
        return 0

    def run(self, seconds: float) -> None:
        collector = GarbageCollector(
            self.collect,
            clock=lambda: self.now,
            thread_time=lambda: self._thread_s,
            process_time=lambda: self.now * self.busy,
        )
        while self.now < seconds:
            if self.step_s:
                self.now += self.step_s
            else:
                self.now += collector.interval_s
                collector.collect_young()
            collector.collect_everything_if_idle()


@pytest.mark.parametrize("seconds_each", [0.0, 0.001, 0.01, 0.03])
def test_collections_take_about_half_a_millisecond(seconds_each: float) -> None:
    machine = Machine(seconds_each)
    machine.run(10)
    assert max(machine.took[10:]) < 0.001


def test_idle_server_collects_seldom() -> None:
    machine = Machine()
    machine.run(10)
    assert len(machine.collected) <= 41


def test_everything_is_collected_once_a_day_while_the_server_is_idle() -> None:
    machine = Machine(busy=0.001, step_s=20)
    machine.run(3 * 24 * 3600 + 600)
    assert machine.collected.count(2) == 3


def test_busy_server_does_not_collect_everything() -> None:
    machine = Machine(busy=0.3, step_s=20)
    machine.run(3 * 24 * 3600)
    assert machine.collected == []


class Node:
    """An object that can refer to itself."""

    def __init__(self) -> None:
        self.itself = self


async def test_cycles_are_found_while_a_server_runs() -> None:
    thresholds = gc.get_threshold()
    try:
        async with collecting_garbage():
            node = weakref.ref(Node())
            async with asyncio.timeout(TIMEOUT_S):
                while node() is not None:
                    await asyncio.sleep(0.01)
    finally:
        gc.set_threshold(*thresholds)
