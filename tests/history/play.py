"""The play of the checker: writing and listening, with a fault every so often."""

from __future__ import annotations

import asyncio
import itertools
import random
import time
from collections.abc import Callable, Sequence

from tests.history.listener import RETRY_S, TRANSPORTS, Listener
from tests.history.stage import Stage

Tell = Callable[[str], None]


def _quiet(_: str) -> None:
    """Tell nobody."""


async def play(
    stage: Stage,
    *,
    seconds: float,
    every_s: float,
    faults: Sequence[str] | None = None,
    settles_s: float = 30.0,
    tell: Tell = _quiet,
) -> list[str]:
    """Write and listen for so long, with a fault every so often, and each of them at least once;
    returns what was wrong. Between two faults, sockets are cut."""
    history = stage.history
    transports = itertools.cycle(TRANSPORTS)
    listeners = [
        Listener(stage.instances, token, history, transport=next(transports))
        for token in stage.tokens
        for _ in "12"
    ]
    known = stage.faults()
    names = list(known) if faults is None else list(faults)
    async with asyncio.TaskGroup() as tasks:
        listening = [tasks.create_task(each.run()) for each in listeners]
        while not all(each.epochs for each in listeners):
            await asyncio.sleep(RETRY_S)
        writing = [tasks.create_task(stage.write(token)) for token in stage.tokens]
        end = time.monotonic() + seconds
        telling = tasks.create_task(_tell_progress(stage, end, tell))
        turn = 0
        while time.monotonic() < end or turn < len(names):
            for _ in range(3):
                await asyncio.sleep(every_s / 3)
                await random.choice(listeners).cut()
            if names:
                name = names[turn % len(names)]
                history.counts[name] += 1
                await known[name]()
            turn += 1
        for task in writing:
            task.cancel()
        await settle(stage, listeners, settles_s)
        for task in (*listening, telling):
            task.cancel()
    return history.problems(await stage.stored())


async def _tell_progress(stage: Stage, end: float, tell: Tell) -> None:
    while True:
        left_s = max(end - time.monotonic(), 0)
        counts = ", ".join(f"{count} {name}" for name, count in stage.history.counts.items())
        tell(f"{left_s:4.0f} s left, {len(stage.history.sent)} messages, {counts}")
        await asyncio.sleep(1)


async def settle(stage: Stage, listeners: list[Listener], within_s: float = 30.0) -> None:
    """Wait until everybody has the last message of every channel, or has begun anew after it."""
    for channel in stage.channels:
        await stage.send(stage.tokens[0], channel)
    last = {each.id: each.asked_at for each in stage.history.sent[-len(stage.channels) :]}
    deadline = time.monotonic() + within_s

    def is_behind(listener: Listener) -> bool:
        epoch = listener.epochs[-1]
        heard = {each.id for each in epoch.heard}
        return any(each not in heard and at > epoch.ready_at for each, at in last.items())

    while any(map(is_behind, listeners)) and time.monotonic() < deadline:
        await asyncio.sleep(RETRY_S)
