"""Lifecycle of the private servers: start, supervision, sharing with commands, stop."""

from __future__ import annotations

import logging
import os
import signal
import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace

from chatd.config import Config
from chatd.embedded import data_dir
from chatd.embedded.errors import DataDirInUse, EmbeddedError
from chatd.embedded.postgres import Postgres
from chatd.embedded.processes import POLL_S
from chatd.embedded.server import START_TIMEOUT_S, Server
from chatd.embedded.valkey import Valkey

log = logging.getLogger(__name__)

_MAX_RESTARTS = 5
_RESTART_WINDOW_S = 600.0
"""A server may be restarted _MAX_RESTARTS times within this time. One that crashes more often needs
the operator, and systemd restarts chatd as a whole."""

_CHECK_INTERVAL_S = 0.2  # between two looks whether a server has exited
_DATABASE = "chatd"


@contextmanager
def private_servers(config: Config, *, share: bool = True) -> Iterator[Config]:
    """Run the servers that the config leaves out. Yields the config with their URLs and a secret.

    With `share`, commands in other processes may use them too, and a server that exits is
    restarted. If one exits too often, this process gets SIGTERM.

    Raises EmbeddedError if another chatd uses the data folder, or a server does not start; at the
    end of the context, if a server has exited too often.
    """
    folder = config.data_dir.absolute()
    supervisor: _Supervisor | None = None
    with ExitStack() as stack:
        try:
            folder.mkdir(mode=0o711, parents=True, exist_ok=True)
            stack.enter_context(data_dir.locked(folder))
            data_dir.remove_shared(folder)
            servers: list[Postgres | Valkey] = []
            if not config.database_url:
                servers.append(Postgres(folder / "postgres"))
            if not config.redis_url:
                servers.append(Valkey(folder / "valkey"))
            closed = threading.Event()
            stack.callback(closed.set)
            for server in servers:
                stack.callback(server.close)
                server.launch()  # both start at the same time
            for server in servers:
                server.wait_until_ready()
                if isinstance(server, Postgres):
                    config = replace(config, database_url=server.create(_DATABASE))
                else:
                    config = replace(config, redis_url=server.url)
            if not config.jwt_secret:
                config = replace(config, jwt_secret=data_dir.load_secret(folder / "jwt_secret"))
            if share:
                stack.enter_context(data_dir.shared(config))
                supervisor = stack.enter_context(_supervised(servers, closed))
        except OSError as error:
            raise EmbeddedError(f"cannot use {folder}: {error}") from error
        yield config
        if supervisor is not None:
            supervisor.require_success()


@contextmanager
def shared_servers(config: Config) -> Iterator[Config]:
    """As `private_servers`, for a command. Uses the servers of a running chatd, if there is one.

    Another command does not share its servers, because it may end at any moment. Waits for its
    end. Raises EmbeddedError.
    """
    deadline = time.monotonic() + START_TIMEOUT_S
    with ExitStack() as stack:
        while True:
            try:
                complete = stack.enter_context(private_servers(config, share=False))
                break
            except DataDirInUse:
                if (shared := data_dir.read_shared(config)) is not None:
                    complete = shared
                    break
                if time.monotonic() > deadline:
                    raise
            time.sleep(POLL_S)  # a chatd that is starting, or another command, holds the lock
        yield complete


class _Supervisor:
    """Restarts servers that exit although they were not stopped."""

    def __init__(self, servers: Sequence[Server], closed: threading.Event) -> None:
        self._servers = servers
        self._closed = closed
        self._restarts: dict[Server, deque[float]] = {server: deque() for server in servers}
        self._stopped = threading.Event()
        self._checking = threading.Lock()
        self._failure = ""

    def run(self) -> None:
        """Supervise the servers until `stop`. Runs in a thread.

        A process that this thread starts gets a signal when the thread ends (PR_SET_PDEATHSIG), so
        the thread lasts until all servers are closed.
        """
        while not self._stopped.wait(_CHECK_INTERVAL_S):
            with self._checking:
                if not self._stopped.is_set():
                    self._check()
        self._closed.wait()

    def stop(self) -> None:
        """Restart no more servers. Waits for a restart in progress."""
        self._stopped.set()
        with self._checking:
            pass

    def require_success(self) -> None:
        """Raise EmbeddedError if a server has exited too often."""
        if self._failure:
            raise EmbeddedError(self._failure)

    def _check(self) -> None:
        for server in self._servers:
            if server.has_exited and not self._failure:
                self._restart(server)

    def _restart(self, server: Server) -> None:
        now = time.monotonic()
        restarts = self._restarts[server]
        while restarts and restarts[0] < now - _RESTART_WINDOW_S:
            restarts.popleft()
        if len(restarts) >= _MAX_RESTARTS:
            self._failure = (
                f"private {server.name} exited {_MAX_RESTARTS + 1} times within"
                f" {_RESTART_WINDOW_S / 60:.0f} minutes; see {server.log_file}"
            )
            log.error("%s; chatd stops", self._failure)
            _end_this_process()
            return
        restarts.append(now)
        log.error(
            "private %s exited unexpectedly; restarting it (%d of at most %d restarts)",
            server.name,
            len(restarts),
            _MAX_RESTARTS,
        )
        try:
            server.launch()
        except (EmbeddedError, OSError) as error:
            log.error("cannot restart private %s: %s", server.name, error)


@contextmanager
def _supervised(servers: Sequence[Server], closed: threading.Event) -> Iterator[_Supervisor]:
    supervisor = _Supervisor(servers, closed)
    threading.Thread(target=supervisor.run, name="private servers", daemon=True).start()
    try:
        yield supervisor
    finally:
        supervisor.stop()


def _end_this_process() -> None:
    os.kill(os.getpid(), signal.SIGTERM)
