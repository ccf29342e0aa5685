"""The schema gets up to date whole or not at all, whoever asks for it and however often."""

from __future__ import annotations

import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg2
import pytest

from chatd import migrations
from tests.conftest import repository

NewDatabase = Callable[[str], str]

# Of this database alone: what other tests have cancelled may still sleep on the same server.
ASLEEP = "FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = current_database()"

OURS = sorted(path.stem for path in (repository() / "sql").glob("*.sql"))
TABLES = {
    *("users", "guilds", "guild_members", "roles", "member_roles", "channels", "dm_recipients"),
    *("invites", "bans", "audit_logs", "messages", "attachments", "reactions", "refresh_tokens"),
}


@contextmanager
def connected(url: str) -> Iterator[Any]:
    connection = psycopg2.connect(url)
    connection.autocommit = True
    with connection.cursor() as cur:
        yield cur
    connection.close()


def asked(url: str, query: str) -> list[Any]:
    with connected(url) as cur:
        cur.execute(query)
        return [row[0] for row in cur.fetchall()]


def tables(url: str) -> set[str]:
    return set(
        asked(url, "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'")
    )


@pytest.fixture
def files(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., None]:
    """Puts other migrations in the place of ours: `files(first="CREATE TABLE …")`."""

    def write(**texts: str) -> None:
        monkeypatch.setattr(migrations, "_folder", lambda: tmp_path)
        for name, text in texts.items():
            (tmp_path / f"{name}.sql").write_text(text)

    return write


def process(url: str, folder: Path) -> subprocess.Popen[str]:
    """Another process that applies the migrations of a folder."""
    code = f"""
        from pathlib import Path
        from chatd import migrations
        migrations._folder = lambda: Path({str(folder)!r})
        print(migrations.apply({url!r}))
    """
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def wait_until(url: str, query: str) -> None:
    """Wait for the first row of a query; what it sees is another process's doing."""
    deadline = time.monotonic() + 10
    while not asked(url, query):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_an_empty_database_gets_every_table(new_database: NewDatabase) -> None:
    url = new_database("empty")
    assert migrations.pending(url) == OURS
    assert migrations.apply(url) == OURS
    assert tables(url) >= TABLES
    assert asked(url, "SELECT migration_id FROM _chatd_migrations ORDER BY 1") == OURS


def test_a_second_time_there_is_nothing_to_do(new_database: NewDatabase) -> None:
    url = new_database("twice")
    migrations.apply(url)
    with connected(url) as cur:
        cur.execute("INSERT INTO workers VALUES (7, 'somebody', 0)")
    assert migrations.apply(url) == []
    assert migrations.pending(url) == []
    assert asked(url, "SELECT id FROM workers") == [7]


def test_an_earlier_version_gets_what_it_lacks(
    new_database: NewDatabase, files: Callable[..., None]
) -> None:
    url = new_database("earlier")
    files(a="CREATE TABLE a (id int);")
    migrations.apply(url)
    files(b="CREATE TABLE b (id int);")
    assert migrations.pending(url) == ["b"]
    assert migrations.apply(url) == ["b"]
    assert tables(url) >= {"a", "b"}


def test_two_processes_at_once(
    new_database: NewDatabase, files: Callable[..., None], tmp_path: Path
) -> None:
    url = new_database("at_once")
    files(a="CREATE TABLE a (id int); SELECT pg_sleep(0.5);", b="CREATE TABLE b (id int);")
    both = [process(url, tmp_path) for _ in range(2)]
    told = sorted(one.communicate(timeout=30)[0].strip().splitlines()[-1] for one in both)
    assert [one.returncode for one in both] == [0, 0]
    assert told == ["['a', 'b']", "[]"]


def test_the_second_of_two_waits_for_the_first(
    new_database: NewDatabase, files: Callable[..., None], tmp_path: Path
) -> None:
    url = new_database("one_waits")
    files(a="CREATE TABLE a (id int); SELECT pg_sleep(1);")
    first = process(url, tmp_path)
    wait_until(url, f"SELECT 1 {ASLEEP}")
    assert migrations.apply(url) == []
    assert "a" in tables(url)
    assert first.communicate(timeout=10)[0].endswith("['a']\n")


def test_a_process_killed_in_the_middle_leaves_nothing_half_done(
    new_database: NewDatabase, files: Callable[..., None], tmp_path: Path
) -> None:
    url = new_database("killed")
    files(
        a="CREATE TABLE a (id int);",
        b="CREATE TABLE b (id int); SELECT pg_sleep(600); CREATE TABLE c (id int);",
    )
    victim = process(url, tmp_path)
    wait_until(url, f"SELECT 1 {ASLEEP}")
    victim.send_signal(signal.SIGKILL)
    victim.communicate(timeout=10)
    # Postgres would find out only when it next wrote to the client, so hurry it
    assert asked(url, f"SELECT pg_terminate_backend(pid) {ASLEEP}") == [True]

    files(b="CREATE TABLE b (id int); CREATE TABLE c (id int);")
    assert migrations.pending(url) == ["b"]
    assert tables(url) & {"a", "b", "c"} == {"a"}
    assert migrations.apply(url) == ["b"]
    assert tables(url) & {"a", "b", "c"} == {"a", "b", "c"}


def test_applied_and_noted_in_one_transaction(
    new_database: NewDatabase, files: Callable[..., None]
) -> None:
    url = new_database("one_transaction")
    files(a="CREATE TABLE a (id int);")
    migrations.apply(url)
    with connected(url) as cur:  # so that what is applied cannot be noted
        cur.execute("ALTER TABLE _chatd_migrations ADD CHECK (migration_id <> 'b')")
    files(b="CREATE TABLE b (id int);")
    with pytest.raises(migrations.SchemaError):
        migrations.apply(url)
    assert "b" not in tables(url)


def test_a_migration_that_fails_changes_nothing(
    new_database: NewDatabase, files: Callable[..., None]
) -> None:
    url = new_database("fails")
    files(a="CREATE TABLE a (id int);", b="CREATE TABLE b (id int); SELECT 1 / 0;", c="SELECT 1;")
    with pytest.raises(migrations.SchemaError, match="division by zero") as failed:
        migrations.apply(url)
    assert "\n" not in str(failed.value)
    assert migrations.pending(url) == ["b", "c"]
    assert tables(url) & {"a", "b"} == {"a"}


def test_nobody_waits_behind_a_migration_that_waits(
    new_database: NewDatabase, files: Callable[..., None], tmp_path: Path
) -> None:
    url = new_database("in_line")
    files(a="CREATE TABLE a (id int); CREATE TABLE b (id int);")
    migrations.apply(url)
    files(b="ALTER TABLE b ADD y int; ALTER TABLE a ADD x int;")
    reader = psycopg2.connect(url)
    with reader.cursor() as reading:
        reading.execute("SELECT count(*) FROM a")  # and goes on, as a backup does
    migrating = process(url, tmp_path)
    served = 0
    for _ in range(2):  # in more than one attempt
        wait_until(url, "SELECT 1 FROM pg_locks WHERE NOT granted AND relation = 'a'::regclass")
        with connected(url) as cur:
            cur.execute("SET statement_timeout = '4s'")  # as chatd's connections have
            for number in range(20):
                cur.execute("INSERT INTO a (id) VALUES (%s)", (number,))
                cur.execute("INSERT INTO b (id) VALUES (%s)", (number,))
                cur.execute("SELECT count(*) FROM a")
                served += 1
    assert served == 40
    assert migrating.poll() is None
    assert migrations.pending(url) == ["b"]
    reader.close()
    told, complaints = migrating.communicate(timeout=30)
    assert told == "['b']\n"
    assert "b waits for others to be done; the oldest is" in complaints
    assert asked(url, "SELECT count(*) FROM b WHERE y IS NULL") == [40]
    assert asked(url, "SELECT count(*) FROM a WHERE x IS NULL") == [40]


def test_who_waits_in_vain_is_told(
    new_database: NewDatabase, files: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    url = new_database("in_vain")
    files(a="CREATE TABLE a (id int);")
    migrations.apply(url)
    files(b="ALTER TABLE a ADD x int;", c="CREATE TABLE c (id int);")
    monkeypatch.setattr(migrations, "_PATIENCE_S", 0.0)
    reader = psycopg2.connect(url)
    with reader.cursor() as reading:
        reading.execute("SELECT count(*) FROM a")
    with pytest.raises(migrations.SchemaError, match="lock timeout"):
        migrations.apply(url)
    reader.close()
    assert migrations.apply(url) == ["b", "c"]


def test_what_is_done_without_a_transaction_waits_and_can_be_repeated(
    new_database: NewDatabase, files: Callable[..., None], tmp_path: Path
) -> None:
    url = new_database("concurrently")
    files(a="CREATE TABLE a (id int);")
    migrations.apply(url)
    index = "-- transactional: false\nCREATE INDEX CONCURRENTLY IF NOT EXISTS i ON a (id);"
    files(b=index)
    writer = psycopg2.connect(url)
    with writer.cursor() as writing:
        writing.execute("INSERT INTO a VALUES (1)")
    migrating = process(url, tmp_path)
    wait_until(url, "SELECT 1 FROM pg_locks WHERE NOT granted AND locktype = 'virtualxid'")
    with connected(url) as cur:
        cur.execute("INSERT INTO a VALUES (2)")
    writer.commit()
    writer.close()
    assert migrating.communicate(timeout=30)[0] == "['b']\n"
    assert asked(url, "SELECT count(*) FROM pg_index WHERE NOT indisvalid") == [0]


def test_a_newer_schema_is_refused(new_database: NewDatabase, files: Callable[..., None]) -> None:
    url = new_database("newer")
    migrations.apply(url)
    with connected(url) as cur:
        cur.execute("INSERT INTO _chatd_migrations VALUES ('x', '9999_from_the_future', now())")
    for act in (migrations.apply, migrations.pending):
        with pytest.raises(migrations.SchemaError, match="9999_from_the_future"):
            act(url)


def test_no_names_of_people_and_machines_are_asked_for(
    new_database: NewDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise OSError("no such name on this machine")

    monkeypatch.setattr("getpass.getuser", fails)
    monkeypatch.setattr("socket.getfqdn", fails)
    assert migrations.apply(new_database("nameless")) == OURS


def test_an_unreachable_database_is_said_in_one_line() -> None:
    for act in (migrations.apply, migrations.pending):
        with pytest.raises(migrations.SchemaError, match="cannot reach the database") as refused:
            act("postgresql://somebody:hunter2@127.0.0.1:1/chatd")
        assert "\n" not in str(refused.value)
        assert "hunter2" not in str(refused.value)
