"""How costs grow: with the members of a guild, more of everything, and a second instance."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from functools import partial

from tests.bench import connect, create, curves, fan_out, history, measuring, report
from tests.bench.adapters import Size
from tests.bench.fan_out import Effort
from tests.bench.measuring import Figures, Subject
from tests.bench.report import Row


async def rows(
    subject: Subject,
    small: Size,
    factors: Sequence[int],
    *,
    members: Sequence[int],
    rounds: int,
    seconds: float,
    effort: Effort,
    listeners: int,
    connects: int,
) -> list[Row]:
    """Return the curves, and rows that are compared with the smallest size.

    `members` are the sizes of the curves. Each size of the others has a server of its own.
    """
    measure = partial(
        _figures,
        rounds=rounds,
        seconds=seconds,
        effort=effort,
        listeners=listeners,
        connects=connects,
    )
    first: Mapping[str, Figures] = {}
    name, stage = subject.adapter.name, subject.stage
    made = await asyncio.to_thread(curves.rows, name, members)
    for factor in (1, *factors):
        adapter = type(subject.adapter)()
        grown = Subject(adapter, stage, [await measuring.start(adapter, stage)])
        grown.scene = await adapter.furnish(stage, grown.port, small.times(factor))
        found = await measure(grown)
        if factor == 1:
            first = found
            grown.processes.append(await measuring.start(adapter, stage, 1))
            made += _compared(name, "with two instances", await measure(grown), first)
        else:
            made += _compared(name, f"with {factor}x of everything", found, first)
        for process in grown.processes:
            stage.stop(process)
    return made


async def _figures(
    subject: Subject,
    *,
    rounds: int,
    seconds: float,
    effort: Effort,
    listeners: int,
    connects: int,
) -> dict[str, Figures]:
    """Return the figures of every workload."""
    scene = subject.scene
    page = subject.adapter.page(scene.reader_token, scene.long_channel, scene.deep_id)

    async def alone(turn: measuring.Turn) -> Figures:
        return (await measuring.take_turns({"own": turn}, rounds=rounds))["own"]

    return {
        "create, 16 at once": await alone(
            partial(create.on_server, subject, at_once=16, seconds=seconds)
        ),
        "history, deep": await alone(
            partial(history.on_server, subject, page, at_once=history.AT_ONCE, seconds=seconds)
        ),
        f"fan-out to {listeners:,}": await fan_out.alone(subject, listeners, effort),
        "IDENTIFY, the guild": await alone(
            partial(connect.identify, subject, scene.places[1].tokens, connects)
        ),
        "IDENTIFY, many guilds": await alone(
            partial(connect.identify, subject, [scene.busy_token], connect.AT_ONCE)
        ),
    }


def _compared(
    server: str, how: str, found: Mapping[str, Figures], first: Mapping[str, Figures]
) -> list[Row]:
    made = []
    for what, figures in found.items():
        row = report.row(server, f"{what}, {how}", figures)
        made.append(report.beside(row, "one instance, smallest size", first[what], "rate"))
    return made
