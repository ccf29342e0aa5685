"""chatd as a systemd service: notifications, watchdog, and passed sockets."""

from __future__ import annotations

import asyncio
import http.client
import resource
import signal
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from chatd.embedded.valkey import Valkey
from chatd.runtime.systemd import Notifier, watchdog
from tests.helpers.cli import REQUIRED_SETTINGS, Environment
from tests.helpers.databases import NewDatabase
from tests.helpers.service_manager import (
    SERVE_AND_HANG,
    TIMEOUT_S,
    NotifySocket,
    notify_socket,
    service,
)

SERVE = ("-m", "chatd", "serve")


@pytest.fixture(scope="module")
def database(migrated_database: NewDatabase) -> str:
    """The URL of a migrated database."""
    return migrated_database("systemd")


@pytest.fixture
def settings(environment: Environment, database: str, valkey: Valkey) -> Environment:
    """Complete settings, with a WORKER_ID that no other test uses."""
    return {
        **environment,
        **REQUIRED_SETTINGS,
        "DATABASE_URL": database,
        "REDIS_URL": valkey.url,
        "WORKER_ID": "21",
    }


@pytest.fixture
def manager() -> Iterator[NotifySocket]:
    """A service manager."""
    with notify_socket() as opened:
        yield opened


@pytest.fixture
def ports() -> Iterator[list[socket.socket]]:
    """Two listening sockets, as from a socket unit."""
    with (
        socket.create_server(("127.0.0.1", 0)) as api,
        socket.create_server(("::1", 0), family=socket.AF_INET6) as gateway,
    ):
        yield [api, gateway]


# -- notifications -----------------------------------------------------------------------------


@pytest.mark.parametrize("abstract", [False, True], ids=["path", "abstract"])
def test_service_reports_its_states(tmp_path: Path, settings: Environment, abstract: bool) -> None:
    (tmp_path / ".env").write_text("LOG_LEVEL=warning\n")
    with notify_socket(abstract=abstract) as manager:
        settings |= {"NOTIFY_SOCKET": manager.address, "WATCHDOG_USEC": "3000000"}
        with service(tmp_path, settings, *SERVE) as process:
            assert manager.receive_until("READY=1")[-1] == ["READY=1"]
            assert connect(int(settings["API_PORT"])) == 200  # it is not reported too early

            manager.receive_until("STATUS=Serving 0 connections and 0 sessions")
            manager.receive_until("WATCHDOG=1")
            started = time.monotonic()
            for _ in range(3):
                manager.receive_until("WATCHDOG=1")
            assert time.monotonic() - started < 3 * 3.0  # more often than required

            (tmp_path / ".env").write_text("LOG_LEVEL=debug\nRESUME_WINDOW=7\n")
            asked_us = time.monotonic_ns() // 1000
            process.send_signal(signal.SIGHUP)
            reloading, said_us = manager.receive_until("RELOADING=1")[-1]
            assert reloading == "RELOADING=1"
            assert asked_us <= int(said_us.removeprefix("MONOTONIC_USEC=")) < asked_us + 30_000_000
            assert manager.receive_until("READY=1")

            process.send_signal(signal.SIGTERM)
            assert "STATUS=Stopping" in manager.receive_until("STOPPING=1")[-1]
            assert process.wait(TIMEOUT_S) == 0
    complaints = (tmp_path / "complaints").read_text()
    assert "reloaded; LOG_LEVEL is debug" in complaints
    assert "changed settings need a restart: resume_window_s\n" in complaints


def test_reload_with_invalid_settings_keeps_serving(
    tmp_path: Path, settings: Environment, manager: NotifySocket
) -> None:
    settings["NOTIFY_SOCKET"] = manager.address
    with service(tmp_path, settings, *SERVE) as process:
        manager.receive_until("READY=1")
        (tmp_path / ".env").write_text("LOG_LEVEL=loud\n")
        process.send_signal(signal.SIGHUP)
        manager.receive_until("RELOADING=1")
        manager.receive_until("READY=1")
        assert "reload failed: LOG_LEVEL: " in (tmp_path / "complaints").read_text()
        assert connect(int(settings["API_PORT"])) == 200


def test_hanging_loop_stops_pings_and_dumps_stacks(
    tmp_path: Path, settings: Environment, manager: NotifySocket
) -> None:
    settings |= {"NOTIFY_SOCKET": manager.address, "WATCHDOG_USEC": "1200000"}
    settings["PYTHONFAULTHANDLER"] = "1"  # as in the unit
    with service(tmp_path, settings, "-c", SERVE_AND_HANG) as process:
        manager.receive_until("READY=1")
        manager.receive_until("WATCHDOG=1")
        process.send_signal(signal.SIGUSR1)
        complaints = tmp_path / "complaints"
        deadline = time.monotonic() + TIMEOUT_S
        while "hanging" not in complaints.read_text():
            assert time.monotonic() < deadline
            time.sleep(0.01)
        with pytest.raises(TimeoutError):
            while True:  # what it sent before is received without a wait
                manager.receive(0.001)
        with pytest.raises(TimeoutError):
            manager.receive(1.2)
        assert process.poll() is None  # the process runs; only its loop hangs

        process.send_signal(signal.SIGABRT)  # as systemd does
        assert process.wait(TIMEOUT_S) == -signal.SIGABRT
    assert "in hang" in (tmp_path / "complaints").read_text()


def test_slow_loop_stops_pings(manager: NotifySocket) -> None:
    environment = {"NOTIFY_SOCKET": manager.address, "WATCHDOG_USEC": "600000"}

    def pings() -> int:
        count = 0
        try:
            while True:
                count += manager.receive(0.001) == ["WATCHDOG=1"]
        except TimeoutError:
            return count

    async def receive(wanted: int) -> None:
        while wanted > 0:
            await asyncio.sleep(0.01)
            wanted -= pings()

    async def story() -> None:
        async with asyncio.timeout(TIMEOUT_S), watchdog(Notifier(environment), lambda: "here"):
            await receive(3)
            for _ in range(4):  # each iteration takes more than twice the interval
                time.sleep(0.25)  # noqa: ASYNC251
                await asyncio.sleep(0.01)
            assert pings() <= 1
            await receive(2)  # pings resume after recovery

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
def test_watchdog_timeout_applies_to_its_process_only(
    given: Environment, expected: float | None
) -> None:
    assert Notifier(given).watchdog_s == expected


def test_unavailable_service_manager_does_not_block(tmp_path: Path) -> None:
    Notifier({"NOTIFY_SOCKET": str(tmp_path / "gone")}).ready()
    with notify_socket() as manager:
        notifier = Notifier({"NOTIFY_SOCKET": manager.address})
        for _ in range(10_000):  # far beyond the buffer
            notifier.ping_watchdog()
        assert manager.receive() == ["WATCHDOG=1"]


def test_pings_work_without_free_descriptors(manager: NotifySocket) -> None:
    notifier = Notifier({"NOTIFY_SOCKET": manager.address})
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, before[1]))
    try:
        with pytest.raises(OSError, match="Too many open files"):
            socket.socket()
        notifier.ping_watchdog()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
    assert manager.receive() == ["WATCHDOG=1"]


# -- passed sockets ----------------------------------------------------------------------------


def connect(port: int, host: str = "127.0.0.1") -> int:
    """Return the status of a request on a new connection. Raises OSError."""
    connection = http.client.HTTPConnection(host, port, timeout=TIMEOUT_S)
    try:
        connection.request("GET", "/health", headers={"Connection": "close"})
        with connection.getresponse() as response:
            return response.status
    finally:
        connection.close()


class Clients:
    """Clients in several threads that send requests until `stop`."""

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


def test_restart_refuses_no_connection(
    tmp_path: Path, settings: Environment, manager: NotifySocket, ports: list[socket.socket]
) -> None:
    settings["NOTIFY_SOCKET"] = manager.address
    addresses = [f"127.0.0.1:{ports[0].getsockname()[1]}", f"[::1]:{ports[1].getsockname()[1]}"]
    all_clients = [Clients(port.getsockname()[1], port.getsockname()[0]) for port in ports]
    try:
        for _ in range(3):
            with service(tmp_path, settings, *SERVE, sockets=ports) as process:
                manager.receive_until("READY=1")
                served = [clients.seen["200"] for clients in all_clients]
                while any(
                    clients.seen["200"] < before + 50
                    for clients, before in zip(all_clients, served, strict=True)
                ):
                    assert process.poll() is None
                    time.sleep(0.01)
                process.send_signal(signal.SIGTERM)
                assert process.wait(TIMEOUT_S) == 0
        with service(tmp_path, settings, *SERVE, sockets=ports):
            for clients in all_clients:
                clients.stop()
    finally:
        for one in ports:
            one.close()  # so that no client waits if the test fails
    for clients in all_clients:
        assert clients.seen.keys() == {"200"}, clients.seen
    complaints = (tmp_path / "output").read_text()
    assert f"REST API  http://{addresses[0]}\nGateway   ws://{addresses[1]}/gateway\n" in complaints


@pytest.mark.parametrize("kind", ["udp", "unbound", "missing"])
def test_invalid_passed_socket_is_an_error(
    tmp_path: Path, settings: Environment, kind: str
) -> None:
    given = socket.socket(type=socket.SOCK_DGRAM if kind == "udp" else socket.SOCK_STREAM)
    words: tuple[str, ...] = SERVE
    if kind == "missing":
        closes = "import os; os.close(3); from chatd.__main__ import main; main(['serve'])"
        words = ("-c", closes)
    with given, service(tmp_path, settings, *words, sockets=[given]) as process:
        assert process.wait(TIMEOUT_S) == 1
    last = (tmp_path / "complaints").read_text().splitlines()[-1]
    assert last.startswith("chatd: file descriptor 3 was passed, but")


def test_sockets_passed_to_another_process_are_ignored(
    tmp_path: Path, settings: Environment, manager: NotifySocket
) -> None:
    settings |= {"NOTIFY_SOCKET": manager.address, "LISTEN_FDS": "1", "LISTEN_PID": "1"}
    with service(tmp_path, settings, *SERVE):
        manager.receive_until("READY=1")
        assert connect(int(settings["API_PORT"])) == 200
        assert connect(int(settings["GATEWAY_PORT"])) == 200
