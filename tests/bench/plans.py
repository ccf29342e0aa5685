"""The workloads, and how much of each is measured: in full, or within a minute."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from tests.bench import automod, capacity, connect, create, fan_out, growth, history, search
from tests.bench.adapters import Size
from tests.bench.capacity import Search
from tests.bench.fan_out import Effort
from tests.bench.measuring import Subject
from tests.bench.report import Row


@dataclass(frozen=True)
class Plan:
    """How much of each workload is measured."""

    size: Size
    rounds: int
    seconds: float
    fan_out: Effort
    sessions: tuple[int, ...]
    packed: int
    connects: int
    idle: int
    resumes: int
    small: Size
    """The smallest size of `growth`."""
    factors: tuple[int, ...]
    members: tuple[int, ...]
    """The sizes of the guild in the curves of `growth`."""
    people: Search
    """How `capacity` searches."""

    @property
    def files(self) -> int:
        """How many open files a process needs at most.

        The generator has connections to the server and to the bare program at the same time.
        """
        sessions = max(2 * max(self.sessions), 3 * self.packed, self.idle, 2 * self.resumes)
        return max(sessions, self.people.most) + capacity.OTHER_FILES


FULL = Plan(
    Size(),
    rounds=3,
    seconds=2.0,
    fan_out=Effort(),
    sessions=(100, 1000, 5000),
    packed=1000,
    connects=400,
    idle=5000,
    resumes=5000,
    small=Size(messages=100_000),
    factors=(3, 10),
    members=(3125, 12_500, 50_000),
    people=Search(),
)
QUICK = Plan(
    Size(messages=100_000),
    rounds=1,
    seconds=0.5,
    fan_out=Effort(rounds=1, deliveries=20_000, seconds=0.5),
    sessions=(1000,),
    packed=100,
    connects=48,
    idle=300,
    resumes=300,
    small=Size(members=100, channels=2, guilds=10, messages=10_000),
    factors=(10,),
    members=(1250, 2500, 5000),
    people=Search(
        first=500, most=4000, resolution=500, warm_s=4.0, window_s=10.0, bound_s=150.0, history=60
    ),
)
TINY = Plan(
    Size(members=4, channels=1, guilds=2, messages=200),
    rounds=0,
    seconds=0.05,
    fan_out=Effort(rounds=0, deliveries=60, seconds=0.1),
    sessions=(3,),
    packed=3,
    connects=4,
    idle=4,
    resumes=4,
    small=Size(members=2, channels=1, guilds=1, messages=100),
    factors=(2,),
    members=(20, 40),
    people=Search(
        first=8,
        most=12,
        resolution=4,
        warm_s=0.05,
        window_s=1.5,
        history=2,
        faster=100.0,
        timeout_s=120.0,
        receipt_s=120.0,
        request_s=120.0,
    ),
)
"""Shows only that the workloads run."""

Workload = Callable[[Subject, Plan], Awaitable[list[Row]]]


async def _create(subject: Subject, plan: Plan) -> list[Row]:
    rows = []
    stage = subject.stage
    bare = await stage.start_bare("create", stage.postgres.create("bare"))
    for at_once in (1, 16, 64):
        rows += await create.rows(
            subject, bare, at_once=at_once, rounds=plan.rounds, seconds=plan.seconds
        )
    stage.stop(bare)
    return rows


async def _automod(subject: Subject, plan: Plan) -> list[Row]:
    return await automod.rows(subject, rounds=plan.rounds, seconds=plan.seconds)


async def _fan_out(subject: Subject, plan: Plan) -> list[Row]:
    rows = []
    for count in plan.sessions:
        rows += await fan_out.rows(subject, count, plan.fan_out)
    return rows


async def _packed(subject: Subject, plan: Plan) -> list[Row]:
    return await fan_out.packed_rows(subject, plan.packed, plan.fan_out)


async def _history(subject: Subject, plan: Plan) -> list[Row]:
    stage, messages = subject.stage, plan.size.messages
    url = stage.postgres.create(f"bare_history_{time.time_ns()}")
    bare = await stage.start_bare("history", url, str(messages))
    rows = await history.rows(
        subject, bare, messages=messages, rounds=plan.rounds, seconds=plan.seconds
    )
    stage.stop(bare)
    return rows


async def _connect(subject: Subject, plan: Plan) -> list[Row]:
    return await connect.identify_rows(
        subject,
        count=plan.connects,
        members=plan.size.members,
        guilds=plan.size.guilds,
        rounds=plan.rounds,
    )


async def _memory(subject: Subject, plan: Plan) -> list[Row]:
    return await connect.memory_rows(subject, plan.idle)


async def _resume(subject: Subject, plan: Plan) -> list[Row]:
    return await connect.storm_rows(subject, plan.resumes)


async def _growth(subject: Subject, plan: Plan) -> list[Row]:
    return await growth.rows(
        subject,
        plan.small,
        plan.factors,
        members=plan.members,
        rounds=plan.rounds,
        seconds=plan.seconds,
        effort=plan.fan_out,
        listeners=plan.packed,
        connects=plan.connects,
    )


async def _search(subject: Subject, plan: Plan) -> list[Row]:
    return await search.rows(
        subject, messages=plan.size.messages, rounds=plan.rounds, seconds=plan.seconds / 4
    )


async def _capacity(subject: Subject, plan: Plan) -> list[Row]:
    return await capacity.rows(subject, plan.people)


WORKLOADS: dict[str, Workload] = {
    "create": _create,
    "automod": _automod,
    "fan-out": _fan_out,
    "compressed": _packed,
    "history": _history,
    "connect": _connect,
    "memory": _memory,
    "resume": _resume,
    "search": _search,
    "growth": _growth,
    "capacity": _capacity,
}
DESCRIPTIONS = {
    "create": "messages by 1, 16 and 64 writers, until all have arrived",
    "automod": "messages in a guild with and without rules of AutoModeration",
    "fan-out": "events to the sessions of a guild",
    "compressed": "the same, with compressed connections",
    "history": "pages of 50 messages of a channel with a long history",
    "connect": "handshakes, and IDENTIFY until READY and all guilds have arrived",
    "memory": "memory of idle sessions",
    "resume": "all sessions resume at once; REST at the same time",
    "search": "searches in a guild with a long history, and indexing it",
    "growth": "larger guilds, 3 and 10 times of everything, and a second instance",
    "capacity": "how many people one core serves; --quick tries at most 4,000",
}
"""What each workload measures, for --help."""

SLOW = ("search", "growth", "capacity")
"""Workloads that --quick leaves out unless they are named."""
