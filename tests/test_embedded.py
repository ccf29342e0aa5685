"""The private servers: made once, ended with chatd, and found again whatever ended it."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import stat
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import psycopg2
import pytest
import redis

from chatd import embedded
from chatd.config import Config

Bare = Callable[[Path], Config]

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root changes the account")
ends_with_parent = pytest.mark.skipif(
    sys.platform != "linux" or shutil.which("setpriv") is None,
    reason="this system cannot end a child with its parent",
)


@pytest.fixture
def bare(config: Config) -> Bare:
    """The settings of somebody who has set nothing but a data folder."""

    def made(folder: Path) -> Config:
        return replace(config, database_url="", redis_url="", jwt_secret="", data_dir=folder)

    return made


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every account can reach; those of pytest are closed."""
    with tempfile.TemporaryDirectory(prefix="chatd-test-", dir="/tmp") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


def asked(url: str, query: str) -> Any:
    """The first value that a query returns, if it returns any."""
    connection = psycopg2.connect(url)
    try:
        connection.autocommit = True
        with connection.cursor() as cur:
            cur.execute(query)
            return cur.fetchone()[0] if cur.description else None
    finally:
        connection.close()


def pinged(url: str) -> bool:
    with redis.Redis.from_url(url) as client:
        return bool(client.ping())


def servers_of(folder: Path) -> list[psutil.Process]:
    """The server processes, backends too, that work below a folder."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.cwd().startswith(str(folder.resolve())):
                found.append(process)
    return found


def gone(processes: list[psutil.Process], *, within_s: float = 15.0) -> bool:
    """Whether these have ended; one that only waits for its parent to notice has, too."""
    deadline = time.monotonic() + within_s
    while left := [process for process in processes if lives(process)]:
        if time.monotonic() > deadline:
            print(left)
            return False
        time.sleep(0.02)
    return True


def lives(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def another_chatd(folder: Path, *, lines: str = "") -> subprocess.Popen[str]:
    """Another process that has private servers on a folder, up to the line `ready`.

    It is `lines` that make it different. They, and it, may use `config`, the bare settings.
    """
    code = f"""
        import time
        from dataclasses import replace
        from pathlib import Path
        from chatd import embedded
        from chatd.config import load
        config = replace(load(embedded=True, directory=Path("/")), data_dir=Path({str(folder)!r}))
        config = replace(config, database_url="", redis_url="", jwt_secret="")
    """
    serving = """
        with embedded.private_servers(config):
            print("ready", flush=True)
            time.sleep(600)
    """
    text = "\n".join(map(textwrap.dedent, (code, lines, serving)))
    return subprocess.Popen([sys.executable, "-c", text], stdout=subprocess.PIPE, text=True)


@contextlib.contextmanager
def killed_when_ready(folder: Path, *, lines: str = "") -> Iterator[None]:
    """Another chatd on a folder, which is killed as soon as it is ready."""
    with another_chatd(folder, lines=lines) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "ready\n"
        other.kill()
    yield


# -- what one gets ---------------------------------------------------------------------------------


def test_first_start_and_second_start(bare: Bare, tmp_path: Path) -> None:
    folder = tmp_path / "made" / "var"
    with embedded.private_servers(bare(folder)) as first:
        assert pinged(first.redis_url)
        asked(first.database_url, "CREATE TABLE kept AS SELECT 'Grüße'::text AS word")
        running = servers_of(folder)
        assert {process.name() for process in running} == {"postgres", "valkey-server"}
    assert gone(running, within_s=0)
    assert list(folder.glob("*.new*")) == []

    started = time.monotonic()
    with embedded.private_servers(bare(folder)) as second:
        took_s = time.monotonic() - started
        assert second.jwt_secret == first.jwt_secret
        assert asked(second.database_url, "SELECT word FROM kept") == "Grüße"
    assert took_s < 3.0  # an idle machine needs 0.3


def test_what_is_given_is_left_alone(bare: Bare, config: Config, tmp_path: Path) -> None:
    given = replace(bare(tmp_path), database_url=config.database_url, jwt_secret="s" * 32)
    with embedded.private_servers(given) as whole:
        assert whole == replace(given, redis_url=whole.redis_url)
        assert pinged(whole.redis_url)
    assert not (tmp_path / "postgres").exists()
    assert not (tmp_path / "jwt_secret").exists()


def test_the_database_is_made_for_every_language_and_keeps_its_word(
    postgres: embedded.Postgres,
) -> None:
    def setting(name: str) -> Any:
        return asked(postgres.url, f"SELECT current_setting('{name}')")

    assert setting("server_encoding") == "UTF8"
    query = "SELECT datlocprovider::text || datlocale FROM pg_database WHERE datname = 'template1'"
    assert asked(postgres.url, query) == "bC.UTF-8"
    for name in ("fsync", "full_page_writes", "synchronous_commit", "data_checksums"):
        assert setting(name) == "on"
    assert int(setting("max_connections")) >= 200


def test_nobody_else_can_connect(postgres: embedded.Postgres, valkey: embedded.Valkey) -> None:
    for server in (postgres, valkey):
        process = psutil.Process(server.pid)
        assert [link for link in process.net_connections("inet") if link.status == "LISTEN"] == []
        assert stat.S_IMODE(Path(process.cwd()).stat().st_mode) == 0o700


def test_the_secret_is_made_once_and_only_for_its_owner(bare: Bare, tmp_path: Path) -> None:
    given = replace(bare(tmp_path), database_url="postgresql:///x", redis_url="redis://x")
    with embedded.private_servers(given) as first:
        assert len(first.jwt_secret) >= 64
    with embedded.private_servers(given) as second:
        assert second.jwt_secret == first.jwt_secret
    assert stat.S_IMODE((tmp_path / "jwt_secret").stat().st_mode) == 0o600


@pytest.mark.parametrize("text", ["", "\n", "short\n"])
def test_a_damaged_secret_is_refused(bare: Bare, tmp_path: Path, text: str) -> None:
    (tmp_path / "jwt_secret").write_text(text)
    given = replace(bare(tmp_path), database_url="postgresql:///x", redis_url="redis://x")
    with (
        pytest.raises(embedded.EmbeddedError, match="jwt_secret") as refused,
        embedded.private_servers(given),
    ):
        pass
    assert "short" not in str(refused.value)


# -- what surrounds it -----------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["a b,c 'd' \"e\" %20 ü", "long" * 40])
def test_any_folder_will_do(open_folder: Path, name: str) -> None:
    folder = open_folder / name
    folder.mkdir()
    with embedded.postgres(folder) as database, embedded.valkey(folder) as cache:
        for server in (database, cache):
            url = server.url
            server.stop()
            server.start()
            assert server.url == url
        assert asked(database.url, "SELECT 1") == 1
        assert pinged(cache.url)


def test_settings_around_it_neither_change_the_servers_nor_reach_them(
    bare: Bare, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGPORT", "6000")
    monkeypatch.setenv("PGDATA", "/nowhere")
    monkeypatch.setenv("PGTZ", "Asia/Tokyo")
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    monkeypatch.setenv("LC_ALL", "xx_XX")
    monkeypatch.setenv("JWT_SECRET", "hunter2" * 5)
    with embedded.private_servers(bare(tmp_path)) as whole:
        assert asked(whole.database_url, "SELECT 1") == 1
        looked_at = 0
        for process in servers_of(tmp_path):
            # A worker of Postgres that ends meanwhile.
            with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied):
                assert "JWT_SECRET" not in process.environ()
                looked_at += 1
        assert looked_at >= 2


def test_the_logs_keep_what_people_write_to_themselves(bare: Bare, tmp_path: Path) -> None:
    with embedded.private_servers(bare(tmp_path)) as whole:
        asked(whole.database_url, "CREATE TABLE people (email text PRIMARY KEY)")
        asked(whole.database_url, "INSERT INTO people VALUES ('ada@example.org')")
        with pytest.raises(psycopg2.errors.UniqueViolation):
            asked(whole.database_url, "INSERT INTO people VALUES ('ada@example.org')")
    log = (tmp_path / "postgres.log").read_text()
    assert "duplicate key" in log
    assert "ada@example.org" not in log


def test_ctrl_c_on_the_terminal_is_not_for_them(
    postgres: embedded.Postgres, valkey: embedded.Valkey
) -> None:
    for server in (postgres, valkey):
        assert server.pid is not None
        assert os.getpgid(server.pid) != os.getpgid(0)


# -- when something goes wrong ---------------------------------------------------------------------


def test_a_second_chatd_on_the_same_folder_is_refused(bare: Bare, tmp_path: Path) -> None:
    with embedded.private_servers(bare(tmp_path)) as first:
        with (
            pytest.raises(embedded.EmbeddedError, match="already using") as refused,
            embedded.private_servers(bare(tmp_path)),
        ):
            pass
        assert str(tmp_path) in str(refused.value)
        assert str(os.getpid()) in str(refused.value)
        assert asked(first.database_url, "SELECT 1") == 1


@ends_with_parent
def test_a_killed_chatd_takes_its_servers_along(bare: Bare, tmp_path: Path) -> None:
    with killed_when_ready(tmp_path):
        assert gone(servers_of(tmp_path))


def test_after_a_kill_the_next_start_just_works(bare: Bare, tmp_path: Path) -> None:
    with embedded.private_servers(bare(tmp_path)) as whole:
        asked(whole.database_url, "CREATE TABLE kept AS SELECT 1 AS one")
    with killed_when_ready(tmp_path), embedded.private_servers(bare(tmp_path)) as whole:
        assert asked(whole.database_url, "SELECT one FROM kept") == 1
        assert pinged(whole.redis_url)


def test_servers_that_a_killed_chatd_left_behind_are_ended(bare: Bare, tmp_path: Path) -> None:
    orphaning = """
        ours = embedded._as_account
        embedded._as_account = lambda *given, **options: [
            word for word in ours(*given, **options)
            if word not in ("--pdeathsig", options["parting"])
        ]
    """
    with killed_when_ready(tmp_path, lines=orphaning):
        left = servers_of(tmp_path)
        assert {process.name() for process in left} == {"postgres", "valkey-server"}
        with embedded.private_servers(bare(tmp_path)) as whole:
            assert gone(left, within_s=0)
            assert asked(whole.database_url, "SELECT 1") == 1
            assert pinged(whole.redis_url)


def test_the_number_in_a_stale_pid_file_may_be_a_stranger(bare: Bare, tmp_path: Path) -> None:
    with embedded.private_servers(bare(tmp_path)):
        postmaster = (tmp_path / "postgres" / "postmaster.pid").read_text()
    with subprocess.Popen(["sleep", "600"]) as stranger:
        _, rest = postmaster.split("\n", 1)
        for name, text in (("postgres/postmaster.pid", rest), ("valkey/valkey.pid", "")):
            (tmp_path / name).write_text(f"{stranger.pid}\n{text}")
        with embedded.private_servers(bare(tmp_path)) as whole:
            assert asked(whole.database_url, "SELECT 1") == 1
        assert stranger.poll() is None
        stranger.kill()


def test_a_query_that_outlives_its_killed_postgres_is_no_obstacle(tmp_path: Path) -> None:
    with embedded.postgres(tmp_path) as server:
        connection = psycopg2.connect(server.url, async_=True)
        while connection.poll() != psycopg2.extensions.POLL_OK:
            time.sleep(0.01)
        connection.cursor().execute(  # it never looks whether the server is still there
            "SELECT count(*) FROM generate_series(1, 30000) a, generate_series(1, 30000) b"
        )
        server.kill()
        server.start()
        connection.close()
        assert asked(server.url, "SELECT 1") == 1


def test_a_first_start_that_was_killed_is_just_redone(bare: Bare, tmp_path: Path) -> None:
    with another_chatd(tmp_path) as other:
        while not list(tmp_path.glob("postgres.new*/base/1")):
            assert other.poll() is None
            time.sleep(0.005)
        other.kill()
    assert not (tmp_path / "postgres").exists()
    with embedded.private_servers(bare(tmp_path)) as whole:
        assert asked(whole.database_url, "SELECT 1") == 1
    assert list(tmp_path.glob("*.new*")) == []


def test_data_without_its_version_is_not_thrown_away(bare: Bare, tmp_path: Path) -> None:
    (tmp_path / "postgres" / "base").mkdir(parents=True)
    (tmp_path / "postgres" / "base" / "precious").touch()
    with (
        pytest.raises(embedded.EmbeddedError, match="postgres"),
        embedded.private_servers(bare(tmp_path)),
    ):
        pass
    assert (tmp_path / "postgres" / "base" / "precious").exists()


def test_a_server_that_does_not_start_says_where_its_log_is(bare: Bare, tmp_path: Path) -> None:
    with embedded.private_servers(bare(tmp_path)):
        pass
    (tmp_path / "postgres" / "postgresql.conf").write_text("no_such_setting = on\n")
    with (
        pytest.raises(embedded.EmbeddedError) as refused,
        embedded.private_servers(bare(tmp_path)),
    ):
        pass
    assert str(refused.value).endswith(str(tmp_path / "postgres.log"))
    assert "\n" not in str(refused.value)
    assert servers_of(tmp_path) == []


def test_data_of_another_postgres_is_refused_by_name(bare: Bare, tmp_path: Path) -> None:
    with embedded.private_servers(bare(tmp_path)):
        pass
    (tmp_path / "postgres" / "PG_VERSION").write_text("17\n")
    with (
        pytest.raises(embedded.EmbeddedError, match="Postgres 17"),
        embedded.private_servers(bare(tmp_path)),
    ):
        pass


def test_a_data_folder_that_cannot_be_is_said_in_one_line(bare: Bare, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for folder in (tmp_path / "file", tmp_path / "file" / "var"):
        with (
            pytest.raises(embedded.EmbeddedError, match="file") as refused,
            embedded.private_servers(bare(folder)),
        ):
            pass
        assert "\n" not in str(refused.value)


def test_a_copy_of_the_data_is_taken_up(bare: Bare, tmp_path: Path) -> None:
    """Made by whoever starts chatd, with `cp -r` say, and so with the wrong owner and modes."""
    with embedded.private_servers(bare(tmp_path / "var")) as whole:
        asked(whole.database_url, "CREATE TABLE kept AS SELECT 1 AS one")
    shutil.copytree(tmp_path / "var", tmp_path / "copy")
    (tmp_path / "copy" / "postgres").chmod(0o755)
    with embedded.private_servers(bare(tmp_path / "copy")) as whole:
        assert asked(whole.database_url, "SELECT one FROM kept") == 1


def test_faults_can_be_made(tmp_path: Path) -> None:
    with embedded.valkey(tmp_path) as server:
        for end in (server.stop, server.kill):
            end()
            with pytest.raises(redis.ConnectionError):
                pinged(server.url)
            server.start()
            assert pinged(server.url)


# -- as root ---------------------------------------------------------------------------------------


@needs_root
@pytest.mark.parametrize("closed", [False, True])
def test_root_runs_them_as_an_account_without_rights(
    bare: Bare, open_folder: Path, closed: bool
) -> None:
    open_folder.chmod(0o700 if closed else 0o755)
    before = [stat.S_IMODE(path.stat().st_mode) for path in open_folder.parents]
    with embedded.private_servers(bare(open_folder / "var")) as whole:
        assert asked(whole.database_url, "SELECT 1") == 1
        assert pinged(whole.redis_url)
        for process in servers_of(open_folder):
            assert 0 not in process.uids()
            assert 0 not in (*process.gids(), *groups(process))
            assert capabilities(process) == {"none", "passage"} & {"passage" if closed else "none"}
    assert stat.S_IMODE(open_folder.stat().st_mode) == (0o700 if closed else 0o755)
    assert [stat.S_IMODE(path.stat().st_mode) for path in open_folder.parents] == before


@needs_root
def test_root_takes_up_the_data_of_a_user_and_leaves_it_theirs(
    bare: Bare, open_folder: Path
) -> None:
    nobody = pwd.getpwnam("nobody")
    folder = open_folder / "var"
    folder.mkdir()
    os.chown(folder, nobody.pw_uid, nobody.pw_gid)
    with embedded.private_servers(bare(folder)) as whole:
        asked(whole.database_url, "CREATE TABLE kept AS SELECT 1 AS one")
    for path in (folder / "postgres").rglob("*"):
        os.lchown(path, nobody.pw_uid, nobody.pw_gid)
    os.chown(folder / "postgres", nobody.pw_uid, nobody.pw_gid)
    with embedded.private_servers(bare(folder)) as whole:
        assert asked(whole.database_url, "SELECT one FROM kept") == 1
    assert {path.stat().st_uid for path in (folder / "postgres").rglob("*")} == {nobody.pw_uid}


def groups(process: psutil.Process) -> list[int]:
    return [int(number) for number in status(process, "Groups").split()]


def capabilities(process: psutil.Process) -> set[str]:
    """Whether a process has no capability, or none but those that open closed folders."""
    held = int(status(process, "CapBnd"), 16) | int(status(process, "CapPrm"), 16)
    return {"none"} if held == 0 else {"passage"} if held & ~0b110 == 0 else {"more"}


def status(process: psutil.Process, name: str) -> str:
    text = Path(f"/proc/{process.pid}/status").read_text()
    return next(line for line in text.splitlines() if line.startswith(f"{name}:")).split(":")[1]
