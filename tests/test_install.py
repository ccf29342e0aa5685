"""scripts/install and scripts/uninstall, run below a folder of their own."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import socket
import stat
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import psycopg2
import pytest

from tests.conftest import repository
from tests.helpers.databases import NewDatabase

NOT_INSTALLED = shutil.ignore_patterns(
    ".git", ".venv*", ".*_cache", "var", "build", "dist", "*.egg-info", "__pycache__", "tests"
)
UNITS = (".service", ".socket", ".target", ".timer")
WITH_SYSTEMCTL = shutil.which("systemctl") is not None


@dataclass(frozen=True)
class Machine:
    """The root of a simulated machine, and the checkout to install from."""

    root: Path
    checkout: Path

    def run(self, script: str, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a script with the libraries of this environment, without network access."""
        paths = [each for each in sys.path if each.endswith("site-packages")]
        return subprocess.run(
            [self.checkout / "scripts" / script, "--root", self.root, *words],
            env={
                "PATH": os.environ["PATH"],
                "TMPDIR": tempfile.gettempdir(),
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
        """Return all files with modes and contents."""
        found = {}
        for path in self.root.rglob("*"):
            what = oct(path.lstat().st_mode)
            if path.is_symlink():
                what += str(path.readlink())
            elif path.is_file():
                what += hashlib.sha256(path.read_bytes()).hexdigest()
            found[str(path.relative_to(self.root))] = what
        return found

    def steps(self, output: str) -> list[str]:
        """Return the printed steps, without the root and the text after them."""
        lines = output.replace(str(self.root), "").splitlines()
        return lines[: lines.index("")] if "" in lines else lines

    def mode(self, path: str) -> int:
        return stat.S_IMODE((self.root / path).stat().st_mode)

    def enabled(self) -> set[str]:
        return {path.name for path in self.root.glob("etc/systemd/system/chatd.target.wants/*")}


def _distribution_python() -> str:
    """Return the Python that the script chooses, which `scripts/test --python` does not change."""
    script = repository() / "scripts" / "environment"
    found = subprocess.run(
        ["sh", "-c", '. "$1" && find_python', "sh", script],
        capture_output=True,
        check=True,
        text=True,
    )
    return found.stdout.strip()


def _version(python: str) -> str:
    program = "import sys; print(sys.version_info[:2])"
    done = subprocess.run([python, "-c", program], capture_output=True, check=True, text=True)
    return done.stdout


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Machine:
    """A machine with a first installation."""
    if _version(_distribution_python()) != _version(sys.executable):
        pytest.skip("the script installs for another Python, whose libraries are not here")
    folder = tmp_path_factory.mktemp("machine")
    shutil.copytree(repository(), folder / "checkout", ignore=NOT_INSTALLED)
    (folder / "root").mkdir()
    machine = Machine(folder / "root", folder / "checkout")
    machine.install()
    return machine


def _copied(source: str, target: str) -> str:
    """Link the files of a release, which are never written to; copy the others."""
    if "/opt/chatd-releases/" not in source:
        return str(shutil.copy2(source, target))
    os.link(source, target)
    return target


@pytest.fixture
def machine(first: Machine, tmp_path: Path) -> Machine:
    """A copy of that machine, for changes."""
    return _copy_of(first, tmp_path)


def _copy_of(machine: Machine, folder: Path) -> Machine:
    shutil.copytree(machine.root, folder / "root", symlinks=True, copy_function=_copied)
    shutil.copytree(machine.checkout, folder / "checkout", symlinks=True)
    return Machine(folder / "root", folder / "checkout")


def test_dry_run_prints_steps_and_changes_nothing(tmp_path: Path) -> None:
    machine = Machine(tmp_path, repository())
    output = machine.steps(machine.install("--dry-run", "--instances", "2"))
    assert all(step.startswith("would ") for step in output)
    assert "would generate the secret that signs tokens" in output
    assert "would write /etc/systemd/system/chatd@.service" in output
    assert not WITH_SYSTEMCTL or "would enable chatd@2.service" in output
    assert machine.tree() == {}


def test_installed_files_and_modes(first: Machine) -> None:
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


def test_second_run_changes_nothing(machine: Machine) -> None:
    (machine.root / "etc/chatd/.env").write_text("LOG_LEVEL=debug\n")
    before = machine.tree()
    assert machine.steps(machine.install()) == []
    assert machine.tree() == before


@pytest.mark.skipif(not WITH_SYSTEMCTL, reason="systemctl is not there: nothing enables units")
def test_instances_are_enabled_by_options(machine: Machine) -> None:
    machine.install("--instances", "3")
    assert machine.enabled() == {f"chatd@{number}.service" for number in (1, 2, 3)}
    sockets = machine.root / "etc/systemd/system/sockets.target.wants"
    assert {path.name for path in sockets.iterdir()} == {f"chatd@{n}.socket" for n in (1, 2, 3)}
    assert machine.steps(machine.install()) == []  # as many as there are
    machine.install("--instances", "2", "--first", "30")
    assert machine.enabled() == {"chatd@30.service", "chatd@31.service"}
    machine.install("--instances", "1")
    assert machine.enabled() == {"chatd.service"}


@pytest.fixture(scope="module")
def upgraded(first: Machine, tmp_path_factory: pytest.TempPathFactory) -> tuple[Machine, str]:
    """A machine that was upgraded to version 9, and what the script printed."""
    machine = _copy_of(first, tmp_path_factory.mktemp("upgraded"))
    _change(machine, "chatd/__init__.py", '"0.', '"9.')
    _change(machine, "systemd/chatd.service", "RestartSec=3", "RestartSec=4")
    changelog = machine.checkout / "CHANGELOG.md"
    changelog.write_text(changelog.read_text() + "\n- Something new: it has\n  details.\n")
    return machine, machine.install()


def _change(machine: Machine, path: str, old: str, new: str) -> None:
    """Replace a text in a file of the checkout."""
    file = machine.checkout / path
    assert old in file.read_text()
    file.write_text(file.read_text().replace(old, new))


def test_upgrade_creates_a_release(first: Machine, upgraded: tuple[Machine, str]) -> None:
    machine, output = upgraded
    before, after = _release(first), _release(machine)
    assert "chatd, version 9." in output
    assert after != before
    releases = machine.root / "opt/chatd-releases"
    assert {path.name for path in releases.iterdir()} == {before, after, "previous"}
    old, new = before.partition("-")[0], after.partition("-")[0]
    assert f"upgraded from {old} to {new}. What is new:\n" in output
    assert [line for line in output.splitlines() if line.startswith("  - ")] == [
        "  - Something new"
    ]
    assert "--rollback" in output
    assert "user create" not in output
    secret = "etc/chatd/credentials/jwt_secret"
    assert machine.tree()[secret] == first.tree()[secret]


def _release(machine: Machine) -> str:
    """Return the name of the release that is active."""
    return (machine.root / "opt/chatd").readlink().name


def test_failed_upgrade_changes_no_release(machine: Machine) -> None:
    before = _release(machine)
    (machine.checkout / "setup.py").write_text("raise SystemExit('no')\n")
    failed = machine.run("install")
    assert failed.returncode == 1
    last = failed.stderr.splitlines()[-1]
    assert last.startswith("install: this step failed: install chatd with its libraries into")
    assert _release(machine) == before


def test_rollback_needs_a_previous_release(machine: Machine) -> None:
    refused = machine.run("install", "--rollback")
    assert refused.returncode == 1
    assert "there is no previous release" in refused.stderr


def test_rollback_returns_to_the_previous_release(
    first: Machine,
    upgraded: tuple[Machine, str],
    tmp_path: Path,
    migrated_database: NewDatabase,
) -> None:
    machine = _copy_of(upgraded[0], tmp_path)
    unit = "etc/systemd/system/chatd.service"
    before, old_unit = _release(first), (first.root / unit).read_text()
    after, new_unit = _release(machine), (machine.root / unit).read_text()
    assert old_unit != new_unit

    url = migrated_database("rollback")
    (machine.root / "etc/chatd/credentials/database_url").write_text(f"{url}\n")
    _execute(url, "INSERT INTO _chatd_migrations VALUES ('x', '9999_future', now())")
    tree = machine.tree()
    refused = machine.run("install", "--rollback")
    assert refused.returncode == 1
    assert "cannot return to 0." in refused.stderr
    assert "the database has a newer schema (9999_future)" in refused.stderr
    assert machine.tree() == tree

    _execute(url, "DELETE FROM _chatd_migrations WHERE migration_id = '9999_future'")
    would = machine.steps(machine.install("--rollback", "--dry-run"))
    assert all(step.startswith("would ") for step in would)
    assert not any("remove" in step for step in would)
    assert machine.tree() == tree
    output = machine.install("--rollback")
    assert f"chatd went back from {after} to {before}." in output
    assert (_release(machine), (machine.root / unit).read_text()) == (before, old_unit)
    machine.install("--rollback")
    assert (_release(machine), (machine.root / unit).read_text()) == (after, new_unit)
    assert machine.steps(machine.install()) == []


def _execute(url: str, statement: str) -> None:
    connection = psycopg2.connect(url)
    with connection, connection.cursor() as cur:
        cur.execute(statement)
    connection.close()


def test_conflicting_ports_are_refused(machine: Machine) -> None:
    settings = machine.root / "etc/chatd/.env"
    for number, text in (
        (1801, "gives chatd@1 the port 1802, which chatd@2.socket uses"),
        (65534, "gives chatd@2 the port 65536, which exceeds 65535"),
    ):
        settings.write_text(f"METRICS_PORT={number}\n")
        before = machine.tree()
        refused = machine.run("install", "--instances", "2")
        assert refused.returncode == 1
        assert text in refused.stderr
        assert "nothing was started" in refused.stderr
        assert machine.tree() == before
    with socket.create_server(("127.0.0.1", 0)) as foreign:
        port = foreign.getsockname()[1]
        settings.write_text(f"METRICS_PORT={port - 1}\n")
        refused = machine.run("install", "--instances", "1", "--first", "1")
        assert f"gives chatd@1 the port {port}, which another program uses" in refused.stderr
    settings.write_text("METRICS_PORT=http\n")
    assert "METRICS_PORT" in machine.run("install").stderr
    settings.write_text(f"METRICS_PORT={port - 1}\n")
    machine.install("--instances", "1", "--first", "1")


def test_failed_step_is_named(machine: Machine) -> None:
    unit = machine.root / "etc/systemd/system/chatd.target"
    unit.unlink()
    unit.mkdir()
    (unit / "in the way").touch()
    failed = machine.run("install")
    assert failed.returncode == 1
    assert f"install: this step failed: write {unit}\n" in failed.stderr


@pytest.mark.parametrize("script", ["install", "uninstall"])
def test_two_runs_at_the_same_time_are_refused(machine: Machine, script: str) -> None:
    """Both would write to the same release, which may be active already."""
    tree = machine.tree()
    held = os.open(machine.root, os.O_RDONLY)
    fcntl.flock(held, fcntl.LOCK_EX)
    refused = machine.run(script)
    assert refused.returncode == 1
    assert "another run of scripts/install or scripts/uninstall" in refused.stderr
    assert machine.tree() == tree
    assert machine.run(script, "--dry-run").returncode == 0
    os.close(held)
    assert machine.run(script).returncode == 0


def test_foreign_installation_is_not_touched(tmp_path: Path) -> None:
    (tmp_path / "opt/chatd/bin").mkdir(parents=True)
    refused = Machine(tmp_path, repository()).run("install")
    assert refused.returncode == 1
    assert "not by this script" in refused.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["opt"]


def test_uninstall_keeps_data_and_settings(machine: Machine) -> None:
    before = machine.tree()
    output = machine.steps(machine.uninstall("--dry-run", "--purge"))
    assert all(step.startswith("would ") for step in output)
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


def test_purge_removes_all_files(machine: Machine) -> None:
    before = machine.tree()
    refused = machine.run("uninstall", "--purge")
    assert refused.returncode == 2
    assert "--purge needs --yes" in refused.stderr
    assert machine.tree() == before

    machine.uninstall("--purge", "--yes")
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
def test_usage_errors(tmp_path: Path, words: str, complaint: str) -> None:
    said = Machine(tmp_path, repository()).run("install", *words.split())
    assert said.returncode == 2
    assert complaint in said.stderr
