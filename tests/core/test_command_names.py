"""Names of commands and options."""

from __future__ import annotations

import unicodedata

import pytest
import regex
from hypothesis import assume, given
from hypothesis import strategies as st

from chatd.core import command_names

DOCUMENTED = regex.compile(r"^[-_'\p{L}\p{N}\p{sc=Deva}\p{sc=Thai}]{1,32}$")
"""The expression of Discord's documentation."""

VALID = [
    "ping",
    "a-b_c'd",
    "2048",
    "日本語",
    "ß",
    "straße",
    "ไทย",
    "หนึ่ง",
    "हिन्दी",
    "x" * 32,
    "²",
    "ǆ",
]
INVALID = ["", "Ping", "a b", "a.b", "Ä", "x" * 33, "😀", "a\0", "ping\n", "ǅ", "क।"]


@pytest.mark.parametrize("name", VALID)
def test_valid_names(name: str) -> None:
    assert command_names.is_valid(name)


@pytest.mark.parametrize("name", INVALID)
def test_invalid_names(name: str) -> None:
    assert not command_names.is_valid(name)


def _is_known(character: str) -> bool:
    """Return whether the Unicode version of this Python has a character: `regex` has a newer one.

    Surrogates and characters of private use have categories, too.
    """
    return unicodedata.category(character) != "Cn"


@given(st.one_of(st.text(max_size=40), st.text(st.characters(categories=("L", "N")), max_size=8)))
def test_names_agree_with_the_documented_expression(name: str) -> None:
    assume(all(map(_is_known, name)))
    documented = DOCUMENTED.fullmatch(name) is not None and name == name.lower()
    if regex.search(r"[\p{sc=Deva}\p{sc=Thai}--[\p{L}\p{N}]]", name, regex.V1):
        return  # the next test has those
    assert command_names.is_valid(name) == documented


def test_marks_of_both_scripts() -> None:
    for point in (*range(0x0900, 0x0980), *range(0x0E00, 0x0E80), *range(0xA8E0, 0xA900)):
        character = chr(point)
        assert command_names.is_valid(character) == bool(DOCUMENTED.fullmatch(character)), hex(
            point
        )
