"""Writing and listening while one thing after another fails."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable

from tests.history.listener import RETRY_S, Listener
from tests.history.stage import Stage, settle


async def play(
    stage: Stage,
    *,
    seconds: float,
    every_s: float,
    faults: list[str] | None = None,
    tell: Callable[[str], None] = lambda _: None,
) -> list[str]:
    """Write and listen for so long, with a fault every so often, and each of them at least once;
    returns what was wrong."""
    history = stage.history
    listeners = [Listener(stage.instances, token, history) for token in stage.tokens for _ in "12"]
    known = stage.faults()
    async with asyncio.TaskGroup() as tasks:
        listening = [tasks.create_task(each.run()) for each in listeners]
        while not all(each.epochs for each in listeners):
            await asyncio.sleep(RETRY_S)
        writing = [tasks.create_task(stage.write(token)) for token in stage.tokens]
        end = time.monotonic() + seconds
        turn = 0
        while time.monotonic() < end or turn < len(faults or known):
            for _ in range(3):
                await asyncio.sleep(every_s / 3)
                await random.choice(listeners).cut()
            name = (faults or list(known))[turn % len(faults or known)]
            turn += 1
            history.counts[name] += 1
            await known[name]()
            left_s = end - time.monotonic()
            tell(f"{left_s:5.0f} s left, {len(history.sent)} messages, {dict(history.counts)}")
        for task in writing:
            task.cancel()
        await settle(stage, listeners)
        for task in listening:
            task.cancel()
    return history.problems(await stage.stored())
