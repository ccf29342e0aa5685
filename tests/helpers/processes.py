"""Processes of chatd, forked from one that has imported it."""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import functools
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from tests.helpers import clusters
from tests.helpers.fork_server import Request

_ROOT = Path(__file__).parents[2]
_FOLDERS = ("", str(_ROOT))

_requesting = threading.Lock()
"""Held until the process of a request exists: requests are sent one at a time."""


@dataclass(frozen=True)
class _Shared:
    """What the processes of tests share: the socket for requests, whose messages are atomic."""

    control: socket.socket
    served: socket.socket
    """The other end, for the process that forks."""
    token: int
    """A pipe with one byte. The process that reads it starts the process that forks."""


@functools.cache
def _shared() -> _Shared:
    control, served = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    token, writer = os.pipe()
    os.write(writer, b"1")
    os.close(writer)
    for end in (control, served):
        atexit.register(end.close)
    return _Shared(control, served, token)


def share() -> None:
    """Let all processes that this one forks share the process that forks commands."""
    _shared()


@functools.cache
def _control() -> socket.socket:
    """Start the process that forks, if no other process has; return the socket for requests."""
    shared = _shared()
    with shared.served:
        if os.read(shared.token, 1):
            subprocess.run(  # it ends at once; a process of its own serves
                [sys.executable, "-m", "tests.helpers.fork_server"],
                stdin=shared.served.fileno(),
                cwd=_ROOT,
                env={**os.environ, "PYTHONPATH": os.pathsep.join([str(_ROOT), *sys.path])},
                check=True,
            )
    return shared.control


def _can_be_forked(command: Sequence[str], environment: dict[str, str]) -> bool:
    """Whether it is this interpreter with the same modules and settings."""
    own = {"PYTHONPATH", *os.environ}
    for name in environment:
        if name.startswith(("COV", "LD_")):  # coverage and libraries start with the interpreter
            return False
        if name.startswith("PYTHON") and name not in own:
            return False
    first = environment.get("PYTHONPATH", "").partition(os.pathsep)[0]
    return command[0] == sys.executable and command[1] in ("-m", "-c") and first in _FOLDERS


class Process:
    """A process that runs a program. Python with `-m` or `-c` is forked from one with the imports.

    `files` are its standard input, output and error. `passed` are listening sockets, which it gets
    like from systemd.
    """

    def __init__(
        self,
        command: Sequence[str],
        folder: Path,
        environment: dict[str, str],
        files: tuple[int | IO[bytes], int | IO[bytes], int | IO[bytes]],
        passed: Sequence[int] = (),
    ) -> None:
        is_executed = not _can_be_forked(command, environment)
        cluster = os.environ.get(clusters.CLUSTER)
        request = Request([*command], str(folder), environment, is_executed, cluster)
        self.returncode: int | None = None
        self._received = b""
        with _requesting:
            self._answer, theirs = socket.socketpair()
            with theirs, Path(os.devnull).open("r+b") as null:
                fds = [theirs.fileno()]
                for file in files:
                    used = null if file == subprocess.DEVNULL else file
                    fds.append(used if isinstance(used, int) else used.fileno())
                request.send(_control(), [*fds, *passed])
            while b"\n" not in self._received:
                self._read()
        line, _, self._received = self._received.partition(b"\n")
        self.pid = int(line)

    def poll(self) -> int | None:
        """Return the exit code, negative for a signal, or None while it runs."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.wait(0)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Wait until it ends, and return its exit code. Raises subprocess.TimeoutExpired."""
        deadline = None if timeout is None else time.monotonic() + timeout
        while self.returncode is None:
            left = None if deadline is None else max(deadline - time.monotonic(), 0) * 1000
            readable = select.poll()
            readable.register(self._answer, select.POLLIN)
            while b"\n" not in self._received:  # it may have come with the pid
                if not readable.poll(left):
                    raise subprocess.TimeoutExpired(str(self.pid), timeout or 0)
                self._read()
            self.returncode = int(self._received)
            self._answer.close()
        return self.returncode

    async def ended(self) -> int:
        """Wait until it ends, without blocking the event loop, and return its exit code."""
        if self.poll() is None:
            loop, readable = asyncio.get_running_loop(), asyncio.Event()
            loop.add_reader(self._answer, readable.set)
            try:
                await readable.wait()
            finally:
                loop.remove_reader(self._answer)
        return self.wait()

    def send_signal(self, number: signal.Signals | int) -> None:
        """Send it a signal, unless it has ended."""
        if self.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def kill(self) -> None:
        """Kill it."""
        self.send_signal(signal.SIGKILL)

    def _read(self) -> None:
        part = self._answer.recv(64)
        if not part:
            raise RuntimeError("the process that reports its end has ended")
        self._received += part
