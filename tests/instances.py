"""Servers in processes of their own, started and watched as systemd does it: their ports are held
while they restart, they are started anew when they end, and ended when their watchdog is silent."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import aiohttp

from tests.service_manager import LAUNCHER

_ROOT = Path(__file__).parents[1]
_POLL_S = 0.05
_PATIENCE_S = 60.0
_RESTART_S = 0.3
_ABORT_S = 1.0  # what is aborted and does not end is killed


class Instance:
    """A server in a process of its own, which can be stopped, killed and started anew.

    With `held`, its port is a socket that this process holds: who comes while it restarts waits.
    With `watchdog_s`, it is ended when it is silent for so long; who ends unasked is started anew.
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
        """A command that runs the server, with its own words before those of the server."""
        self.output = self.log
        """Where it logs to."""
        self.words: Sequence[str] = ("-m", "chatd", "serve")
        """What Python is to run."""
        self._port = socket.create_server(("127.0.0.1", 0), backlog=4096)
        self.port = self._port.getsockname()[1]
        self.environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join([str(_ROOT), *sys.path]),
            "API_PORT": str(self.port),
            "GATEWAY_PORT": str(self.port),
            "WORKER_ID": str(number),
            "RATE_LIMITS": "off",
            "SESSIONS_PER_USER": "0",
            "SOCKETS_PER_ADDRESS": "0",
            "DATABASE_MAX_CONNECTIONS": "6",
            **environment,
        }
        self._held = held
        if not held:
            self._port.close()
        self._watchdog_s = watchdog_s
        self._process: asyncio.subprocess.Process | None = None
        self._wanted = False
        self._life: asyncio.Task[None] | None = None
        self.is_up = False
        self.starts = 0
        self.given_up = 0
        """How often the watchdog has ended it."""

    @property
    def url(self) -> str:
        """Where its API is."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def can_be_asked(self) -> bool:
        """Whether a client that comes now is served, be it after a while."""
        return self._held or self.is_up

    @property
    def pid(self) -> int:
        """The process id of the server that runs."""
        assert self._process is not None
        return self._process.pid

    @property
    def _told_to_end(self) -> bool:
        return not self._wanted

    async def start(self) -> None:
        """Start, and wait until it serves."""
        self._wanted = True
        self._life = asyncio.create_task(self._live())
        await self.serves()

    async def serves(self) -> None:
        """Wait until it says that it is ready."""
        async with aiohttp.ClientSession() as http, asyncio.timeout(_PATIENCE_S):
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

    def send(self, number: signal.Signals) -> None:
        """Send a signal, and do not wait for anything."""
        os.kill(self.pid, number)

    async def end(self, number: signal.Signals) -> None:
        """Send a signal, and wait for the end. It stays ended."""
        self._wanted = False
        self.is_up = False
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):  # it has ended by itself just now
                self.send(number)
        if self._life is not None:
            async with asyncio.timeout(_PATIENCE_S):
                await self._life

    def close(self) -> None:
        """Give the port up."""
        self._port.close()

    async def _live(self) -> None:
        """Run it, anew when it ends unasked; without a watchdog, once."""
        while self._wanted:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
                address = f"@chatd-instance-{os.getpid()}-{self.port}"
                manager.bind(address.replace("@", "\0"))
                manager.setblocking(False)
                self._process = await self._spawn(address)
                self.starts += 1
                if self._told_to_end:
                    self._process.kill()
                watching = asyncio.create_task(self._watch(manager))
                try:
                    await self._process.wait()
                finally:
                    watching.cancel()
                    await asyncio.wait({watching})
                    self.is_up = False
                    self._process = None
            if self._watchdog_s is None:
                break
            await asyncio.sleep(_RESTART_S if self._wanted else 0)

    async def _spawn(self, address: str) -> asyncio.subprocess.Process:
        environment = dict(self.environment)
        if self._watchdog_s is not None:
            environment["NOTIFY_SOCKET"] = address
            environment["WATCHDOG_USEC"] = str(int(self._watchdog_s * 1_000_000))
        fds = [self._port.fileno()] if self._held else []
        launch = [sys.executable, "-c", LAUNCHER, ",".join(map(str, fds))]
        with self.output.open("ab") as out:
            return await asyncio.create_subprocess_exec(
                *(*self.before, *launch, *self.words),
                cwd=self.folder,
                env=environment,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                pass_fds=fds,
            )

    async def _watch(self, manager: socket.socket) -> None:
        """Hear what it says of itself, and end it when it says nothing any more."""
        if self._watchdog_s is None:
            return
        loop = asyncio.get_running_loop()
        process = self._process
        assert process is not None
        patience_s: float | None = None  # a start takes its time
        while True:
            try:
                async with asyncio.timeout(patience_s):
                    while b"WATCHDOG=1" not in (said := await loop.sock_recv(manager, 4096)):
                        if b"READY=1" in said:
                            self.is_up = True
                            break
                patience_s = self._watchdog_s
            except TimeoutError:
                break
        self.is_up = False
        self.given_up += 1
        began = time.monotonic()
        process.send_signal(signal.SIGABRT)
        while process.returncode is None:
            if time.monotonic() > began + _ABORT_S:
                process.kill()
            await asyncio.sleep(_POLL_S)
