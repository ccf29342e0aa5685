"""Migrations are applied completely or not at all, by any number of processes."""

from __future__ import annotations

import re
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

from chatd.db import migrations
from tests.conftest import repository
from tests.helpers.databases import NewDatabase

# Only of this database: statements of other tests may still sleep on the same server.
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
    """Return a function that replaces the migrations: `files(first="CREATE TABLE …")`."""

    def write(**texts: str) -> None:
        monkeypatch.setattr(migrations, "_folder", lambda: tmp_path)
        for name, text in texts.items():
            (tmp_path / f"{name}.sql").write_text(text)

    return write


def process(url: str, folder: Path) -> subprocess.Popen[str]:
    """Start another process that applies the migrations of a folder."""
    code = f"""
        from pathlib import Path
        from chatd.db import migrations
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
    """Wait until another process causes a query to return a row."""
    deadline = time.monotonic() + 60
    while not asked(url, query):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_empty_database_gets_every_table(new_database: NewDatabase) -> None:
    url = new_database("empty")
    assert migrations.pending(url) == OURS
    assert migrations.apply(url) == OURS
    assert tables(url) >= TABLES
    assert asked(url, "SELECT migration_id FROM _chatd_migrations ORDER BY 1") == OURS


def test_second_run_applies_nothing(new_database: NewDatabase) -> None:
    url = new_database("twice")
    migrations.apply(url)
    with connected(url) as cur:
        cur.execute("INSERT INTO workers VALUES (7, 'somebody', 0)")
    assert migrations.apply(url) == []
    assert migrations.pending(url) == []
    assert asked(url, "SELECT id FROM workers") == [7]


def test_earlier_version_gets_only_pending_migrations(
    new_database: NewDatabase, files: Callable[..., None]
) -> None:
    url = new_database("earlier")
    files(a="CREATE TABLE a (id int);")
    migrations.apply(url)
    files(b="CREATE TABLE b (id int);")
    assert migrations.pending(url) == ["b"]
    assert migrations.apply(url) == ["b"]
    assert tables(url) >= {"a", "b"}


def test_two_concurrent_processes_apply_each_migration_once(
    new_database: NewDatabase, files: Callable[..., None], tmp_path: Path
) -> None:
    url = new_database("at_once")
    files(a="CREATE TABLE a (id int); SELECT pg_sleep(0.5);", b="CREATE TABLE b (id int);")
    both = [process(url, tmp_path) for _ in range(2)]
    printed = sorted(one.communicate(timeout=30)[0].strip().splitlines()[-1] for one in both)
    assert [one.returncode for one in both] == [0, 0]
    assert printed == ["['a', 'b']", "[]"]


def test_second_process_waits_for_the_first(
    new_database: NewDatabase, files: Callable[..., None], tmp_path: Path
) -> None:
    url = new_database("one_waits")
    files(a="CREATE TABLE a (id int); SELECT pg_sleep(1);")
    first = process(url, tmp_path)
    wait_until(url, f"SELECT 1 {ASLEEP}")
    assert migrations.apply(url) == []
    assert "a" in tables(url)
    assert first.communicate(timeout=10)[0].endswith("['a']\n")


def test_killed_process_leaves_no_partial_migration(
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
    # Postgres notices the lost client only at its next write, so end the connection now.
    assert asked(url, f"SELECT pg_terminate_backend(pid) {ASLEEP}") == [True]

    files(b="CREATE TABLE b (id int); CREATE TABLE c (id int);")
    assert migrations.pending(url) == ["b"]
    assert tables(url) & {"a", "b", "c"} == {"a"}
    assert migrations.apply(url) == ["b"]
    assert tables(url) & {"a", "b", "c"} == {"a", "b", "c"}


def test_migration_is_applied_and_recorded_in_one_transaction(
    new_database: NewDatabase, files: Callable[..., None]
) -> None:
    url = new_database("one_transaction")
    files(a="CREATE TABLE a (id int);")
    migrations.apply(url)
    with connected(url) as cur:  # so that the migration cannot be recorded
        cur.execute("ALTER TABLE _chatd_migrations ADD CHECK (migration_id <> 'b')")
    files(b="CREATE TABLE b (id int);")
    with pytest.raises(migrations.SchemaError):
        migrations.apply(url)
    assert "b" not in tables(url)


def test_failed_migration_changes_nothing(
    new_database: NewDatabase, files: Callable[..., None]
) -> None:
    url = new_database("fails")
    files(a="CREATE TABLE a (id int);", b="CREATE TABLE b (id int); SELECT 1 / 0;", c="SELECT 1;")
    with pytest.raises(migrations.SchemaError, match="division by zero") as failed:
        migrations.apply(url)
    assert "\n" not in str(failed.value)
    assert migrations.pending(url) == ["b", "c"]
    assert tables(url) & {"a", "b"} == {"a"}


def test_waiting_migration_does_not_block_other_statements(
    new_database: NewDatabase, files: Callable[..., None], tmp_path: Path
) -> None:
    url = new_database("in_line")
    files(a="CREATE TABLE a (id int); CREATE TABLE b (id int);")
    migrations.apply(url)
    files(b="ALTER TABLE b ADD y int; ALTER TABLE a ADD x int;")
    reader = psycopg2.connect(url)
    with reader.cursor() as reading:
        reading.execute("SELECT count(*) FROM a")  # and stays open, as in a backup
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
    printed, logged = migrating.communicate(timeout=30)
    assert printed == "['b']\n"
    assert "migration b is waiting for locks; the oldest transaction is of" in logged
    assert asked(url, "SELECT count(*) FROM b WHERE y IS NULL") == [40]
    assert asked(url, "SELECT count(*) FROM a WHERE x IS NULL") == [40]


def test_migration_fails_when_it_gets_no_lock_in_time(
    new_database: NewDatabase, files: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    url = new_database("in_vain")
    files(a="CREATE TABLE a (id int);")
    migrations.apply(url)
    files(b="ALTER TABLE a ADD x int;", c="CREATE TABLE c (id int);")
    monkeypatch.setattr(migrations, "_TIMEOUT_S", 0.0)
    reader = psycopg2.connect(url)
    with reader.cursor() as reading:
        reading.execute("SELECT count(*) FROM a")
    with pytest.raises(migrations.SchemaError, match="lock timeout"):
        migrations.apply(url)
    reader.close()
    assert migrations.apply(url) == ["b", "c"]


def test_migration_without_transaction_waits_for_writers(
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


def test_newer_schema_is_refused(new_database: NewDatabase, files: Callable[..., None]) -> None:
    url = new_database("newer")
    migrations.apply(url)
    with connected(url) as cur:
        cur.execute("INSERT INTO _chatd_migrations VALUES ('x', '9999_from_the_future', now())")
    for act in (migrations.apply, migrations.pending):
        with pytest.raises(migrations.SchemaError, match="9999_from_the_future"):
            act(url)


def test_migrations_need_no_user_or_host_name(
    new_database: NewDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise OSError("no such name on this machine")

    monkeypatch.setattr("getpass.getuser", fails)
    monkeypatch.setattr("socket.getfqdn", fails)
    assert migrations.apply(new_database("nameless")) == OURS


def test_error_for_unreachable_database_is_one_line_without_password() -> None:
    for act in (migrations.apply, migrations.pending):
        with pytest.raises(migrations.SchemaError, match="cannot reach the database") as refused:
            act("postgresql://somebody:hunter2@127.0.0.1:1/chatd")
        assert "\n" not in str(refused.value)
        assert "hunter2" not in str(refused.value)


def test_migration_normalizes_existing_username_keys(new_database: NewDatabase) -> None:
    url = new_database("usernames")
    migrations.apply(url)
    keys = ["bob\ufe0f", "carol", "carol\u034f", "da\u2800n", "dan\U000e0061", "\u1160", "eve"]
    [migration] = migrations._folder().glob("0020_*.sql")
    with connected(url) as cur:
        for number, key in enumerate(keys, 1):
            cur.execute(
                "INSERT INTO users (id, username, username_key, email, email_key, password_hash)"
                " VALUES (%s, %s, %s, %s, %s, 'x')",
                (number, f"user{number}", key, f"{number}", f"{number}"),
            )
        cur.execute(migration.read_text())
        cur.execute("SELECT username_key FROM users ORDER BY id")
        found = [key for (key,) in cur.fetchall()]
    assert found == ["bob", "carol", "carol\u034f", "dan", "dan\U000e0061", "\u1160", "eve"]


def test_migration_sets_the_owner_of_attachments_to_their_author(new_database: NewDatabase) -> None:
    url = new_database("owners")
    migrations.apply(url, up_to="0012")
    with connected(url) as cur:
        cur.execute(
            "INSERT INTO messages (channel_id, id, author_id, content)"
            " SELECT n % 3, n, n % 7, '' FROM generate_series(1, 4500) AS n"
        )
        cur.execute(
            "INSERT INTO attachments (channel_id, message_id, id, filename, content_type, size)"
            " SELECT channel_id, id, id * 10 + n, 'a', 'b', 1"
            " FROM messages, generate_series(1, 2) AS n"
        )
    assert migrations.apply(url)[-1] == migrations.newest()
    wrong = """
        SELECT count(*) FROM attachments JOIN messages
            ON messages.channel_id = attachments.channel_id
           AND messages.id = attachments.message_id
         WHERE owner_id IS DISTINCT FROM author_id
    """
    assert asked(url, wrong) == [0]
    assert asked(url, "SELECT count(*) FROM pg_index WHERE NOT indisvalid") == [0]


def test_migration_integrates_the_bots_of_guilds(new_database: NewDatabase) -> None:
    url = new_database("integrations")
    migrations.apply(url, up_to="0025")
    with connected(url) as cur:
        cur.execute(
            "INSERT INTO users (id, username, username_key, bot) VALUES"
            " (1, 'ada', 'ada', true), (8, 'bot', 'bot', true), (9, 'late', 'late', true);"
            "INSERT INTO applications (id, owner_id, name, description, public, flags)"
            " VALUES (8, 1, 'bot', '', true, 0), (9, 1, 'late', '', true, 0);"
            "INSERT INTO guilds (id, name, owner_id) VALUES (100, 'guild', 1);"
            "INSERT INTO guild_members (guild_id, user_id) VALUES (100, 1), (100, 8);"
            "INSERT INTO audit_logs (guild_id, id, user_id, target_id, action_type)"
            " VALUES (100, 5, 1, 8, 28)"
        )
    migrations.apply(url)
    with connected(url) as cur:  # as the version before adds a bot
        cur.execute("INSERT INTO guild_members (guild_id, user_id) VALUES (100, 9)")
        cur.execute("SELECT application_id, bot, added_by FROM guild_integrations ORDER BY 1")
        assert cur.fetchall() == [(8, True, 1), (9, True, None)]


_FIRST_UNDER_WAY = "0013"
"""Earlier migrations were only applied while no instance served requests."""


def test_no_migration_locks_a_large_table_for_long() -> None:
    """The previous version serves requests: its statements must not wait for an index."""
    for path in sorted((repository() / "sql").glob("*.sql")):
        text = re.sub(r"--(?! transactional).*", "", path.read_text())
        if path.name < _FIRST_UNDER_WAY or text.startswith("-- transactional: false"):
            continue
        made = set(re.findall(r"CREATE TABLE (\w+)", text))
        indexed = set(re.findall(r"CREATE (?:UNIQUE )?INDEX \w+\s+ON (\w+)", text))
        assert indexed <= made | _SMALL, f"{path.name}: CONCURRENTLY, in a file of its own"
        rewritten = set(re.findall(r"^\s*UPDATE (\w+)", text, re.MULTILINE))
        assert rewritten <= made | _SMALL, f"{path.name}: in batches, in a file of its own"


_SMALL = {"users", "guilds", "workers"}
"""Tables that stay small enough to be rewritten in one statement."""


def read_only(url: str) -> str:
    with connected(url) as cur:
        cur.execute("SELECT current_database()")
        cur.execute(f"ALTER DATABASE {cur.fetchone()[0]} SET default_transaction_read_only = on")
    return url


def without_rights(url: str) -> str:
    """Return the URL for a role that may not create tables, the default since Postgres 15."""
    role = f"guest{time.monotonic_ns()}"
    with connected(url) as cur:
        cur.execute(f"CREATE ROLE {role}")
    return f"{url}{'&' if '?' in url else '?'}options=-c%20role%3D{role}"


@pytest.mark.parametrize("act", [migrations.apply, migrations.status, migrations.pending])
@pytest.mark.parametrize("made", [read_only, without_rights])
def test_error_of_a_refusing_database_is_one_line(
    new_database: NewDatabase, made: Callable[[str], str], act: Callable[[str], object]
) -> None:
    url = made(new_database(f"refusing_{made.__name__}_{act.__name__}"))
    with pytest.raises(migrations.SchemaError, match=r"read-only|permission denied") as refused:
        act(url)
    assert "\n" not in str(refused.value)
