"""What is shipped: a wheel, built from the source archive, that works far from the checkout.

The new environment gets nothing but the wheel from pip. Its dependencies are those of this
environment, reached through a path file, so that the test is quick and asks no network.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import sysconfig
import time
import urllib.request
import venv
import zipfile
from pathlib import Path

import pytest

from chatd.db import migrations
from chatd.embedded.valkey import Valkey
from tests.conftest import repository
from tests.helpers.cli import REQUIRED_SETTINGS
from tests.helpers.databases import NewDatabase
from tests.helpers.servers import free_ports

NOT_SOURCE = shutil.ignore_patterns(".*", "var", "build", "dist", "*.egg-info", "__pycache__")


def run(*command: str | Path, cwd: Path, **environment: str) -> str:
    """Run a command without anything of this environment; returns what it says."""
    result = subprocess.run(
        command,
        cwd=cwd,
        env={"PATH": os.environ["PATH"], "HOME": str(cwd), **environment},
        capture_output=True,
        check=False,
        text=True,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built as for a release: of the source archive, not of the checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    shutil.copytree(repository(), source, ignore=NOT_SOURCE)  # building leaves things behind
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", folder, cwd=source)
    [built] = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The `bin` of an environment that has the wheel."""
    folder = tmp_path_factory.mktemp("installed") / "a folder"
    venv.create(folder, symlinks=True)
    python = folder / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--python", str(python), "--disable-pip-version-check"]
    run(*pip, "install", "--no-index", "--no-deps", wheel, cwd=folder)
    paths = {name: sysconfig.get_path(name) for name in ("purelib", "platlib")}
    [packages] = (folder / "lib").glob("python*/site-packages")
    (packages / "dependencies.pth").write_text("\n".join(sorted(set(paths.values()))))
    return folder / "bin"


def test_wheel_contains_code_migrations_and_license(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        for file in (repository() / "sql").glob("*.sql"):
            assert archive.read(f"chatd/sql/{file.name}") == file.read_bytes()
        for file in (repository() / "chatd/core").glob("*.txt"):
            assert archive.read(f"chatd/core/{file.name}") == file.read_bytes()
    code = [*(repository() / "chatd").rglob("*.py"), *(repository() / "chatd").rglob("static/*")]
    code += [
        each
        for each in (repository() / "chatd/webclient").rglob("*.*")
        if each.is_file() and each.suffix != ".pyc"
    ]
    assert {path.relative_to(repository()).as_posix() for path in code} - names == set()
    assert {name.split("/")[0].split("-")[0] for name in names} == {"chatd"}
    assert any(name.endswith("/LICENSE") for name in names)


def test_installed_wheel_migrates_and_serves(
    installed: Path,
    tmp_path: Path,
    new_database: NewDatabase,
    valkey: Valkey,
) -> None:
    where = run(installed / "python", "-c", "import chatd; print(chatd.__file__)", cwd=tmp_path)
    assert where.startswith(str(installed.parent))

    url = new_database("from_the_wheel")
    api, gateway = map(str, free_ports(2))
    settings = {"API_PORT": api, "GATEWAY_PORT": gateway, "REDIS_URL": valkey.url}
    settings = {**REQUIRED_SETTINGS, **settings, "DATABASE_URL": url}
    run(installed / "chatd", "migrate", cwd=tmp_path, **settings)
    assert migrations.pending(url) == []

    with subprocess.Popen([installed / "chatd", "serve"], cwd=tmp_path, env=settings) as server:
        try:
            deadline = time.monotonic() + 120
            while server.poll() is None and time.monotonic() < deadline:
                with (
                    contextlib.suppress(OSError),
                    urllib.request.urlopen(f"http://127.0.0.1:{api}/health/ready") as answer,
                ):
                    assert answer.status == 200
                    break
                time.sleep(0.05)
            else:
                pytest.fail("it is never ready")
            server.send_signal(signal.SIGTERM)
            assert server.wait(30) == 0
        finally:
            server.kill()
