"""Letting the faults happen, one after another, and what became of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.faults import acts, readers
from tests.faults.acts import Act, Ground, LeftOut
from tests.faults.crowd import Crowd
from tests.history.stage import Stage, staged

FAULTS: dict[str, tuple[str, Act]] = {
    "uploads": ("disk of the uploads full", acts.uploads_full),
    "log": ("disk of the log full", acts.log_full),
    "postgres-restart": ("Postgres restarted", acts.neighbour("postgres", gone=False)),
    "postgres-gone": ("Postgres gone for a minute", acts.neighbour("postgres", gone=True)),
    "redis-restart": ("Redis restarted", acts.neighbour("valkey", gone=False)),
    "redis-gone": ("Redis gone for a minute", acts.neighbour("valkey", gone=True)),
    "clock-back": ("clock an hour back, and right again", acts.clock(-3600)),
    "clock-forward": ("clock an hour forward, and right again", acts.clock(3600)),
    "descriptors": ("no file descriptors left", acts.descriptors_out),
    "stopped": ("process stands still", acts.stopped),
    "loop": ("event loop hangs in a function", acts.loop_hangs),
    "readers": ("clients that do not read", readers.slow_readers),
    "kill": ("kill -9 while messages are written", acts.killed),
}

_WATCHDOG_S = 3.0  # short, to be done soon; the units have 30 s


@dataclass(frozen=True)
class Row:
    """What became of one fault."""

    name: str
    fault: str
    answers: Counter[str]
    """How requests were answered, by what the client saw."""
    events: Counter[str]
    """What happened to sessions, and how much was delivered."""
    acknowledged: int
    longest_s: float
    healed_s: float | None
    notes: list[str]
    problems: list[str]
    left_out: str = ""

    @property
    def saw(self) -> str:
        """What the users saw."""
        requests = [f"{count} {what}" for what, count in self.answers.most_common()]
        sessions = [
            f"{self.events[what]} {what}"
            for what in ("lost sockets", "resumes", "told to identify anew")
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
        """How long it took until all was well."""
        return "never" if self.healed_s is None else f"{self.healed_s:.1f} s"


async def suffer(stage: Stage, name: str, *, short: bool) -> Row:
    """Let one fault happen, with a crowd on it."""
    text, act = FAULTS[name]
    ground, crowd = Ground(stage, short), Crowd(stage)
    healed_s = None
    try:
        async with act(ground) as strike, crowd.there():
            since = await strike(crowd)
            healed_s = await crowd.healed(since)
    except LeftOut as reason:
        return Row(name, text, Counter(), Counter(), 0, 0.0, None, [], [], str(reason))
    except (AssertionError, OSError, TimeoutError, ExceptionGroup) as error:
        crowd.problems += [repr(each) for each in getattr(error, "exceptions", [error])]
    return Row(
        name,
        text,
        crowd.answers,
        crowd.history.counts,
        len(crowd.history.sent),
        crowd.longest_s,
        healed_s,
        ground.notes,
        crowd.problems,
    )


@asynccontextmanager
async def sufferers(folder: Path) -> AsyncIterator[Stage]:
    """A stage for faults: two instances as systemd runs them, and three who talk."""
    async with staged(
        folder,
        held=True,
        watchdog_s=_WATCHDOG_S,
        JWT_ACCESS_TOKEN_EXPIRY="86400",  # a clock may run ahead of them by an hour
    ) as stage:
        await stage.furnish(people=3, channels=2)
        yield stage


async def suffer_all(
    folder: Path, names: Iterable[str], *, short: bool
) -> AsyncGenerator[Row, None]:
    """Let these faults happen, one after another."""
    async with sufferers(folder) as stage:
        for name in names:
            yield await suffer(stage, name, short=short)
