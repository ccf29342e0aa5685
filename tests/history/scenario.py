"""The scenario of the checker: clients write and listen, with a fault at intervals."""

from __future__ import annotations

import asyncio
import itertools
import random
import time
from collections.abc import Callable, Sequence

from tests.history.environment import Cluster
from tests.history.listener import RETRY_S, TRANSPORTS, Listener
from tests.history.record import History

Report = Callable[[str], None]


def _quiet(_: str) -> None:
    """Report nothing."""


async def play(
    cluster: Cluster,
    *,
    seconds: float,
    every_s: float,
    faults: Sequence[str] | None = None,
    settles_s: float = 30.0,
    is_enough: Callable[[History], bool] = lambda _: True,
    report: Report = _quiet,
) -> list[str]:
    """Write and listen for `seconds`, with a fault every `every_s`; return the violations.

    Each fault is injected at least once, and it goes on until the history `is_enough`. Connections
    are cut between faults.
    """
    history = cluster.history
    transports = itertools.cycle(TRANSPORTS)
    listeners = [
        Listener(cluster.instances, token, history, transport=next(transports))
        for token in cluster.tokens
        for _ in "12"
    ]
    bot = Listener(cluster.instances, cluster.bot_token, history)
    listeners.append(bot)
    known = cluster.faults()
    names = list(known) if faults is None else list(faults)
    async with asyncio.TaskGroup() as tasks:
        listening = [tasks.create_task(each.run()) for each in listeners]
        while not all(each.epochs for each in listeners):
            await asyncio.sleep(RETRY_S)
        writing = [tasks.create_task(cluster.write(token)) for token in cluster.tokens]
        writing += [tasks.create_task(cluster.press(token)) for token in cluster.tokens]
        answering = tasks.create_task(cluster.answer(bot.interactions))
        end = time.monotonic() + seconds
        reporting = tasks.create_task(_report_progress(cluster, end, report))
        turn = 0
        while time.monotonic() < end or turn < len(names) or not is_enough(history):
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
        await settle(cluster, listeners, settles_s)
        for task in (*listening, reporting, answering):
            task.cancel()
    return history.problems(await cluster.stored())


async def _report_progress(cluster: Cluster, end: float, report: Report) -> None:
    while True:
        left_s = max(end - time.monotonic(), 0)
        counts = ", ".join(f"{count} {name}" for name, count in cluster.history.counts.items())
        report(f"{left_s:4.0f} s left, {len(cluster.history.sent)} messages, {counts}")
        await asyncio.sleep(1)


async def settle(cluster: Cluster, listeners: list[Listener], within_s: float = 30.0) -> None:
    """Wait until every listener has the last message of every channel, or a later session."""
    for channel in cluster.channels:
        await cluster.send(cluster.tokens[0], channel)
    last = {each.id: each.asked_at for each in cluster.history.sent[-len(cluster.channels) :]}
    deadline = time.monotonic() + within_s

    def is_behind(listener: Listener) -> bool:
        epoch = listener.epochs[-1]
        received = {each.id for each in epoch.received}
        if not cluster.history.expected_ephemeral(epoch) <= {each.id for each in epoch.ephemeral}:
            return True
        return any(each not in received and at > epoch.ready_at for each, at in last.items())

    while any(map(is_behind, listeners)) and time.monotonic() < deadline:
        await asyncio.sleep(RETRY_S)
