"""The environment of a measurement: a private Postgres and Valkey, and server processes."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Protocol

from chatd.embedded.postgres import Postgres, running_postgres
from chatd.embedded.valkey import Valkey, running_valkey
from tests.bench import meters
from tests.bench.http import Connection, request

_START_S = 300.0  # a bare program may seed a table first
_STOP_S = 20.0
_POLL_S = 0.05


class CannotStart(Exception):
    """A server did not start; the text is the end of its log."""


class Child(Protocol):
    """A process that this one has started, like `subprocess.Popen`."""

    pid: int

    def poll(self) -> int | None: ...
    def wait(self, timeout: float | None = None) -> int: ...
    def send_signal(self, sig: int, /) -> None: ...
    def kill(self) -> None: ...


Spawn = Callable[[Sequence[str], Path, dict[str, str], IO[bytes]], Child]
"""Starts a command in a folder, with an environment and a file for its output."""


def executed(
    command: Sequence[str], folder: Path, environment: dict[str, str], output: IO[bytes]
) -> Child:
    """Start a command in a new interpreter, with which no other process shares its memory."""
    return subprocess.Popen(
        command,
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output,
    )


@dataclass
class Process:
    """A server process and its port."""

    name: str
    port: int
    child: Child
    log: Path

    @property
    def pids(self) -> list[int]:
        return [self.child.pid]

    async def wait_until_ready(self, path: str) -> None:
        """Wait until a GET of this path returns 200. Raises CannotStart."""
        try:
            async with asyncio.timeout(_START_S):
                while not await self._answers(path):
                    if self.child.poll() is not None:
                        break
                    await asyncio.sleep(_POLL_S)
                else:
                    return
        except TimeoutError:
            pass
        raise CannotStart(f"{self.name} did not start:\n{self.log.read_text()[-2000:]}")

    async def _answers(self, path: str) -> bool:
        try:
            async with await Connection.to(self.port) as connection:
                return (await connection.send(request("GET", path))).status == 200
        except ConnectionError:
            return False

    def stop(self) -> None:
        """Terminate it; kill it if it does not exit in time."""
        self.child.send_signal(signal.SIGTERM)
        try:
            self.child.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.wait()


@dataclass
class Stage:
    """The private servers, a folder for logs, and the started processes."""

    folder: Path
    cores: meters.Cores
    postgres: Postgres
    valkey: Valkey
    spawn: Spawn = executed
    started: list[Process] = field(default_factory=list)

    def start(
        self,
        name: str,
        command: Sequence[str],
        *,
        port: int,
        environment: Mapping[str, str] | None = None,
    ) -> Process:
        """Start a server on the server's core. The stage stops it at its end."""
        log = self.folder / f"{name.replace(' ', '-')}.log"
        own = {"PYTHONPATH": os.pathsep.join(sys.path), **(environment or {})}
        with log.open("ab") as output:
            child = self.spawn(command, self.folder, {**os.environ, **own}, output)
        self.cores.give_server(child.pid)
        process = Process(name, port, child, log)
        self.started.append(process)
        return process

    async def start_bare(self, name: str, *arguments: str) -> Process:
        """Start one of the programs of `bare/`."""
        port = free_port()
        command = [sys.executable, "-m", f"tests.bench.bare.{name}", str(port), *arguments]
        process = self.start(f"bare {name}", command, port=port)
        await process.wait_until_ready("/health/ready")
        return process

    def stop(self, process: Process) -> None:
        """Stop a server."""
        process.stop()
        self.started.remove(process)

    def kill(self, process: Process) -> None:
        """Kill a server, so that it hands nothing over to the next one."""
        process.child.kill()
        process.child.wait()
        self.started.remove(process)

    def close(self) -> None:
        """Stop all servers that still run."""
        for process in list(self.started):
            self.stop(process)

    def cpu_s(self) -> dict[str, float]:
        """Return the CPU seconds that the private servers have used."""
        return {
            "postgres": meters.cpu_s([self.postgres.pid or 0]),
            "valkey": meters.cpu_s([self.valkey.pid or 0]),
        }


@contextmanager
def staged() -> Iterator[Stage]:
    """Start the private servers for the block."""
    cores = meters.Cores.of_this_machine()
    with ExitStack() as stack:
        temporary = tempfile.TemporaryDirectory(prefix="chatd-bench-", ignore_cleanup_errors=True)
        folder = Path(stack.enter_context(temporary))
        folder.chmod(0o711)  # under root, Postgres and Valkey run as another account
        postgres = stack.enter_context(running_postgres(folder))
        valkey = stack.enter_context(running_valkey(folder))
        for server in (postgres, valkey):
            cores.give_server(server.pid or 0)
        cores.take_generator()
        stage = Stage(folder, cores, postgres, valkey)
        try:
            yield stage
        finally:
            stage.close()


def free_port() -> int:
    """Return a TCP port of the loopback address that no socket listens on at this moment."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])
