"""The guide at the beginning of the API documentation, in Markdown: what all routes share."""

from __future__ import annotations

from importlib import resources
from typing import Final

from chatd.core.intents import PRIVILEGED, Intents

_INTENTS = "\n".join(
    f"| `1 << {each.bit_length() - 1}` | {each.name} | {'yes' if each in PRIVILEGED else ''} |"
    for each in Intents
)

_FILE = resources.files("chatd.rest") / "static" / "guide.md"

TEXT: Final = _FILE.read_text("utf-8").replace("@INTENTS@", _INTENTS)
