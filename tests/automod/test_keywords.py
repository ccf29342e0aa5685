"""Keywords against a plain definition of what they match."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatd.automod.folding import collapse, fold
from chatd.automod.keywords import KeywordMatcher, is_searchable


@pytest.mark.parametrize(
    ("keyword", "matching", "others"),
    [
        ("cat", ["cat", "A CAT!", "cat.", "(cat)", "fat\ncat", "cat-dog"], ["catch", "concat"]),
        ("cat*", ["catch", "Catapult", "CAttLE", "cat"], ["concat", "education"]),
        ("*cat", ["wildcat", "copyCat", "cat"], ["catch", "education"]),
        ("*cat*", ["cat", "location", "eduCation"], ["ca t", "dog"]),
        ("the mat", ["on the mat", "The  Mat!"], ["the matrix", "breathe mat", "the, mat"]),
        ("the mat*", ["the matrix"], ["breathe mat"]),
        ("*the mat", ["breathe mat"], ["the matrix"]),
        ("@x", ["@x", "to@x", "@x!"], ["@xy"]),
        ("c++", ["c++", "(C++)", "c++x"], ["c+", "xc++"]),
        ("straße", ["STRASSE", "Straße"], ["strassen"]),
        ("ﬁne", ["fine", "ＦＩＮＥ"], ["finer"]),
        ("नमस्ते", ["नमस्ते!"], ["नमस"]),
        ("नमस", ["नमस"], ["नमस्ते"]),
    ],
)
def test_keyword_matches_as_documented(
    keyword: str, matching: Sequence[str], others: Sequence[str]
) -> None:
    matcher = KeywordMatcher([keyword], [])
    assert [text for text in matching if matcher.search(fold(text)) is None] == []
    assert [text for text in others if matcher.search(fold(text)) is not None] == []


@pytest.mark.parametrize(
    "text",
    [
        *(
            "c\u200bat",
            "c\u00adat",
            "ca\ufe0ft",
            "c\u2060a\u200dt",
            "ｃａｔ",
            "𝐜𝐚𝐭",
            "\ufdfacat\ufdfb",
        ),
        *("c\u034fat", "c\u180bat", "ca\U000e0100t", "c\u17b4at", "c\u1160at"),  # ignorable, not Cf
        *("c\x01at", "c\x1fat", "c\x7fa\x85t"),  # control characters
        *("c\u0336a\u0336t\u0336", "c\u20e0at", "ca\u0332\u0332t"),  # strokes and lines
        *("\u3164cat\u2800dog", "the\x01 cat"),
    ],
)
def test_hidden_keyword_is_found(text: str) -> None:
    assert KeywordMatcher(["cat"], []).search(fold(text)) is not None


@pytest.mark.parametrize(
    ("keywords", "allowed", "free", "bad"),
    [
        (["*ass*"], ["class"], ["class", "a CLASS, a class"], ["classy", "class ass", "ass"]),
        (["*ass*"], ["class*"], ["classy", "classical"], ["class grass"]),
        (["*shi*"], ["*shire"], ["Worcestershire"], ["shi"]),
        (["*shi*"], ["*cester*"], ["worcestershire"], ["shire"]),
        (["the dog"], ["dog"], ["dog"], ["the dog"]),
        (["dog"], ["the dog"], ["the dog", "the dog!"], ["a dog", "the dog dog"]),
        (["cat"], ["cat"], ["cat"], []),
        (["*bad*"], ["x.org/*"], ["x.org/bad"], ["x.org/ bad", "x.org/a/bad", "bad x.org/"]),
        (["*bad*"], ["*@x.org"], ["bad@x.org"], ["bad @x.org", "bad.b@x.org"]),
        (["dog", "dog food"], ["dog"], ["dog", "dog, food"], ["dog food"]),
    ],
)
def test_keyword_inside_an_allowed_word_does_not_count(
    keywords: list[str], allowed: list[str], free: list[str], bad: list[str]
) -> None:
    matcher = KeywordMatcher(keywords, allowed)
    assert [text for text in free if matcher.search(fold(text)) is not None] == []
    assert [text for text in bad if matcher.search(fold(text)) is None] == []


@pytest.mark.parametrize("text", ["*", "***", "", "\u200b", "*\u200b*"])
def test_nothing_to_search_is_recognized(text: str) -> None:
    assert not is_searchable(text)
    assert KeywordMatcher([text], [text]).search(fold("anything *")) is None


def test_long_text_of_matches_is_searched_in_windows() -> None:
    matcher = KeywordMatcher(["needle", "x" * 60], [])
    found = matcher.search(fold("hay " * 999 + "Needle"))
    assert found is not None
    assert (found.keyword, found.content, found.start) == ("needle", "needle", 3996)
    at_border = matcher.search(fold("h" * 500 + " " + "x" * 60))
    assert at_border is not None
    assert at_border.start == 501


# The plain definition: every place of every keyword, by comparing texts.

Place = tuple[int, int]
"""Where a match begins and ends, in quarters of characters: an edge of a word is one quarter."""


def _is_word(character: str) -> bool:
    category = unicodedata.category(character)
    return category[0] in "LNM" or category == "Pc"


def _is_edge(text: str, at: int) -> bool:
    """Return whether a word begins or ends before this character."""
    if at in (0, len(text)):
        return True
    return not (_is_word(text[at - 1]) and _is_word(text[at]))


def _places(text: str, keyword: str) -> Iterator[Place]:
    core = collapse(keyword.strip("*"))
    for at in range(len(text) - len(core) + 1) if core else ():
        end = at + len(core)
        is_there = text[at:end] == core
        starts = keyword.startswith("*") or _is_edge(text, at)
        ends = keyword.endswith("*") or _is_edge(text, end)
        if is_there and starts and ends:
            has_left = not keyword.startswith("*") and _is_word(core[0])
            has_right = not keyword.endswith("*") and _is_word(core[-1])
            yield 4 * at - has_left, 4 * end - 2 + has_right


def _longest_from_the_left(text: str, keywords: Sequence[str]) -> list[tuple[Place, str]]:
    every = [(place, keyword) for keyword in keywords for place in _places(text, keyword)]
    chosen: list[tuple[Place, str]] = []
    for place, keyword in sorted(every, key=lambda each: (each[0][0], -each[0][1])):
        if not chosen or place[0] >= chosen[-1][0][1]:
            chosen.append((place, keyword))
    return chosen


def _covered(text: str, place: Place, keyword: str) -> Place:
    start, end = place
    first, last = (start + 1) // 4, (end + 1) // 4
    if keyword.startswith("*") and (_is_word(text[first]) or (first and _is_word(text[first - 1]))):
        while first and _is_word(text[first - 1]):
            first -= 1
        start = 4 * first - 1
    follows = last + 1 < len(text) and _is_word(text[last + 1])
    if keyword.endswith("*") and (_is_word(text[last]) or follows):
        while last + 1 < len(text) and _is_word(text[last + 1]):
            last += 1
        end = 4 * last + 3
    return start, end


def _is_triggered(text: str, keywords: Sequence[str], allowed: Sequence[str]) -> bool:
    text = collapse(text)
    covered = [_covered(text, *each) for each in _longest_from_the_left(text, allowed)]
    return any(
        not any(start <= place[0] and place[1] <= end for start, end in covered)
        for place, _ in _longest_from_the_left(text, keywords)
    )


letters = st.text(alphabet="ab@ _-é\n", max_size=14)
words = st.text(alphabet="ab@ _é", min_size=1, max_size=4)
keywords = st.builds(
    lambda start, word, end: f"{start}{word}{end}",
    st.sampled_from(["", "*"]),
    words,
    st.sampled_from(["", "*"]),
)


@given(letters, st.lists(keywords, max_size=4))
def test_keywords_match_as_defined(text: str, wanted: list[str]) -> None:
    found = KeywordMatcher(wanted, []).search(fold(text))
    expected = any(place for keyword in wanted for place in _places(collapse(text), keyword))
    assert (found is not None) == expected


@given(letters, st.lists(keywords, max_size=4), st.lists(keywords, max_size=4))
def test_allowed_words_exempt_as_defined(text: str, wanted: list[str], allowed: list[str]) -> None:
    found = KeywordMatcher(wanted, allowed).search(fold(text))
    assert (found is not None) == _is_triggered(text, wanted, allowed)


@given(letters, st.lists(keywords, max_size=4), st.lists(keywords, max_size=4))
def test_allowed_words_trigger_nothing_by_themselves(
    text: str, wanted: list[str], allowed: list[str]
) -> None:
    if KeywordMatcher(wanted, []).search(fold(text)) is None:
        assert KeywordMatcher(wanted, allowed).search(fold(text)) is None
