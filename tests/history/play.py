"""The plays of the checker: with a fault every so often, and a restart of all instances in turn."""

from __future__ import annotations

import asyncio
import itertools
import random
import signal
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
        await _settle(stage, listeners, settles_s)
        for task in (*listening, telling):
            task.cancel()
    return history.problems(await stage.stored())


async def _tell_progress(stage: Stage, end: float, tell: Tell) -> None:
    while True:
        left_s = max(end - time.monotonic(), 0)
        counts = ", ".join(f"{count} {name}" for name, count in stage.history.counts.items())
        tell(f"{left_s:4.0f} s left, {len(stage.history.sent)} messages, {counts}")
        await asyncio.sleep(1)


async def roll(stage: Stage, *, sockets: int, tell: Tell = _quiet) -> list[str]:
    """Restart the instances one after another while so many listen; returns what was wrong.

    Nobody may be told to identify anew.
    """
    history = stage.history
    whose = itertools.islice(
        zip(itertools.cycle(stage.tokens), itertools.cycle(TRANSPORTS), strict=False), sockets
    )
    listeners = [
        Listener(stage.instances, token, history, transport=transport) for token, transport in whose
    ]
    async with asyncio.TaskGroup() as tasks:
        listening = [tasks.create_task(each.run()) for each in listeners]
        while not all(each.epochs for each in listeners):
            await asyncio.sleep(RETRY_S)
        tell(f"{sockets} sessions are ready")
        writing = tasks.create_task(stage.write(stage.tokens[0], every_s=0.2))
        for instance in stage.instances:
            await asyncio.sleep(1)
            resumes, began = history.counts["resumes"], time.monotonic()
            served = sum(each.is_on(instance) for each in listeners)
            await instance.end(signal.SIGTERM)
            stopped_s = time.monotonic() - began
            while history.counts["resumes"] < resumes + served and time.monotonic() < began + 60:
                await asyncio.sleep(RETRY_S)
            resumed_s = time.monotonic() - began
            tell(
                f"{served} sessions: stopped in {stopped_s:.1f} s, all resumed in {resumed_s:.1f} s"
            )
            await instance.start()
        writing.cancel()
        await _settle(stage, listeners, within_s=30.0)
        for task in listening:
            task.cancel()
    anew = history.counts["told to identify anew"]
    problems = [f"{anew} were told to identify anew"] if anew else []
    return problems + history.problems(await stage.stored())


async def _settle(stage: Stage, listeners: list[Listener], within_s: float) -> None:
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
