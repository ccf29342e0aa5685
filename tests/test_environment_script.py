"""scripts/environment: which Python the other scripts use."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import repository

VERSION = f"{sys.version_info.major}.{sys.version_info.minor}"


def named_python(name: str, **variables: str) -> subprocess.CompletedProcess[str]:
    script = repository() / "scripts" / "environment"
    return subprocess.run(
        ["sh", "-c", '. "$1" && named_python "$2"', "scripts/test", script, name],
        capture_output=True,
        check=False,
        env={**os.environ, **variables},
        text=True,
    )


@pytest.fixture
def pyenv(tmp_path: Path) -> dict[str, str]:
    """A pyenv with this Python. Its command exists, and fails because it is not selected."""
    command = tmp_path / "shims" / f"python{VERSION}"
    command.parent.mkdir()
    command.write_text("#!/bin/sh\nexit 127\n")
    command.chmod(0o755)
    for version in (f"{VERSION}0.1", f"{VERSION}.1"):
        installed = tmp_path / "versions" / version / "bin" / "python"
        installed.parent.mkdir(parents=True)
        installed.symlink_to(sys.executable)
    return {"PATH": f"{command.parent}:{os.environ['PATH']}", "PYENV_ROOT": str(tmp_path)}


def test_version_that_pyenv_has_installed_is_found(pyenv: dict[str, str]) -> None:
    found = named_python(VERSION, **pyenv)
    assert found.stdout == f"{pyenv['PYENV_ROOT']}/versions/{VERSION}.1/bin/python\n"
    assert (found.returncode, found.stderr) == (0, "")


def test_interpreter_is_used_from_its_path() -> None:
    assert named_python(sys.executable).stdout == f"{sys.executable}\n"


@pytest.mark.parametrize("name", ["3.99", "/nowhere/python", "*"])
def test_missing_interpreter_is_named(name: str, pyenv: dict[str, str]) -> None:
    found = named_python(name, **pyenv)
    named = f"python{name}" if name[0].isdigit() else name
    assert found.returncode == 1
    assert found.stderr == f"test: there is no {named}, or it is older than Python 3.11.\n"
