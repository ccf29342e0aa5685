"""Names of another server, in a form that this server accepts. No input or output."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

from chatd.core import names

_MIN_USERNAME = 2
_REFUSED = str.maketrans({"@": "_", "#": "_", ":": "_", "`": "_"})


def display_name(text: str, fallback: str, limit: int = 100) -> str:
    """Return a valid display name that is as much like `text` as possible."""
    text = " ".join(text[: names.MAX_INPUT_LENGTH].split())
    for attempt in (text, names.without_invisible(text), _plain(text)):
        found = attempt.strip()[:limit].strip()
        if found and _is_valid(found):
            return found
    return fallback


def usernames(name: str, discriminator: str, source_id: int) -> Iterator[str]:
    """Yield valid usernames for an author, the best first. The last ones are unique."""
    base = _plain(name[: names.MAX_INPUT_LENGTH].translate(_REFUSED))
    base = " ".join(unicodedata.normalize("NFKC", base).split())[: names.MAX_USERNAME_LENGTH]
    digits = discriminator if discriminator.isascii() and discriminator.isdigit() else ""
    endings = ["", f"_{digits}" if digits.strip("0") else "", f"_{source_id % 10_000:04}"]
    for ending in dict.fromkeys(endings):
        yield from _valid(base[: names.MAX_USERNAME_LENGTH - len(ending)].strip() + ending)
    yield from _valid(f"user_{source_id}")
    for number in range(2, 12):
        yield from _valid(f"user_{source_id}_{number}")


def _valid(text: str) -> Iterator[str]:
    try:
        yield names.normalize_username(text)
    except ValueError:
        return


def _is_valid(text: str) -> bool:
    try:
        names.check(text)
    except ValueError:
        return False
    return True


def _plain(text: str) -> str:
    """Return a text with letters, digits, punctuation, symbols and plain spaces only."""
    return "".join(
        each if unicodedata.category(each)[0] in "LNPS" else " "
        for each in names.without_invisible(text)
        if unicodedata.category(each)[0] != "M"
    )
