"""Usernames for people whom another system calls by names that may not be usernames here."""

from __future__ import annotations

import secrets
import unicodedata
from collections.abc import Iterable, Iterator

from chatd.core import names
from chatd.core.names import MAX_INPUT_LENGTH, MAX_USERNAME_LENGTH

_REFUSED = str.maketrans(dict.fromkeys("@#:`", " "))
_FALLBACK = "user"
_SHORT_SUFFIXES, _LONG_SUFFIXES = 3, 3
"""Names with four digits, and then with ten, which are free in all probability."""


def suggestions(given: Iterable[object]) -> Iterator[str]:
    """Yield valid usernames: each of these texts made valid, then the first of them with digits.

    What is no text, or leaves nothing valid, is skipped.
    """
    usable = [name for each in given if isinstance(each, str) and (name := username(each))]
    yield from dict.fromkeys(usable)
    base = usable[0] if usable else _FALLBACK
    for digits in [4] * _SHORT_SUFFIXES + [10] * _LONG_SUFFIXES:
        suffix = "".join(secrets.choice("0123456789") for _ in range(digits))
        yield username(base[: MAX_USERNAME_LENGTH - digits] + suffix) or _FALLBACK + suffix


def username(text: str) -> str | None:
    """Return the nearest valid username to a text; of an address, the part before `@`.

    Returns None if nothing is left of it.
    """
    text = text[:MAX_INPUT_LENGTH]
    if "@" in text.strip("@"):
        text = text.strip("@").partition("@")[0]
    text = unicodedata.normalize("NFKC", text)[:MAX_INPUT_LENGTH].translate(_REFUSED)
    text = "".join(each for each in text if unicodedata.category(each)[0] != "C")
    text = " ".join(text.split())[:MAX_USERNAME_LENGTH].strip()
    try:
        return names.normalize_username(text)
    except ValueError:
        return None
