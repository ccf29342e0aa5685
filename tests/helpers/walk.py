"""One test over many cases: `parametrize` for rules that hold for thousands of fields or routes.

A test of its own for each case takes milliseconds of pytest, several times as long as the case.
"""

from __future__ import annotations

import functools
import inspect
import os
import traceback
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest

_SHOWN_TRACEBACKS = 3
_MAX_CASE_LENGTH = 100  # characters of the name of a case
_ONLY = "TEST_CASE"

Test = Callable[..., Any]


def walk(names: str, cases: Iterable[Any]) -> Callable[[Test], Test]:
    """Call the decorated test for each case; fail at the end if a case failed.

    The arguments are those of `pytest.mark.parametrize`, and two walks make all combinations. All
    failed cases are named in the error. `TEST_CASE=text` calls the test only for cases whose name
    contains this text. Fixtures are made once: a test whose cases must not share one is
    parametrized.
    """
    parameters = tuple(name.strip() for name in names.split(","))
    listed = [(case,) if len(parameters) == 1 else tuple(case) for case in cases]
    assert listed, "a walk over nothing"

    def decorate(test: Test) -> Test:
        inner: _Walk | None = getattr(test, "walk", None)
        if inner is None:
            return _walked(_Walk(test, parameters, listed))
        both = [(*outer, *case) for outer in listed for case in inner.cases]
        return _walked(_Walk(inner.test, (*parameters, *inner.parameters), both))

    return decorate


@dataclass(frozen=True)
class _Walk:
    test: Test
    parameters: tuple[str, ...]
    cases: list[tuple[Any, ...]]

    def arguments(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield the name of each case that is wanted, and its arguments."""
        only = os.environ.get(_ONLY, "")
        for case in self.cases:
            name = _name(case)
            if only in name:
                yield name, dict(zip(self.parameters, case, strict=True))


def _walked(walk: _Walk) -> Test:
    walked: Test
    if inspect.iscoroutinefunction(walk.test):

        async def walked_async(**fixtures: Any) -> None:
            failures = _Failures(len(walk.cases))
            for name, arguments in walk.arguments():
                with failures.of(name):
                    await walk.test(**fixtures, **arguments)
            failures.check()

        walked = walked_async
    else:

        def walked_sync(**fixtures: Any) -> None:
            failures = _Failures(len(walk.cases))
            for name, arguments in walk.arguments():
                with failures.of(name):
                    walk.test(**fixtures, **arguments)
            failures.check()

        walked = walked_sync
    # What hypothesis has noted in the test is not copied: its plugin would take this for its own.
    functools.update_wrapper(walked, walk.test, updated=())
    signature = inspect.signature(walk.test)
    kept = [each for each in signature.parameters.values() if each.name not in walk.parameters]
    added = {"walk": walk, "__signature__": signature.replace(parameters=kept)}
    if marks := getattr(walk.test, "pytestmark", None):
        added["pytestmark"] = marks
    walked.__dict__ |= added
    return walked


class _Failures:
    """The cases of one test that have failed."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._found: list[tuple[str, BaseException]] = []

    @contextmanager
    def of(self, name: str) -> Iterator[None]:
        """Keep the failure of a case, instead of raising it."""
        try:
            yield
        except (Exception, pytest.fail.Exception) as error:
            self._found.append((name, error))

    def check(self) -> None:
        """Raise AssertionError if a case has failed."""
        if not self._found:
            return
        shown = self._found[:_SHOWN_TRACEBACKS]
        details = "\n".join(f"{name}\n{_traceback(error)}" for name, error in shown)
        named = "\n".join(f"  {name}: {_first_line(error)}" for name, error in self._found)
        count = f"{len(self._found)} of {self._count} cases failed"
        raise AssertionError(f"{details}\n{count}:\n{named}")


def _name(case: tuple[Any, ...]) -> str:
    texts = [value if isinstance(value, str) else repr(value) for value in case]
    return " ".join(text[:_MAX_CASE_LENGTH] for text in texts)


def _first_line(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}".partition("\n")[0]


def _traceback(error: BaseException) -> str:
    return "".join(traceback.format_exception(error))
