"""Names that people pick: what may stand in them, and when two are the same.

Rule: Unicode UAX #15 (NFKC) and UTS #39 ("Confusable Detection" begins with folding); look-alikes
across scripts are told apart, letters in another width or case are not.
"""

from __future__ import annotations

import re
import unicodedata

_REFUSED = {
    "Cc": "control characters",
    "Cf": "invisible characters",
    "Cn": "unassigned characters",
    "Co": "private characters",
    "Cs": "surrogates",
    "Zl": "line breaks",
    "Zp": "line breaks",
}
_RESERVED = frozenset({"everyone", "here", "discord", "system"})
_DELETED = "deleted_user_"  # nobody may look as if their account had been deleted
_SPACES = re.compile(r"\s+")


def username(text: str) -> str:
    """The username as it is shown: NFKC, spaces joined and trimmed. Raises ValueError with why."""
    for character in text:
        if kind := _REFUSED.get(unicodedata.category(character)):
            raise ValueError(f"Must not contain {kind}.")
    shown = _SPACES.sub(" ", unicodedata.normalize("NFKC", text)).strip()
    if not 2 <= len(shown) <= 32:
        raise ValueError("Must be between 2 and 32 in length.")
    if any(mark in shown for mark in ("@", "#", ":", "```")):
        raise ValueError("Must not contain @, #, : or ```.")
    if unicodedata.category(shown[0]).startswith("M"):
        raise ValueError("Must not begin with a combining mark.")
    if key(shown) in _RESERVED or key(shown).startswith(_DELETED):
        raise ValueError("This name is reserved.")
    return shown


def of_deleted(mark: str) -> str:
    """What an account is called after its deletion; `mark` tells it from others."""
    return _DELETED + mark


def key(text: str) -> str:
    """What two spellings of one name have in common: the unique columns hold this."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return unicodedata.normalize("NFKC", folded)  # folding may leave the normal form
