"""Terms and index keys of a search."""

from __future__ import annotations

import pytest

from chatd.core.search import Range, terms, text_keys


@pytest.mark.parametrize(
    ("content", "wanted"),
    [
        ("", []),
        ("  \t ", []),
        ("one two", ["one", "two"]),
        ('"one two" three', ["one two", "three"]),
        ('one"two three"', ['one"two', 'three"']),
        ('"one', ['"one']),
        ('""', []),
        ('" " x', ["x"]),
        ("猫　犬", ["猫", "犬"]),
    ],
)
def test_terms_are_words_and_quoted_phrases(content: str, wanted: list[str]) -> None:
    assert terms(content) == wanted


def test_text_keys_of_words_and_parts() -> None:
    assert text_keys(["abcd"]) == [Range("abc", "abc"), Range("bcd", "bcd")]
    [short] = text_keys(["ab"])
    assert all(short.low <= key <= short.high for key in ("ab", "abc", "ab\U0010ffff"))
    assert not any(short.low <= key <= short.high for key in ("a", "aa", "ac", "b"))
    assert text_keys(["abc d  e", "abc"]) == [*text_keys(["abc"]), *text_keys(["d", "e"])]
    assert len(text_keys(["".join(chr(500 + number) for number in range(1000))])) == 16
