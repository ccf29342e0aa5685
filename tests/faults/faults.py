"""The faults. Each breaks a real process, disk or clock, and repairs it."""

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
import psutil

from chatd.embedded.postgres import Postgres
from chatd.embedded.valkey import Valkey
from tests.faults.load import Load
from tests.helpers.instances import Instance
from tests.helpers.service_manager import SERVE_AND_HANG
from tests.history.environment import Cluster

Injection = Callable[[Load], Awaitable[float]]
"""Breaks something and repairs it. Returns the time of the repair, or of the break if the server
must recover by itself."""

_FAKETIME = "usr/lib/*/faketime/libfaketimeMT.so.1"
_HOUR_S = 3600


class FaultSkipped(Exception):
    """The fault cannot be injected on this machine. The message is the reason."""


@dataclass
class FaultContext:
    """Where a fault is injected. As far as possible it does not affect the second instance."""

    cluster: Cluster
    short: bool
    notes: list[str] = field(default_factory=list)
    """Further results for the report."""

    @property
    def target(self) -> Instance:
        return self.cluster.instances[0]

    def seconds(self, long: float, short: float) -> float:
        """Return `short` in the short form of the command, else `long`."""
        return short if self.short else long

    @asynccontextmanager
    async def changed(self, **settings: str) -> AsyncIterator[None]:
        """Restart the target with its changed fields and these settings; restore it at the end."""
        target = self.target
        before = dict(target.environment)
        target.environment |= settings
        await target.end(signal.SIGTERM)
        await target.start()
        try:
            yield
        finally:
            target.environment.clear()
            target.environment |= before
            target.before, target.output = (), target.log
            target.words = ("-m", "chatd", "serve")
            await target.end(signal.SIGTERM)
            await target.start()


Fault = Callable[[FaultContext], AbstractAsyncContextManager[Injection]]


def _glob(folder: Path, pattern: str) -> list[Path]:
    return sorted(folder.glob(pattern))


# -- disks -------------------------------------------------------------------------------------


@asynccontextmanager
async def uploads_full(context: FaultContext) -> AsyncIterator[Injection]:
    """The disk of uploads is full: a small file system that only the target sees."""
    target = context.target
    place = context.cluster.folder / "small"
    place.mkdir(exist_ok=True)
    target.before = _small_disk(place)
    async with context.changed(FILES_DIR=str(place / "files")):
        seen_by_it = Path(f"/proc/{target.pid}/root", *place.parts[1:])

        async def inject(load: Load) -> float:
            kept = [await _upload_until_accepted(load, target)]
            filler = seen_by_it / "filler"
            with filler.open("wb", buffering=0) as file, contextlib.suppress(OSError):
                while True:
                    file.write(b"0" * 4096)
            end = time.monotonic() + context.seconds(10, 0.5)
            refused = 0
            while time.monotonic() < end or not refused:
                status, _ = await _upload(load, target)
                assert status == 503, f"an upload to a full disk got {status}"
                refused += 1
            filler.unlink()
            since = time.monotonic()
            kept.append(await _upload_until_accepted(load, target))
            context.notes.append(f"{refused} uploads refused with 503, messages still sent")
            load.problems += [
                problem for each in kept for problem in await _missing(load, target, *each)
            ]
            if left := _glob(seen_by_it, "**/*.partial"):
                load.problems.append(f"partial files remain: {left}")
            return since

        yield inject


def _small_disk(place: Path) -> list[str]:
    """Return a command prefix that mounts a private file system of 1 MiB at `place`.

    The mount ends with the command. Raises FaultSkipped.
    """
    unshare = ["unshare", "--mount"]
    if os.geteuid() != 0:
        unshare += ["--user", "--map-root-user"]
    mount = 'mount -t tmpfs -o size=1m,mode=700 none "$0" && exec "$@"'
    before = [*unshare, "sh", "-c", mount, str(place)]
    if os.spawnlp(os.P_WAIT, before[0], *before, "true") != 0:
        raise FaultSkipped("no file system can be mounted here (unshare --mount)")
    return before


async def _upload(load: Load, instance: Instance) -> tuple[int, tuple[str, bytes]]:
    """Upload a file. Return the status, its URL and its content."""
    data = b"\0" + random.randbytes(99_999)  # after a brace, the file would be taken for JSON
    form = aiohttp.FormData()
    content = secrets.token_hex(12)
    form.add_field("payload_json", json.dumps({"content": content}))
    form.add_field("files[0]", data, filename="noise.bin")
    cluster = load.cluster
    path = f"/channels/{cluster.channels[0]}/messages"
    status, made = await load.ask(instance, cluster.tokens[0], "POST", path, data=form)
    return status, (made["attachments"][0]["url"] if status == 200 else "", data)


async def _upload_until_accepted(load: Load, instance: Instance) -> tuple[str, bytes]:
    """Upload a file until that succeeds. Return its URL and content."""
    while True:
        status, sent = await _upload(load, instance)
        if status == 200:
            return sent
        await asyncio.sleep(0.05)


async def _missing(load: Load, instance: Instance, url: str, data: bytes) -> list[str]:
    path = "/" + url.split("/", 3)[3]
    _, found = await load.ask(instance, load.cluster.tokens[0], "GET", path)
    return [] if found == data else [f"an upload is missing: {url}"]


@asynccontextmanager
async def log_full(context: FaultContext) -> AsyncIterator[Injection]:
    """The disk of the log is full from the start: each write to the log fails with ENOSPC."""
    context.target.output = Path("/dev/full")

    async def inject(load: Load) -> float:
        await asyncio.sleep(context.seconds(10, 0.5))
        context.target.send(signal.SIGHUP)  # logs a few more lines
        await asyncio.sleep(0.2)
        return time.monotonic()

    async with context.changed(LOG_LEVEL="debug"):
        yield inject


# -- dependencies -------------------------------------------------------------------------------


def dependency_down(which: str, *, gone: bool) -> Fault:
    @asynccontextmanager
    async def fault(context: FaultContext) -> AsyncIterator[Injection]:
        server: Postgres | Valkey = getattr(context.cluster, which)

        async def inject(_: Load) -> float:
            await asyncio.to_thread(server.kill if gone else server.stop)
            if gone:
                await asyncio.sleep(context.seconds(60, 1.5))
            await asyncio.to_thread(server.start)
            return time.monotonic()

        yield inject

    return fault


@asynccontextmanager
async def postgres_silent(context: FaultContext) -> AsyncIterator[Injection]:
    """Postgres does not respond: all its processes are stopped (SIGSTOP)."""

    async def inject(load: Load) -> float:
        pid = context.cluster.postgres.pid
        assert pid is not None
        main = psutil.Process(pid)
        processes = [main, *main.children(recursive=True)]
        for process in processes:
            process.suspend()
        try:
            await asyncio.sleep(8)  # until each instance has noticed
            token = load.cluster.tokens[0]
            for instance in context.cluster.instances:
                for path in ("/users/@me", "/health/ready"):
                    began = time.monotonic()
                    await load.ask(instance, token, "GET", path)
                    if (took_s := time.monotonic() - began) > 1.5:
                        load.problems.append(f"{path} took {took_s:.1f} s without Postgres")
            await asyncio.sleep(context.seconds(30, 1))
        finally:
            for process in processes:
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.resume()
        return time.monotonic()

    yield inject


# -- the clock ---------------------------------------------------------------------------------


def clock(*steps_s: int) -> Fault:
    @asynccontextmanager
    async def fault(context: FaultContext) -> AsyncIterator[Injection]:
        libraries = _glob(Path("/"), _FAKETIME)
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


def _set(clock: Path, text: str) -> None:
    fresh = clock.with_suffix(".new")
    fresh.write_text(text)
    fresh.replace(clock)


async def _shows(instance: Instance, ahead_s: int) -> None:
    """Wait until an instance's clock is `ahead_s` seconds ahead."""
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
async def descriptors_out(context: FaultContext) -> AsyncIterator[Injection]:
    """All file descriptors are used by idle connections."""
    target = context.target

    async def inject(load: Load) -> float:
        starts = target.starts
        used = _descriptors(target)
        before = resource.prlimit(target.pid, resource.RLIMIT_NOFILE)
        resource.prlimit(target.pid, resource.RLIMIT_NOFILE, (used + 16, before[1]))
        idle: list[socket.socket] = []
        try:
            end = time.monotonic() + context.seconds(30, 1.5)
            while time.monotonic() < end:
                for _ in range(64 if not idle else 1):
                    one = socket.create_connection(("127.0.0.1", target.port))
                    one.setblocking(False)
                    idle.append(one)
                await asyncio.sleep(0.05)
            now = _descriptors(target)
            context.notes.append(f"{len(idle)} idle connections, {now} of {used + 16} descriptors")
        finally:
            for one in idle:
                one.close()
            since = time.monotonic()
            resource.prlimit(target.pid, resource.RLIMIT_NOFILE, before)
        if target.starts != starts:
            load.problems.append("it was restarted")
        return since

    yield inject


def _descriptors(instance: Instance) -> int:
    return sum(1 for _ in Path(f"/proc/{instance.pid}/fd").iterdir())


@asynccontextmanager
async def stopped(context: FaultContext) -> AsyncIterator[Injection]:
    """The whole process is stopped (SIGSTOP), until the watchdog kills it."""

    async def inject(load: Load) -> float:
        return await _end_by_watchdog(context, load, signal.SIGSTOP)

    yield inject


@asynccontextmanager
async def loop_hangs(context: FaultContext) -> AsyncIterator[Injection]:
    """The event loop is blocked by a function that does not return, until the watchdog kills it."""

    async def inject(load: Load) -> float:
        since = await _end_by_watchdog(context, load, signal.SIGUSR1)
        if "in hang" not in context.target.log.read_text():
            load.problems.append("the log lacks the stack of the blocked thread")
        return since

    context.target.words = ("-c", SERVE_AND_HANG)
    async with context.changed(PYTHONFAULTHANDLER="1"):
        yield inject


async def _end_by_watchdog(context: FaultContext, load: Load, number: signal.Signals) -> float:
    target = context.target
    given_up, starts = target.given_up, target.starts
    since = time.monotonic()
    target.send(number)
    async with asyncio.timeout(60):
        while target.starts == starts:
            await asyncio.sleep(0.05)
    context.notes.append("killed by the watchdog and restarted")
    if target.given_up != given_up + 1:
        load.problems.append("it ended, but not by the watchdog")
    return since


@asynccontextmanager
async def killed(context: FaultContext) -> AsyncIterator[Injection]:
    """`kill -9` at random moments, while messages are being written."""

    async def inject(_: Load) -> float:
        since = time.monotonic()
        rounds = int(context.seconds(12, 2))
        for _round in range(rounds):
            await asyncio.sleep(random.random() * context.seconds(2, 0.5))
            instance = random.choice(context.cluster.instances)
            starts, since = instance.starts, time.monotonic()
            instance.send(signal.SIGKILL)
            async with asyncio.timeout(60):
                while instance.starts == starts or not instance.is_up:
                    await asyncio.sleep(0.05)
        context.notes.append(f"killed {rounds} times")
        return since

    yield inject
