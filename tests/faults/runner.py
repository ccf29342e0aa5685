"""Running the faults one after another, and their results."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.faults import clock, hostile, readers
from tests.faults import faults as acts
from tests.faults.faults import Fault, FaultContext, FaultSkipped
from tests.faults.load import Load
from tests.history.environment import Cluster, running_cluster

FAULTS: dict[str, tuple[str, Fault]] = {
    "uploads": ("disk of uploads full", acts.uploads_full),
    "log": ("disk of the log full", acts.log_full),
    "postgres-restart": ("Postgres restarted", acts.dependency_down("postgres", gone=False)),
    "postgres-gone": ("Postgres down for a minute", acts.dependency_down("postgres", gone=True)),
    "postgres-silent": ("Postgres unresponsive", acts.postgres_silent),
    "redis-restart": ("Redis restarted", acts.dependency_down("valkey", gone=False)),
    "redis-gone": ("Redis down for a minute", acts.dependency_down("valkey", gone=True)),
    "clock-back": ("clock an hour back, then corrected", clock.clock(-3600)),
    "clock-forward": ("clock an hour forward, then corrected", clock.clock(3600)),
    "descriptors": ("no file descriptors left", acts.descriptors_out),
    "stopped": ("process stopped", acts.stopped),
    "loop": ("event loop blocked by a function", acts.loop_hangs),
    "readers": ("slow consumers", readers.slow_readers),
    "hostile-bodies": ("expensive bodies", hostile.attack(hostile.bodies, at_once=4)),
    "hostile-searches": ("expensive searches", hostile.attack(hostile.searches, at_once=8)),
    "hostile-sockets": ("silent sockets", hostile.attack(hostile.sockets, at_once=4)),
    "hostile-bans": ("bans of prolific authors", hostile.attack(hostile.bans, at_once=1)),
    "kill": ("kill -9 while messages are written", acts.killed),
}


@dataclass(frozen=True)
class Row:
    """The result of one fault."""

    name: str
    fault: str
    answers: Counter[str]
    """Requests by their outcome, as the client saw it."""
    events: Counter[str]
    """Counts of session events and deliveries."""
    acknowledged: int
    longest_s: float
    healed_s: float | None
    notes: list[str]
    problems: list[str]
    skipped: str = ""

    @property
    def saw(self) -> str:
        """What the clients saw."""
        requests = [f"{count} {what}" for what, count in self.answers.most_common()]
        sessions = [
            f"{self.events[what]} {what}"
            for what in ("lost sockets", "resumes", "invalidated sessions")
            if self.events[what]
        ]
        return "; ".join(
            [
                f"requests: {', '.join(requests)}, {self.longest_s:.1f} s at most",
                f"sessions: {', '.join(sessions) or 'nothing'}",
                *self.notes,
            ]
        )

    @property
    def lost(self) -> str:
        """What was lost."""
        if self.problems:
            return "; ".join(self.problems[:5])
        return f"nothing of {self.acknowledged} messages and {self.events['deliveries']} deliveries"

    @property
    def healed(self) -> str:
        """The time until all instances were healthy."""
        return "never" if self.healed_s is None else f"{self.healed_s:.1f} s"


async def run_fault(cluster: Cluster, name: str, *, short: bool) -> Row:
    """Inject one fault under load."""
    text, fault = FAULTS[name]
    context, load = FaultContext(cluster, short), Load(cluster)
    healed_s = None
    try:
        async with fault(context) as inject, load.running():
            since = await inject(load)
            healed_s = await load.wait_until_healed(since)
    except FaultSkipped as reason:
        return Row(name, text, Counter(), Counter(), 0, 0.0, None, [], [], str(reason))
    except (AssertionError, OSError, TimeoutError, ExceptionGroup) as error:
        load.problems += [repr(each) for each in getattr(error, "exceptions", [error])]
    return Row(
        name,
        text,
        load.answers,
        load.history.counts,
        len(load.history.sent),
        load.longest_s,
        healed_s,
        context.notes,
        load.problems,
    )


@asynccontextmanager
async def fault_environment(folder: Path) -> AsyncIterator[Cluster]:
    """Provide a cluster for faults: two instances under a service manager, and three accounts."""
    async with running_cluster(
        folder,
        held=True,
        watchdog_s=acts.WATCHDOG_S,
        JWT_ACCESS_TOKEN_EXPIRY="86400",  # longer than the hour by which a clock is changed
    ) as cluster:
        await cluster.set_up(people=3, channels=2)
        yield cluster


async def run_faults(
    folder: Path, names: Iterable[str], *, short: bool
) -> AsyncGenerator[Row, None]:
    """Inject faults one after another, and yield the result of each."""
    async with fault_environment(folder) as cluster:
        for name in names:
            yield await run_fault(cluster, name, short=short)
