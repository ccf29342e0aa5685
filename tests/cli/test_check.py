"""chatd check: what is wrong is found, and comes with its remedy."""

from __future__ import annotations

import json
import os
import shutil
import socketserver
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg2
import pytest

from chatd import migrations
from chatd.cli import check_here
from chatd.config import Config
from tests.cli.conftest import Chatd
from tests.conftest import Server

NewDatabase = Callable[[str], str]


def check(chatd: Chatd, *words: str) -> tuple[int, list[dict[str, Any]]]:
    """The exit code, and what is not well."""
    said = chatd.run("check", "--json", *words)
    assert said.complaints == ""
    found = json.loads(said.output)
    bad = [each for each in found if each["state"] != "ok" and each["subject"] != "limits"]
    assert all(each["remedy"] for each in bad)
    return said.code, bad


def the_only(chatd: Chatd, code: int) -> dict[str, Any]:
    """The one thing that is not well."""
    ended, bad = check(chatd)
    assert ended == code
    [found] = bad
    return found


@pytest.fixture
def chatd(chatd: Chatd) -> Chatd:
    """With a secret: that one is missing is a finding too."""
    chatd.environment["JWT_SECRET"] = "a secret of thirty-two characters"
    return chatd


def execute(url: str, statement: str) -> None:
    connection = psycopg2.connect(url)
    connection.autocommit = True
    with connection.cursor() as cur:
        cur.execute(statement)
    connection.close()


async def test_all_is_well(chatd: Chatd, server: Server) -> None:
    said = await chatd.well("check")
    found = {row[1]: row for row in said.rows}
    assert {"settings", "chatd", "Python", "disk", "permissions", "port"} <= found.keys()
    assert {"database", "clock", "schema", "instances", "redis"} <= found.keys()
    assert found["instances"][2] == "running with WORKER_ID 0"
    assert "is not running here" in found["port"][2]


def test_a_secret_is_missing(chatd: Chatd, config: Config) -> None:
    del chatd.environment["JWT_SECRET"]
    found = the_only(chatd, 0)
    assert "JWT_SECRET is not set" in found["finding"]
    assert chatd.run("check", "--strict").code == 1


def test_names_that_are_misspelt(chatd: Chatd, config: Config) -> None:
    (chatd.folder / ".env").write_text("WORKER_IDD=3\nPGPASSFILE=/x\nLOG_LEVEL=info\n")
    chatd.environment["REDIS_URI"] = "redis://elsewhere"
    code, bad = check(chatd)
    assert code == 0
    assert [(each["finding"].split()[0], each["remedy"]) for each in bad] == [
        ("WORKER_IDD", "Write WORKER_ID."),
        ("PGPASSFILE", "Take it out, if it was meant for chatd."),
        ("REDIS_URI", "Write REDIS_URL."),
    ]


def test_settings_that_cannot_be(chatd: Chatd) -> None:
    chatd.environment |= {"API_PORT": "http", "WORKER_ID": "32", "CHATD_DATADIR": "/x"}
    code, bad = check(chatd)
    assert code == 1
    errors = [each["finding"].split(":")[0] for each in bad if each["state"] == "error"]
    assert sorted(errors) == ["API_PORT", "CHATD_DATADIR", "WORKER_ID"]


def test_an_env_file_that_is_none(chatd: Chatd) -> None:
    (chatd.folder / ".env").write_text("=\n")
    found = the_only(chatd, 1)
    assert found["finding"] == f"{chatd.folder / '.env'}: line 1 is not NAME=value"


@pytest.mark.parametrize(
    ("setting", "subject"), [("DATABASE_URL", "database"), ("REDIS_URL", "redis")]
)
def test_a_server_is_away(chatd: Chatd, config: Config, setting: str, subject: str) -> None:
    scheme = {"DATABASE_URL": "postgresql", "REDIS_URL": "redis"}[setting]
    chatd.environment[setting] = f"{scheme}://me:hunter2@127.0.0.1:1/0"
    found = the_only(chatd, 1)
    assert found["subject"] == subject
    assert "cannot reach" in found["finding"]
    assert "hunter2" not in chatd.run("check").output


def test_a_schema_that_waits_and_one_that_is_newer(chatd: Chatd, new_database: NewDatabase) -> None:
    url = chatd.environment["DATABASE_URL"] = new_database("check_schema")
    migrations.apply(url, up_to="3")
    found = the_only(chatd, 1)
    assert "the first is 0004_overwrites" in found["finding"]
    assert found["remedy"] == "Run `chatd migrate`."
    assert chatd.run("migrate").code == 0
    assert check(chatd) == (0, [])
    execute(url, "INSERT INTO _chatd_migrations VALUES ('x', '9999_future', now())")
    assert "9999_future" in the_only(chatd, 1)["finding"]


def test_settings_of_the_database(chatd: Chatd, new_database: NewDatabase) -> None:
    url = chatd.environment["DATABASE_URL"] = new_database("check_forgets")
    migrations.apply(url)
    execute(url, "ALTER DATABASE check_forgets SET synchronous_commit = off")
    found = the_only(chatd, 1)
    assert "synchronous_commit is off" in found["finding"]
    assert "ALTER SYSTEM SET synchronous_commit = on" in found["remedy"]
    execute(url, "ALTER DATABASE check_forgets RESET synchronous_commit")
    chatd.environment["DATABASE_MAX_CONNECTIONS"] = "1000"
    assert "max_connections" in the_only(chatd, 1)["finding"]


def test_an_encoding_that_cannot_hold_every_message(chatd: Chatd, config: Config) -> None:
    execute(
        config.database_url,
        "CREATE DATABASE check_latin TEMPLATE template0 ENCODING 'LATIN1'"
        " LOCALE_PROVIDER libc LOCALE 'C'",
    )
    url = config.database_url.replace("/shared?", "/check_latin?")
    chatd.environment["DATABASE_URL"] = url
    code, bad = check(chatd)
    assert code == 1
    assert [each["finding"] for each in bad][:1] == ["its encoding is LATIN1"]


def test_a_clock_that_stepped_back(chatd: Chatd, new_database: NewDatabase) -> None:
    url = chatd.environment["DATABASE_URL"] = new_database("check_clock")
    migrations.apply(url)
    execute(
        url,
        "INSERT INTO workers VALUES (3, 'x',"
        " (extract(epoch FROM now()) + 3600) * 1000 - 1420070400000)",
    )
    found = the_only(chatd, 0)
    assert found["subject"] == "clock"
    assert "stepped back" in found["finding"]


def test_secrets_that_others_can_read(chatd: Chatd, config: Config) -> None:
    file = chatd.folder / ".env"
    file.write_text("JWT_SECRET=another secret of thirty-two characters\n")
    file.chmod(0o644)
    found = the_only(chatd, 0)
    assert found["remedy"] == f"chmod o= {file}"
    file.chmod(0o640)
    assert check(chatd) == (0, [])


def test_a_folder_that_is_a_file(chatd: Chatd, config: Config) -> None:
    (chatd.folder / "files").write_text("")
    chatd.environment["FILES_DIR"] = "files"
    assert "is no folder" in the_only(chatd, 1)["finding"]


def test_what_to_do_about_a_folder_that_is_not_there_yet(
    config: Config, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(os, "access", lambda *_: False)  # root may write everywhere
    wanted = tmp_path / "chat" / "files"
    [found] = check_here.permissions(replace(config, files_dir=wanted))
    assert found.finding == f"{tmp_path} cannot be written to"
    assert found.remedy is not None
    assert found.remedy.endswith(f"make {wanted}, and chown it.")


async def test_who_has_the_port(chatd: Chatd, server: Server) -> None:
    chatd.environment["API_PORT"] = server.url.rpartition(":")[2]
    said = await chatd.well("check")
    assert [row[2] for row in said.rows if row[1] == "port"] == [
        f"a chatd answers on 127.0.0.1 port {chatd.environment['API_PORT']}"
    ]


@pytest.mark.parametrize("setting", ["API_PORT", "GATEWAY_PORT"])
def test_a_stranger_has_the_port(chatd: Chatd, config: Config, setting: str) -> None:
    class Stranger(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            self.request.recv(1000)
            self.request.sendall(b"220 mail.example.org\r\n")

    with socketserver.TCPServer(("127.0.0.1", 0), Stranger) as stranger:
        threading.Thread(target=stranger.serve_forever, args=(0.01,)).start()
        chatd.environment[setting] = str(stranger.server_address[1])
        try:
            found = the_only(chatd, 1)
        finally:
            stranger.shutdown()
    assert found["subject"] == "port"
    assert found["remedy"] == f"Set {setting} to a port that is free."


def test_neither_a_database_nor_a_private_one(chatd: Chatd, tmp_path: Path) -> None:
    del chatd.environment["DATABASE_URL"]
    found = the_only(chatd, 1)
    assert found["subject"] == "database"
    assert str(tmp_path / "var") in found["finding"]


def test_disks_that_are_full(
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
        assert [each.state for each in check_here.disk(wanted)] == [state]
