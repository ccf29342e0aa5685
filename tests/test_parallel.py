"""`scripts/test` runs the files in several processes that one process has forked."""

from __future__ import annotations

import os
import subprocess
import sys
from configparser import ConfigParser
from pathlib import Path

import pytest

from tests.conftest import repository

COMMON = """
import os
import pytest

@pytest.fixture(scope="session")
def shared():
    with open("begun", "a") as file:
        file.write(f"{os.getpid()}\\n")
    yield os.getpid()
    with open("ended", "a") as file:
        file.write(f"{os.getpid()}\\n")
"""

MARKER = """
def pytest_configure(config):
    config.addinivalue_line("markers", "few_processes: as in the suite")
"""

FIRST = """
import warnings

def test_one(shared, tmp_path):
    (tmp_path / "file").touch()
    print("output of one")

def test_two(shared):
    warnings.warn("unusual")
    assert shared == 0, "wrong"
"""

SECOND = """
import pytest

@pytest.mark.parametrize("number", range(3))
def test_many(shared, number, tmp_path):
    print(f"output of {number}")
    assert number != 1

@pytest.mark.skip(reason="not today")
def test_skipped():
    pass
"""

ENDING = """
import os

def test_before(): pass

def test_end(): os._exit(7)

def test_after(): pass
"""


ENDLESS = """
import asyncio
import uvloop

def test_endless(): uvloop.run(asyncio.Event().wait())
"""

SOON_ENDLESS = """
import time
import pytest

def test_before(): time.sleep(0.2)

@pytest.mark.timeout(1)
def test_endless(): time.sleep(1000)
"""

BEFORE_A_SLOW_ONE = """
import pytest

@pytest.mark.timeout(1)
def test_before(): pass
"""

FEW = """
import os
import pytest

@pytest.mark.few_processes
def test_few():
    with open("ran", "a") as file:
        file.write(f"{os.getpid()}\\n")
"""

UNTIL_FEW_HAVE_RUN = """
import time
from pathlib import Path

def test_until_few_have_run():
    while not Path("ran").exists() or len(Path("ran").read_text().splitlines()) < 4:
        time.sleep(0.02)

# A process takes its next file when it begins the last test of one.
def test_last(): pass
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with two files of tests."""
    (tmp_path / "conftest.py").write_text(COMMON)
    (tmp_path / "test_first.py").write_text(FIRST)
    (tmp_path / "test_second.py").write_text(SECOND)
    return tmp_path


def run(folder: Path, *words: str, processes: int = 2) -> tuple[int, str]:
    """Run the tests of the folder; return the exit code and the output."""
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-rA"),
            *("-p", "tests.helpers.parallel", "--processes", str(processes)),
            *("--rootdir", str(folder), "--basetemp", str(folder / "base"), *words),
        ],
        cwd=folder,
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join([str(repository()), *sys.path]),
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",  # none is used, and they take a second to import
        },
        capture_output=True,
        check=False,
        text=True,
    )
    return done.returncode, done.stdout + done.stderr


def results(output: str) -> list[str]:
    """Return the lines of the summary, without the reasons."""
    kinds = ("PASSED", "FAILED", "SKIPPED", "ERROR")
    found = [line for line in output.splitlines() if line.startswith(kinds)]
    return sorted(line.partition(" - ")[0] for line in found)


def test_results_are_those_of_one_process(folder: Path) -> None:
    code, output = run(folder)
    assert code == 1
    assert results(output) == [
        "FAILED test_first.py::test_two",
        "FAILED test_second.py::test_many[1]",
        "PASSED test_first.py::test_one",
        "PASSED test_second.py::test_many[0]",
        "PASSED test_second.py::test_many[2]",
        "SKIPPED [1] test_second.py:9: not today",
    ]
    assert "2 failed, 3 passed, 1 skipped, 1 warning" in output
    assert output.count("output of one") == 1
    dots = [line for line in output.splitlines() if line.endswith("[100%]")]
    assert [sorted(line.split()[0]) for line in dots] == [sorted("...sFF")]
    assert "unusual" in output
    assert "AssertionError: wrong" in output


def test_session_fixtures_begin_and_end_once_in_each_process(folder: Path) -> None:
    run(folder)
    begun = (folder / "begun").read_text().split()
    assert 1 <= len(begun) <= 2  # one process can be quick enough to run both files
    assert sorted(begun) == sorted((folder / "ended").read_text().split())
    assert len([*folder.glob("base/*/test_one0/file")]) == 1


def test_files_of_few_processes_are_run_by_two(folder: Path) -> None:
    (folder / "conftest.py").write_text(COMMON + MARKER)
    names = [f"test_few{number}.py" for number in range(4)]
    for name in names:
        (folder / name).write_text(FEW)
    (folder / "test_other.py").write_text(UNTIL_FEW_HAVE_RUN)
    code, output = run(folder, *names, "test_other.py", processes=3)
    assert code == 0, output
    assert len(set((folder / "ran").read_text().split())) <= 2


def test_end_of_a_process_fails_its_tests(folder: Path) -> None:
    (folder / "test_ending.py").write_text(ENDING)
    code, output = run(folder)
    assert code == 1
    found = results(output)
    assert "PASSED test_ending.py::test_before" in found
    assert "FAILED test_ending.py::test_end" in found
    assert "FAILED test_ending.py::test_after" in found
    assert "PASSED test_second.py::test_many[2]" in found
    assert "its process has ended with code 7" in output


def test_test_that_waits_for_ever_fails(folder: Path) -> None:
    (folder / "test_endless.py").write_text(ENDLESS)
    code, output = run(folder, *timeouts("1"))
    assert code == 1
    assert "FAILED test_endless.py::test_endless" in results(output)
    assert "PASSED test_second.py::test_many[2]" in results(output)


def test_shorter_timeout_than_that_of_the_test_before_is_kept(folder: Path) -> None:
    (folder / "test_endless.py").write_text(SOON_ENDLESS)
    code, output = run(folder, *timeouts("500"), "test_endless.py", processes=1)
    assert code == 1
    found = results(output)
    assert "PASSED test_endless.py::test_before" in found
    assert "FAILED test_endless.py::test_endless" in found


def test_test_may_take_its_time_after_a_short_one(folder: Path) -> None:
    (folder / "test_slow.py").write_text("import time\n\ndef test_slow(): time.sleep(2)")
    (folder / "test_before.py").write_text(BEFORE_A_SLOW_ONE)
    code, output = run(folder, *timeouts("500"), "test_before.py", "test_slow.py", processes=1)
    assert code == 0, output


def timeouts(timeout: str) -> list[str]:
    """Return the options for this timeout, in seconds, by the method of the suite."""
    settings = ConfigParser()
    settings.read(repository() / "setup.cfg")
    method = settings["tool:pytest"]["timeout_method"]
    plugins = ["-p", "pytest_timeout", "-p", "tests.helpers.timeouts"]
    return [*plugins, "--timeout", timeout, "--timeout-method", method]


def test_first_failure_ends_the_run(folder: Path) -> None:
    (folder / "test_a_failure.py").write_text("def test_it(): assert False")
    code, output = run(folder, "--exitfirst", processes=1)
    assert code == 1
    assert results(output) == ["FAILED test_a_failure.py::test_it"]
    assert "stopping after 1 failures" in output


def test_no_tests_are_no_success(folder: Path) -> None:
    code, _ = run(folder, "-k", "nothing")
    assert code == 5
