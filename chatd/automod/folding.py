"""Folded texts: without case, width, invisible characters and repeated white space.

A folded text has marks at the edges of its words. So a keyword that must begin or end with a word
is a plain substring, and one automaton finds all keywords of a rule in one pass (`keywords`).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from typing import Final

from chatd.core.names import INVISIBLE

MARK: Final = "\0"
"""The mark at the edge of a word. No message contains this character: Postgres cannot store it."""

_MAX_GROWTH: Final = 3
"""Characters that one may become by NFKC. The few that become more, up to 18, are words of their
own in one character, so they count as spaces; a message of them would become very long."""

_BLANK: Final = "\u2800\u3164\uffa0\ufffc\U0001d159\U00013441\U00013442\U00016fe4"
"""Characters as wide as others in which nothing is drawn: readers take them for spaces."""

_DECORATION: Final = re.compile(
    "[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]"
)
"""Combining marks that belong to no language of their own. Those of a letter with an accent are
part of it by NFKC; the others, such as strokes, only decorate."""

_MAX_CACHED: Final = 20_000
"""Characters whose folding is kept. All characters of Unicode would take 100 MB."""


class _Table(dict[int, str]):
    """What each character becomes, computed when it is first seen."""

    def __init__(self, function: Callable[[str], str]) -> None:
        self._function = function

    def __missing__(self, code: int) -> str:
        if len(self) >= _MAX_CACHED:
            self.clear()
        found = self[code] = self._function(chr(code))
        return found


def _visible(character: str) -> str:
    """Return the character; nothing if it is invisible, as it must not split a word; and a space
    if it is blank."""
    if character in _BLANK or len(unicodedata.normalize("NFKC", character)) > _MAX_GROWTH:
        return " "
    is_control = unicodedata.category(character) in ("Cc", "Cf") and character not in "\t\n\f\r"
    return "" if is_control or INVISIBLE.match(character) else character


def _marked(character: str) -> str:
    """Return the character, with marks on both sides unless it belongs to a word."""
    category = unicodedata.category(character)
    if category[0] in "LNM" or category == "Pc":
        return character
    return "" if character == MARK else f"{MARK}{character}{MARK}"


_VISIBLE: Final = _Table(_visible)
_MARKED: Final = _Table(_marked)


def fold(text: str) -> str:
    """Return a text with a mark at each edge of its words, to search keywords in."""
    return f"{MARK}{_fold(text)}{MARK}"


def fold_keyword(text: str) -> str:
    """Return a keyword as it is in a folded text, without marks at its ends."""
    return _fold(text).strip(MARK)


def is_word(character: str) -> bool:
    """Return whether a folded character belongs to a word, so that its edge has a mark."""
    return len(_MARKED[ord(character)]) == 1


def plain(folded: str) -> str:
    """Return a part of a folded text without marks."""
    return folded.replace(MARK, "")


def collapse(text: str) -> str:
    """Return a text without case, width and repeated white space. Its words have no marks."""
    if not (text.isascii() and text.isprintable()):
        text = text.translate(_VISIBLE)
    text = unicodedata.normalize("NFKC", text).casefold()
    if not text.isascii():
        text = _DECORATION.sub("", text)
    return " ".join(text.split())


def _fold(text: str) -> str:
    return collapse(text).translate(_MARKED)
