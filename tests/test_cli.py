"""The commands, as people and init systems use them: exit codes, and one line of complaint."""

from __future__ import annotations

import contextlib
import os
import pty
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
import psycopg2
import pytest

from chatd import embedded, migrations

Environment = dict[str, str]
NewDatabase = Callable[[str], str]

NEEDED = {
    "DATABASE_URL": "postgresql://me:hunter2@127.0.0.1:1/chatd",
    "JWT_SECRET": "a secret of thirty-two characters",
}
PATIENCE_S = 30.0


@pytest.fixture
def environment(tmp_path: Path) -> Environment:
    """All that a command is to know of this process, and ports that are free."""
    ports = free_ports(2)
    return {
        **{name: value for name, value in os.environ.items() if name.startswith("COV")},
        "PATH": os.environ["PATH"],
        "PYTHONPATH": os.pathsep.join(sys.path),
        "HOME": str(tmp_path),
        "API_PORT": str(ports[0]),
        "GATEWAY_PORT": str(ports[1]),
    }


def free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        found = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in found:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in found]


@dataclass
class Command:
    """A command that runs, and where what it says goes."""

    process: subprocess.Popen[bytes]
    health_url: str
    output: Path
    complaints: Path

    def wait_until_ready(self) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while "Gateway" not in self.output.read_text():
            assert self.process.poll() is None, self.complaints.read_text()
            assert time.monotonic() < deadline, self.complaints.read_text()
            time.sleep(0.02)
        with urllib.request.urlopen(self.health_url) as answer:
            assert answer.status == 200

    def servers(self) -> list[psutil.Process]:
        """The private servers it has started."""
        return psutil.Process(self.process.pid).children()

    def end(self, number: signal.Signals) -> int:
        """Send a signal, wait until it has ended, and return the exit code."""
        self.process.send_signal(number)
        return self.process.wait(PATIENCE_S)


@contextmanager
def command(folder: Path, environment: Environment, *words: str) -> Iterator[Command]:
    """Run a command in a folder; it is killed at the end if it still runs."""
    folder.mkdir(exist_ok=True)
    output, complaints = folder / "output", folder / "complaints"
    with output.open("wb") as out, complaints.open("wb") as err:
        process = subprocess.Popen(
            [sys.executable, "-m", "chatd", *words],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
        )
    try:
        url = f"http://127.0.0.1:{environment['API_PORT']}/health/ready"
        yield Command(process, url, output, complaints)
    finally:
        process.kill()
        process.wait()


def done(folder: Path, environment: Environment, *words: str) -> str:
    """Run a command that succeeds; returns what it says."""
    with command(folder, environment, *words) as run:
        assert run.process.wait(PATIENCE_S) == 0, run.complaints.read_text()
        return run.output.read_text()


def refused(folder: Path, environment: Environment, *words: str) -> tuple[int, str]:
    """Run a command that is refused; returns the exit code and the one line that says why."""
    with command(folder, environment, *words) as run:
        code = run.process.wait(PATIENCE_S)
        *logged, line = run.complaints.read_text().splitlines()
        assert run.output.read_text() == ""
    assert line.startswith("chatd: ")
    assert [text for text in logged if not re.match(r"[0-9-]{10} [0-9:,]{12} INFO ", text)] == []
    assert "hunter2" not in line
    return code, line


def ended(processes: list[psutil.Process]) -> bool:
    """Whether these end; one that only waits for its parent to notice has."""
    deadline = time.monotonic() + PATIENCE_S
    while any(lives(process) for process in processes):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def lives(process: psutil.Process) -> bool:
    with contextlib.suppress(psutil.NoSuchProcess):
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    return False


def working_in(folder: Path) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.cwd().startswith(f"{folder}/"):
                found.append(process)
    return found


# -- what needs no server --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "named"),
    [
        ([], ["serve", "migrate", "check", "user", "guild", "stats", "--version", ".env.example"]),
        (["serve"], ["--embedded", "DATABASE_URL", "CHATD_DATA_DIR"]),
        (["migrate"], ["schema"]),
    ],
)
def test_help(tmp_path: Path, environment: Environment, words: list[str], named: list[str]) -> None:
    text = done(tmp_path, environment, *words, "--help")
    assert text.startswith("Usage: ")
    assert [word for word in named if word not in text] == []
    assert max(map(len, text.splitlines())) <= 80


def test_version(tmp_path: Path, environment: Environment) -> None:
    assert re.fullmatch(r"chatd, version \d+\.\d+\.\d+\n", done(tmp_path, environment, "--version"))


def test_help_comes_without_loading_the_server() -> None:
    code = "import sys, chatd.__main__; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, check=True, text=True
    )
    heavy = {"aiohttp", "asyncio", "jose", "passlib", "psutil", "psycopg2", "redis", "yoyo"}
    assert heavy & set(loaded.stdout.split()) == set()


def test_only_serving_needs_the_secret(tmp_path: Path, environment: Environment) -> None:
    given = {**environment, "DATABASE_URL": NEEDED["DATABASE_URL"]}
    assert refused(tmp_path, given, "serve") == (
        2,
        "chatd: JWT_SECRET: Environment variable not set.",
    )
    assert "cannot reach the database" in refused(tmp_path, given, "migrate")[1]


def test_whoever_has_no_database_is_told_of_the_private_one(
    tmp_path: Path, environment: Environment
) -> None:
    code, complaint = refused(tmp_path, environment, "serve")
    assert code == 2
    assert complaint.startswith("chatd: DATABASE_URL: Environment variable not set. JWT_SECRET: ")
    assert "--embedded" in complaint


@pytest.mark.parametrize("word", ["serve", "migrate"])
@pytest.mark.parametrize(
    "wrong",
    [
        {"DATABASE_URL": None},
        {"JWT_SECRET": "hunter2"},
        {"API_PORT": "http"},
        {"CHATD_DATADIR": "/srv"},
        {"DATABASE_URL": "mysql://me:hunter2@db/chatd", "JWT_SECRET": "hunter2", "WORKER_ID": "x"},
    ],
)
def test_wrong_settings_are_all_named(
    tmp_path: Path, environment: Environment, word: str, wrong: dict[str, str | None]
) -> None:
    settings = {**environment, **NEEDED, **wrong}
    given = {name: value for name, value in settings.items() if value is not None}
    code, line = refused(tmp_path, given, word)
    assert code == 2
    assert [name for name in settings if f"{name}: " in line] == list(wrong)


def test_settings_may_stand_in_a_file(tmp_path: Path, environment: Environment) -> None:
    lines = [f"{name}={value}\n" for name, value in NEEDED.items()]
    (tmp_path / ".env").write_text("".join([*lines, "WORKER_ID=many\n"]))
    assert refused(tmp_path, environment, "serve")[1].startswith("chatd: WORKER_ID: ")


# -- with a database of one's own ------------------------------------------------------------------


@pytest.mark.parametrize("word", ["serve", "migrate"])
def test_an_unreachable_database(tmp_path: Path, environment: Environment, word: str) -> None:
    code, line = refused(tmp_path, {**environment, **NEEDED}, word)
    assert code == 1
    assert "cannot reach the database" in line


def test_an_unreachable_database_with_the_other_server_private(
    tmp_path: Path, environment: Environment
) -> None:
    code, line = refused(tmp_path, {**environment, **NEEDED}, "serve", "--embedded")
    assert code == 1
    assert "cannot reach the database" in line
    assert ended(working_in(tmp_path))


def test_migrate_then_serve(
    tmp_path: Path, environment: Environment, new_database: NewDatabase, valkey: embedded.Valkey
) -> None:
    url = new_database("cli_migrate")
    given = {**environment, **NEEDED, "DATABASE_URL": url, "REDIS_URL": valkey.url}
    code, line = refused(tmp_path, given, "serve")
    assert code == 1
    assert "chatd migrate" in line
    assert "applied 0001_accounts" in done(tmp_path, given, "migrate")
    assert "applied" not in done(tmp_path, given, "migrate")
    assert migrations.pending(url) == []

    with command(tmp_path, given, "serve") as run:
        run.wait_until_ready()
        assert run.servers() == []
        assert "Try it" not in run.output.read_text()  # it is not a terminal
        assert run.end(signal.SIGTERM) == 0
        assert "Traceback" not in run.complaints.read_text()
    assert not (tmp_path / "var").exists()


def test_a_newer_schema(
    tmp_path: Path, environment: Environment, new_database: NewDatabase
) -> None:
    url = new_database("cli_newer")
    migrations.apply(url)
    connection = psycopg2.connect(url)
    with connection, connection.cursor() as cur:
        cur.execute("INSERT INTO _chatd_migrations VALUES ('x', '9999_future', now())")
    connection.close()
    for word in ("serve", "migrate"):
        code, line = refused(tmp_path, {**environment, **NEEDED, "DATABASE_URL": url}, word)
        assert code == 1
        assert "9999_future" in line


@pytest.mark.parametrize("name", ["API_PORT", "GATEWAY_PORT"])
def test_a_port_in_use(
    tmp_path: Path,
    environment: Environment,
    new_database: NewDatabase,
    valkey: embedded.Valkey,
    name: str,
) -> None:
    url = new_database(f"cli_{name.lower()}")
    migrations.apply(url)
    with socket.create_server(("127.0.0.1", int(environment[name]))):
        given = {**environment, **NEEDED, "DATABASE_URL": url, "REDIS_URL": valkey.url}
        code, line = refused(tmp_path, given, "serve")
    assert code == 1
    assert environment[name] in line


def test_a_worker_id_in_use(
    tmp_path: Path, environment: Environment, new_database: NewDatabase, valkey: embedded.Valkey
) -> None:
    url = new_database("cli_worker")
    migrations.apply(url)
    given = {**environment, **NEEDED, "DATABASE_URL": url, "REDIS_URL": valkey.url}
    given["WORKER_ID"] = "7"
    with command(tmp_path / "first", given, "serve") as run:
        run.wait_until_ready()
        ports = dict(zip(("API_PORT", "GATEWAY_PORT"), map(str, free_ports(2)), strict=True))
        code, line = refused(tmp_path / "second", {**given, **ports}, "serve")
        assert code == 1
        assert f"WORKER_ID 7 is in use by process {run.process.pid}" in line


# -- with private servers --------------------------------------------------------------------------


def test_the_life_of_an_embedded_server(tmp_path: Path, environment: Environment) -> None:
    with command(tmp_path / "first", environment, "serve", "--embedded") as run:
        run.wait_until_ready()
        servers = run.servers()
        assert {server.name() for server in servers} == {"postgres", "valkey-server"}

        other = {**environment, "CHATD_DATA_DIR": str(tmp_path / "first" / "var")}
        code, line = refused(tmp_path / "second", other, "serve", "--embedded")
        assert code == 1
        assert f"already using {tmp_path / 'first' / 'var'} (pid {run.process.pid})" in line

        secret = (tmp_path / "first" / "var" / "jwt_secret").read_text()
        assert run.end(signal.SIGTERM) == 0
        assert ended(servers)
        assert secret.strip() not in run.output.read_text() + run.complaints.read_text()
        assert "Traceback" not in run.complaints.read_text()

    with command(tmp_path / "first", environment, "serve", "--embedded") as run:
        run.wait_until_ready()
        servers = run.servers()
        run.end(signal.SIGKILL)
        with command(tmp_path / "first", environment, "serve", "--embedded") as again:
            again.wait_until_ready()
            assert not any(lives(server) for server in servers)
            servers = again.servers()
            assert again.end(signal.SIGINT) == 0
            assert ended(servers)
            assert "Traceback" not in again.complaints.read_text()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("stage", ["var/valkey.log", "var/postgres.new-*/base", "var/postgres"])
def test_a_start_can_be_stopped_at_any_point(
    tmp_path: Path, environment: Environment, number: signal.Signals, stage: str
) -> None:
    with command(tmp_path, environment, "serve", "--embedded") as run:
        while not list(tmp_path.glob(stage)):
            assert run.process.poll() is None, run.complaints.read_text()
            time.sleep(0.002)
        assert run.end(number) in (0, 128 + number)
        assert ended(working_in(tmp_path))
        assert "Traceback" not in run.complaints.read_text()
    assert list(tmp_path.glob("var/*.new*")) == []


def test_a_terminal_is_told_what_to_try_next(tmp_path: Path, environment: Environment) -> None:
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "chatd", "serve", "--embedded"],
        cwd=tmp_path,
        env=environment,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    text = ""
    with contextlib.suppress(OSError):  # how a terminal ends
        while read := os.read(ours, 4096):
            text += read.decode()
            if "Ctrl-C" in text and process.poll() is None:
                process.send_signal(signal.SIGINT)
    os.close(ours)
    assert process.wait(PATIENCE_S) == 0
    curl = re.search(r"curl -X POST http://127.0.0.1:(\d+)/auth/register", text)
    assert curl is not None
    assert curl[1] == environment["API_PORT"]
    assert "README" in text


def test_a_data_folder_that_cannot_be(tmp_path: Path, environment: Environment) -> None:
    (tmp_path / "var").write_text("a file")
    code, line = refused(tmp_path, environment, "serve", "--embedded")
    assert code == 1
    assert str(tmp_path / "var") in line
