"""The faults. Each breaks a real process, disk or clock, and repairs it."""

from __future__ import annotations

import asyncio
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

from chatd.embedded.postgres import Postgres
from chatd.embedded.valkey import Valkey
from tests.faults.load import Load
from tests.helpers.instances import Instance
from tests.helpers.servers import suspend_processes
from tests.helpers.service_manager import SERVE_AND_HANG
from tests.history.environment import Cluster

Injection = Callable[[Load], Awaitable[float]]
"""Breaks something and repairs it. Returns the time of the repair, or of the break if the server
must recover by itself."""

WATCHDOG_S = 30.0
"""The timeout of the watchdog in the units."""

_SHORT_WATCHDOG_S = 3.0
"""Its timeout for what it ends. A slow machine misses it sometimes without a fault."""

_NOTICED_WITHIN_S = 60.0
_ATTEMPTS = 5
"""Measurements of a time, of which the shortest counts: a busy machine makes some longer."""


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
            target.watchdog_s = WATCHDOG_S
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
        resume = await asyncio.to_thread(suspend_processes, context.cluster.postgres)
        try:
            token = load.cluster.tokens[0]
            for instance in context.cluster.instances:
                async with asyncio.timeout(_NOTICED_WITHIN_S):
                    while not await _reports_unavailable_database(load, instance):
                        await asyncio.sleep(0.05)
                for path in ("/users/@me", "/health/ready"):
                    took_s = []
                    for _ in range(_ATTEMPTS):
                        began = time.monotonic()
                        await load.ask(instance, token, "GET", path)
                        took_s.append(time.monotonic() - began)
                    if min(took_s) > 1.5:
                        load.problems.append(f"{path} took {min(took_s):.1f} s without Postgres")
            await asyncio.sleep(context.seconds(30, 1))
        finally:
            resume()
        return time.monotonic()

    yield inject


async def _reports_unavailable_database(load: Load, instance: Instance) -> bool:
    _, body = await load.ask(instance, load.cluster.tokens[0], "GET", "/health/ready")
    return body is not None and body["database"] == "unavailable"


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

    context.target.watchdog_s = _SHORT_WATCHDOG_S
    async with context.changed():
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
    context.target.watchdog_s = _SHORT_WATCHDOG_S
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
