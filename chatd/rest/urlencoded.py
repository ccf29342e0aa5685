"""Parser for forms without files (application/x-www-form-urlencoded).

Rule: WHATWG URL, section 5.1. `urllib.parse.parse_qsl` takes five times as long, and refuses bytes
that stand for other characters than ASCII.
"""

from __future__ import annotations

import re
from typing import Final

from chatd.core.errors import InvalidForm

URLENCODED: Final = "application/x-www-form-urlencoded"

_MAX_FIELDS = 64
_ESCAPE = re.compile(rb"%[0-9A-Fa-f]{2}")
_BYTES = {b"%%%02X" % value: bytes([value]) for value in range(256)}


def parse(body: bytes | bytearray) -> list[tuple[str, bytes]]:
    """Return the names and values of a form, in order. Raises InvalidForm for too many fields."""
    if body.count(b"&") >= _MAX_FIELDS:
        text = f"A form may have {_MAX_FIELDS} fields."
        raise InvalidForm({"_errors": [{"code": "BASE_TYPE_MAX_LENGTH", "message": text}]})
    found = []
    for field in body.split(b"&"):
        name, _, value = field.partition(b"=")
        found.append((_decoded(name).decode(errors="replace"), _decoded(value)))
    return found


def _decoded(text: bytes | bytearray) -> bytes:
    return _ESCAPE.sub(lambda escape: _BYTES[escape[0].upper()], text.replace(b"+", b" "))
