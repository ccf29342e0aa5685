"""Records: values like frozen dataclasses, which only mypy protects from assignments."""

from __future__ import annotations

import pytest

from chatd.core.records import record


@record(frozen=True, slots=True)
class _Point:
    x: int
    y: int = 0


def test_records_with_equal_fields_are_equal_and_have_the_same_hash() -> None:
    assert _Point(1) == _Point(1, 0)
    assert _Point(1) != _Point(2)
    assert len({_Point(1), _Point(1), _Point(2)}) == 2
    assert repr(_Point(1)) == "_Point(x=1, y=0)"


def test_record_has_no_other_fields() -> None:
    with pytest.raises(AttributeError):
        _Point(1).z = 1  # type: ignore[attr-defined]


def test_mypy_refuses_an_assignment() -> None:
    _Point(1).x = 2  # type: ignore[misc]  # mypy reports an unused comment if it allows this
