"""Private servers that also listen on TCP, which fails in other ways than a Unix socket."""

from __future__ import annotations

import contextlib
import functools
import itertools
import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import psutil

from chatd.db import migrations
from chatd.embedded.postgres import Postgres
from chatd.embedded.valkey import Valkey
from tests.helpers import clusters
from tests.helpers.databases import create_database
from tests.helpers.memory import folder_in_memory

S = TypeVar("S", Postgres, Valkey)

_SUSPENDED_WITHIN_S = 60.0
_POLL_S = 0.001

_FIRST_PORT = 10_000
_PORTS = 20_000


class TcpPostgres(Postgres):
    """A private Postgres whose URLs are those of a TCP port."""

    _tcp_address = "127.0.0.1"

    def __init__(self, folder: Path) -> None:
        self._port = free_port()
        super().__init__(folder)

    @property
    def socket_url(self) -> str:
        """The URL of its maintenance database over its Unix socket."""
        return super().url_of("postgres")

    def url_of(self, database: str) -> str:
        """The URL of one of its databases."""
        return f"postgresql://chatd@127.0.0.1:{self._port}/{database}"


class TcpValkey(Valkey):
    """A private Valkey whose URL is that of a TCP port."""

    def __init__(self, folder: Path) -> None:
        self._port = free_port()
        super().__init__(folder)

    @property
    def url(self) -> str:
        """Its URL."""
        return f"redis://127.0.0.1:{self._port}/0"


@contextmanager
def postgres_over(transport: str, folder: Path) -> Iterator[Postgres]:
    """Run a private Postgres whose URLs are those of "unix" or of "tcp", if possible in memory."""
    kind = TcpPostgres if transport == "tcp" else Postgres
    with folder_in_memory(folder) as place, _running(kind(place / "postgres")) as server:
        yield server


@contextmanager
def migrated_postgres_over(transport: str, folder: Path) -> Iterator[tuple[Postgres, str]]:
    """Run a private Postgres like `postgres_over`, with the URL of a database that is migrated."""
    kind = TcpPostgres if transport == "tcp" else Postgres
    with folder_in_memory(folder) as place:
        is_copied = clusters.CLUSTER in os.environ  # not in a script
        if is_copied:
            clusters.copy_migrated_cluster(place / "postgres")
        with _running(kind(place / "postgres")) as server:
            if is_copied:
                yield server, create_database(server, "chatd", template=clusters.TEMPLATE)
            else:
                url = server.create("chatd")
                migrations.apply(url)
                yield server, url


@contextmanager
def valkey_over(transport: str, folder: Path) -> Iterator[Valkey]:
    """Run a private Valkey whose URL is that of "unix" or of "tcp", if possible in memory."""
    kind = TcpValkey if transport == "tcp" else Valkey
    with folder_in_memory(folder) as place, _running(kind(place / "valkey")) as server:
        yield server


def suspend_processes(postgres: Postgres) -> Callable[[], None]:
    """Stop all processes of a Postgres (SIGSTOP). Return a function that resumes them."""
    assert postgres.pid is not None
    main = psutil.Process(postgres.pid)
    _suspend(main)  # the others after it: until it has stopped it starts more of them
    processes = [main, *main.children(recursive=True)]
    for process in processes[1:]:
        _suspend(process)

    def resume() -> None:
        for process in processes:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.resume()

    return resume


def _suspend(process: psutil.Process) -> None:
    """Stop a process, and wait until it has stopped or ended."""
    deadline = time.monotonic() + _SUSPENDED_WITHIN_S
    with contextlib.suppress(psutil.NoSuchProcess):
        process.suspend()
        while process.status() not in (psutil.STATUS_STOPPED, psutil.STATUS_ZOMBIE):
            assert time.monotonic() < deadline, process
            time.sleep(_POLL_S)


@contextmanager
def _running(server: S) -> Iterator[S]:
    try:
        server.start()
        yield server
    finally:
        server.close()


@functools.cache
def _numbers(process_id: int) -> Iterator[int]:
    """Count from a number that is far from that of the next process."""
    return itertools.count(process_id * 7919)


def free_port() -> int:
    """Return a TCP port of the loopback address that no socket listens on at this moment."""
    return free_ports(1)[0]


def free_ports(count: int) -> list[int]:
    """Return different TCP ports of the loopback address that are free at this moment.

    They are below the ports that systems give to outgoing connections, one of which could take a
    port before the test uses it. Each process of tests starts elsewhere.
    """
    found: list[int] = []
    while len(found) < count:
        port = _FIRST_PORT + next(_numbers(os.getpid())) % _PORTS
        with contextlib.suppress(OSError), socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as servers do
            probe.bind(("127.0.0.1", port))
            found.append(port)
    return found
