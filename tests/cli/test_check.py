"""chatd check: finds problems and names their remedies."""

from __future__ import annotations

import asyncio
import os
import platform
import resource
import shutil
import socket
import socketserver
import sys
import sysconfig
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import chatd as chatd_package
from chatd.cli import check_backends, check_host
from chatd.config import Config
from chatd.db import migrations
from chatd.queries.statistics import Instance
from chatd.runtime import interpreter
from tests.cli.conftest import Chatd
from tests.conftest import Server
from tests.helpers.check import (
    check,
    execute,
    only_problem,
)
from tests.helpers.databases import NewDatabase

_OF_DEBIAN = "the distribution's, which is built with PGO"


@pytest.fixture
def chatd(chatd: Chatd) -> Chatd:
    """Set JWT_SECRET, because a missing one is a finding too."""
    chatd.environment["JWT_SECRET"] = "a secret of thirty-two characters"
    return chatd


async def test_healthy_server_passes_all_checks(chatd: Chatd, server: Server) -> None:
    said = await chatd.well("check")
    found = {row[1]: row for row in said.rows}
    assert {"settings", "chatd", "Python", "disk", "permissions", "port"} <= found.keys()
    assert {"database", "clock", "schema", "instances", "redis"} <= found.keys()
    assert found["Python"][2].startswith(f"version {platform.python_version()}, ")
    assert found["instances"][2] == "running with WORKER_ID 0"
    assert found["port"][2].endswith(f"; the instances here listen on {server.url}")
    assert found["instance 0"][0] == "ok"
    at = f"version {chatd_package.__version__} at {server.url} on {socket.gethostname()}"
    assert found["instance 0"][2] == f"{at}: ready, Redis ok"


async def test_open_files_are_those_of_the_running_instance(
    chatd: Chatd, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server runs in this process; the command has a lower limit, as in another shell."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    [row] = [row for row in (await chatd.well("check")).rows if "instance 0 may open" in row[2]]
    assert row[1] == "limits"
    assert row[2].startswith(f"instance 0 may open {soft} files")
    monkeypatch.setattr(resource, "getrlimit", lambda _: (256, 256))
    [finding] = check_host.limits()
    assert finding.finding.startswith("a server that is started from here may open 256 files")


def test_limits_of_other_instances_are_not_reported() -> None:
    gone = Instance(1, f"process 4194305 on {socket.gethostname()} (00ff)", None, None, None, None)
    holders = ["process 1 on another.example (00ff)", "of another kind"]
    others = [replace(gone, holder=holder) for holder in holders]
    assert [*check_host.limits_of_instances([gone, *others])] == []


@pytest.mark.parametrize(
    ("distribution", "prefix", "options", "said"),
    [
        ("ID=debian", "/usr", "--prefix=/usr", "the distribution's, which is built with PGO"),
        (
            "ID=mint\nID_LIKE=ubuntu debian",
            "/usr",
            "",
            "the distribution's, which is built with PGO",
        ),
        ("ID=fedora", "/usr", "--enable-optimizations --with-lto", "built with PGO and LTO"),
        ("ID=gentoo", "/usr", "--prefix=/usr", "built without PGO"),
        ("ID=debian", "/home/ada/.pyenv", "", "built without PGO"),
    ],
)
def test_build_of_python_is_said(
    monkeypatch: pytest.MonkeyPatch, distribution: str, prefix: str, options: str, said: str
) -> None:
    release = dict(line.split("=") for line in distribution.splitlines())
    monkeypatch.setattr(platform, "freedesktop_os_release", lambda: release)
    monkeypatch.setattr(sys, "base_prefix", prefix)
    monkeypatch.setattr(sysconfig, "get_config_var", lambda _: options)
    assert interpreter.build() == said
    assert interpreter.is_optimised() == (said != "built without PGO")


async def test_missing_jwt_secret_is_a_warning(chatd: Chatd, config: Config) -> None:
    del chatd.environment["JWT_SECRET"]
    found = await only_problem(chatd, 0)
    assert "JWT_SECRET is not set" in found["finding"]
    assert (await asyncio.to_thread(chatd.run, "check", "--strict")).code == 1


async def test_misspelt_and_renamed_settings_are_warnings(chatd: Chatd, config: Config) -> None:
    (chatd.folder / ".env").write_text(
        "WORKER_IDD=3\nPGPASSFILE=/x\nLOG_LEVEL=info\nOUTBOX_MAX_BYTES=268435456\n"
    )
    chatd.environment["REDIS_URI"] = "redis://elsewhere"
    code, bad = await check(chatd)
    assert code == 0
    assert [(each["finding"].split()[0], each["remedy"]) for each in bad] == [
        ("OUTBOX_MAX_BYTES", "Rename it to SEND_QUEUE_MAX_BYTES."),
        ("WORKER_IDD", "Write WORKER_ID."),
        ("PGPASSFILE", "Remove it, if it was meant for chatd."),
        ("REDIS_URI", "Write REDIS_URL."),
    ]


async def test_invalid_settings_are_errors(chatd: Chatd) -> None:
    chatd.environment |= {"API_PORT": "http", "WORKER_ID": "32", "CHATD_DATADIR": "/x"}
    code, bad = await check(chatd)
    assert code == 1
    errors = [each["finding"].split(":")[0] for each in bad if each["state"] == "error"]
    assert sorted(errors) == ["API_PORT", "CHATD_DATADIR", "WORKER_ID"]


async def test_invalid_env_file_names_the_line(chatd: Chatd) -> None:
    (chatd.folder / ".env").write_text("=\n")
    found = await only_problem(chatd, 1)
    assert found["finding"] == f"{chatd.folder / '.env'}: line 1 is not NAME=value"


@pytest.mark.parametrize(
    ("setting", "subject"), [("DATABASE_URL", "database"), ("REDIS_URL", "redis")]
)
async def test_unreachable_server_is_an_error_without_its_password(
    chatd: Chatd, config: Config, setting: str, subject: str
) -> None:
    scheme = {"DATABASE_URL": "postgresql", "REDIS_URL": "redis"}[setting]
    chatd.environment[setting] = f"{scheme}://me:hunter2@127.0.0.1:1/0"
    found = await only_problem(chatd, 1)
    assert found["subject"] == subject
    assert "cannot reach" in found["finding"]
    assert "hunter2" not in (await asyncio.to_thread(chatd.run, "check")).output


async def test_administrators_without_a_required_factor_are_named(
    chatd: Chatd, migrated_database: NewDatabase
) -> None:
    url = chatd.environment["DATABASE_URL"] = migrated_database("check_administrators")
    await chatd.well("user", "create", "ada", "--email", "ada@example.org", "--administrator")
    await chatd.well("user", "create", "bob", "--email", "bob@example.org")
    assert await check(chatd) == (0, [])
    chatd.environment["REQUIRE_MFA"] = "administrators"
    found = await only_problem(chatd, 0)
    assert (found["state"], found["finding"].endswith("work: ada")) == ("warning", True)
    execute(url, "UPDATE users SET mfa_enabled = true WHERE username = 'ada'")
    assert await check(chatd) == (0, [])


async def test_pending_migration_and_newer_schema_are_errors(
    chatd: Chatd, new_database: NewDatabase
) -> None:
    url = chatd.environment["DATABASE_URL"] = new_database("check_schema")
    migrations.apply(url, up_to="3")
    found = await only_problem(chatd, 1)
    assert "the first is 0004_overwrites" in found["finding"]
    assert found["remedy"] == "Run `chatd migrate`."
    assert chatd.run("migrate").code == 0
    assert await check(chatd) == (0, [])
    execute(url, "INSERT INTO _chatd_migrations VALUES ('x', '9999_future', now())")
    assert "9999_future" in (await only_problem(chatd, 1))["finding"]


async def test_settings_of_postgres_are_checked(
    chatd: Chatd, migrated_database: NewDatabase
) -> None:
    url = chatd.environment["DATABASE_URL"] = migrated_database("check_forgets")
    execute(url, "ALTER DATABASE check_forgets SET synchronous_commit = off")
    found = await only_problem(chatd, 1)
    assert "synchronous_commit is off" in found["finding"]
    assert "ALTER SYSTEM SET synchronous_commit = on" in found["remedy"]
    execute(url, "ALTER DATABASE check_forgets RESET synchronous_commit")
    chatd.environment["DATABASE_MAX_CONNECTIONS"] = "1000"
    assert "max_connections" in (await only_problem(chatd, 1))["finding"]


async def test_database_encoding_other_than_utf8_is_an_error(chatd: Chatd, config: Config) -> None:
    execute(
        config.database_url,
        "CREATE DATABASE check_latin TEMPLATE template0 ENCODING 'LATIN1'"
        " LOCALE_PROVIDER libc LOCALE 'C'",
    )
    url = config.database_url.replace("/shared?", "/check_latin?")
    chatd.environment["DATABASE_URL"] = url
    code, bad = await check(chatd)
    assert code == 1
    assert [each["finding"] for each in bad][:1] == ["its encoding is LATIN1"]


def test_slow_answer_is_no_difference_of_clocks() -> None:
    before = datetime(2026, 1, 1, tzinfo=UTC)
    after = before + timedelta(seconds=9)
    for now_s, skew_s in ((-2, 2), (0, 0), (1, 0), (8, 0), (9, 0), (12, 3)):
        now = before + timedelta(seconds=now_s)
        assert check_backends.clock_skew_s(now, before, after) == skew_s


async def test_clock_behind_reserved_ids_is_a_warning(
    chatd: Chatd, migrated_database: NewDatabase
) -> None:
    url = chatd.environment["DATABASE_URL"] = migrated_database("check_clock")
    execute(
        url,
        "INSERT INTO workers VALUES (3, 'x',"
        " (extract(epoch FROM now()) + 3600) * 1000 - 1420070400000)",
    )
    found = await only_problem(chatd, 0)
    assert found["subject"] == "clock"
    assert "stepped back" in found["finding"]


async def test_secret_that_all_users_can_read_is_a_warning(chatd: Chatd, config: Config) -> None:
    file = chatd.folder / ".env"
    file.write_text("JWT_SECRET=another secret of thirty-two characters\n")
    file.chmod(0o644)
    found = await only_problem(chatd, 0)
    assert found["remedy"] == f"chmod o= {file}"
    file.chmod(0o640)
    assert await check(chatd) == (0, [])


async def test_file_instead_of_a_folder_is_an_error(chatd: Chatd, config: Config) -> None:
    (chatd.folder / "files").write_text("")
    chatd.environment["FILES_DIR"] = "files"
    assert "is not a folder" in (await only_problem(chatd, 1))["finding"]


def test_remedy_names_the_folder_to_create(
    config: Config, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(os, "access", lambda *_: False)  # root can write everywhere
    wanted = tmp_path / "chat" / "files"
    [found] = check_host.permissions(replace(config, files_dir=wanted))
    assert found.finding == f"{tmp_path} is not writable"
    assert found.remedy is not None
    assert found.remedy.endswith(f"create {wanted} and chown it.")


async def test_port_of_a_running_chatd_is_ok(chatd: Chatd, server: Server) -> None:
    chatd.environment["API_PORT"] = server.url.rpartition(":")[2]
    said = await chatd.well("check")
    assert [row[2] for row in said.rows if row[1] == "port"] == [
        f"a chatd responds on 127.0.0.1 port {chatd.environment['API_PORT']}"
    ]


@pytest.mark.parametrize("setting", ["API_PORT", "GATEWAY_PORT"])
async def test_port_of_another_program_is_an_error(
    chatd: Chatd, migrated_database: NewDatabase, setting: str
) -> None:
    chatd.environment["DATABASE_URL"] = migrated_database(f"check_{setting.lower()}")

    class Stranger(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            self.request.recv(1000)
            self.request.sendall(b"220 mail.example.org\r\n")

    with socketserver.TCPServer(("127.0.0.1", 0), Stranger) as stranger:
        threading.Thread(target=stranger.serve_forever, args=(0.01,)).start()
        chatd.environment[setting] = str(stranger.server_address[1])
        try:
            found = await only_problem(chatd, 1)
        finally:
            stranger.shutdown()
    assert found["subject"] == "port"
    assert found["remedy"] == f"Set {setting} to a free port."


async def test_missing_database_is_an_error(chatd: Chatd, tmp_path: Path) -> None:
    del chatd.environment["DATABASE_URL"]
    found = await only_problem(chatd, 1)
    assert found["subject"] == "database"
    assert str(tmp_path / "var") in found["finding"]


def test_free_disk_space_is_checked(
    config: Config, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def has(total: int, free: int) -> None:
        found = shutil._ntuple_diskusage(total, total - free, free)
        monkeypatch.setattr(shutil, "disk_usage", lambda _: found)

    wanted = replace(config, files_dir=tmp_path)
    for total, free, state in (
        (2**40, 2**28 - 1, "error"),
        (2**33, 2**30 - 1, "warning"),
        (2**40, 2**34, "warning"),
        (2**50, 2**35, "ok"),
        (2**33, 2**32, "ok"),
    ):
        has(total, free)
        assert [each.state for each in check_host.disk(wanted)] == [state]
