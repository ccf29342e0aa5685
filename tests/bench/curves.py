"""Curves: the CPU time of a unit of work in one guild, as the guild grows.

The objects of `chatd.gateway.fanout` run in this process, with sessions that have no sockets, since
no machine has the sockets of 50,000 people. Each scene is measured at several sizes. The exponent e
between the smallest and the largest size states that the time of a unit grows with size**e: 0 is
constant, 1 is linear. The longest turn of the event loop is measured, too, in CPU time.
"""

from __future__ import annotations

import asyncio
import gc
import math
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from tests.bench import report
from tests.bench.crowded_guild import CrowdedGuild
from tests.bench.holds import Holds
from tests.bench.report import Row

_ROUNDS = 3
"""How often each is measured; the shortest counts."""

_TURN_S = 0.005
"""The longest turn that is allowed, in seconds."""

_EXPONENT = 0.3
"""The largest exponent that is allowed. Larger data misses more caches, so it is above zero."""

Act = Callable[[CrowdedGuild], Awaitable[int]]
"""Does some work, and returns how many units of it."""


@dataclass(frozen=True)
class Scene:
    """A kind of work, whose time per unit should not grow."""

    title: str
    act: Act
    channels: int = 10
    """Channels of the guild; 0 for as many as a tenth of its members."""
    roles: int = 50
    prepare: Callable[[CrowdedGuild], None] | None = None
    """Called before each measurement."""


@dataclass(frozen=True)
class Point:
    """The figures of one size."""

    size: int
    unit_s: float
    turn_s: float


async def _storm_of_presences(guild: CrowdedGuild) -> int:
    """All members have changed their presence within one interval of the reporter."""
    await guild.report_presences()
    return guild.size


async def _storm_of_typing(guild: CrowdedGuild) -> int:
    """Ten members begin to type; each of the others receives it."""
    for number in range(10):
        await guild.push(guild.typing(number))
    return 10 * guild.size


async def _arrivals(guild: CrowdedGuild) -> int:
    """Sessions begin, and after each there is a message that ten members see."""
    for _ in range(100):
        guild.arrive()
        await guild.push(guild.message(guild.staff_channel))
    return 100


async def _departures(guild: CrowdedGuild) -> int:
    """Sessions end, and after each there is a message that ten members see."""
    for _ in range(100):
        guild.leave()
        await guild.push(guild.message(guild.staff_channel))
    return 100


async def _member_gets_role(guild: CrowdedGuild) -> int:
    """Members get a role, each with an event that no intent of the others includes."""
    for number in range(20):
        await guild.push(guild.member_update(number))
    return 20 * guild.size


async def _channel_renamed(guild: CrowdedGuild) -> int:
    """A channel that ten members see gets another name."""
    for _ in range(10):
        await guild.push(guild.channel_update(guild.staff_channel))
    return 10


async def _role_switched(guild: CrowdedGuild) -> int:
    """A role of ten members loses and regains a channel."""
    for granted in (False, True) * 3:
        await guild.push(guild.staff_overwrite(granted=granted))
    return 6


async def _lists_updated(guild: CrowdedGuild) -> int:
    """Member lists that all members watch are updated after one change."""
    await guild.update_lists()
    return guild.size


SCENES = (
    Scene("presence storm, a user", _storm_of_presences, prepare=CrowdedGuild.change_presences),
    Scene("typing storm, a delivery", _storm_of_typing),
    Scene("arrival and message to 10", _arrivals),
    Scene("departure and message to 10", _departures),
    Scene("member gets role, a session without intent", _member_gets_role),
    Scene("channel of 10 renamed", _channel_renamed),
    Scene("channel of 10 hidden and shown", _role_switched),
    Scene("channel of 10 renamed, many channels", _channel_renamed, channels=0, roles=250),
    Scene("member list of all, a session", _lists_updated),
)


def measure(scene: Scene, sizes: Sequence[int]) -> list[Point]:
    """Return the figures of a scene. Runs event loops of its own."""
    made = []
    for size in sizes:
        # `Holds` measures the callbacks of this loop only.
        with asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner:
            made.append(runner.run(_point(scene, size)))
    return made


async def _point(scene: Scene, size: int) -> Point:
    guild = CrowdedGuild(size, scene.channels or max(10, size // 10), scene.roles)
    holds = Holds()
    await scene.act(guild)
    found = []
    gc.collect()
    gc.disable()
    with holds.following_this_thread():
        for _ in range(_ROUNDS):
            guild.acknowledge()
            if scene.prepare is not None:
                scene.prepare(guild)
            await asyncio.sleep(0)
            holds.longest_s = 0.0
            began = time.thread_time()
            units = await scene.act(guild)
            await asyncio.sleep(0)
            found.append(((time.thread_time() - began) / units, holds.longest_s))
    gc.enable()
    return Point(size, min(unit for unit, _ in found), min(turn for _, turn in found))


def exponent(points: Sequence[Point]) -> float:
    """Return by which power of the size the time of a unit grows."""
    first, last = points[0], points[-1]
    if first.size == last.size:
        return 0.0
    return math.log(last.unit_s / first.unit_s) / math.log(last.size / first.size)


def rows(server: str, sizes: Sequence[int]) -> list[Row]:
    """Return a row for each scene and size; the last of a scene has the exponent."""
    made = []
    for scene in SCENES:
        points = measure(scene, sizes)
        for point in points:
            row = Row(server, f"{scene.title}, {point.size:,} members", rate=1 / point.unit_s)
            row.p50_s = row.p99_s = row.server_cpu_s = point.unit_s
            row.more = {"size": point.size, "turn_s": point.turn_s}
            row.notes = [f"longest turn {point.turn_s * 1000:.1f} ms"]
            made.append(row)
        power = made[-1].more["exponent"] = exponent(points)
        made[-1].notes.insert(0, f"exponent {power:.2f}")
        is_met = power <= _EXPONENT and points[-1].turn_s <= _TURN_S
        report.bounded(made[-1], f"≤ {_EXPONENT:g}, ≤ {_TURN_S * 1000:.0f} ms", met=is_met)
    return made
