"""The private servers after faults: kills, orphans, damaged data, and restarts."""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
import time
from pathlib import Path

import psycopg2
import pytest
import redis

from chatd.embedded import lifecycle
from chatd.embedded.errors import EmbeddedError
from chatd.embedded.lifecycle import private_servers
from chatd.embedded.postgres import running_postgres
from chatd.embedded.valkey import running_valkey
from tests.helpers.embedded import (
    Bare,
    another_chatd,
    answers,
    asked,
    ends_with_parent,
    gone,
    kill_main,
    killed_when_ready,
    pinged,
    servers_of,
)


def test_second_chatd_on_the_same_folder_is_refused(bare: Bare, tmp_path: Path) -> None:
    with private_servers(bare(tmp_path)) as first:
        with (
            pytest.raises(EmbeddedError, match="already using") as refused,
            private_servers(bare(tmp_path)),
        ):
            pass
        assert str(tmp_path) in str(refused.value)
        assert str(os.getpid()) in str(refused.value)
        assert asked(first.database_url, "SELECT 1") == 1


@ends_with_parent
def test_killing_chatd_ends_its_servers(bare: Bare, tmp_path: Path) -> None:
    with killed_when_ready(tmp_path):
        assert gone(servers_of(tmp_path))


def test_start_after_a_kill_works(bare: Bare, tmp_path: Path) -> None:
    with private_servers(bare(tmp_path)) as whole:
        asked(whole.database_url, "CREATE TABLE kept AS SELECT 1 AS one")
    with killed_when_ready(tmp_path), private_servers(bare(tmp_path)) as whole:
        assert asked(whole.database_url, "SELECT one FROM kept") == 1
        assert pinged(whole.redis_url)


def test_orphaned_servers_are_ended_at_start(bare: Bare, tmp_path: Path) -> None:
    orphaning = """
        as_account = server.as_account
        server.as_account = lambda *given, **options: [
            word for word in as_account(*given, **options)
            if word not in ("--pdeathsig", options["death_signal"])
        ]
    """
    with killed_when_ready(tmp_path, lines=orphaning):
        left = servers_of(tmp_path)
        assert {process.name() for process in left} == {"postgres", "valkey-server"}
        with private_servers(bare(tmp_path)) as whole:
            assert gone(left, within_s=0)
            assert asked(whole.database_url, "SELECT 1") == 1
            assert pinged(whole.redis_url)


def test_process_with_a_stale_pid_is_not_ended(bare: Bare, tmp_path: Path) -> None:
    with private_servers(bare(tmp_path)):
        postmaster = (tmp_path / "postgres" / "postmaster.pid").read_text()
    with subprocess.Popen(["sleep", "600"]) as stranger:
        _, rest = postmaster.split("\n", 1)
        for name, text in (("postgres/postmaster.pid", rest), ("valkey/valkey.pid", "")):
            (tmp_path / name).write_text(f"{stranger.pid}\n{text}")
        with private_servers(bare(tmp_path)) as whole:
            assert asked(whole.database_url, "SELECT 1") == 1
        assert stranger.poll() is None
        stranger.kill()


def test_start_succeeds_while_an_orphaned_query_runs(tmp_path: Path) -> None:
    with running_postgres(tmp_path) as server:
        connection = psycopg2.connect(server.url, async_=True)
        while connection.poll() != psycopg2.extensions.POLL_OK:
            time.sleep(0.01)
        connection.cursor().execute(  # it does not check whether the server still runs
            "SELECT count(*) FROM generate_series(1, 30000) a, generate_series(1, 30000) b"
        )
        server.kill()
        server.start()
        connection.close()
        assert asked(server.url, "SELECT 1") == 1


def test_killed_first_start_is_repeated(bare: Bare, tmp_path: Path) -> None:
    with another_chatd(tmp_path) as other:
        while not list(tmp_path.glob("postgres.new*/base/1")):
            assert other.poll() is None
            time.sleep(0.005)
        other.kill()
    assert not (tmp_path / "postgres").exists()
    with private_servers(bare(tmp_path)) as whole:
        assert asked(whole.database_url, "SELECT 1") == 1
    assert list(tmp_path.glob("*.new*")) == []


def test_data_without_a_version_is_kept(bare: Bare, tmp_path: Path) -> None:
    (tmp_path / "postgres" / "base").mkdir(parents=True)
    (tmp_path / "postgres" / "base" / "precious").touch()
    with (
        pytest.raises(EmbeddedError, match="postgres"),
        private_servers(bare(tmp_path)),
    ):
        pass
    assert (tmp_path / "postgres" / "base" / "precious").exists()


def test_failed_start_names_the_log_file(bare: Bare, tmp_path: Path) -> None:
    with private_servers(bare(tmp_path)):
        pass
    (tmp_path / "postgres" / "postgresql.conf").write_text("no_such_setting = on\n")
    with (
        pytest.raises(EmbeddedError) as refused,
        private_servers(bare(tmp_path)),
    ):
        pass
    assert str(refused.value).endswith(str(tmp_path / "postgres.log"))
    assert "\n" not in str(refused.value)
    assert servers_of(tmp_path) == []


def test_data_of_another_postgres_version_is_refused(bare: Bare, tmp_path: Path) -> None:
    with private_servers(bare(tmp_path)):
        pass
    (tmp_path / "postgres" / "PG_VERSION").write_text("17\n")
    with (
        pytest.raises(EmbeddedError, match="Postgres 17"),
        private_servers(bare(tmp_path)),
    ):
        pass


def test_unusable_data_folder_is_an_error_in_one_line(bare: Bare, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for folder in (tmp_path / "file", tmp_path / "file" / "var"):
        with (
            pytest.raises(EmbeddedError, match="file") as refused,
            private_servers(bare(folder)),
        ):
            pass
        assert "\n" not in str(refused.value)


def test_copied_data_folder_works(bare: Bare, tmp_path: Path) -> None:
    """A copy with `cp -r` has another owner and other modes."""
    with private_servers(bare(tmp_path / "var")) as whole:
        asked(whole.database_url, "CREATE TABLE kept AS SELECT 1 AS one")
    shutil.copytree(tmp_path / "var", tmp_path / "copy")
    (tmp_path / "copy" / "postgres").chmod(0o755)
    with private_servers(bare(tmp_path / "copy")) as whole:
        assert asked(whole.database_url, "SELECT one FROM kept") == 1


def test_stop_and_kill_end_the_server(tmp_path: Path) -> None:
    with running_valkey(tmp_path) as server:
        for end in (server.stop, server.kill):
            end()
            with pytest.raises(redis.ConnectionError):
                pinged(server.url)
            server.start()
            assert pinged(server.url)


@ends_with_parent
@pytest.mark.parametrize("name", ["postgres", "valkey"])
def test_server_that_exits_is_restarted(
    bare: Bare, tmp_path: Path, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    with private_servers(bare(tmp_path / "var")) as config:
        for _ in range(2):
            kill_main(tmp_path / "var" / name)
            deadline = time.monotonic() + 60
            while not answers(config):
                assert time.monotonic() < deadline
                time.sleep(0.05)
    text = "exited unexpectedly; restarting it (2 of at most 5 restarts)"
    assert text in caplog.records[-1].getMessage()
    assert servers_of(tmp_path / "var") == []


@ends_with_parent
def test_server_that_exits_too_often_ends_chatd(
    bare: Bare, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lifecycle, "_MAX_RESTARTS", 1)
    ended = threading.Event()
    monkeypatch.setattr(lifecycle, "_end_this_process", ended.set)
    with (
        pytest.raises(EmbeddedError, match="Valkey exited 2 times within 10 minutes"),
        private_servers(bare(tmp_path / "var")) as config,
    ):
        kill_main(tmp_path / "var" / "valkey")
        while not answers(config):
            time.sleep(0.05)
        kill_main(tmp_path / "var" / "valkey")
        assert ended.wait(60)
    assert servers_of(tmp_path / "var") == []
