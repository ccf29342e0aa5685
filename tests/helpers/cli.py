"""Commands as processes, and the environment they run in."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

import psutil

from tests.helpers.processes import Process
from tests.helpers.servers import free_ports

Environment = dict[str, str]

REQUIRED_SETTINGS = {
    "DATABASE_URL": "postgresql://me:hunter2@127.0.0.1:1/chatd",
    "JWT_SECRET": "a secret of thirty-two characters",
}
"""The settings without which `chatd serve` does not start; no database is at this address."""

CHATD = (sys.executable, "-m", "chatd")

TIMEOUT_S = 120.0


def command_environment(folder: Path) -> Environment:
    """Return an environment with two free ports, and nothing of this process but its paths."""
    ports = free_ports(2)
    return {
        **{name: value for name, value in os.environ.items() if name.startswith("COV")},
        "PATH": os.environ["PATH"],
        "PYTHONPATH": os.pathsep.join(sys.path),
        "HOME": str(folder),
        "API_PORT": str(ports[0]),
        "GATEWAY_PORT": str(ports[1]),
    }


@dataclass
class RunningCommand:
    """A command that runs, and where what it says goes."""

    process: Process
    output: Path
    complaints: Path

    def wait_until_ready(self) -> None:
        deadline = time.monotonic() + TIMEOUT_S
        while "Gateway" not in self.output.read_text():
            assert self.process.poll() is None, self.complaints.read_text()
            assert time.monotonic() < deadline, self.complaints.read_text()
            time.sleep(0.02)
        [api] = re.findall(r"REST API +(\S+)", self.output.read_text())
        with urllib.request.urlopen(f"{api}/health/ready") as answer:
            assert answer.status == 200

    def servers(self) -> list[psutil.Process]:
        """The private servers it has started."""
        return psutil.Process(self.process.pid).children()

    def end(self, number: signal.Signals) -> int:
        """Send a signal, wait until it has ended, and return the exit code."""
        self.process.send_signal(number)
        return self.process.wait(TIMEOUT_S)


@contextmanager
def running_command(
    folder: Path, environment: Environment, *words: str
) -> Iterator[RunningCommand]:
    """Run a command in a folder; it is killed at the end if it still runs."""
    folder.mkdir(exist_ok=True)
    output, complaints = folder / "output", folder / "complaints"
    with output.open("wb") as out, complaints.open("wb") as err:
        files = (subprocess.DEVNULL, out, err)
        process = Process([*CHATD, *words], folder, environment, files)
    try:
        yield RunningCommand(process, output, complaints)
    finally:
        process.kill()
        process.wait()


def completed(
    folder: Path, environment: Environment, *words: str, stdin: str = ""
) -> tuple[int, str, str]:
    """Run a command to its end; return its exit code, its output and what it writes to stderr."""
    with TemporaryFile() as given, TemporaryFile() as output, TemporaryFile() as complaints:
        given.write(stdin.encode())
        given.seek(0)
        process = Process([*CHATD, *words], folder, environment, (given, output, complaints))
        try:
            code = process.wait(TIMEOUT_S)
        finally:
            process.kill()
        return code, _content(output), _content(complaints)


def completed_with(
    folder: Path,
    environment: Environment,
    command: Sequence[str],
    *,
    stdin: int | IO[bytes] = subprocess.DEVNULL,
    stdout: int | IO[bytes] = subprocess.DEVNULL,
) -> tuple[int, str]:
    """Run a program with these files to its end; return its exit code and what it complains of."""
    with TemporaryFile() as complaints:
        process = Process(command, folder, environment, (stdin, stdout, complaints))
        try:
            code = process.wait(TIMEOUT_S)
        finally:
            process.kill()
        return code, _content(complaints)


def limited_chatd(file_bytes: int) -> tuple[str, ...]:
    """Return the words of a `chatd` that cannot write larger files: on a full disk."""
    return (sys.executable, "-c", _LIMITED.format(file_bytes))


_LIMITED = """
import resource
resource.setrlimit(resource.RLIMIT_FSIZE, ({0}, {0}))
from chatd.__main__ import main
main()
"""


def _content(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode()


def have_ended(processes: list[psutil.Process]) -> bool:
    """Whether these end; one that only waits for its parent to notice has."""
    deadline = time.monotonic() + TIMEOUT_S
    while any(is_alive(process) for process in processes):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def is_alive(process: psutil.Process) -> bool:
    with contextlib.suppress(psutil.NoSuchProcess):
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    return False


def processes_in(folder: Path) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.cwd().startswith(f"{folder}/"):
                found.append(process)
    return found
