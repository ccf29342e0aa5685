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
from pathlib import Path
from urllib.parse import urlsplit

import psycopg2
import pytest

from chatd.db import migrations
from chatd.embedded.valkey import Valkey
from tests.helpers import clusters
from tests.helpers.cli import (
    REQUIRED_SETTINGS,
    TIMEOUT_S,
    Environment,
    have_ended,
    is_alive,
    processes_in,
    running_command,
)
from tests.helpers.databases import NewDatabase
from tests.helpers.servers import free_ports


def done(folder: Path, environment: Environment, *words: str) -> str:
    """Run a command that succeeds; returns what it says."""
    with running_command(folder, environment, *words) as run:
        assert run.process.wait(TIMEOUT_S) == 0, run.complaints.read_text()
        return run.output.read_text()


def refused(folder: Path, environment: Environment, *words: str) -> tuple[int, str]:
    """Run a command that is refused; returns the exit code and the one line that says why."""
    with running_command(folder, environment, *words) as run:
        code = run.process.wait(TIMEOUT_S)
        *logged, line = run.complaints.read_text().splitlines()
        assert run.output.read_text() == ""
    assert line.startswith("chatd: ")
    # A busy machine may block the event loop or Postgres for a moment, which is logged.
    slow = r"WARNING chatd\.(observability\.loop_monitor|db\.cursor: slow statement)"
    usual = rf"[0-9-]{{10}} [0-9:,]{{12}} (INFO |{slow})"
    assert [text for text in logged if not re.match(usual, text)] == []
    assert "hunter2" not in line
    return code, line


def test_misspelt_and_renamed_settings_are_logged_at_start(
    tmp_path: Path, environment: Environment
) -> None:
    folder = tmp_path / "serve"
    folder.mkdir()
    (folder / ".env").write_text(
        "LOG_LEVLE=debug\nNOTHING_LIKE_IT=1\nAPP_ENV=staging\nOUTBOX_MAX_BYTES=268435456\n"
    )
    with running_command(
        folder, {**environment, **REQUIRED_SETTINGS, "REDIS_URI": "x"}, "serve"
    ) as run:
        assert run.process.wait(TIMEOUT_S) == 1  # without its database
        warnings = [line for line in run.complaints.read_text().splitlines() if "WARNING" in line]
    assert [line.partition("chatd: ")[2] for line in warnings] == [
        "OUTBOX_MAX_BYTES in .env is deprecated; use SEND_QUEUE_MAX_BYTES",
        "unknown setting LOG_LEVLE in .env; did you mean LOG_LEVEL?",
        "unknown setting NOTHING_LIKE_IT in .env",
        "unknown setting REDIS_URI in the environment; did you mean REDIS_URL?",
    ]


# -- what needs no server --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "named"),
    [
        ([], ["serve", "migrate", "check", "user", "guild", "stats", "--version", ".env.example"]),
        (["serve"], ["--embedded", "DATABASE_URL", "CHATD_DATA_DIR"]),
        (["migrate"], ["schema"]),
    ],
)
def test_help_names_commands_and_options(
    tmp_path: Path, environment: Environment, words: list[str], named: list[str]
) -> None:
    text = done(tmp_path, environment, *words, "--help")
    assert text.startswith("Usage: ")
    assert [word for word in named if word not in text] == []
    assert max(map(len, text.splitlines())) <= 80


def test_version(tmp_path: Path, environment: Environment) -> None:
    assert re.fullmatch(r"chatd, version \d+\.\d+\.\d+\n", done(tmp_path, environment, "--version"))


def test_help_does_not_import_the_server() -> None:
    code = "import sys, chatd.__main__; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, check=True, text=True
    )
    heavy = {"aiohttp", "asyncio", "jose", "passlib", "psutil", "psycopg2", "redis", "yoyo"}
    assert heavy & set(loaded.stdout.split()) == set()


def test_only_serve_needs_the_secret(tmp_path: Path, environment: Environment) -> None:
    given = {**environment, "DATABASE_URL": REQUIRED_SETTINGS["DATABASE_URL"]}
    assert refused(tmp_path, given, "serve") == (
        2,
        "chatd: JWT_SECRET: Environment variable not set.",
    )
    assert "cannot reach the database" in refused(tmp_path, given, "migrate")[1]


def test_missing_database_error_suggests_embedded(tmp_path: Path, environment: Environment) -> None:
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
def test_all_invalid_settings_are_named(
    tmp_path: Path, environment: Environment, word: str, wrong: dict[str, str | None]
) -> None:
    settings = {**environment, **REQUIRED_SETTINGS, **wrong}
    given = {name: value for name, value in settings.items() if value is not None}
    code, line = refused(tmp_path, given, word)
    assert code == 2
    assert [name for name in settings if f"{name}: " in line] == list(wrong)


def test_settings_are_read_from_env_file(tmp_path: Path, environment: Environment) -> None:
    lines = [f"{name}={value}\n" for name, value in REQUIRED_SETTINGS.items()]
    (tmp_path / ".env").write_text("".join([*lines, "WORKER_ID=many\n"]))
    assert refused(tmp_path, environment, "serve")[1].startswith("chatd: WORKER_ID: ")


# -- with a database of one's own ------------------------------------------------------------------


@pytest.mark.parametrize("word", ["serve", "migrate"])
def test_unreachable_database_is_an_error(
    tmp_path: Path, environment: Environment, word: str
) -> None:
    code, line = refused(tmp_path, {**environment, **REQUIRED_SETTINGS}, word)
    assert code == 1
    assert "cannot reach the database" in line


def test_unreachable_database_with_private_valkey_is_an_error(
    tmp_path: Path, environment: Environment
) -> None:
    code, line = refused(tmp_path, {**environment, **REQUIRED_SETTINGS}, "serve", "--embedded")
    assert code == 1
    assert "cannot reach the database" in line
    assert have_ended(processes_in(tmp_path))


def test_migrate_then_serve(
    tmp_path: Path, environment: Environment, new_database: NewDatabase, valkey: Valkey
) -> None:
    url = new_database("cli_migrate")
    given = {**environment, **REQUIRED_SETTINGS, "DATABASE_URL": url, "REDIS_URL": valkey.url}
    code, line = refused(tmp_path, given, "serve")
    assert code == 1
    assert "chatd migrate" in line
    assert "applied 0001_accounts" in done(tmp_path, given, "migrate")
    assert "applied" not in done(tmp_path, given, "migrate")
    assert migrations.pending(url) == []

    with running_command(tmp_path, given, "serve") as run:
        run.wait_until_ready()
        assert run.servers() == []
        assert "Try it" not in run.output.read_text()  # it is not a terminal
        assert run.end(signal.SIGTERM) == 0
        assert "Traceback" not in run.complaints.read_text()
    assert not (tmp_path / "var").exists()


def test_newer_schema_is_refused(
    tmp_path: Path, environment: Environment, migrated_database: NewDatabase
) -> None:
    url = migrated_database("cli_newer")
    connection = psycopg2.connect(url)
    with connection, connection.cursor() as cur:
        cur.execute("INSERT INTO _chatd_migrations VALUES ('x', '9999_future', now())")
    connection.close()
    for word in ("serve", "migrate"):
        code, line = refused(
            tmp_path, {**environment, **REQUIRED_SETTINGS, "DATABASE_URL": url}, word
        )
        assert code == 1
        assert "9999_future" in line


@pytest.mark.parametrize("name", ["API_PORT", "GATEWAY_PORT"])
def test_port_in_use_is_an_error(
    tmp_path: Path,
    environment: Environment,
    migrated_database: NewDatabase,
    valkey: Valkey,
    name: str,
) -> None:
    url = migrated_database(f"cli_{name.lower()}")
    with socket.create_server(("127.0.0.1", int(environment[name]))):
        given = {**environment, **REQUIRED_SETTINGS, "DATABASE_URL": url, "REDIS_URL": valkey.url}
        code, line = refused(tmp_path, given, "serve")
    assert code == 1
    assert environment[name] in line


@pytest.mark.parametrize(
    "case",
    [
        ("API_HOST", "203.0.113.7", "does not have this address; change API_HOST"),
        ("GATEWAY_HOST", "2001:db8::7", "; change GATEWAY_HOST"),  # nor, it may be, any IPv6
        ("METRICS_HOST", "no such host", "unknown host name; change METRICS_HOST"),
    ],
)
def test_unusable_host_is_an_error(
    tmp_path: Path,
    environment: Environment,
    migrated_database: NewDatabase,
    valkey: Valkey,
    case: tuple[str, str, str],
) -> None:
    name, host, expected = case
    url = migrated_database(f"cli_{name.lower()}")
    [metrics] = free_ports(1)
    given = {
        **environment,
        **REQUIRED_SETTINGS,
        "DATABASE_URL": url,
        "REDIS_URL": valkey.url,
        name: host,
    }
    code, line = refused(tmp_path, {**given, "METRICS_PORT": str(metrics)}, "serve")
    assert code == 1
    assert f"cannot listen on {host} port" in line
    assert expected in line


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "::1"])
def test_printed_addresses_are_reachable(
    tmp_path: Path,
    environment: Environment,
    migrated_database: NewDatabase,
    valkey: Valkey,
    host: str,
) -> None:
    url = migrated_database(f"cli_wildcard_{host.count(':')}{len(host)}")
    given = {**environment, **REQUIRED_SETTINGS, "DATABASE_URL": url, "REDIS_URL": valkey.url}
    with running_command(
        tmp_path, {**given, "API_HOST": host, "GATEWAY_HOST": host}, "serve"
    ) as run:
        run.wait_until_ready()
        lines = dict(line.split(maxsplit=1) for line in run.output.read_text().splitlines())
        api = lines["REST"].removeprefix("API").strip()
        with urllib.request.urlopen(f"{api}/health", timeout=10) as answer:
            assert answer.status == 200
        gateway = urlsplit(lines["Gateway"])
        assert (gateway.hostname, gateway.port) == (
            "::1" if ":" in host else "127.0.0.1",
            int(given["GATEWAY_PORT"]),
        )


def test_worker_id_in_use_is_an_error(
    tmp_path: Path,
    environment: Environment,
    migrated_database: NewDatabase,
    valkey: Valkey,
) -> None:
    url = migrated_database("cli_worker")
    given = {**environment, **REQUIRED_SETTINGS, "DATABASE_URL": url, "REDIS_URL": valkey.url}
    given["WORKER_ID"] = "7"
    with running_command(tmp_path / "first", given, "serve") as run:
        run.wait_until_ready()
        ports = dict(zip(("API_PORT", "GATEWAY_PORT"), map(str, free_ports(2)), strict=True))
        code, line = refused(tmp_path / "second", {**given, **ports}, "serve")
        assert code == 1
        assert f"WORKER_ID 7 is in use by process {run.process.pid}" in line


# -- with private servers --------------------------------------------------------------------------


def test_embedded_server_starts_and_stops(tmp_path: Path, environment: Environment) -> None:
    with running_command(tmp_path / "first", environment, "serve", "--embedded") as run:
        run.wait_until_ready()
        servers = run.servers()
        assert {server.name() for server in servers} == {"postgres", "valkey-server"}

        other = {**environment, "CHATD_DATA_DIR": str(tmp_path / "first" / "var")}
        code, line = refused(tmp_path / "second", other, "serve", "--embedded")
        assert code == 1
        assert f"already using {tmp_path / 'first' / 'var'} (pid {run.process.pid})" in line

        secret = (tmp_path / "first" / "var" / "jwt_secret").read_text()
        assert run.end(signal.SIGTERM) == 0
        assert have_ended(servers)
        assert secret.strip() not in run.output.read_text() + run.complaints.read_text()
        assert "Traceback" not in run.complaints.read_text()

    with running_command(tmp_path / "first", environment, "serve", "--embedded") as run:
        run.wait_until_ready()
        servers = run.servers()
        run.end(signal.SIGKILL)
        with running_command(tmp_path / "first", environment, "serve", "--embedded") as again:
            again.wait_until_ready()
            assert not any(is_alive(server) for server in servers)
            servers = again.servers()
            assert again.end(signal.SIGINT) == 0
            assert have_ended(servers)
            assert "Traceback" not in again.complaints.read_text()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("stage", ["var/valkey.log", "var/postgres.new-*/base", "var/postgres"])
def test_start_can_be_interrupted_at_any_point(
    tmp_path: Path, environment: Environment, number: signal.Signals, stage: str
) -> None:
    environment |= {clusters.INITDB: "1"}
    with running_command(tmp_path, environment, "serve", "--embedded") as run:
        while not list(tmp_path.glob(stage)):
            assert run.process.poll() is None, run.complaints.read_text()
            time.sleep(0.002)
        assert run.end(number) in (0, 128 + number)
        assert have_ended(processes_in(tmp_path))
        assert "Traceback" not in run.complaints.read_text()
    assert list(tmp_path.glob("var/*.new*")) == []


def test_terminal_shows_next_steps(tmp_path: Path, environment: Environment) -> None:
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
    assert process.wait(TIMEOUT_S) == 0
    curl = re.search(r"curl -X POST http://127.0.0.1:(\d+)/auth/register", text)
    assert curl is not None
    assert curl[1] == environment["API_PORT"]
    assert "README" in text
    assert f"Open http://127.0.0.1:{curl[1]} in a browser" in text


def test_unusable_data_folder_is_an_error(tmp_path: Path, environment: Environment) -> None:
    (tmp_path / "var").write_text("a file")
    code, line = refused(tmp_path, environment, "serve", "--embedded")
    assert code == 1
    assert str(tmp_path / "var") in line
