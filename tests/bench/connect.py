"""Connecting: handshake, IDENTIFY to READY, memory of idle sessions, a storm of resumes."""

from __future__ import annotations

import asyncio
import time
from functools import partial

from tests.bench import audience, fan_out, measuring, meters, report
from tests.bench.http import Connection
from tests.bench.measuring import Figures, Lap, Subject
from tests.bench.report import Row
from tests.bench.sockets import Session

AT_ONCE = 16
_WARM = 50  # sessions before memory is measured, so that all code is loaded
_GOAL_PER_S = 400
_GOAL_BYTES = 40 * 1024
_GOAL_TIMES = 1.6
_PACKED_BYTES = 48 * 1024
_PROBE_S = 0.02
_GOAL_P99_S = 0.25


async def identify_rows(
    subject: Subject, *, count: int, members: int, guilds: int, rounds: int
) -> list[Row]:
    """Return the rows of the handshake and of IDENTIFY to READY, with one guild and with many."""
    await subject.restart()
    adapter, scene = subject.adapter, subject.scene
    bare = await fan_out.start_bare(subject.stage)
    handshakes = await measuring.take_turns(
        {"own": partial(handshake, subject, count), "bare": partial(handshake, bare, count)},
        rounds=rounds,
    )
    subject.stage.stop(bare.processes[0])
    row = report.row(adapter.name, "handshake", handshakes["own"])
    made = [report.beside(row, "aiohttp's handshake", handshakes["bare"], "rate")]
    for title, tokens, how_often in (
        (f"1 guild of {members:,}", scene.places[0].tokens, count),
        (f"{guilds:,} guilds", [scene.busy_token], max(AT_ONCE, count // 10)),
    ):
        turn = partial(identify, subject, tokens, how_often)
        own = (await measuring.take_turns({"own": turn}, rounds=rounds))["own"]
        row = report.row(adapter.name, f"IDENTIFY to READY, {title}", own)
        made.append(report.beside(row, "aiohttp's handshake", handshakes["bare"], "rate"))
    report.bounded(made[1], f"≥ {_GOAL_PER_S}/s", met=(made[1].rate or 0) >= _GOAL_PER_S)
    return made


async def handshake(subject: Subject, count: int) -> Lap:
    """Open connections, some at a time, without identifying."""
    opened: list[Session] = []
    numbers = iter(range(count))

    async def connect(counted: Lap) -> None:
        for _ in numbers:
            started = time.perf_counter()
            opened.append(await subject.adapter.connect(subject.port))
            counted.latencies_s.append(time.perf_counter() - started)

    async with subject.lap() as counted, asyncio.TaskGroup() as tasks:
        for _ in range(AT_ONCE):
            tasks.create_task(connect(counted))
        counted.units = count
    await audience.disconnect(opened)
    return counted


async def identify(subject: Subject, tokens: list[str], count: int) -> Lap:
    """Identify on open connections, until READY and the guilds in it have arrived."""
    adapter = subject.adapter
    sessions = [await adapter.connect(subject.port) for _ in range(count)]
    waiting = iter(enumerate(sessions))

    async def introduce(counted: Lap) -> None:
        for number, session in waiting:
            started = time.perf_counter()
            await session.identify(tokens[number % len(tokens)], intents=adapter.intents)
            counted.latencies_s.append(time.perf_counter() - started)

    async with subject.lap() as counted, asyncio.TaskGroup() as tasks:
        for _ in range(AT_ONCE):
            tasks.create_task(introduce(counted))
        counted.units = count
    await audience.disconnect(sessions)
    return counted


async def memory_rows(subject: Subject, count: int) -> list[Row]:
    """Return the rows of memory for each idle session, plain and compressed."""
    bare = await fan_out.start_bare(subject.stage)
    bare_bytes = await _bytes_each(bare, count)
    subject.stage.stop(bare.processes[0])
    made: list[Row] = []
    for compress in ("", "zlib-stream", "zstd-stream"):
        await subject.restart()
        each = await _bytes_each(subject, count, compress)
        title = f"memory of {count:,} idle sessions{', ' * bool(compress)}{compress}"
        row = Row(subject.adapter.name, title, bytes_each=each, bare_bytes_each=bare_bytes)
        row.bare = "aiohttp's WebSocket"
        made.append(report.compare(row, "memory", each, bare_bytes))
    plain, _, zstd = (row.bytes_each or 0.0 for row in made)
    is_met = plain <= _GOAL_TIMES * bare_bytes and plain < _GOAL_BYTES
    report.bounded(made[0], f"≤ {_GOAL_TIMES}, < 40 KB", met=is_met)
    report.bounded(made[2], "plain + 48 KB", met=zstd <= plain + _PACKED_BYTES)
    return made


async def _bytes_each(subject: Subject, count: int, compress: str = "") -> float:
    """Return by how many bytes the resident memory grows for each session."""
    place = subject.scene.places[0]
    sessions = await audience.gather(subject, place, _WARM, compress)
    before = meters.resident_bytes(subject.pids)
    sessions += await audience.gather(subject, place, count, compress)
    grown = meters.resident_bytes(subject.pids) - before
    await audience.disconnect(sessions)
    return grown / count


async def storm_rows(subject: Subject, count: int) -> list[Row]:
    """Return the rows of all sessions resuming at once, and of REST requests at the same time.

    The CPU time of Postgres shows that resuming reads nothing from it: it is less than one
    statement for each resume would take.
    """
    await subject.restart()
    adapter, place = subject.adapter, subject.scene.places[0]
    lost = await audience.gather(subject, place, count)
    await audience.disconnect(lost)
    back: list[Session] = []
    rest = Lap()
    async with subject.lap() as counted:
        probing = asyncio.create_task(_probe(subject, rest))

        async def resume(earlier: Session) -> None:
            started = time.perf_counter()
            session = await adapter.connect(subject.port)
            back.append(session)
            await session.resume(earlier)
            session.socket.only_count()
            counted.latencies_s.append(time.perf_counter() - started)

        await asyncio.gather(*map(resume, lost))
        counted.units = count
        probing.cancel()
        await asyncio.wait([probing])
    await audience.disconnect(back)
    row = report.row(adapter.name, f"{count:,} resumes at once", Figures([counted]))
    probes = report.row(adapter.name, "REST during resumes", Figures([rest]))
    is_met = (probes.p99_s or 0.0) < _GOAL_P99_S
    report.bounded(probes, f"p99 < {_GOAL_P99_S * 1000:.0f} ms", met=is_met)
    return [row, probes]


async def _probe(subject: Subject, rest: Lap) -> None:
    """Send a small request every 20 ms, until cancelled."""
    raw = subject.adapter.call("GET", "/users/@me", subject.scene.reader_token)
    began = time.perf_counter()
    async with await Connection.to(subject.port) as connection:
        while True:
            started = time.perf_counter()
            try:
                await connection.well(raw)
            finally:  # the request in flight at the end counts, too
                now = time.perf_counter()
                rest.latencies_s.append(now - started)
                rest.units, rest.seconds = len(rest.latencies_s), now - began
            await asyncio.sleep(_PROBE_S)
