"""Reading fifty messages of a channel with a long history, at its end and in its middle."""

from __future__ import annotations

from functools import partial

from tests.bench import measuring, report
from tests.bench.environment import Process, Stage
from tests.bench.http import Connection, request
from tests.bench.measuring import Lap, Subject
from tests.bench.report import Row

AT_ONCE = 8


async def rows(
    subject: Subject, bare: Process, *, messages: int, rounds: int, seconds: float
) -> list[Row]:
    """Return the rows of the end and the middle, for one request at a time and for several."""
    adapter, scene, stage = subject.adapter, subject.scene, subject.stage
    made = []
    for where, before, bare_before in (
        ("at the end", "", messages + 1),
        ("deep", scene.deep_id, messages // 2),
    ):
        raw = adapter.page(scene.reader_token, scene.long_channel, before)
        bare_raw = request("GET", f"/messages?before={bare_before}")
        await _check_length(subject.port, raw)
        await _check_length(bare.port, bare_raw)
        for at_once in (1, AT_ONCE):
            figures = await measuring.take_turns(
                {
                    "own": partial(on_server, subject, raw, at_once=at_once, seconds=seconds),
                    "bare": partial(
                        _on_bare, stage, bare, bare_raw, at_once=at_once, seconds=seconds
                    ),
                },
                rounds=rounds,
            )
            title = f"history of {messages:,}, {where}, {at_once} at once"
            row = report.row(adapter.name, title, figures["own"])
            name = "aiohttp, query, orjson"
            made.append(report.beside(row, name, figures["bare"], "rate", at_least=0.5))
    return made


async def on_server(subject: Subject, raw: bytes, *, at_once: int, seconds: float) -> Lap:
    """Read pages for some seconds."""
    async with subject.lap() as counted:
        await measuring.keep_asking(counted, subject.port, [raw], at_once=at_once, seconds=seconds)
    return counted


async def _on_bare(stage: Stage, bare: Process, raw: bytes, *, at_once: int, seconds: float) -> Lap:
    async with measuring.lap(stage, bare.pids, private=True) as counted:
        await measuring.keep_asking(counted, bare.port, [raw], at_once=at_once, seconds=seconds)
    return counted


async def _check_length(port: int, raw: bytes) -> None:
    async with await Connection.to(port) as connection:
        found = (await connection.well(raw)).json
        assert len(found) == 50, f"{len(found)} messages instead of fifty"
