"""Usernames for people whom another system calls by other names."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatd.core import names
from chatd.core.suggested_names import suggestions, username


@pytest.mark.parametrize(
    ("given_name", "made"),
    [
        ("alice", "alice"),
        ("alice@example.org", "alice"),
        ("@alice", "alice"),
        ("  Alice   Liddell ", "Alice Liddell"),
        ("a:b#c`d", "a b c d"),
        ("Zoë", "Zoë"),
        ("x" * 100, "x" * 32),
        ("ali\u202ece", "alice"),
        ("a", None),
        ("everyone", None),
        ("deleted_user_1", None),
        ("\u3164\u3164", None),
        ("", None),
        ("@", None),
    ],
)
def test_name_is_made_valid(given_name: str, made: str | None) -> None:
    assert username(given_name) == made


_TEXTS = st.lists(st.text(max_size=300) | st.none() | st.integers(), max_size=4)


@given(_TEXTS)
def test_all_suggestions_are_valid(texts: list[object]) -> None:
    found = list(suggestions(texts))
    assert len(found) >= 6
    for each in found:
        assert names.normalize_username(each) == each


def test_later_suggestions_are_free_in_all_probability() -> None:
    first, *more = suggestions(["alice", "alice", None])
    assert first == "alice"
    assert all(each.startswith("alice") for each in more)
    assert len(set(more)) == len(more)
