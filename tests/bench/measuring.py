"""Laps: how much was done, how long each unit took, and the CPU time of each process."""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from statistics import median

from tests.bench import meters
from tests.bench.adapters import Adapter, Scene
from tests.bench.environment import Process, Stage
from tests.bench.http import Connection

GENERATOR = "generator"


@dataclass
class Lap:
    """One run of a workload on one server."""

    units: int = 0
    seconds: float = 0.0
    latencies_s: list[float] = field(default_factory=list)
    cpu_s: dict[str, float] = field(default_factory=dict)
    """CPU seconds of the server, postgres, valkey and the generator."""


@dataclass
class Figures:
    """All laps of a workload on one server."""

    laps: list[Lap] = field(default_factory=list)

    @property
    def rate(self) -> float:
        """Units per second of the median lap, since the load of the machine varies."""
        return median(lap.units / lap.seconds for lap in self.laps) if self.laps else 0.0

    def latency_s(self, share: float) -> float | None:
        """Return a percentile of the latencies of all laps; 0.99 is the p99."""
        every = sorted(latency for lap in self.laps for latency in lap.latencies_s)
        return every[min(len(every) - 1, int(len(every) * share))] if every else None

    def cpu_s(self, who: str) -> float:
        """Return the CPU seconds of a unit."""
        units = sum(lap.units for lap in self.laps)
        return sum(lap.cpu_s.get(who, 0.0) for lap in self.laps) / max(1, units)

    @property
    def all_cpu_s(self) -> float:
        """CPU seconds of a unit: the server with its Postgres and Valkey."""
        return sum(self.cpu_s(who) for who in ("server", "postgres", "valkey"))

    @property
    def generator_share(self) -> float:
        """The share of time in which the generator ran, or waited for its core.

        Near 1, the generator limits the rate, not the server.
        """
        seconds = sum(lap.seconds for lap in self.laps)
        return sum(lap.cpu_s.get(GENERATOR, 0.0) for lap in self.laps) / max(1e-9, seconds)


@dataclass
class Subject:
    """A running server and its adapter."""

    adapter: Adapter
    stage: Stage
    processes: list[Process]
    scene: Scene = field(default_factory=lambda: Scene([]))

    @property
    def port(self) -> int:
        return self.processes[0].port

    @property
    def pids(self) -> list[int]:
        return [pid for process in self.processes for pid in process.pids]

    async def restart(self) -> None:
        """Restart all instances, so that earlier workloads have no effect."""
        for number, process in enumerate(list(self.processes)):
            self.stage.kill(process)
            self.processes[number] = await start(self.adapter, self.stage, number)

    @asynccontextmanager
    async def lap(self) -> AsyncIterator[Lap]:
        """Measure the time and the CPU time of the block."""
        async with lap(self.stage, self.pids, private=self.adapter.uses_stage_servers) as counted:
            yield counted


async def start(adapter: Adapter, stage: Stage, number: int = 0) -> Process:
    """Start an instance; return it when it is ready."""
    process = adapter.start(stage, number)
    await process.wait_until_ready(adapter.ready_path)
    return process


@asynccontextmanager
async def lap(stage: Stage, pids: list[int], *, private: bool) -> AsyncIterator[Lap]:
    """Measure time and CPU time; with `private` also that of the stage's Postgres and Valkey."""

    def used() -> dict[str, float]:
        return {
            **(stage.cpu_s() if private else {}),
            "server": meters.cpu_s(pids),
            GENERATOR: meters.wanted_s(),
        }

    counted = Lap()
    gc.collect()
    gc.disable()  # a collection among thousands of sockets would be measured as latency
    before, started = used(), time.perf_counter()
    try:
        yield counted
        counted.seconds = time.perf_counter() - started
        after = used()
        counted.cpu_s = {who: after[who] - before[who] for who in after}
    finally:
        gc.enable()


Turn = Callable[[], Awaitable[Lap]]


async def take_turns(turns: Mapping[str, Turn], *, rounds: int) -> dict[str, Figures]:
    """Run each in turn, `rounds` times, after one warm-up. With 0 rounds, return the warm-up."""
    figures = {name: Figures() for name in turns}
    for number in range(rounds + 1):
        for name, turn in turns.items():
            counted = await turn()
            if number or not rounds:
                figures[name].laps.append(counted)
    return figures


async def keep_asking(
    counted: Lap, port: int, raw: list[bytes], *, at_once: int, seconds: float
) -> None:
    """Send requests on `at_once` connections, each one after the response to the one before.

    Each connection sends at least one. Raises Refused when one fails.
    """
    clock = time.perf_counter
    connections = [await Connection.to(port) for _ in range(at_once)]
    end = clock() + seconds

    async def ask(connection: Connection, request: bytes) -> None:
        started = clock()
        while True:
            await connection.well(request)
            ended = clock()
            counted.latencies_s.append(ended - started)
            if ended >= end:
                return
            started = ended

    try:
        async with asyncio.TaskGroup() as tasks:
            for number, connection in enumerate(connections):
                tasks.create_task(ask(connection, raw[number % len(raw)]))
    finally:
        for connection in connections:
            connection.close()
    counted.units += len(counted.latencies_s)
