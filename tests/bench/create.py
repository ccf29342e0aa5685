"""Creating messages, 1, 16 and 64 at once: until they are committed and sent to a session."""

from __future__ import annotations

import asyncio
import time
from functools import partial

from tests.bench import measuring, report
from tests.bench.environment import Process, Stage
from tests.bench.http import request
from tests.bench.measuring import Lap, Subject
from tests.bench.report import Row

CONTENT = "a message of the usual length, about as long as people write them"
_TIMEOUT_S = 30.0


async def rows(
    subject: Subject, bare: Process, *, at_once: int, rounds: int, seconds: float
) -> list[Row]:
    """Return the row for this many concurrent requests."""
    path = "/alone" if at_once == 1 else "/grouped"
    stage = subject.stage
    figures = await measuring.take_turns(
        {
            "own": partial(on_server, subject, at_once=at_once, seconds=seconds),
            "bare": partial(_on_bare, stage, bare, path, at_once=at_once, seconds=seconds),
        },
        rounds=rounds,
    )
    made = report.row(subject.adapter.name, f"create, {at_once} at once", figures["own"])
    name = f"aiohttp, insert {path[1:]}"
    if at_once == 1:
        return [report.beside(made, name, figures["bare"], "p50", at_most=1.5)]
    target = 0.6 if at_once == 64 else None
    return [report.beside(made, name, figures["bare"], "rate", at_least=target)]


async def on_server(
    subject: Subject, *, at_once: int, seconds: float, place_number: int = 0
) -> Lap:
    """Create messages for some seconds. The lap ends when a session has received all events.

    The owner of the guild writes none, because rules of AutoModeration do not apply to it.
    """
    adapter, place = subject.adapter, subject.scene.places[place_number]
    listener = await adapter.connect(subject.port)
    await listener.identify(place.tokens[-1], intents=adapter.intents)
    listener.socket.only_count()
    frames_before = listener.socket.frames
    raw = [
        adapter.message(token, place.channel, CONTENT) for token in place.tokens[1 : at_once + 1]
    ]
    async with subject.lap() as counted:
        await measuring.keep_asking(counted, subject.port, raw, at_once=at_once, seconds=seconds)
        deadline = time.perf_counter() + _TIMEOUT_S
        while listener.socket.frames - frames_before < counted.units:
            assert time.perf_counter() < deadline, "the session has not received all messages"
            await asyncio.sleep(0.001)
    listener.socket.abort()
    return counted


async def _on_bare(stage: Stage, bare: Process, path: str, *, at_once: int, seconds: float) -> Lap:
    raw = [request("POST", path, body={"content": CONTENT})]
    async with measuring.lap(stage, bare.pids, private=True) as counted:
        await measuring.keep_asking(counted, bare.port, raw, at_once=at_once, seconds=seconds)
    return counted
