"""chatd restore: what it refuses, and how it continues after an interruption."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

import psycopg2
import pytest

from chatd.backup.settings import write_settings
from chatd.config import env_file_values
from chatd.db.maintenance import split_password
from tests.backup.conftest import NewPlace, Place, Scene, environment_of
from tests.cli.conftest import Chatd
from tests.helpers.archives import archive_bytes, header_of, program
from tests.helpers.cli import (
    CHATD,
    command_environment,
    completed_with,
    limited_chatd,
    running_command,
)

At = Callable[[Place], Chatd]
PASSPHRASE = "correct horse battery staple"
_WITH_SECRETS = "chatd.tar --yes --settings-to new --with-secrets"
_VERIFIED = "chatd.tar --verify-only --with-secrets"


@pytest.fixture(scope="module")
async def archived(scene: Scene, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an archive with secrets, and the file with their passphrase.

    No test changes the server, and to encrypt the secrets takes longer than most tests.
    """
    folder = tmp_path_factory.mktemp("archived")
    environment = {**command_environment(folder), **environment_of(scene.server.config)}
    (folder / "phrase").write_text(f"{PASSPHRASE}\n")
    words = ("chatd.tar", "--with-secrets", "--passphrase-file", "phrase")
    await Chatd(folder, environment).well("backup", *words)
    return folder


@pytest.fixture
def archive(archived: Path, tmp_path: Path) -> str:
    """The name of the archive, in the folder of the test."""
    for name in ("chatd.tar", "phrase"):
        shutil.copy2(archived / name, tmp_path)
    return "chatd.tar"


def rows(place: Place, sql: str) -> list[tuple[object, ...]]:
    connection = psycopg2.connect(place.database_url)
    try:
        connection.autocommit = True
        with connection.cursor() as cur:
            cur.execute(sql)
            return cur.fetchall() if cur.description else []
    finally:
        connection.close()


def tables(place: Place) -> int:
    [(count,)] = rows(place, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'")
    return int(str(count))


async def test_restore_can_be_repeated(
    archive: str, new_place: NewPlace, command_at: At, scene: Scene
) -> None:
    place = new_place(migrated=True)  # only its tables exist, as after a first start
    rows(place, "INSERT INTO workers (id, holder, reserved_ms) VALUES (3, 'an instance', 5)")
    first = await command_at(place).json("restore", archive, "--yes")
    files = place.files()
    assert first["written_files"] == first["files"] == len(files)
    stored = scene.server.config.files_dir
    assert all((stored / key).read_bytes() == content for key, content in files.items())
    again = await command_at(place).json("restore", archive, "--yes")
    assert (again["was_restored"], again["written_files"]) == (True, 0)
    assert place.files() == files
    assert rows(place, "SELECT count(*) FROM workers WHERE leased_until IS NOT NULL") == [(0,)]
    assert rows(place, "SELECT reserved_ms > 0 FROM workers WHERE id = 0") == [(True,)]
    rows(place, "DELETE FROM messages")  # the server is in use
    line = await command_at(place).refused("restore", archive, "--yes")
    assert "the database is not empty: it has rows in" in line
    assert "Restore into a new database" in line
    assert rows(place, "SELECT count(*) FROM messages") == [(0,)]


async def test_database_of_another_program_is_not_touched(
    archive: str, new_place: NewPlace, command_at: At
) -> None:
    place = new_place()
    rows(place, "CREATE TABLE precious (id int)")
    line = await command_at(place).refused("restore", archive, "--yes")
    assert "it has tables of other programs" in line
    assert (tables(place), place.files()) == (1, {})


async def test_running_instances_must_be_stopped_first(
    archive: str, at_source: Chatd, new_place: NewPlace, command_at: At, scene: Scene
) -> None:
    line = await at_source.refused("restore", archive, "--yes")
    assert "instances are running on this database (WORKER_ID 0): stop them first" in line
    shared = command_at(new_place())
    shared.environment["REDIS_URL"] = scene.server.config.redis_url
    line = await shared.refused("restore", archive, "--yes")
    assert "running instances use this Redis: stop them first" in line


async def test_altered_archives_change_nothing(
    archive: str, new_place: NewPlace, command_at: At
) -> None:
    place = new_place(migrated=True)
    chatd = command_at(place)
    whole = (chatd.folder / archive).read_bytes()
    middle = len(whole) // 2
    for content in (whole[:middle], whole[:middle] + b"x" + whole[middle + 1 :]):
        (chatd.folder / "broken.tar").write_bytes(content)
        for words in (("--yes",), ("--verify-only",)):
            assert "the archive" in await chatd.refused("restore", "broken.tar", *words)
    assert place.files() == {}
    assert rows(place, "SELECT count(*) FROM users") == [(0,)]


@pytest.mark.parametrize(
    ("fields", "line"),
    [
        ({"schema": ["0001_accounts", "9999_future"], "chatd": "7.8.9"}, "newer schema (9999_fut"),
        ({"version": 2, "chatd": "7.8.9"}, "install chatd 7.8.9 or later"),
        ({"postgres": 990001}, "restore into Postgres 99 or later"),
        ({"dumped_by": 99}, "postgresql-client-99"),
        (
            {"created_at": datetime(2222, 1, 1, tzinfo=UTC)},
            "set it first, or ids would be used twice",
        ),
    ],
    ids=str,
)
async def test_archive_of_a_newer_time_or_version_is_refused(
    fields: dict[str, Any], line: str, new_place: NewPlace, command_at: At
) -> None:
    place = new_place()
    chatd = command_at(place)
    (chatd.folder / "new.tar").write_bytes(archive_bytes(header_of(**fields)))
    assert line in await chatd.refused("restore", "new.tar", "--yes")
    assert (tables(place), place.files()) == (0, {})


async def test_absurd_size_is_compared_with_the_free_space(
    environment: dict[str, str], tmp_path: Path
) -> None:
    chatd = Chatd(tmp_path, environment)
    (tmp_path / "large.tar").write_bytes(archive_bytes(header_of(database_bytes=2**62)))
    line = await chatd.refused("restore", "large.tar", "--yes", "--embedded")
    assert "the restore needs 4398046511104 MiB in" in line
    assert not (tmp_path / "var" / "files").exists()


@pytest.mark.parametrize(
    ("words", "code", "line"),
    [
        ("chatd.tar", 2, "this needs --yes"),
        ("missing.tar --yes", 1, "cannot read missing.tar: No such file"),
        (". --yes", 1, "cannot read .: Is a directory"),
        ("phrase --yes", 1, "phrase: "),
        ("chatd.tar --yes --with-secrets", 2, "needs --settings-to or --embedded"),
        ("chatd.tar --yes --passphrase-file x", 2, "is for --with-secrets"),
        ("chatd.tar --yes --settings-to taken", 1, "taken/.env exists"),
        ("chatd.tar --verify-only --settings-to x", 2, "leave out --settings-to"),
        (f"{_VERIFIED} --passphrase-file taken/.env", 1, "the passphrase is wrong"),
        ("chatd.tar --yes --embedded", 2, "but the settings have DATABASE_URL and REDIS_URL"),
        (f"{_WITH_SECRETS}", 2, "needs --passphrase-file"),
        (f"{_WITH_SECRETS} --passphrase-file chatd.tar", 2, "passphrase"),
        (f"{_WITH_SECRETS} --passphrase-file taken/.env", 1, "the passphrase is wrong"),
    ],
)
@pytest.mark.usefixtures("archive")
async def test_wrong_use_is_refused(
    new_place: NewPlace, command_at: At, words: str, code: int, line: str
) -> None:
    place = new_place()
    chatd = command_at(place)
    (chatd.folder / "taken").mkdir()
    (chatd.folder / "taken" / ".env").write_text("another passphrase")
    assert line in await chatd.refused("restore", *words.split(), code=code)
    assert not (chatd.folder / "new").exists()
    assert (tables(place), place.files()) == (0, {})


async def test_pipe_is_no_archive(archive: str, new_place: NewPlace, command_at: At) -> None:
    chatd = command_at(new_place())
    words = [*CHATD, "restore", "-", "--yes"]

    async def restore(stdin: int | IO[bytes], stdout: IO[bytes]) -> tuple[int, str]:
        return await asyncio.to_thread(
            completed_with, chatd.folder, chatd.environment, words, stdin=stdin, stdout=stdout
        )

    reader, writer = os.pipe()
    with (chatd.folder / archive).open("rb") as file, (chatd.folder / "said").open("w+b") as said:
        os.write(writer, file.read(4096))
        os.close(writer)
        code, complaints = await restore(reader, said)
        os.close(reader)
        assert code == 1
        assert "give a file, not a pipe" in complaints
        file.seek(0)
        assert await restore(file, said) == (0, "")
        said.seek(0)
        assert said.read().startswith(b"Restored ")


async def test_pg_restore_that_fails_or_is_killed_leaves_an_empty_database(
    archive: str, new_place: NewPlace, command_at: At
) -> None:
    place = new_place()
    chatd = command_at(place)
    (chatd.folder / "empty").mkdir()
    line = await chatd.refused("restore", archive, "--yes", "--pg-bindir", "empty")
    assert "pg_restore is missing in empty: install" in line
    program(chatd.folder / "old", "pg_restore", version=13)
    line = await chatd.refused("restore", archive, "--yes", "--pg-bindir", "old")
    assert "pg_restore is of Postgres 13" in line
    assert place.files() == {}
    for number, (then, wanted) in enumerate(
        [
            ("head -c 50000 >/dev/null; kill -9 $$", "pg_restore failed: it was ended by SIGKILL"),
            ("echo 'pg_restore: error: disk full' >&2; exit 1", "pg_restore failed: disk full"),
            ("cat >/dev/null", "the restored table"),
        ]
    ):
        program(chatd.folder / f"bin{number}", "pg_restore", then=then)
        line = await chatd.refused("restore", archive, "--yes", "--pg-bindir", f"bin{number}")
        assert wanted in line
        assert tables(place) == 0
    restored = await chatd.json("restore", archive, "--yes")
    assert restored["written_files"] == 0  # by the first attempt


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
async def test_interrupted_restore_can_be_repeated(
    archive: str, new_place: NewPlace, command_at: At, number: signal.Signals
) -> None:
    place = new_place(migrated=True)
    chatd = command_at(place)
    folder = chatd.folder / "run"
    program(chatd.folder / "bin", "pg_restore", then="echo $$ >restoring; exec sleep 600")
    words = ("restore", "../chatd.tar", "--yes", "--pg-bindir", "../bin")
    with running_command(folder, chatd.environment, *words) as run:
        while not (folder / "restoring").exists() or not (folder / "restoring").read_text():
            await asyncio.sleep(0.01)
        assert await asyncio.to_thread(run.end, number) != 0
        process = Path("/proc") / (folder / "restoring").read_text().strip()
        while process.exists():  # it ends with the command
            await asyncio.sleep(0.01)
    [broken, *_] = [path for path in place.files_dir.rglob("*") if path.is_file()]
    broken.write_bytes(b"half")
    restored = await chatd.json("restore", archive, "--yes")
    assert (restored["written_files"], restored["was_restored"]) == (1, False)


async def test_full_disk_leaves_an_empty_database(
    archive: str, new_place: NewPlace, command_at: At
) -> None:
    place = new_place()
    chatd = command_at(place)
    words = [*limited_chatd(204_800), "restore", archive, "--yes"]
    code, complaints = await asyncio.to_thread(
        completed_with, chatd.folder, chatd.environment, words
    )
    assert code == 1
    assert "the storage of files is unavailable: [Errno 27] File too large" in complaints
    assert tables(place) == 0
    assert not [name for name in place.files() if name.endswith(".partial")]
    await chatd.well("restore", archive, "--yes")


async def test_only_one_restore_or_migration_runs(
    archive: str, new_place: NewPlace, command_at: At
) -> None:
    place = new_place()
    connection = psycopg2.connect(place.database_url)
    with connection.cursor() as cur:
        cur.execute("SELECT pg_advisory_lock(%s)", (0x63686174_6D696772,))
    line = await command_at(place).refused("restore", archive, "--yes")
    assert "a migration, backup or restore is running" in line
    connection.close()


async def test_unreachable_redis_is_noticed_before_anything_is_written(
    archive: str, new_place: NewPlace, command_at: At
) -> None:
    place = new_place()
    chatd = command_at(place)
    chatd.environment["REDIS_URL"] = "redis://:hunter2@127.0.0.1:1"
    line = await chatd.refused("restore", archive, "--yes")
    assert "cannot reach Redis" in line
    assert "hunter2" not in line
    assert (tables(place), place.files()) == (0, {})


async def test_older_schema_is_migrated(new_place: NewPlace, command_at: At) -> None:
    old, place = new_place(), new_place()
    source = command_at(old)
    await source.well("migrate", "up", "--to", "20")
    await source.well("backup", "old.tar")
    restored = await command_at(place).json("restore", "old.tar", "--yes")
    assert restored["migrated"][0].startswith("0021")
    assert "waiting" not in (await command_at(place).well("migrate", "status")).output


async def test_restored_settings_can_be_read(
    archive: str, new_place: NewPlace, command_at: At, scene: Scene
) -> None:
    chatd = command_at(new_place())
    words = ("--settings-to", "old", "--with-secrets", "--passphrase-file", "phrase")
    await chatd.well("restore", archive, "--yes", *words)
    credentials = chatd.folder / "old" / "credentials"
    assert {path.name for path in credentials.iterdir()} == {
        "database_url",
        "jwt_secret",
        "redis_url",
    }
    assert credentials.stat().st_mode & 0o077 == 0
    assert (credentials / "jwt_secret").read_text().strip() == scene.server.config.jwt_secret
    assert "FILES_DIR=" in (chatd.folder / "old" / ".env").read_text()


async def test_ordinary_role_can_back_up_and_restore(
    archive: str, new_place: NewPlace, command_at: At
) -> None:
    """The role of an installation owns its database, and has no other rights."""
    name = new_place().database_url.partition("/place")[2].partition("?")[0]
    places = []
    for number in range(2):
        place = new_place()
        database = place.database_url.partition("@/")[2].partition("?")[0]
        rows(place, f"CREATE ROLE owner{name}_{number} LOGIN PASSWORD 'hunter2'")
        rows(place, f"ALTER DATABASE {database} OWNER TO owner{name}_{number}")
        rows(place, "CREATE SCHEMA monitoring")
        rows(place, "CREATE TABLE monitoring.foreign_table (id int)")
        rows(place, "CREATE EXTENSION vector")
        url = place.database_url.replace("//chatd@", f"//owner{name}_{number}:hunter2@")
        places.append(replace(place, database_url=url))
    await command_at(places[0]).well("restore", archive, "--yes")
    made = await command_at(places[0]).json("backup", "second.tar")
    restored = await command_at(places[1]).json("restore", "second.tar", "--yes")
    assert restored["messages"] == made["messages"] > 0


async def test_embedded_servers_get_the_secret_of_the_archive(
    archive: str, at_source: Chatd, scene: Scene
) -> None:
    chatd = Chatd(at_source.folder, {**at_source.environment})
    for name in ("DATABASE_URL", "REDIS_URL", "JWT_SECRET", "FILES_DIR"):
        del chatd.environment[name]
    words = ("--embedded", "--with-secrets", "--passphrase-file", "phrase", "--yes")
    restored = await chatd.json("restore", archive, *words)
    data = chatd.folder / "var"
    assert (data / "jwt_secret").read_text() == scene.server.config.jwt_secret
    assert (
        len([path for path in (data / "files").rglob("*") if path.is_file()]) == restored["files"]
    )
    (data / "jwt_secret").write_text("another secret, which is long enough")
    line = await chatd.refused("restore", archive, *words)
    assert "has another secret: restore into a new CHATD_DATA_DIR" in line


def test_written_settings_are_read_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    values = {
        "PUBLIC_URL": "https://chat.example.org",
        "CORS_ORIGINS": 'it\'s, "quoted" \\ $HOME # no comment',
        "REGISTRATION": "grüße",
        "S3_BUCKET": "",
    }
    write_settings(tmp_path / "new", values, {"JWT_SECRET": "x", "UNKNOWN": "y"})
    monkeypatch.chdir(tmp_path)
    assert env_file_values(tmp_path / "new") == values
    assert [path.name for path in (tmp_path / "new" / "credentials").iterdir()] == ["jwt_secret"]


def test_password_is_no_argument_of_a_process() -> None:
    dsn, password = split_password("postgresql://chatd:hun%40ter2@db.example.org:5433/chatd")
    assert password == "hun@ter2"
    assert "hun" not in dsn
    assert "db.example.org" in dsn
