"""Fan-out: one guild, many sessions, one event at a time, in bursts and at fixed rates.

One at a time: the next event is sent when all sessions have received the one before. So this rate
includes the request and its commit; the CPU time of a delivery includes no waiting. The saturated
rate is found by raising the rate until deliveries fall behind.
"""

from __future__ import annotations

from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial
from typing import Any

from tests.bench import audience, measuring, report
from tests.bench.adapters import Adapter, Place, Scene
from tests.bench.audience import Audience
from tests.bench.environment import Stage
from tests.bench.http import request
from tests.bench.measuring import Figures, Subject
from tests.bench.report import Row

BURST = 20
_GOAL = 1000  # the number of sessions that the targets are for
_STEPS = (0.5, 0.7, 0.85, 1.0, 1.2, 1.5, 2.0, 3.0)
_KEPT_UP = 0.92  # of the rate that was offered


class BareFanOut(Adapter):
    """`bare/fan_out.py`, which sends what is posted to it."""

    name = "bare"

    def __init__(self) -> None:
        self.path = "/each"
        self.payload_size = 0

    def message(self, token: str, channel: str, content: str) -> bytes:
        """Return a request whose body is the event, as long as the events of the server."""
        body: dict[str, Any] = {"op": 0, "t": "MESSAGE_CREATE", "s": 1, "content": content}
        body["more"] = "x" * max(0, self.payload_size - 70 - len(content))
        return request("POST", self.path, body=body)


@dataclass(frozen=True)
class Effort:
    """How long the laps are."""

    rounds: int = 3
    deliveries: int = 60_000
    seconds: float = 3.0

    def events(self, count: int) -> int:
        """Return how many events make `deliveries` deliveries to `count` sessions."""
        return max(BURST, self.deliveries // count)


async def rows(subject: Subject, count: int, effort: Effort) -> list[Row]:
    """Return the rows of uncompressed fan-out to `count` sessions of a restarted server."""
    await subject.restart()
    async with audience.listening(subject, count) as own:
        await own.one_at_a_time(5)  # measures the size of the events
        bare_subject = await start_bare(subject.stage)
        assert isinstance(bare_subject.adapter, BareFanOut)
        bare_subject.adapter.payload_size = own.payload_size
        async with audience.listening(bare_subject, count) as bare:
            made = await _plain(own, bare, bare_subject.adapter, effort)
        subject.stage.stop(bare_subject.processes[0])
    for each in made:
        each.server = subject.adapter.name
    return made


async def packed_rows(subject: Subject, count: int, effort: Effort) -> list[Row]:
    """Return the rows of compressed fan-out, in turns with uncompressed in another guild."""
    await subject.restart()
    ways = {"plain": "", "zlib-stream": "zlib-stream", "zstd-stream": "zstd-stream"}
    async with AsyncExitStack() as stack:
        audiences = {
            way: await stack.enter_async_context(
                audience.listening(subject, count, compress, place=number)
            )
            for number, (way, compress) in enumerate(ways.items())
        }
        events = effort.events(count)
        bursts = events // BURST
        one = await measuring.take_turns(
            {way: partial(each.one_at_a_time, events) for way, each in audiences.items()},
            rounds=effort.rounds,
        )
        burst = await measuring.take_turns(
            {way: partial(each.bursts, bursts, BURST) for way, each in audiences.items()},
            rounds=effort.rounds,
        )
    made = []
    for what, figures in (("one at a time", one), (f"bursts of {BURST}", burst)):
        for way, target in (("zlib-stream", 0.8), ("zstd-stream", 0.35)):
            title = f"fan-out to {count:,}, {what}, {way}"
            row = report.row(subject.adapter.name, title, figures[way])
            made.append(report.beside(row, "plain", figures["plain"], "rate", at_least=target))
    return made


async def alone(subject: Subject, count: int, effort: Effort) -> Figures:
    """Measure one event at a time, without the bare program."""
    await subject.restart()
    async with audience.listening(subject, count) as own:
        turn = partial(own.one_at_a_time, effort.events(count))
        return (await measuring.take_turns({"own": turn}, rounds=effort.rounds))["own"]


async def start_bare(stage: Stage) -> Subject:
    """Start the bare program; return it as a server that is measured."""
    process = await stage.start_bare("fan_out")
    return Subject(BareFanOut(), stage, [process], Scene([Place("", ["bare"])]))


async def _plain(
    own: Audience, bare: Audience, bare_adapter: BareFanOut, effort: Effort
) -> list[Row]:
    count = len(own.sessions)
    events = effort.events(count)
    one = await measuring.take_turns(
        {
            "own": partial(own.one_at_a_time, events),
            "bare": partial(bare.one_at_a_time, events),
        },
        rounds=effort.rounds,
    )
    bare_adapter.path = "/joined"
    bursts = events // BURST
    burst = await measuring.take_turns(
        {"own": partial(own.bursts, bursts, BURST), "bare": partial(bare.bursts, bursts, BURST)},
        rounds=effort.rounds,
    )
    bare_adapter.path = "/each"
    saturation = await _saturation(own, one["own"].rate / count, effort)
    half = saturation.rate / count / 2
    steady = await measuring.take_turns(
        {
            "own": partial(own.steadily, half, effort.seconds),
            "bare": partial(bare.steadily, half, effort.seconds),
        },
        rounds=effort.rounds,
    )
    title = f"fan-out to {count:,}"
    goal = count == _GOAL
    row = partial(report.row, "")
    return [
        report.beside(
            row(f"{title}, one at a time", one["own"]),
            "transport.write to each",
            one["bare"],
            "rate",
            at_least=0.85 if goal else None,
        ),
        report.beside(
            row(f"{title}, bursts of {BURST}", burst["own"]),
            "joined transport.write",
            burst["bare"],
            "rate",
            at_least=0.6 if goal else None,
        ),
        row(f"{title}, saturated", saturation),
        report.beside(
            row(f"{title}, half of that", steady["own"]),
            "the same rate",
            steady["bare"],
            "p99",
            at_most=3.0 if goal else None,
        ),
    ]


async def _saturation(listeners: Audience, rate: float, effort: Effort) -> Figures:
    """Raise the rate until the server falls behind; return the lap with the most deliveries."""
    best = Figures()
    for step in _STEPS:
        reached = Figures([await listeners.steadily(rate * step, effort.seconds)])
        if reached.rate > best.rate:
            best = reached
        if reached.rate < _KEPT_UP * rate * step * len(listeners.sessions):
            break
    return best
