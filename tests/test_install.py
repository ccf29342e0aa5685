"""scripts/install and scripts/uninstall, run for real below a folder of their own."""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.conftest import repository

NOT_SOURCE = shutil.ignore_patterns(
    ".git", ".venv", ".*_cache", "var", "build", "dist", "*.egg-info", "__pycache__"
)
UNITS = (".service", ".socket", ".target")
WITH_SYSTEMCTL = shutil.which("systemctl") is not None


@dataclass(frozen=True)
class Machine:
    """The root of a machine that is being tried on, and the checkout it is installed from."""

    root: Path
    checkout: Path

    def run(self, script: str, *words: str) -> subprocess.CompletedProcess[str]:
        """Libraries are those of this environment, so that no network is asked."""
        paths = [each for each in sys.path if each.endswith("site-packages")]
        return subprocess.run(
            [self.checkout / "scripts" / script, "--root", self.root, *words],
            env={
                "PATH": os.environ["PATH"],
                "PYTHONPATH": os.pathsep.join(paths),
                "PIP_CONFIG_FILE": os.devnull,
                "PIP_NO_INDEX": "1",
                "PIP_NO_DEPS": "1",
                "PIP_NO_BUILD_ISOLATION": "0",  # pip reads this one the other way round
            },
            capture_output=True,
            check=False,
            text=True,
        )

    def install(self, *words: str) -> str:
        done = self.run("install", *words)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def uninstall(self, *words: str) -> str:
        done = self.run("uninstall", *words)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def tree(self) -> dict[str, str]:
        """All that is there, with modes and contents."""
        found = {}
        for path in self.root.rglob("*"):
            what = oct(path.lstat().st_mode)
            if path.is_symlink():
                what += str(path.readlink())
            elif path.is_file():
                what += hashlib.sha256(path.read_bytes()).hexdigest()
            found[str(path.relative_to(self.root))] = what
        return found

    def steps(self, told: str) -> list[str]:
        """What it says that it does, without where, and without what is left to be done."""
        lines = told.replace(str(self.root), "").splitlines()
        return lines[: lines.index("")] if "" in lines else lines

    def mode(self, path: str) -> int:
        return stat.S_IMODE((self.root / path).stat().st_mode)

    def enabled(self) -> set[str]:
        return {path.name for path in self.root.glob("etc/systemd/system/chatd.target.wants/*")}


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Machine:
    """A machine on which it was installed once."""
    folder = tmp_path_factory.mktemp("machine")
    shutil.copytree(repository(), folder / "checkout", ignore=NOT_SOURCE)
    (folder / "root").mkdir()
    machine = Machine(folder / "root", folder / "checkout")
    machine.install()
    return machine


@pytest.fixture
def machine(first: Machine, tmp_path: Path) -> Machine:
    """A copy of it, to be changed."""
    shutil.copytree(first.root, tmp_path / "root", symlinks=True)
    shutil.copytree(first.checkout, tmp_path / "checkout", symlinks=True)
    return Machine(tmp_path / "root", tmp_path / "checkout")


def test_a_dry_run_tells_and_changes_nothing(tmp_path: Path) -> None:
    machine = Machine(tmp_path, repository())
    told = machine.steps(machine.install("--dry-run", "--instances", "2"))
    assert all(step.startswith("would ") for step in told)
    assert "would make the secret that signs tokens" in told
    assert "would write /etc/systemd/system/chatd@.service" in told
    assert not WITH_SYSTEMCTL or "would enable chatd@2.service" in told
    assert machine.tree() == {}


def test_what_is_installed(first: Machine) -> None:
    program = subprocess.run(
        [first.root / "opt/chatd/bin/python", "-c", "import chatd; print(chatd.__file__)"],
        cwd="/",
        capture_output=True,
        check=True,
        text=True,
    )
    assert program.stdout.startswith(str(first.root / "opt/chatd"))
    assert (first.root / "usr/local/sbin/chatd").stat().st_mode & 0o111
    assert first.mode("etc/chatd/credentials") == 0o700
    assert first.mode("etc/chatd/credentials/jwt_secret") == 0o600
    assert len((first.root / "etc/chatd/credentials/jwt_secret").read_text().strip()) == 64
    assert first.mode("etc/chatd/.env") == 0o640
    assert first.mode("etc/chatd") == 0o755
    units = {path.name for path in (repository() / "systemd").iterdir() if path.suffix in UNITS}
    assert len(units) >= 6
    assert units <= {path.name for path in (first.root / "etc/systemd/system").iterdir()}
    assert not WITH_SYSTEMCTL or first.enabled() == {"chatd.service"}


def test_a_second_time_changes_nothing(machine: Machine) -> None:
    (machine.root / "etc/chatd/.env").write_text("LOG_LEVEL=debug\n")
    before = machine.tree()
    assert machine.steps(machine.install()) == []
    assert machine.tree() == before


@pytest.mark.skipif(not WITH_SYSTEMCTL, reason="systemctl is not there: nothing enables units")
def test_one_instance_or_several(machine: Machine) -> None:
    machine.install("--instances", "3")
    assert machine.enabled() == {f"chatd@{number}.service" for number in (1, 2, 3)}
    sockets = machine.root / "etc/systemd/system/sockets.target.wants"
    assert {path.name for path in sockets.iterdir()} == {f"chatd@{n}.socket" for n in (1, 2, 3)}
    assert machine.steps(machine.install()) == []  # as many as there are
    machine.install("--instances", "2", "--first", "30")
    assert machine.enabled() == {"chatd@30.service", "chatd@31.service"}
    machine.install("--instances", "1")
    assert machine.enabled() == {"chatd.service"}


def test_an_upgrade_is_a_new_release_and_one_that_fails_is_none(machine: Machine) -> None:
    link = machine.root / "opt/chatd"
    before, settings = link.readlink(), machine.tree()["etc/chatd/credentials/jwt_secret"]
    version = machine.checkout / "chatd/__init__.py"
    version.write_text(version.read_text().replace('"0.', '"9.'))

    intact = (machine.checkout / "setup.py").read_text()
    (machine.checkout / "setup.py").write_text("raise SystemExit('no')\n")
    failed = machine.run("install")
    assert failed.returncode == 1
    last = failed.stderr.splitlines()[-1]
    assert last.startswith("install: this step has failed: install chatd with its libraries into")
    assert link.readlink() == before

    (machine.checkout / "setup.py").write_text(intact)
    told = machine.install()
    assert "chatd, version 9." in told
    assert link.readlink() != before
    assert [path.name for path in (machine.root / "opt/chatd-releases").iterdir()] == [
        link.readlink().name
    ]
    assert machine.tree()["etc/chatd/credentials/jwt_secret"] == settings


def test_a_step_that_fails_is_named(machine: Machine) -> None:
    unit = machine.root / "etc/systemd/system/chatd.target"
    unit.unlink()
    unit.mkdir()
    (unit / "in the way").touch()
    failed = machine.run("install")
    assert failed.returncode == 1
    assert f"install: this step has failed: write {unit}\n" in failed.stderr


def test_what_is_there_by_other_ways_is_not_touched(tmp_path: Path) -> None:
    (tmp_path / "opt/chatd/bin").mkdir(parents=True)
    refused = Machine(tmp_path, repository()).run("install")
    assert refused.returncode == 1
    assert "not by this script" in refused.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["opt"]


def test_uninstalling_keeps_what_was_written(machine: Machine) -> None:
    before = machine.tree()
    told = machine.steps(machine.uninstall("--dry-run", "--purge"))
    assert all(step.startswith("would ") for step in told)
    assert machine.tree() == before

    machine.uninstall()
    left = [path for path in machine.tree() if (machine.root / path).is_file()]
    assert sorted(left) == [
        "etc/chatd/.env",
        "etc/chatd/credentials/jwt_secret",
        "etc/chatd/credentials/redis_url",
    ]
    after = machine.tree()
    machine.uninstall()
    assert machine.tree() == after


def test_purging_leaves_no_file(machine: Machine) -> None:
    machine.uninstall("--purge")
    assert [path for path in machine.root.rglob("*") if not path.is_dir()] == []


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        ("--instances 0", "instances are numbered 1 to 31"),
        ("--instances 32", "instances are numbered 1 to 31"),
        ("--instances 3 --first 30", "instances are numbered 1 to 31"),
        ("--frobnicate", "there is no option --frobnicate"),
        ("--instances", "--instances needs a value"),
        ("--root --dry-run", "--root needs a value"),
        ("--root here", "--root needs an absolute path"),
    ],
)
def test_misuse(tmp_path: Path, words: str, complaint: str) -> None:
    said = Machine(tmp_path, repository()).run("install", *words.split())
    assert said.returncode == 2
    assert complaint in said.stderr
