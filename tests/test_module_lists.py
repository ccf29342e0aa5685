"""The lists of test modules name modules that exist, and continuous integration runs them all."""

from __future__ import annotations

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
