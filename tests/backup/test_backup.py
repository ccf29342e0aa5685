"""chatd backup: what it writes where, and how it fails."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import stat
import tarfile
from pathlib import Path

import pytest

from chatd.backup import create
from chatd.queries import backups
from chatd.services.maintenance import janitor
from chatd.web.keys import DEPENDENCIES
from tests.backup.conftest import NewPlace, Scene
from tests.cli.conftest import Chatd
from tests.conftest import repository
from tests.helpers.archives import names_in, program
from tests.helpers.cli import (
    CHATD,
    completed,
    completed_with,
    limited_chatd,
    running_command,
)


async def test_archive_has_everything_but_secrets(at_source: Chatd, scene: Scene) -> None:
    (at_source.folder / ".env").write_text("REGISTRATION=invitation\nUNKNOWN=hunter2\n")
    at_source.environment["S3_SECRET_ACCESS_KEY"] = "hunter3"
    made = await at_source.json("backup", "chatd.tar")
    path = at_source.folder / "chatd.tar"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert names_in(at_source.folder) == [".env", "chatd.tar"]
    with tarfile.open(path) as tar:
        names = tar.getnames()
        settings = json.loads(tar.extractfile("settings.json").read())  # type: ignore[union-attr]
    assert settings["REGISTRATION"] == "invitation"
    assert not {"JWT_SECRET", "DATABASE_URL", "REDIS_URL", "UNKNOWN"} & settings.keys()
    content = path.read_bytes()
    for secret in (scene.server.config.jwt_secret, "hunter2", "hunter3"):
        assert secret.encode() not in content
    folders = {name.split("/")[1] for name in names if name.startswith("files/")}
    assert folders == {"attachments", "avatars", "icons", "app-icons"}
    assert made["bytes"] == len(content)
    assert (made["files"], made["missing_files"]) == (6, 0)
    said = await at_source.well("restore", "--verify-only", "chatd.tar")
    assert said.output.startswith(f"The archive is complete: {made['messages']} messages and 6")


def test_backup_knows_every_kind_of_stored_file() -> None:
    """A column that names files and is not in the table would be left out of backups."""
    folders: dict[str, str] = {}
    for path in (repository() / "chatd" / "services").rglob("*.py"):
        found = re.findall(r'images\.stored\(\s*\w+,\s*(?:"([a-z-]+)"|(FOLDER))', path.read_text())
        if found:
            folders[path.stem] = found[0][0] or "avatars"
    assert folders == {
        "users": "avatars",
        "webhooks": "avatars",
        "guilds": "icons",
        "applications": "app-icons",
    }
    for table, folder in folders.items():
        [statement] = [
            select for name, select in backups._FILE_COLUMNS.items() if name.startswith(f"{table}.")
        ]
        assert f"'{folder}/' || id" in statement
    migrations = "".join(path.read_text() for path in sorted((repository() / "sql").glob("*.sql")))
    tables = re.findall(r"DELETE ON (\w+)\s[^;]*EXECUTE FUNCTION doom_\w+\(", migrations)
    assert {"attachments", "ephemeral_attachments", "webhooks"} <= set(tables)
    assert set(tables) <= {name.partition(".")[0] for name in backups._FILE_COLUMNS}


async def test_archive_goes_to_stdout(at_source: Chatd) -> None:
    words = [*CHATD, "backup", "-", "--json"]
    with (at_source.folder / "piped.tar").open("wb") as file:
        code, complaints = await asyncio.to_thread(
            completed_with, at_source.folder, at_source.environment, words, stdout=file
        )
    assert code == 0, complaints
    assert json.loads(complaints)["file"] is None
    await at_source.well("restore", "--verify-only", "piped.tar")


def test_terminal_shows_progress_and_refuses_an_archive(at_source: Chatd) -> None:
    shown = at_source.on_terminal("backup", "chatd.tar")
    for step in ("dumping the database", "copying files", "Backed up"):
        assert step in shown
    assert "checking the archive" in at_source.on_terminal("restore", "--verify-only", "chatd.tar")


async def test_existing_file_is_not_overwritten(at_source: Chatd) -> None:
    (at_source.folder / "chatd.tar").write_text("precious")
    assert "chatd.tar exists" in await at_source.refused("backup", "chatd.tar")
    assert (at_source.folder / "chatd.tar").read_text() == "precious"


@pytest.mark.parametrize(
    ("words", "code", "line"),
    [
        (("backup", "nowhere/chatd.tar"), 1, "nowhere/chatd.tar.partial: No such file"),
        (("backup", "chatd.tar", "--keep", "3"), 2, "--keep needs a folder"),
        (("backup", "chatd.tar", "--since", "latest"), 2, "--since latest needs a folder"),
        (("backup", "archives/"), 2, "archives/ is not a folder: create it first"),
        (("backup", ".", "--since", "latest"), 1, "has no archive yet"),
        (("backup", "x", "--since", "missing.tar"), 1, "cannot read missing.tar"),
        (("backup", "x", "--with-secrets"), 2, "needs --passphrase-file"),
        (("backup", "x", "--passphrase-file", "p"), 2, "is for --with-secrets"),
        (("backup", "x", "--with-secrets", "--passphrase-file", "short"), 2, "at least 12"),
        (("backup", "x", "--with-secrets", "--passphrase-file", "p"), 2, "cannot read the passph"),
    ],
    ids=str,
)
async def test_wrong_use_is_refused(
    at_source: Chatd, words: tuple[str, ...], code: int, line: str
) -> None:
    (at_source.folder / "short").write_text("short")
    assert line in await at_source.refused(*words, code=code)
    assert names_in(at_source.folder) == ["short"]


async def test_backup_needs_a_schema(at_source: Chatd, new_place: NewPlace) -> None:
    at_source.environment["DATABASE_URL"] = new_place().database_url
    assert "the database is empty" in await at_source.refused("backup", "chatd.tar")
    at_source.environment["DATABASE_URL"] = "postgresql://chatd:hunter2@127.0.0.1:1/chatd"
    line = await at_source.refused("backup", "chatd.tar")
    assert "the database is unavailable" in line
    assert "hunter2" not in line
    assert names_in(at_source.folder) == []


async def test_pg_dump_that_is_missing_or_older_is_named_with_the_remedy(at_source: Chatd) -> None:
    (at_source.folder / "empty").mkdir()
    line = await at_source.refused("backup", "x", "--pg-bindir", "empty")
    assert "pg_dump is missing in empty" in line
    assert "apt install postgresql-client-18" in line
    program(at_source.folder / "old", "pg_dump", version=13)
    line = await at_source.refused("backup", "x", "--pg-bindir", "old")
    assert "old/pg_dump is of Postgres 13" in line
    assert "postgresql-client-18" in line
    assert names_in(at_source.folder) == ["empty", "old"]


@pytest.mark.parametrize(
    ("then", "line"),
    [
        ("head -c 100000 /dev/zero; kill -9 $$", "pg_dump failed: it was ended by SIGKILL"),
        ("echo 'pg_dump: error: permission denied' >&2; exit 1", "failed: permission denied"),
    ],
)
async def test_failure_of_pg_dump_leaves_no_archive(at_source: Chatd, then: str, line: str) -> None:
    program(at_source.folder / "bin", "pg_dump", then=then)
    assert line in await at_source.refused("backup", "x", "--pg-bindir", "bin")
    assert names_in(at_source.folder) == ["bin"]


@pytest.mark.parametrize(
    ("command", "output", "reason"),
    [
        ([*CHATD, "backup", "-"], "/dev/full", "No space left on device"),
        ([*limited_chatd(51_200), "backup", "chatd.tar"], os.devnull, "File too large"),
    ],
    ids=["device", "limit"],
)
def test_full_disk_is_reported(
    at_source: Chatd, command: list[str], output: str, reason: str
) -> None:
    with Path(output).open("wb") as file:
        code, complaints = completed_with(
            at_source.folder, at_source.environment, command, stdout=file
        )
    assert (code, names_in(at_source.folder)) == (1, [])
    assert complaints == f"chatd: cannot write the archive: {reason}\n"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
async def test_interrupted_backup_leaves_no_archive(
    at_source: Chatd, number: signal.Signals
) -> None:
    """After SIGKILL there is an unfinished file, which the next backup replaces."""
    program(at_source.folder / "bin", "pg_dump", then="echo $$ >dumping; exec sleep 600")
    folder = at_source.folder / "run"
    words = ("backup", "../chatd.tar", "--pg-bindir", "../bin")
    with running_command(folder, at_source.environment, *words) as run:
        while not (folder / "dumping").exists() or not (folder / "dumping").read_text():
            await asyncio.sleep(0.01)
        assert await asyncio.to_thread(run.end, number) != 0
        dumping = Path("/proc") / (folder / "dumping").read_text().strip()
        while dumping.exists():
            await asyncio.sleep(0.01)
    left = [name for name in names_in(at_source.folder) if name.startswith("chatd")]
    assert left == (["chatd.tar.partial"] if number == signal.SIGKILL else [])
    await at_source.well("backup", "chatd.tar")
    assert not (at_source.folder / "chatd.tar.partial").exists()


async def test_file_that_storage_lacks_is_reported(at_source: Chatd, scene: Scene) -> None:
    await scene.attach("lost.txt", b"lost")
    lost = [
        path
        for path in scene.server.config.files_dir.rglob("*")
        if path.is_file() and path.read_bytes() == b"lost"
    ]
    for path in lost:
        path.unlink()
    code, output, complaints = await asyncio.to_thread(
        completed, at_source.folder, at_source.environment, "backup", "chatd.tar", "--json"
    )
    assert (code, json.loads(output)["missing_files"]) == (0, 1)
    assert f"the storage lacks 1 files: attachments/{lost[0].name}" in complaints
    said = await at_source.json("restore", "--verify-only", "chatd.tar")
    assert said["missing_files"] == 1
    lost[0].write_bytes(b"lost")


async def test_later_archive_has_only_new_files(at_source: Chatd, scene: Scene) -> None:
    folder = at_source.folder / "archives"
    folder.mkdir()
    first = await at_source.json("backup", "archives")
    await scene.attach("later.txt", b"later")
    await asyncio.sleep(1.1)  # archives are named by the second
    second = await at_source.json("backup", "archives", "--since", "latest")
    assert second["files"] == first["files"] + 1
    assert second["copied_files"] == 1
    await asyncio.sleep(1.1)
    name = Path(second["file"]).name
    third = await at_source.json("backup", "archives", "--since", name, "--keep", "1")
    assert third["copied_files"] == 0
    assert third["deleted"] == []  # it needs both earlier ones
    await at_source.well("restore", "--verify-only", third["file"])
    await asyncio.sleep(1.1)
    fourth = await at_source.json("backup", "archives", "--keep", "2")
    assert fourth["deleted"] == []
    (folder / "chatd-20250101T000000Z.tar.partial").write_text("of a killed backup")
    (folder / "other.tar").write_text("of someone else")
    await asyncio.sleep(1.1)
    fifth = await at_source.json("backup", "archives", "--keep", "2")
    assert {Path(each).name for each in fifth["deleted"]} == {
        Path(each["file"]).name for each in (first, second, third)
    }
    kept = [Path(each["file"]).name for each in (fourth, fifth)]
    assert names_in(folder) == sorted([*kept, "other.tar"])


async def test_files_stay_in_storage_while_a_backup_copies_them(scene: Scene) -> None:
    dependencies = scene.server.runner.app[DEPENDENCIES]
    link = await scene.attach("deleted.txt", b"deleted")
    key = f"attachments/{link.split('/')[3]}"
    async with create.files_held(scene.server.config.database_url):
        [message] = await scene.member.rest.get(f"{scene.path}?limit=1")
        await scene.member.rest.delete(f"{scene.path}/{message['id']}")
        await janitor._delete_pending_files(dependencies.database, dependencies.storage)
        assert await dependencies.storage.size(key) == 7
    await janitor._delete_pending_files(dependencies.database, dependencies.storage)
    assert not (scene.server.config.files_dir / key).exists()


async def test_one_backup_runs_at_a_time(at_source: Chatd, scene: Scene) -> None:
    async with create.files_held(scene.server.config.database_url):
        line = await at_source.refused("backup", "chatd.tar")
    assert "another backup is running: wait" in line
    assert names_in(at_source.folder) == []
