"""The private servers under root: their account, and the owner of the data."""

from __future__ import annotations

import contextlib
import itertools
import os
import pwd
import stat
import subprocess
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from chatd.embedded import privileges
from chatd.embedded.lifecycle import private_servers
from tests.helpers.embedded import (
    Bare,
    asked,
    pinged,
    servers_of,
)

pytestmark = pytest.mark.usefixtures("real_initdb")
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root changes the account")


@needs_root
@pytest.mark.parametrize("closed", [False, True])
def test_root_runs_servers_without_privileges(bare: Bare, open_folder: Path, closed: bool) -> None:
    open_folder.chmod(0o700 if closed else 0o755)
    before = [stat.S_IMODE(path.stat().st_mode) for path in open_folder.parents]
    with private_servers(bare(open_folder / "var")) as whole:
        assert asked(whole.database_url, "SELECT 1") == 1
        assert pinged(whole.redis_url)
        inspected = 0
        for process in servers_of(open_folder):
            try:
                ids = [*process.uids(), *process.gids(), *groups(process)]
                held = capabilities(process)
            except (psutil.NoSuchProcess, FileNotFoundError, ProcessLookupError):
                continue  # a worker process of Postgres, which has ended
            assert 0 not in ids
            assert held == {"passage" if closed else "none"}
            inspected += 1
        assert inspected >= 2
    assert stat.S_IMODE(open_folder.stat().st_mode) == (0o700 if closed else 0o755)
    assert [stat.S_IMODE(path.stat().st_mode) for path in open_folder.parents] == before


@needs_root
def test_root_keeps_the_owner_of_the_data(bare: Bare, open_folder: Path) -> None:
    nobody = pwd.getpwnam("nobody")
    folder = open_folder / "var"
    folder.mkdir()
    os.chown(folder, nobody.pw_uid, nobody.pw_gid)
    with private_servers(bare(folder)) as whole:
        asked(whole.database_url, "CREATE TABLE kept AS SELECT 1 AS one")
    for path in (folder / "postgres").rglob("*"):
        os.lchown(path, nobody.pw_uid, nobody.pw_gid)
    os.chown(folder / "postgres", nobody.pw_uid, nobody.pw_gid)
    with private_servers(bare(folder)) as whole:
        assert asked(whole.database_url, "SELECT one FROM kept") == 1
    assert {path.stat().st_uid for path in (folder / "postgres").rglob("*")} == {nobody.pw_uid}


def groups(process: psutil.Process) -> list[int]:
    return [int(number) for number in status(process, "Groups").split()]


def capabilities(process: psutil.Process) -> set[str]:
    """Classify the capabilities of a process: none, those to traverse closed folders, or more."""
    held = int(status(process, "CapBnd"), 16) | int(status(process, "CapPrm"), 16)
    return {"none"} if held == 0 else {"passage"} if held & ~0b110 == 0 else {"more"}


def status(process: psutil.Process, name: str) -> str:
    text = Path(f"/proc/{process.pid}/status").read_text()
    return next(line for line in text.splitlines() if line.startswith(f"{name}:")).split(":")[1]


@needs_root
def test_first_servers_that_start_at_once_share_an_account(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """useradd gives an account that was added since it started another id."""
    accounts: dict[str, int] = {}
    ids = itertools.count(900)
    both_started = threading.Barrier(2)

    def look_up(name: str) -> SimpleNamespace:
        return SimpleNamespace(pw_uid=accounts[name], pw_gid=accounts[name])

    def add(command: list[str], **_: object) -> SimpleNamespace:
        with contextlib.suppress(threading.BrokenBarrierError):
            both_started.wait(0.2)
        accounts[command[-1]] = next(ids)
        return SimpleNamespace(returncode=0)

    monkeypatch.setattr(pwd, "getpwnam", look_up)
    monkeypatch.setattr(subprocess, "run", add)
    with ThreadPoolExecutor(2) as threads:
        found = [*threads.map(privileges.account_for, [tmp_path / "a", tmp_path / "b"])]
    assert found[0] == found[1] == privileges.Account(900, 900)
