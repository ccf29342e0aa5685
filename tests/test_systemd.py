"""chatd as a service: what it tells systemd, what it is told, and whom a restart turns away."""

from __future__ import annotations

import asyncio
import http.client
import resource
import signal
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from chatd import embedded, migrations
from chatd.systemd import Notifier, watched
from tests.service_manager import (
    PATIENCE_S,
    SERVE_AND_HANG,
    NotifySocket,
    notify_socket,
    service,
)
from tests.test_cli import NEEDED, Environment, environment

__all__ = ["environment"]

SERVE = ("-m", "chatd", "serve")


@pytest.fixture(scope="module")
def database(new_database: Callable[[str], str]) -> str:
    """The URL of a migrated database."""
    url = new_database("systemd")
    migrations.apply(url)
    return url


@pytest.fixture
def settings(environment: Environment, database: str, valkey: embedded.Valkey) -> Environment:
    """All that a server needs, with a WORKER_ID that no other test has."""
    return {
        **environment,
        **NEEDED,
        "DATABASE_URL": database,
        "REDIS_URL": valkey.url,
        "WORKER_ID": "21",
    }


@pytest.fixture
def manager() -> Iterator[NotifySocket]:
    """Somebody to tell."""
    with notify_socket() as opened:
        yield opened


@pytest.fixture
def ports() -> Iterator[list[socket.socket]]:
    """Two sockets that listen, as a socket unit holds them."""
    with (
        socket.create_server(("127.0.0.1", 0)) as api,
        socket.create_server(("::1", 0), family=socket.AF_INET6) as gateway,
    ):
        yield [api, gateway]


# -- what it tells -----------------------------------------------------------------------------


@pytest.mark.parametrize("abstract", [False, True], ids=["path", "abstract"])
def test_the_life_of_a_service(tmp_path: Path, settings: Environment, abstract: bool) -> None:
    (tmp_path / ".env").write_text("LOG_LEVEL=warning\n")
    with notify_socket(abstract=abstract) as manager:
        settings |= {"NOTIFY_SOCKET": manager.address, "WATCHDOG_USEC": "3000000"}
        with service(tmp_path, settings, *SERVE) as process:
            assert manager.hear_until("READY=1")[-1] == ["READY=1"]
            assert connect(int(settings["API_PORT"])) == 200  # it does not say so too early

            manager.hear_until("STATUS=Serving 0 connections and 0 sessions")
            manager.hear_until("WATCHDOG=1")
            started = time.monotonic()
            for _ in range(3):
                manager.hear_until("WATCHDOG=1")
            assert time.monotonic() - started < 3.0  # more often than it has to

            (tmp_path / ".env").write_text("LOG_LEVEL=debug\nRESUME_WINDOW=7\n")
            asked_us = time.monotonic_ns() // 1000
            process.send_signal(signal.SIGHUP)
            reloading, said_us = manager.hear_until("RELOADING=1")[-1]
            assert reloading == "RELOADING=1"
            assert asked_us <= int(said_us.removeprefix("MONOTONIC_USEC=")) < asked_us + 30_000_000
            assert manager.hear_until("READY=1")

            process.send_signal(signal.SIGTERM)
            assert "STATUS=Stopping" in manager.hear_until("STOPPING=1")[-1]
            assert process.wait(PATIENCE_S) == 0
    told = (tmp_path / "complaints").read_text()
    assert "reloaded; LOG_LEVEL is debug" in told
    assert "wait for a restart: resume_window_s\n" in told


def test_wrong_settings_do_not_end_what_serves(
    tmp_path: Path, settings: Environment, manager: NotifySocket
) -> None:
    settings["NOTIFY_SOCKET"] = manager.address
    with service(tmp_path, settings, *SERVE) as process:
        manager.hear_until("READY=1")
        (tmp_path / ".env").write_text("LOG_LEVEL=loud\n")
        process.send_signal(signal.SIGHUP)
        manager.hear_until("RELOADING=1")
        manager.hear_until("READY=1")
        assert "not reloaded: LOG_LEVEL: " in (tmp_path / "complaints").read_text()
        assert connect(int(settings["API_PORT"])) == 200


def test_a_loop_that_hangs_is_given_up_with_all_stacks_told(
    tmp_path: Path, settings: Environment, manager: NotifySocket
) -> None:
    settings |= {"NOTIFY_SOCKET": manager.address, "WATCHDOG_USEC": "1200000"}
    settings["PYTHONFAULTHANDLER"] = "1"  # as in the unit
    with service(tmp_path, settings, "-c", SERVE_AND_HANG) as process:
        manager.hear_until("READY=1")
        manager.hear_until("WATCHDOG=1")
        process.send_signal(signal.SIGUSR1)
        with pytest.raises(TimeoutError):  # a status and a beat may be on their way
            for _ in range(3):
                manager.hear(1.2)
        assert process.poll() is None  # the process lives; only its loop does not

        process.send_signal(signal.SIGABRT)  # what systemd does then
        assert process.wait(PATIENCE_S) == -signal.SIGABRT
    assert "in hang" in (tmp_path / "complaints").read_text()


def test_a_loop_that_only_crawls_does_not_beat(manager: NotifySocket) -> None:
    environment = {"NOTIFY_SOCKET": manager.address, "WATCHDOG_USEC": "600000"}

    def beats() -> int:
        count = 0
        try:
            while True:
                count += manager.hear(0.001) == ["WATCHDOG=1"]
        except TimeoutError:
            return count

    async def story() -> None:
        async with watched(Notifier(environment), lambda: "here"):
            await asyncio.sleep(0.35)
            assert beats() >= 3
            for _ in range(4):  # it turns, but each turn takes more than twice the interval
                time.sleep(0.25)  # noqa: ASYNC251
                await asyncio.sleep(0.01)
            assert beats() <= 1
            await asyncio.sleep(0.35)
            assert beats() >= 2  # and what has recovered is well again

    asyncio.run(story())


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, None),
        ({"WATCHDOG_USEC": "30000000"}, 30.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "1"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "often"}, None),
    ],
    ids=["none", "ours", "another's", "zero", "nonsense"],
)
def test_whom_the_watchdog_watches(given: Environment, expected: float | None) -> None:
    assert Notifier(given).watchdog_s == expected


def test_a_manager_that_has_left_or_does_not_listen_stops_nothing(tmp_path: Path) -> None:
    Notifier({"NOTIFY_SOCKET": str(tmp_path / "gone")}).ready()
    with notify_socket() as manager:
        notifier = Notifier({"NOTIFY_SOCKET": manager.address})
        for _ in range(10_000):  # far beyond the buffer
            notifier.beat()
        assert manager.hear() == ["WATCHDOG=1"]


def test_who_has_no_file_descriptors_left_still_beats(manager: NotifySocket) -> None:
    notifier = Notifier({"NOTIFY_SOCKET": manager.address})
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, before[1]))
    try:
        with pytest.raises(OSError, match="Too many open files"):
            socket.socket()
        notifier.beat()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
    assert manager.hear() == ["WATCHDOG=1"]


# -- the sockets it is given -------------------------------------------------------------------


def connect(port: int, host: str = "127.0.0.1") -> int:
    """The status that a client gets on a connection of its own. Raises OSError."""
    connection = http.client.HTTPConnection(host, port, timeout=PATIENCE_S)
    try:
        connection.request("GET", "/health", headers={"Connection": "close"})
        with connection.getresponse() as response:
            return response.status
    finally:
        connection.close()


class Clients:
    """Come one after the other, in several threads, until they are told to stop."""

    def __init__(self, port: int, host: str) -> None:
        self.seen: Counter[str] = Counter()
        self._place = port, host
        self._stopped = threading.Event()
        self._threads = [threading.Thread(target=self._run) for _ in range(4)]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._stopped.set()
        for thread in self._threads:
            thread.join()

    def _run(self) -> None:
        while not self._stopped.is_set():
            try:
                self.seen[str(connect(*self._place))] += 1
            except (OSError, http.client.HTTPException) as error:
                self.seen[repr(error)] += 1


def test_a_restart_refuses_no_connection(
    tmp_path: Path, settings: Environment, manager: NotifySocket, ports: list[socket.socket]
) -> None:
    settings["NOTIFY_SOCKET"] = manager.address
    addresses = [f"127.0.0.1:{ports[0].getsockname()[1]}", f"[::1]:{ports[1].getsockname()[1]}"]
    all_clients = [Clients(port.getsockname()[1], port.getsockname()[0]) for port in ports]
    try:
        for _ in range(3):
            with service(tmp_path, settings, *SERVE, sockets=ports) as process:
                manager.hear_until("READY=1")
                served = [clients.seen["200"] for clients in all_clients]
                while any(
                    clients.seen["200"] < before + 50
                    for clients, before in zip(all_clients, served, strict=True)
                ):
                    assert process.poll() is None
                    time.sleep(0.01)
                process.send_signal(signal.SIGTERM)
                assert process.wait(PATIENCE_S) == 0
        with service(tmp_path, settings, *SERVE, sockets=ports):
            for clients in all_clients:
                clients.stop()
    finally:
        for one in ports:
            one.close()  # so that nobody waits if this has failed
    for clients in all_clients:
        assert clients.seen.keys() == {"200"}, clients.seen
    told = (tmp_path / "output").read_text()
    assert f"REST API  http://{addresses[0]}\nGateway   ws://{addresses[1]}/gateway\n" in told


@pytest.mark.parametrize("kind", ["udp", "unbound", "missing"])
def test_what_cannot_be_listened_on(tmp_path: Path, settings: Environment, kind: str) -> None:
    given = socket.socket(type=socket.SOCK_DGRAM if kind == "udp" else socket.SOCK_STREAM)
    words: tuple[str, ...] = SERVE
    if kind == "missing":
        closes = "import os; os.close(3); from chatd.__main__ import main; main(['serve'])"
        words = ("-c", closes)
    with given, service(tmp_path, settings, *words, sockets=[given]) as process:
        assert process.wait(PATIENCE_S) == 1
    last = (tmp_path / "complaints").read_text().splitlines()[-1]
    assert last.startswith("chatd: file descriptor 3 was passed, but")


def test_sockets_of_another_process_are_not_ours(
    tmp_path: Path, settings: Environment, manager: NotifySocket
) -> None:
    settings |= {"NOTIFY_SOCKET": manager.address, "LISTEN_FDS": "1", "LISTEN_PID": "1"}
    with service(tmp_path, settings, *SERVE):
        manager.hear_until("READY=1")
        assert connect(int(settings["API_PORT"])) == 200
        assert connect(int(settings["GATEWAY_PORT"])) == 200
