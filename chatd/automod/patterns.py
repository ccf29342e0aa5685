"""Regular expressions of users, in time proportional to the length of the text.

RE2 never backtracks, so no pattern can run for long. It understands nearly what Discord's engine
(that of Rust) does: neither has look-around or back-references. What a search may cost grows with
the size of the compiled pattern, so that is bounded.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

import re2

log = logging.getLogger(__name__)

MAX_SIZE: Final = 2_000
"""Instructions of a compiled pattern. Patterns of 260 characters have a few hundred, unless they
repeat something hundreds of times, like `(a{30}){30}`."""

MAX_SIZES: Final = 5_000
"""Instructions of all patterns of a guild. In the worst case, 4,000 characters then take a thread
0.2 s."""

MEMORY_BYTES: Final = 2**19
"""Memory of a compiled pattern, with the states that searches have added to it."""


class PatternError(ValueError):
    """A pattern is malformed, or too large; the message says why."""


class Pattern:
    """A compiled regular expression. It distinguishes upper and lower case."""

    __slots__ = ("_compiled", "size", "text")

    def __init__(self, text: str) -> None:
        """Compile a pattern. Raises PatternError."""
        self.text = text
        try:
            # Patterns and texts are bytes: texts are encoded once for all patterns.
            self._compiled = _compile(text.encode())
        except re2.error as wrong:
            raise PatternError(_reason(wrong)) from None
        self.size: int = max(self._compiled.programsize, self._compiled.reverseprogramsize)
        """The number of instructions."""
        if self.size > MAX_SIZE:
            raise PatternError("the pattern repeats too much")

    def matches(self, text: bytes) -> Iterator[str]:
        """Yield what the pattern matches in a text, from left to right."""
        for match in self._compiled.finditer(text):
            yield match.group().decode(errors="replace")

    def is_in(self, text: str) -> bool:
        """Return whether the pattern matches anywhere in a text."""
        return self._compiled.search(text.encode()) is not None


class PatternMatcher:
    """Finds the patterns of one rule. Most texts match none; one search shows that."""

    def __init__(self, texts: Iterable[str]) -> None:
        """Compile the patterns. Those that RE2 does not accept any more are left out."""
        self.patterns = [each for text in texts if (each := _compiled(text)) is not None]
        self._any = _any_of(self.patterns)
        once = 1 if self._any is None else 2
        self.size = once * sum(pattern.size for pattern in self.patterns)
        """How many instructions a text is compared with at most."""

    @property
    def size_bytes(self) -> int:
        """How much memory the patterns take at most."""
        return MEMORY_BYTES * (len(self.patterns) + (self._any is not None))

    def matches(self, text: bytes) -> Iterator[tuple[Pattern, str]]:
        """Yield each pattern with what it matches in a text, from left to right."""
        if self._any is not None and self._any.search(text) is None:
            return
        for pattern in self.patterns:
            for match in pattern.matches(text):
                yield pattern, match


def _compiled(text: str) -> Pattern | None:
    try:
        return Pattern(text)
    except PatternError as error:  # another version has stored it
        log.warning("a pattern of AutoModeration has no effect: %s", error)
        return None


def _any_of(patterns: Sequence[Pattern]) -> Any:
    """Return a pattern that matches where any of these does; None if there is none.

    Quoted text (`\\Q`) would not end with its pattern.
    """
    if len(patterns) < 2 or any(r"\Q" in pattern.text for pattern in patterns):
        return None
    try:
        return _compile("|".join(f"(?:{each.text})" for each in patterns).encode())
    except re2.error:  # too large together
        return None


def require_bounded(patterns: Iterable[str]) -> None:
    """Raise PatternError if the patterns of all rules of a guild together are too large."""
    if sum(Pattern(text).size for text in patterns) > MAX_SIZES:
        raise PatternError("the patterns of all rules together repeat too much")


def _compile(pattern: bytes) -> Any:
    compiled = re2.compile(pattern, _OPTIONS)
    re2.purge()  # it would keep the last 128 patterns in memory, also those of deleted rules
    return compiled


def _options() -> re2.Options:
    options = re2.Options()
    options.log_errors = False  # it would write to the standard error
    options.never_capture = True  # groups are not used, and finding them takes longer
    options.max_mem = MEMORY_BYTES
    return options


_OPTIONS: Final = _options()


def _reason(wrong: Exception) -> str:
    reason = wrong.args[0] if wrong.args else "malformed"
    return reason.decode(errors="replace") if isinstance(reason, bytes) else str(reason)
