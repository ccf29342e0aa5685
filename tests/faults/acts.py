"""The faults. Each breaks something that is real, and lets it be whole again."""

from __future__ import annotations

import asyncio
import calendar
import contextlib
import json
import os
import random
import resource
import secrets
import signal
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp

from chatd import embedded
from tests.faults.crowd import Crowd
from tests.history.stage import Stage
from tests.instances import Instance
from tests.service_manager import SERVE_AND_HANG

Strike = Callable[[Crowd], Awaitable[float]]
"""Breaks something and lets it be whole; returns when that was, or when it broke if nobody but the
server itself can mend it."""

_FAKETIME = "usr/lib/*/faketime/libfaketimeMT.so.1"
_HOUR_S = 3600


class LeftOut(Exception):
    """It cannot be done on this machine; the text says why."""


@dataclass
class Ground:
    """Where it happens. The second instance always stays whole, so far as the fault allows."""

    stage: Stage
    short: bool
    notes: list[str] = field(default_factory=list)
    """What there is to be told besides."""

    @property
    def victim(self) -> Instance:
        return self.stage.instances[0]

    def seconds(self, long: float, short: float) -> float:
        """How long something lasts."""
        return short if self.short else long

    @asynccontextmanager
    async def changed(self, **settings: str) -> AsyncIterator[None]:
        """The victim runs with what has been set on it, and these settings; then as before."""
        victim = self.victim
        before = dict(victim.environment)
        victim.environment |= settings
        await victim.end(signal.SIGTERM)
        await victim.start()
        try:
            yield
        finally:
            victim.environment.clear()
            victim.environment |= before
            victim.before, victim.output = (), victim.log
            victim.words = ("-m", "chatd", "serve")
            await victim.end(signal.SIGTERM)
            await victim.start()


Act = Callable[[Ground], AbstractAsyncContextManager[Strike]]


def _named(folder: Path, pattern: str) -> list[Path]:
    return sorted(folder.glob(pattern))


# -- disks -------------------------------------------------------------------------------------


@asynccontextmanager
async def uploads_full(ground: Ground) -> AsyncIterator[Strike]:
    """The disk of uploads is full: a small file system of the victim's own, filled up."""
    victim = ground.victim
    place = ground.stage.folder / "small"
    place.mkdir(exist_ok=True)
    victim.before = _small_disk(place)
    async with ground.changed(FILES_DIR=str(place / "files")):
        seen_by_it = Path(f"/proc/{victim.pid}/root", *place.parts[1:])

        async def strike(crowd: Crowd) -> float:
            kept = [await _uploaded(crowd, victim)]
            filler = seen_by_it / "filler"
            with filler.open("wb", buffering=0) as file, contextlib.suppress(OSError):
                while True:
                    file.write(b"0" * 4096)
            end = time.monotonic() + ground.seconds(10, 0.5)
            refused = 0
            while time.monotonic() < end or not refused:
                status, _ = await _upload(crowd, victim)
                assert status == 503, f"an upload to a full disk got {status}"
                refused += 1
            filler.unlink()
            since = time.monotonic()
            kept.append(await _uploaded(crowd, victim))
            ground.notes.append(f"{refused} uploads refused with 503, messages went on")
            crowd.problems += [
                problem for each in kept for problem in await _missing(crowd, victim, *each)
            ]
            if left := _named(seen_by_it, "**/*.partial"):
                crowd.problems.append(f"halves of files are left: {left}")
            return since

        yield strike


def _small_disk(place: Path) -> list[str]:
    """What runs a command with a file system of 1 MiB there, seen by nobody else. Raises LeftOut.

    It ends with the command, so nothing can be left over.
    """
    unshare = ["unshare", "--mount"]
    if os.geteuid() != 0:
        unshare += ["--user", "--map-root-user"]
    mount = 'mount -t tmpfs -o size=1m,mode=700 none "$0" && exec "$@"'
    before = [*unshare, "sh", "-c", mount, str(place)]
    if os.spawnlp(os.P_WAIT, before[0], *before, "true") != 0:
        raise LeftOut("no file system can be mounted here (unshare --mount)")
    return before


async def _upload(crowd: Crowd, instance: Instance) -> tuple[int, tuple[str, bytes]]:
    """Send a file; returns the status, and the address and what should be there."""
    data = random.randbytes(100_000)
    form = aiohttp.FormData()
    content = secrets.token_hex(12)
    form.add_field("payload_json", json.dumps({"content": content}))
    form.add_field("files[0]", data, filename="noise.bin")
    stage = crowd.stage
    path = f"/channels/{stage.channels[0]}/messages"
    status, made = await crowd.ask(instance, stage.tokens[0], "POST", path, data=form)
    return status, (made["attachments"][0]["url"] if status == 200 else "", data)


async def _uploaded(crowd: Crowd, instance: Instance) -> tuple[str, bytes]:
    """Send a file until it is taken."""
    while True:
        status, sent = await _upload(crowd, instance)
        if status == 200:
            return sent
        await asyncio.sleep(0.05)


async def _missing(crowd: Crowd, instance: Instance, url: str, data: bytes) -> list[str]:
    path = "/" + url.split("/", 3)[3]
    _, found = await crowd.ask(instance, crowd.stage.tokens[0], "GET", path)
    return [] if found == data else [f"what was uploaded is not there: {url}"]


@asynccontextmanager
async def log_full(ground: Ground) -> AsyncIterator[Strike]:
    """The disk of the log is full, from the start on: whatever is logged gets ENOSPC."""
    ground.victim.output = Path("/dev/full")

    async def strike(crowd: Crowd) -> float:
        await asyncio.sleep(ground.seconds(10, 0.5))
        ground.victim.send(signal.SIGHUP)  # tells a few lines more
        await asyncio.sleep(0.2)
        return time.monotonic()

    async with ground.changed(LOG_LEVEL="debug"):
        yield strike


# -- neighbours --------------------------------------------------------------------------------


def neighbour(which: str, *, gone: bool) -> Act:
    @asynccontextmanager
    async def act(ground: Ground) -> AsyncIterator[Strike]:
        server: embedded.Postgres | embedded.Valkey = getattr(ground.stage, which)

        async def strike(_: Crowd) -> float:
            await asyncio.to_thread(server.kill if gone else server.stop)
            if gone:
                await asyncio.sleep(ground.seconds(60, 1.5))
            await asyncio.to_thread(server.start)
            return time.monotonic()

        yield strike

    return act


# -- the clock ---------------------------------------------------------------------------------


def clock(*steps_s: int) -> Act:
    @asynccontextmanager
    async def act(ground: Ground) -> AsyncIterator[Strike]:
        libraries = _named(Path("/"), _FAKETIME)
        if not libraries:
            raise LeftOut("libfaketime is not installed")
        wrong = ground.stage.folder / "clock"
        wrong.write_text("+0")
        victim = ground.victim

        async def strike(crowd: Crowd) -> float:
            for step_s in steps_s:
                _set(wrong, f"{step_s:+d}")
                await _shows(victim, step_s)
                await asyncio.sleep(ground.seconds(5, 0.5))
                await victim.end(signal.SIGTERM)  # what it knows of ids must outlive it
                await victim.start()
                await asyncio.sleep(ground.seconds(5, 0.5))
            _set(wrong, "+0")
            await _shows(victim, 0)
            return time.monotonic()

        async with ground.changed(
            LD_PRELOAD=str(libraries[0]),
            FAKETIME_TIMESTAMP_FILE=str(wrong),
            FAKETIME_NO_CACHE="1",
            FAKETIME_DONT_FAKE_MONOTONIC="1",
            DONT_FAKE_MONOTONIC="1",
        ):
            yield strike

    return act


def _set(clock: Path, text: str) -> None:
    fresh = clock.with_suffix(".new")
    fresh.write_text(text)
    fresh.replace(clock)


async def _shows(instance: Instance, ahead_s: int) -> None:
    """Wait until an instance's clock is so far ahead."""
    async with asyncio.timeout(10), aiohttp.ClientSession() as http:
        while True:
            async with http.get(f"{instance.url}/health") as answer:
                shown = time.strptime(answer.headers["Date"], "%a, %d %b %Y %H:%M:%S GMT")
            if abs(_seconds(shown) - time.time() - ahead_s) < 60:
                return
            await asyncio.sleep(0.05)


def _seconds(moment: time.struct_time) -> float:
    return calendar.timegm(moment)


# -- the process -------------------------------------------------------------------------------


@asynccontextmanager
async def descriptors_out(ground: Ground) -> AsyncIterator[Strike]:
    """No file descriptor is left: others have opened as many connections as there can be."""
    victim = ground.victim

    async def strike(crowd: Crowd) -> float:
        starts = victim.starts
        used = _descriptors(victim)
        before = resource.prlimit(victim.pid, resource.RLIMIT_NOFILE)
        resource.prlimit(victim.pid, resource.RLIMIT_NOFILE, (used + 16, before[1]))
        idle: list[socket.socket] = []
        try:
            end = time.monotonic() + ground.seconds(30, 1.5)
            while time.monotonic() < end:
                for _ in range(64 if not idle else 1):
                    one = socket.create_connection(("127.0.0.1", victim.port))
                    one.setblocking(False)
                    idle.append(one)
                await asyncio.sleep(0.05)
            now = _descriptors(victim)
            ground.notes.append(f"{len(idle)} idle connections, {now} of {used + 16} descriptors")
        finally:
            for one in idle:
                one.close()
            since = time.monotonic()
            resource.prlimit(victim.pid, resource.RLIMIT_NOFILE, before)
        if victim.starts != starts:
            crowd.problems.append("it was restarted")
        return since

    yield strike


def _descriptors(instance: Instance) -> int:
    return sum(1 for _ in Path(f"/proc/{instance.pid}/fd").iterdir())


@asynccontextmanager
async def stopped(ground: Ground) -> AsyncIterator[Strike]:
    """The whole process stands still (SIGSTOP); the watchdog gives it up."""

    async def strike(crowd: Crowd) -> float:
        return await _given_up(ground, crowd, signal.SIGSTOP)

    yield strike


@asynccontextmanager
async def loop_hangs(ground: Ground) -> AsyncIterator[Strike]:
    """The event loop hangs in a function that does not return; the watchdog gives it up."""

    async def strike(crowd: Crowd) -> float:
        since = await _given_up(ground, crowd, signal.SIGUSR1)
        if "in hang" not in ground.victim.log.read_text():
            crowd.problems.append("the log does not have the stack of what hung")
        return since

    ground.victim.words = ("-c", SERVE_AND_HANG)
    async with ground.changed(PYTHONFAULTHANDLER="1"):
        yield strike


async def _given_up(ground: Ground, crowd: Crowd, number: signal.Signals) -> float:
    victim = ground.victim
    given_up, starts = victim.given_up, victim.starts
    since = time.monotonic()
    victim.send(number)
    async with asyncio.timeout(60):
        while victim.starts == starts:
            await asyncio.sleep(0.05)
    ground.notes.append("ended by the watchdog, started anew")
    if victim.given_up != given_up + 1:
        crowd.problems.append("it ended, but not by the watchdog")
    return since


@asynccontextmanager
async def killed(ground: Ground) -> AsyncIterator[Strike]:
    """`kill -9` at random moments, while messages are being written."""

    async def strike(_: Crowd) -> float:
        since = time.monotonic()
        rounds = int(ground.seconds(12, 2))
        for _round in range(rounds):
            await asyncio.sleep(random.random() * ground.seconds(2, 0.5))
            instance = random.choice(ground.stage.instances)
            starts, since = instance.starts, time.monotonic()
            instance.send(signal.SIGKILL)
            async with asyncio.timeout(60):
                while instance.starts == starts or not instance.is_up:
                    await asyncio.sleep(0.05)
        ground.notes.append(f"killed {rounds} times")
        return since

    yield strike
