"""Keywords: finding those of a rule in a text, except inside its allowed words.

`cat` matches the word, `cat*` the beginning of a word, `*cat` its end, and `*cat*` any place. A
word consists of letters, digits, marks and underscores. A text is read from left to right; of the
keywords that begin at one place, the longest counts. A keyword inside an allowed word does not
count. With a wildcard, an allowed word covers the whole word that it begins or ends: after
`example.org/*` and before `*@example.org` that is the next one.

Rule: Discord docs, Auto Moderation resource, "Keyword Matching Strategies". Discord documents white
space around whole words; here punctuation ends a word too, as otherwise a full stop would hide it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from ahocorasick_rs import AhoCorasick, MatchKind

from chatd.automod.folding import MARK, fold_keyword, is_word, plain

WILDCARD: Final = "*"

_WINDOW: Final = 512
"""Characters that are searched at once. Most rules need only the first match; a text that consists
of matches would return thousands of them."""

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Found:
    """A keyword that was found, as the rule has it, and as it is in the collapsed text."""

    keyword: str
    content: str
    start: int
    """Characters before it."""


class Keyword:
    """A keyword as it is searched in folded texts."""

    __slots__ = ("is_open_end", "is_open_start", "pattern", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        """The keyword as the rule has it."""
        folded = fold_keyword(text.strip(WILDCARD))
        self.is_open_start = text.startswith(WILDCARD)
        self.is_open_end = text.endswith(WILDCARD)
        starts = folded and not self.is_open_start and is_word(folded[0])
        ends = folded and not self.is_open_end and is_word(folded[-1])
        self.pattern = f"{MARK * bool(starts)}{folded}{MARK * bool(ends)}"
        """What a folded text must contain. Empty if nothing is left of the keyword."""


def is_searchable(text: str) -> bool:
    """Return whether anything is left of a keyword without wildcards and invisible characters."""
    return bool(Keyword(text).pattern)


class KeywordMatcher:
    """Finds the keywords of one rule, in time proportional to the length of the text."""

    def __init__(self, keywords: Iterable[str], allowed: Iterable[str]) -> None:
        self._keywords = _Automaton(keywords)
        self._allowed = _Automaton(allowed)

    @property
    def has_allowed(self) -> bool:
        """Whether there are allowed words, which make a search take longer."""
        return bool(self._allowed.keywords)

    @property
    def size_bytes(self) -> int:
        """About how much memory the matcher takes."""
        return self._keywords.size_bytes + self._allowed.size_bytes

    def search(self, folded: str) -> Found | None:
        """Return the first keyword in a folded text that is outside of allowed words."""
        if not self._allowed.keywords:
            found = self._keywords.first(folded)
        else:
            found = self._first_outside(folded)
        if found is None:
            return None
        index, start, end = found
        before, matched = plain(folded[:start]), plain(folded[start:end])
        return Found(self._keywords.keywords[index].text, matched, len(before))

    def is_allowed(self, folded: str) -> bool:
        """Return whether an allowed word covers the whole folded text, without its outer marks."""
        inner_start, inner_end = _edge(folded, left=True), _edge(folded, left=False)
        return any(
            start <= inner_start and end >= inner_end for start, end in self._covered(folded)
        )

    def around_allowed(self, folded: str) -> tuple[int, int] | None:
        """Return how much of a folded text without white space only wildcards would cover.

        That is the number of characters before and behind an allowed word, which is there with a
        wildcard behind punctuation at each side that has some. None if there is no such word.
        """
        inner_start, inner_end = _edge(folded, left=True), _edge(folded, left=False)
        for index, start, end in () if " " in folded else self._allowed.all(folded):
            keyword = self._allowed.keywords[index]
            # `x.org*` must not cover the dot and more in x.org.evil.example.
            is_wide_start = keyword.is_open_start and not is_word(folded[start])
            is_wide_end = keyword.is_open_end and not is_word(folded[end - 1])
            begins = is_wide_start or start <= inner_start
            if begins and (is_wide_end or end >= inner_end):
                return len(plain(folded[:start])), len(plain(folded[end:]))
        return None

    def _first_outside(self, folded: str) -> tuple[int, int, int] | None:
        found = self._keywords.all(folded)
        if not found:
            return None
        covered = self._covered(folded)
        at = 0
        for each in found:
            _, start, end = each
            while at < len(covered) and covered[at][1] < end:
                at += 1
            if at == len(covered) or covered[at][0] > start:
                return each
        return None

    def _covered(self, folded: str) -> list[Span]:
        """Return the parts of a folded text that allowed words cover, in order.

        None of them contains another, so both their starts and their ends increase.
        """
        covered: list[Span] = []
        for index, start, end in self._allowed.all(folded):
            if covered and start < covered[-1][1] and end <= covered[-1][1]:
                continue  # inside a word that is covered already
            keyword = self._allowed.keywords[index]
            if keyword.is_open_start:
                start = _begin_of_word(folded, start)  # noqa: PLW2901
            if keyword.is_open_end:
                end = _end_of_word(folded, end)  # noqa: PLW2901
            while covered and covered[-1][0] >= start:
                covered.pop()
            covered.append((start, end))
        return covered


class _Automaton:
    """Finds several keywords at once: at each place the longest, without overlaps."""

    def __init__(self, texts: Iterable[str]) -> None:
        by_pattern = {keyword.pattern: keyword for keyword in map(Keyword, texts)}
        by_pattern.pop("", None)
        self.keywords: Sequence[Keyword] = list(by_pattern.values())
        self._longest = max(map(len, by_pattern), default=0)
        self._automaton = (
            AhoCorasick(list(by_pattern), matchkind=MatchKind.LeftmostLongest, store_patterns=False)
            if by_pattern
            else None
        )

    @property
    def size_bytes(self) -> int:
        """About how much memory the automaton takes: some 30 bytes for each byte of a keyword."""
        return sum(30 * len(each.pattern.encode()) for each in self.keywords)

    def all(self, folded: str) -> list[tuple[int, int, int]]:
        """Return the index, the start and the end of each match."""
        return [] if self._automaton is None else self._automaton.find_matches_as_indexes(folded)

    def first(self, folded: str) -> tuple[int, int, int] | None:
        """Return the first match."""
        if self._automaton is None:
            return None
        step = _WINDOW + self._longest
        for begin in range(0, len(folded), _WINDOW):
            found = self._automaton.find_matches_as_indexes(folded[begin : begin + step])
            if found and found[0][1] < _WINDOW:  # later ones may be cut; the next window has them
                index, start, end = found[0]
                return index, begin + start, begin + end
        return None


def _begin_of_word(folded: str, start: int) -> int:
    """Return where the word begins that a place is in, or that is right before it."""
    if not is_word(folded[start]) and is_word(folded[start - 2]):  # a mark is between them
        start -= 1
    return folded.rfind(MARK, 0, start)


def _end_of_word(folded: str, end: int) -> int:
    """Return where the word ends that a place is in, or that is right behind it."""
    if not is_word(folded[end - 1]) and is_word(folded[end + 1]):
        end += 1
    return folded.find(MARK, end) + 1


def _edge(folded: str, *, left: bool) -> int:
    inner = folded.lstrip(MARK) if left else folded.rstrip(MARK)
    return len(folded) - len(inner) if left else len(inner)
