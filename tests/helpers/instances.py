"""Instances as processes, supervised like by systemd.

Their ports stay open while they restart. An instance that exits is restarted, and one whose
watchdog is silent is aborted.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp

from tests.helpers.processes import Process
from tests.helpers.servers import free_port

_ROOT = Path(__file__).parents[2]
_POLL_S = 0.05
_TIMEOUT_S = 120.0
_RESTART_S = 0.3
_ABORT_S = 1.0  # what is aborted and does not end is killed


class Instance:
    """An instance as a process, which can be stopped, killed and restarted.

    With `held`, this process keeps its listening socket: clients that connect during a restart
    wait. With `watchdog_s`, an instance that sends no WATCHDOG=1 for this time is aborted, and one
    that exits is restarted.
    """

    def __init__(
        self,
        number: int,
        folder: Path,
        environment: dict[str, str],
        *,
        held: bool = False,
        watchdog_s: float | None = None,
    ) -> None:
        self.number = number
        self.folder = folder
        self.log = folder / f"instance{number}.log"
        self.before: Sequence[str] = ()
        """A command with its arguments that runs the instance, like `prlimit`."""
        self.output = self.log
        """The file that its log is appended to."""
        self.words: Sequence[str] = ("-m", "chatd", "serve")
        """The arguments of Python."""
        self._port = socket.create_server(("127.0.0.1", free_port()), backlog=4096)
        self.port = self._port.getsockname()[1]
        self.environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join([str(_ROOT), *sys.path]),
            "API_PORT": str(self.port),
            "GATEWAY_PORT": str(self.port),
            "WORKER_ID": str(number),
            "RATE_LIMITS": "off",
            "RAID_JOINS": "0",
            "SESSIONS_PER_USER": "0",
            "SOCKETS_PER_ADDRESS": "0",
            "CONNECTIONS_PER_ADDRESS": "0",
            "DATABASE_MAX_CONNECTIONS": "6",
            **environment,
        }
        self._held = held
        if not held:
            self._port.close()
        self.watchdog_s = watchdog_s
        """The timeout of its watchdog from its next start on."""
        self._process: Process | None = None
        self._wanted = False
        self._life: asyncio.Task[None] | None = None
        self.is_up = False
        self.starts = 0
        self.given_up = 0
        """How often the watchdog has aborted it."""

    @property
    def url(self) -> str:
        """The URL of its API."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def can_be_asked(self) -> bool:
        """Whether a request that is sent now gets a response, even if it has to wait."""
        return self._held or self.is_up

    @property
    def is_running(self) -> bool:
        """Whether its process exists."""
        return self._process is not None

    @property
    def pid(self) -> int:
        """The id of its process."""
        assert self._process is not None
        return self._process.pid

    @property
    def _is_ending(self) -> bool:
        return not self._wanted

    async def start(self) -> None:
        """Start it, and wait until it is ready."""
        self._wanted = True
        self._life = asyncio.create_task(self._live())
        await self.serves()

    async def serves(self) -> None:
        """Wait until `/health/ready` answers with 200."""
        async with aiohttp.ClientSession() as http, asyncio.timeout(_TIMEOUT_S):
            while not self.is_up:
                if self._life is not None and self._life.done():
                    self._life.result()
                    raise AssertionError(f"it has ended; see {self.log}")
                if self._process is not None:
                    with contextlib.suppress(aiohttp.ClientError, TimeoutError):
                        limit = aiohttp.ClientTimeout(5)
                        async with http.get(f"{self.url}/health/ready", timeout=limit) as answer:
                            self.is_up = answer.status == 200
                await asyncio.sleep(_POLL_S)

    @asynccontextmanager
    async def up_for_at_most(self, seconds: float) -> AsyncIterator[None]:
        """Raise TimeoutError when it has been up for this long while the context is open.

        A request to an instance that is being started waits for it, however long that takes. The
        time is counted in polls, as that of the watchdog is.
        """
        async with asyncio.timeout(None) as limit:
            counting = asyncio.create_task(self._end_after(limit, seconds))
            try:
                yield
            finally:
                counting.cancel()

    async def _end_after(self, limit: asyncio.Timeout, seconds: float) -> None:
        polls = round(seconds / _POLL_S)
        while polls:
            polls -= self.is_up
            await asyncio.sleep(_POLL_S)
        limit.reschedule(asyncio.get_running_loop().time())

    def send(self, number: signal.Signals) -> None:
        """Send a signal to the process, without waiting."""
        os.kill(self.pid, number)

    async def end(self, number: signal.Signals) -> None:
        """Send a signal, and wait until the process has exited. It is not restarted."""
        self._wanted = False
        self.is_up = False
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):  # it has exited already
                self.send(number)
        if self._life is not None:
            async with asyncio.timeout(_TIMEOUT_S):
                await self._life

    def close(self) -> None:
        """Close the listening socket."""
        self._port.close()

    async def _live(self) -> None:
        """Run the process. With a watchdog, restart it whenever it exits, until `end`."""
        while self._wanted:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
                address = f"@chatd-instance-{os.getpid()}-{self.port}"
                manager.bind(address.replace("@", "\0"))
                manager.setblocking(False)
                self._process = self._spawn(address)
                self.starts += 1
                if self._is_ending:
                    self._process.kill()
                watching = asyncio.create_task(self._watch(manager))
                try:
                    await self._process.ended()
                finally:
                    watching.cancel()
                    await asyncio.wait({watching})
                    self.is_up = False
                    self._process = None
            if self.watchdog_s is None:
                break
            await asyncio.sleep(_RESTART_S if self._wanted else 0)

    def _spawn(self, address: str) -> Process:
        environment = dict(self.environment)
        if self.watchdog_s is not None:
            environment["NOTIFY_SOCKET"] = address
            environment["WATCHDOG_USEC"] = str(int(self.watchdog_s * 1_000_000))
        command = [*self.before, sys.executable, *self.words]
        passed = [self._port.fileno()] if self._held else []
        with self.output.open("ab") as out:
            files = (subprocess.DEVNULL, out, out)
            return Process(command, self.folder, environment, files, passed)

    async def _watch(self, manager: socket.socket) -> None:
        """Read its sd_notify messages; abort it when no ping comes for the watchdog's time.

        The time is counted in polls. So it contains no time in which a busy machine did not run
        this process, and pings were not read.
        """
        if self.watchdog_s is None:
            return
        process = self._process
        assert process is not None
        timeout_polls = round(self.watchdog_s / _POLL_S)
        left: int | None = None  # none while it starts
        while left is None or left > 0:
            said = _pending(manager)
            if b"READY=1" in said:
                self.is_up = True
            if b"WATCHDOG=1" in said or (left is None and self.is_up):
                left = timeout_polls
            elif left is not None:
                left -= 1
            await asyncio.sleep(_POLL_S)
        self.is_up = False
        self.given_up += 1
        began = time.monotonic()
        process.send_signal(signal.SIGABRT)
        while process.poll() is None:
            if time.monotonic() > began + _ABORT_S:
                process.kill()
            await asyncio.sleep(_POLL_S)


def _pending(manager: socket.socket) -> bytes:
    """Return the messages that a socket has received."""
    found = b""
    with contextlib.suppress(BlockingIOError):
        while True:
            found += manager.recv(4096) + b"\n"
    return found
