"""The private servers: data, settings, and isolation from other users."""

from __future__ import annotations

import contextlib
import os
import stat
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import psycopg2
import pytest

from chatd.config import Config
from chatd.embedded.errors import EmbeddedError
from chatd.embedded.lifecycle import private_servers
from chatd.embedded.postgres import Postgres, running_postgres
from chatd.embedded.valkey import Valkey, running_valkey
from tests.helpers.embedded import (
    Bare,
    asked,
    gone,
    pinged,
    servers_of,
)

pytestmark = pytest.mark.usefixtures("real_initdb")


def test_second_start_finds_the_data(bare: Bare, tmp_path: Path) -> None:
    folder = tmp_path / "made" / "var"
    with private_servers(bare(folder)) as first:
        assert pinged(first.redis_url)
        asked(first.database_url, "CREATE TABLE kept AS SELECT 'Grüße'::text AS word")
        running = servers_of(folder)
        assert {process.name() for process in running} == {"postgres", "valkey-server"}
    assert gone(running, within_s=0)
    assert list(folder.glob("*.new*")) == []

    started = time.monotonic()
    with private_servers(bare(folder)) as second:
        took_s = time.monotonic() - started
        assert second.jwt_secret == first.jwt_secret
        assert asked(second.database_url, "SELECT word FROM kept") == "Grüße"
    assert took_s < 15.0  # an idle machine needs 0.3 s


def test_given_settings_stay_unchanged(bare: Bare, config: Config, tmp_path: Path) -> None:
    given = replace(bare(tmp_path), database_url=config.database_url, jwt_secret="s" * 32)
    with private_servers(given) as whole:
        assert whole == replace(given, redis_url=whole.redis_url)
        assert pinged(whole.redis_url)
    assert not (tmp_path / "postgres").exists()
    assert not (tmp_path / "jwt_secret").exists()


def test_private_postgres_uses_utf8_and_is_durable(
    postgres: Postgres,
) -> None:
    def setting(name: str) -> Any:
        return asked(postgres.url, f"SELECT current_setting('{name}')")

    assert setting("server_encoding") == "UTF8"
    query = "SELECT datlocprovider::text || datlocale FROM pg_database WHERE datname = 'template1'"
    assert asked(postgres.url, query) == "bC.UTF-8"
    for name in ("fsync", "full_page_writes", "synchronous_commit", "data_checksums"):
        assert setting(name) == "on"
    assert int(setting("max_connections")) >= 200


def test_other_users_cannot_connect(postgres: Postgres, valkey: Valkey) -> None:
    for server in (postgres, valkey):
        process = psutil.Process(server.pid)
        assert [link for link in process.net_connections("inet") if link.status == "LISTEN"] == []
        assert stat.S_IMODE(Path(process.cwd()).stat().st_mode) == 0o700


def test_secret_is_generated_once_and_private(bare: Bare, tmp_path: Path) -> None:
    given = replace(bare(tmp_path), database_url="postgresql:///x", redis_url="redis://x")
    with private_servers(given) as first:
        assert len(first.jwt_secret) >= 64
    with private_servers(given) as second:
        assert second.jwt_secret == first.jwt_secret
    assert stat.S_IMODE((tmp_path / "jwt_secret").stat().st_mode) == 0o600


@pytest.mark.parametrize("text", ["", "\n", "short\n"])
def test_damaged_secret_is_refused(bare: Bare, tmp_path: Path, text: str) -> None:
    (tmp_path / "jwt_secret").write_text(text)
    given = replace(bare(tmp_path), database_url="postgresql:///x", redis_url="redis://x")
    with (
        pytest.raises(EmbeddedError, match="jwt_secret") as refused,
        private_servers(given),
    ):
        pass
    assert "short" not in str(refused.value)


@pytest.mark.parametrize("name", ["a b,c 'd' \"e\" %20 ü", "long" * 40])
def test_any_folder_name_works(open_folder: Path, name: str) -> None:
    folder = open_folder / name
    folder.mkdir()
    with running_postgres(folder) as database, running_valkey(folder) as cache:
        for server in (database, cache):
            url = server.url
            server.stop()
            server.start()
            assert server.url == url
        assert asked(database.url, "SELECT 1") == 1
        assert pinged(cache.url)


def test_environment_does_not_reach_the_servers(
    bare: Bare, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGPORT", "6000")
    monkeypatch.setenv("PGDATA", "/nowhere")
    monkeypatch.setenv("PGTZ", "Asia/Tokyo")
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    monkeypatch.setenv("LC_ALL", "xx_XX")
    monkeypatch.setenv("JWT_SECRET", "hunter2" * 5)
    with private_servers(bare(tmp_path)) as whole:
        assert asked(whole.database_url, "SELECT 1") == 1
        looked_at = 0
        for process in servers_of(tmp_path):
            # A worker of Postgres may end during the loop.
            with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied):
                assert "JWT_SECRET" not in process.environ()
                looked_at += 1
        assert looked_at >= 2


def test_log_of_postgres_contains_no_row_values(bare: Bare, tmp_path: Path) -> None:
    with private_servers(bare(tmp_path)) as whole:
        asked(whole.database_url, "CREATE TABLE people (email text PRIMARY KEY)")
        asked(whole.database_url, "INSERT INTO people VALUES ('ada@example.org')")
        with pytest.raises(psycopg2.errors.UniqueViolation):
            asked(whole.database_url, "INSERT INTO people VALUES ('ada@example.org')")
    log = (tmp_path / "postgres.log").read_text()
    assert "duplicate key" in log
    assert "ada@example.org" not in log


def test_servers_have_their_own_process_group(postgres: Postgres, valkey: Valkey) -> None:
    for server in (postgres, valkey):
        assert server.pid is not None
        assert os.getpgid(server.pid) != os.getpgid(0)
