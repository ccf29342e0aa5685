"""How many people one core serves: the server, its Postgres and its Valkey together.

The people act as `people.Habits` states. Their number is doubled until a limit is broken, and then
halved between the last two. A step counts only if the generator keeps up: its core must not be
busy, and its actions must begin when they are due.
"""

from __future__ import annotations

import asyncio
import gc
import resource
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from chatd.auth.tokens import AccessTokens
from tests.bench import measuring, meters, population, report
from tests.bench.adapters import Chatd
from tests.bench.environment import Process
from tests.bench.measuring import Figures, Lap, Subject
from tests.bench.open_loop import Window
from tests.bench.people import Crowd, Habits, Person
from tests.bench.population import Population
from tests.bench.report import Row

GOAL = 10_000
OTHER_FILES = 1000
"""Open files of a process that are not sockets of people."""

_BUSY = 0.85  # of the generator's core; above it, the generator may be what is late
_LATE_S = 0.02  # the p99 of the generator's delay, in seconds; above it, likewise

_MOST_PRESENCES = 2.0
"""The presences that are delivered, in multiples of those that the habits make. Above it, the
arrival of the last people is still being announced."""

_WARM_PERIODS = 10
"""After so many periods, a step is measured although arrivals are still being announced."""


@dataclass(frozen=True)
class Search:
    """How the number of people is searched, and for how long."""

    first: int = 2500
    most: int = 19_000
    """The search ends here, or where the limit of open files is reached."""
    resolution: int = 1000
    warm_s: float = 15.0
    """How long people act before a step is measured, in seconds. It is repeated, up to
    `_WARM_PERIODS` times, while arrivals are still announced to the others."""
    window_s: float = 30.0
    timeout_s: float = 20.0
    """How long a step waits at its end for what is on its way, in seconds."""
    connects_per_s: float = 70.0
    """How many people connect in a second. Each is shown as online to 1,300 others, and an instance
    sends 100,000 presences a second."""
    bound_s: float = 780.0
    """No step begins later than this, in seconds; a step takes up to five minutes."""
    history: int = 100
    """Messages in each channel at the start."""
    faster: float = 1.0
    """Divides the times of `Habits`."""
    receipt_s: float = 0.2
    """The limit of the p99 from the due time of a message to its receipt, in seconds."""
    request_s: float = 0.1
    """The limit of the p99 of all requests, in seconds."""


@dataclass
class Step:
    """The figures of one number of people."""

    people: int
    window: Window
    lap: Lap
    dispatches: int
    bytes_each: float
    broken: list[str] = field(default_factory=list)
    """The limits that the server has broken."""
    is_generator_late: bool = False

    @property
    def is_good(self) -> bool:
        """Whether the server serves so many people, as far as the generator can measure it."""
        return not self.broken

    def share(self, *names: str) -> float:
        """Return the share of a core that these processes used."""
        return sum(self.lap.cpu_s.get(name, 0.0) for name in names) / self.lap.seconds


async def rows(subject: Subject, search: Search) -> list[Row]:
    """Return a row for the result, and one for each step."""
    assert isinstance(subject.adapter, Chatd), "people are created in the database of chatd"
    most = max(search.first, min(search.most, _most_files() - OTHER_FILES))
    city = await _City.build(subject, search, most)
    try:
        steps = await find(city.step, search, most)
    finally:
        await city.close()
    name = subject.adapter.name
    return [_result(name, steps, search), *(_row(name, each) for each in steps)]


class _City:
    """A server with a database of its own, and the people who are connected to it."""

    def __init__(self, subject: Subject, search: Search, made: Population) -> None:
        self._subject = subject
        self._search = search
        self._population = made
        self._crowd: Crowd | None = None
        self._empty_bytes = 0

    @classmethod
    async def build(cls, subject: Subject, search: Search, most: int) -> _City:
        """Start a server with rate limits as in production, and fill its database."""
        adapter = Chatd()
        if search.faster == 1.0:  # people who hurry would reach the limits
            adapter.program = ["-m", "chatd", "serve"]
        stage = subject.stage
        own = Subject(adapter, stage, [await measuring.start(adapter, stage)])
        url = adapter.database_url(stage)
        made = await asyncio.to_thread(population.settle, url, most, history=search.history)
        return cls(own, search, made)

    async def step(self, people: int) -> Step:
        """Measure this number of people. Fewer than before begin on a new server."""
        search = self._search
        if self._crowd is not None and people < len(self._crowd.people):
            await self.close()
        if not self._subject.processes:
            process = await measuring.start(self._subject.adapter, self._subject.stage)
            self._subject.processes.append(process)
        if self._crowd is None:
            self._empty_bytes = meters.resident_bytes(self._subject.pids)
            habits = Habits().faster(search.faster)
            self._crowd = Crowd(self._subject.adapter, self._subject.port, habits)
        crowd = self._crowd
        await crowd.join(self._newcomers(crowd, people), search.connects_per_s)
        # A lap begins with a collection. It must not find the people: it would make those late who
        # act meanwhile, and one in a hundred is enough to decide about a p99.
        gc.collect()
        gc.freeze()
        await self._warm(crowd)
        async with self._subject.lap() as counted:
            window = crowd.window = Window()
            before = crowd.dispatches
            await crowd.act(search.window_s)
            crowd.window = None
        dispatches = crowd.dispatches - before
        await window.end(search.timeout_s)
        grown = meters.resident_bytes(self._subject.pids) - self._empty_bytes
        step = Step(people, window, counted, dispatches, grown / people)
        _judge(step, search)
        return step

    async def _warm(self, crowd: Crowd) -> None:
        """Let people act until the arrival of the last ones is announced."""
        for _ in range(_WARM_PERIODS):
            before = crowd.presences
            await crowd.act(self._search.warm_s)
            due = crowd.presences_due(self._search.warm_s)
            if crowd.presences - before <= _MOST_PRESENCES * due:
                return

    async def close(self) -> None:
        """Disconnect all people and stop the server."""
        if self._crowd is not None:
            await self._crowd.leave()
            self._crowd = None
            gc.unfreeze()
        for process in list(self._subject.processes):
            self._stop(process)

    def _stop(self, process: Process) -> None:
        self._subject.stage.kill(process)
        self._subject.processes.remove(process)

    def _newcomers(self, crowd: Crowd, people: int) -> list[Person]:
        adapter = self._subject.adapter
        assert isinstance(adapter, Chatd)
        tokens = AccessTokens(adapter.secret, lifetime_s=86_400)
        made = self._population
        return [
            Person(crowd, number, tokens.issue(*made.accounts[number]), made.guilds[number])
            for number in range(len(crowd.people), people)
        ]


async def find(measure: Callable[[int], Awaitable[Step]], search: Search, most: int) -> list[Step]:
    """Double the people until a limit is broken; then halve the distance to it, within bounds."""
    began = time.monotonic()
    steps: list[Step] = []
    good, bad, people = 0, most + 1, min(search.first, most)
    while time.monotonic() - began < search.bound_s:
        step = await measure(people)
        steps.append(step)
        if step.is_good:
            good = people
        else:
            bad = people
        if good == most or bad - good <= search.resolution:
            break
        people = min(2 * good, most) if bad > most else _middle(good, bad, search.resolution)
    return steps


def _middle(good: int, bad: int, resolution: int) -> int:
    """Return the middle, rounded down to the resolution unless that is no new number."""
    middle = (good + bad) // 2
    rounded = middle // resolution * resolution
    return rounded if rounded > good else middle


def _most_files() -> int:
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


def _p99(latencies_s: Sequence[float]) -> float:
    return Figures([Lap(latencies_s=list(latencies_s))]).latency_s(0.99) or 0.0


def _judge(step: Step, search: Search) -> None:
    """Compare a step with the limits."""
    window = step.window
    delay_s = _p99(window.delays_s)
    share = Figures([step.lap]).generator_share
    step.is_generator_late = share > _BUSY or delay_s > _LATE_S
    if _p99(window.receipts_s) > search.receipt_s:
        step.broken.append("receipts late")
    if _p99(window.requests_s) > search.request_s:
        step.broken.append("requests late")
    step.broken += [f"{count} x {what}" for what, count in window.failures.items()]


def _row(server: str, step: Step) -> Row:
    """Return the row of a step. Its CPU times are those of one person in one second."""
    window, seconds = step.window, step.lap.seconds
    counted = Lap(step.dispatches, seconds, window.receipts_s, step.lap.cpu_s)
    made = report.row(server, f"{step.people:,} people", Figures([counted]))
    for name in ("server", "postgres", "valkey"):
        setattr(made, f"{name}_cpu_s", step.share(name) / step.people)
    made.bytes_each = step.bytes_each
    request_s, delay_s = _p99(window.requests_s), _p99(window.delays_s)
    core = step.share("server", "postgres", "valkey")
    made.more = {
        "people": step.people,
        "requests_per_s": len(window.requests_s) / seconds,
        "request_p99_s": request_s,
        "core_share": core,
        "generator_delay_p99_s": delay_s,
        "failures": sum(window.failures.values()),
    }
    made.notes = [
        f"{made.more['requests_per_s']:,.0f} requests/s",
        f"p99 {request_s * 1000:.0f} ms",
        f"core {core:.0%}",
        f"generator {made.generator_share or 0:.0%} and {delay_s * 1000:.0f} ms late",
        *step.broken,
    ]
    if step.is_generator_late:
        made.notes.append("the generator is the limit")
    return made


def _result(server: str, steps: Sequence[Step], search: Search) -> Row:
    """Return the row of the largest step within the limits."""
    good = [step for step in steps if step.is_good]
    best = max(good or steps, key=lambda step: step.people if step.is_good else -step.people)
    people = best.people if good else 0
    made = _row(server, best)
    made.what = f"capacity of one core: {people:,} people"
    made.notes = [f"receipts in {search.receipt_s * 1000:.0f} ms"]
    made.notes.append(f"requests in {search.request_s * 1000:.0f} ms")
    above = [step for step in steps if step.people > people]
    if not above:
        made.notes.append("no more were tried")
    elif min(above, key=lambda step: step.people).is_generator_late:
        made.notes.append("above it, the generator is the limit")
    made.more["people"] = people
    return report.bounded(made, f"≥ {GOAL:,}", met=people >= GOAL)
