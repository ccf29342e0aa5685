"""A service manager for tests: passes sockets to chatd like systemd, and reads its messages."""

from __future__ import annotations

import secrets
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.helpers.processes import Process

TIMEOUT_S = 120.0

# A signal handler runs in the main thread, like the event loop, which it blocks.
SERVE_AND_HANG = """
import signal, sys, time
def hang(*_):
    print("hanging", file=sys.stderr, flush=True)
    time.sleep(60)
signal.signal(signal.SIGUSR1, hang)
from chatd.__main__ import main
main(["serve"])
"""


class NotifySocket:
    """The socket to which a service sends its sd_notify(3) messages."""

    def __init__(self, receiving: socket.socket, address: str) -> None:
        self._receiving = receiving
        self.address = address

    def receive(self, timeout_s: float = TIMEOUT_S) -> list[str]:
        """Return the lines of the next message. Raises TimeoutError."""
        self._receiving.settimeout(timeout_s)
        return self._receiving.recv(4096).decode().split("\n")

    def receive_until(self, line: str) -> list[list[str]]:
        """Return all messages up to the one with this line."""
        deadline = time.monotonic() + TIMEOUT_S
        messages: list[list[str]] = []
        while not messages or line not in messages[-1]:
            messages.append(self.receive(max(deadline - time.monotonic(), 0.001)))
        return messages


@contextmanager
def notify_socket(*, abstract: bool = False) -> Iterator[NotifySocket]:
    """Open one, by path or in the abstract namespace of Linux (unix(7))."""
    with (
        tempfile.TemporaryDirectory(prefix="notify-") as folder,
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiving,
    ):
        name = f"@chatd-{secrets.token_hex(8)}" if abstract else str(Path(folder, "notify"))
        receiving.bind(name.replace("@", "\0") if abstract else name)
        yield NotifySocket(receiving, name)


@contextmanager
def service(
    folder: Path,
    environment: dict[str, str],
    *words: str,
    sockets: Sequence[socket.socket] = (),
) -> Iterator[Process]:
    """Run Python with these arguments as a service; kill it at the end if it still runs."""
    passed = sorted(one.fileno() for one in sockets)
    with (folder / "output").open("ab") as out, (folder / "complaints").open("ab") as err:
        files = (subprocess.DEVNULL, out, err)
        process = Process([sys.executable, *words], folder, environment, files, passed)
    try:
        yield process
    finally:
        process.kill()
        process.wait()
