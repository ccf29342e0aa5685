"""Names of application commands and of their options.

Rule: Discord docs, "Application Command Naming": 1 to 32 letters, numbers, characters of Devanagari
and Thai, and any of `-_'`; no letter that has a lower case.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from chatd.core.commands import MAX_NAME

_ASCII: Final = re.compile(r"[-_'a-z0-9]+", re.ASCII)

# The blocks of the scripts Devanagari and Thai. Their vowel signs are neither letters nor numbers.
_SCRIPTS: Final = (
    range(0x0900, 0x0980),
    range(0x0E01, 0x0E3B),
    range(0x0E40, 0x0E5C),
    range(0xA8E0, 0xA900),
    range(0x11B00, 0x11B0A),
)
# Punctuation in the block of Devanagari that several scripts share.
_SHARED: Final = frozenset("\u0951\u0952\u0953\u0954\u0964\u0965")


def is_valid(name: str) -> bool:
    """Return whether a CHAT_INPUT command or an option can have this name."""
    if not 1 <= len(name) <= MAX_NAME:
        return False
    if name.isascii():
        return _ASCII.fullmatch(name) is not None
    return name == name.lower() and all(map(_is_valid_character, name))


def _is_valid_character(character: str) -> bool:
    if character in "-_'" or unicodedata.category(character)[0] in "LN":
        return True
    point = ord(character)
    return character not in _SHARED and any(point in script for script in _SCRIPTS)
