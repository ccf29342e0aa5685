"""The lists of test modules name modules that exist, and commands run those they should."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.conftest import repository
from tests.helpers import module_lists


@pytest.mark.parametrize("kind", ["PROCESS_MODULES", "LONGEST_MODULES", "SLOW_MODULES"])
def test_lists_name_modules_that_exist(kind: str) -> None:
    folder = repository() / "tests"
    names = getattr(module_lists, kind)
    assert names
    missing = [
        name
        for name in names
        if not (folder / f"{name}.py").is_file() and not (folder / name).is_dir()
    ]
    assert missing == [], "tests/helpers/module_lists.py has the name of no module"


def test_continuous_integration_runs_slow_tests() -> None:
    last = (repository() / ".ci" / "run").read_text().splitlines()[-1]
    assert last.endswith('/scripts/test" --all')


@pytest.mark.parametrize(
    ("arguments", "marks"),
    [
        ([], "not soak and not (process and slow)"),
        (["--fast"], "(unit or api) and not slow"),
        (["--all"], "not soak"),
        (["tests/test_install.py"], "not soak"),
        (["--fast", "-k", "invites"], "(unit or api) and not slow"),
    ],
)
def test_script_selects_by_marks(tmp_path: Path, arguments: list[str], marks: str) -> None:
    shutil.copytree(repository() / "scripts", tmp_path / "scripts")
    for name in ("setup.cfg", "setup.py"):
        shutil.copy(repository() / name, tmp_path)
    programs = tmp_path / ".venv" / "bin"
    programs.mkdir(parents=True)
    for name in ("python", "ruff", "mypy"):
        program = programs / name
        program.write_text('#!/bin/sh\n[ "$1" = -c ] && echo 2 || printf "%s\\n" "$@" >>called\n')
        program.chmod(0o755)
    wanted = subprocess.run(
        ["sh", "-c", "cat setup.cfg setup.py scripts/locked/*.txt | cksum"],
        cwd=tmp_path,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.strip()
    installed = tmp_path / ".venv" / "installed-embedded,test"
    installed.write_text(f"{wanted} {tmp_path.resolve()}\n")
    subprocess.run(["sh", tmp_path / "scripts" / "test", *arguments], check=True, cwd=tmp_path)
    called = (tmp_path / "called").read_text().splitlines()
    assert called[called.index("-rs") + 1 :][:2] == ["-m", marks]
    rest = [each for each in arguments if each not in ("--fast", "--all")]
    assert called[called.index(marks) + 1 :][: len(rest)] == rest
