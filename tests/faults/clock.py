"""Faults of the clock: that of one instance is changed under load."""

from __future__ import annotations

import asyncio
import calendar
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp

from tests.faults.faults import Fault, FaultContext, FaultSkipped, Injection
from tests.faults.load import Load
from tests.helpers.instances import Instance

_FAKETIME = "usr/lib/*/faketime/libfaketimeMT.so.1"
_TIMEOUT_S = 60.0


def clock(*steps_s: int) -> Fault:
    @asynccontextmanager
    async def fault(context: FaultContext) -> AsyncIterator[Injection]:
        libraries = _libraries()
        if not libraries:
            raise FaultSkipped("libfaketime is not installed")
        wrong = context.cluster.folder / "clock"
        wrong.write_text("+0")
        target = context.target

        async def inject(load: Load) -> float:
            for step_s in steps_s:
                _set(wrong, f"{step_s:+d}")
                await _shows(target, step_s)
                await asyncio.sleep(context.seconds(5, 0.5))
                await target.end(signal.SIGTERM)  # ids must stay unique over a restart
                await target.start()
                await asyncio.sleep(context.seconds(5, 0.5))
            _set(wrong, "+0")
            await _shows(target, 0)
            return time.monotonic()

        async with context.changed(
            LD_PRELOAD=str(libraries[0]),
            FAKETIME_TIMESTAMP_FILE=str(wrong),
            FAKETIME_NO_CACHE="1",
            FAKETIME_DONT_FAKE_MONOTONIC="1",
            DONT_FAKE_MONOTONIC="1",
        ):
            yield inject

    return fault


def _libraries() -> list[Path]:
    return sorted(Path("/").glob(_FAKETIME))


def _set(clock: Path, text: str) -> None:
    fresh = clock.with_suffix(".new")
    fresh.write_text(text)
    fresh.replace(clock)


async def _shows(instance: Instance, ahead_s: int) -> None:
    """Wait until an instance's clock is `ahead_s` seconds ahead."""
    async with asyncio.timeout(_TIMEOUT_S), aiohttp.ClientSession() as http:
        while True:
            async with http.get(f"{instance.url}/health") as answer:
                shown = time.strptime(answer.headers["Date"], "%a, %d %b %Y %H:%M:%S GMT")
            if abs(_seconds(shown) - time.time() - ahead_s) < 60:
                return
            await asyncio.sleep(0.05)


def _seconds(moment: time.struct_time) -> float:
    return calendar.timegm(moment)
